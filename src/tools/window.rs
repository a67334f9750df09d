//! A span of time, as people write it.
//!
//! Enters: `--from` and `--to`. Leaves: a test of times. Never: a guess at a date that is not one.
//!
//! `+10s` counts from the start of the capture, on the boot clock, so that a step of the wall clock does not move it.
//! Everything else is wall time: RFC 3339 with its zone, a local date and time, a local time of day (on the day on which the
//! capture began), or nanoseconds since 1970.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::batch::Meta;

/// One end of a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bound {
    /// Nanoseconds since 1970.
    Wall(u64),
    /// Nanoseconds since the start of the capture.
    Since(u64),
}

/// From (inclusive) and to (exclusive).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window {
    from: Option<Bound>,
    to: Option<Bound>,
}

impl Bound {
    fn parse(option: &str, text: &str, start: u64, zone: &TimeZone) -> Result<Bound, String> {
        if let Some(span) = text.strip_prefix('+') {
            return duration(option, span).map(Bound::Since);
        }
        let wall = |t: Timestamp| u64::try_from(t.as_nanosecond()).ok();
        let local = |d: DateTime| zone.to_timestamp(d).ok();
        let first = i128::from(start);
        let today = || Some(Timestamp::from_nanosecond(first).ok()?.to_zoned(zone.clone()).date());
        let at = match text {
            _ if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            _ => text
                .parse::<Timestamp>()
                .ok()
                .or_else(|| text.parse::<DateTime>().ok().and_then(local))
                .or_else(|| text.parse::<Time>().ok().and_then(|t| local(today()?.to_datetime(t))))
                .and_then(wall),
        };
        at.map(Bound::Wall).ok_or_else(|| {
            format!(
                "{option} needs a time such as +10s, 21:14:03.5, \"2026-11-22 21:14:03\" or 2026-11-22T20:14:03Z, not `{text}`"
            )
        })
    }

    fn of(self, meta: &Meta, time: u64) -> (u64, u64) {
        match self {
            Bound::Wall(at) => (meta.wall_of(time), at),
            Bound::Since(at) => (time.saturating_sub(meta.start_time), at),
        }
    }
}

impl Window {
    /// Reads both ends; `start` is the capture's, on the wall clock.
    pub fn parse(from: Option<&str>, to: Option<&str>, start: u64) -> Result<Window, String> {
        let zone = TimeZone::system();
        let read = |option, text: Option<&str>| {
            text.map(|text| Bound::parse(option, text.trim(), start, &zone)).transpose()
        };
        Ok(Window { from: read("--from", from)?, to: read("--to", to)? })
    }

    /// Everything before the time that an option gives.
    pub fn before(option: &str, at: Option<&str>, start: u64) -> Result<Window, String> {
        let zone = TimeZone::system();
        let to = at.map(|text| Bound::parse(option, text.trim(), start, &zone)).transpose()?;
        Ok(Window { from: None, to })
    }

    /// True if every time lies within.
    pub fn is_everything(&self) -> bool {
        *self == Window::default()
    }

    /// True if a time lies within.
    pub fn has(&self, meta: &Meta, time: u64) -> bool {
        let after = |b: Bound| {
            let (time, at) = b.of(meta, time);
            time >= at
        };
        self.from.is_none_or(after) && !self.to.is_some_and(after)
    }

    /// True if a time between these two may lie within.
    pub fn may_have(&self, meta: &Meta, (first, last): (u64, u64)) -> bool {
        let outside = |bound: Option<Bound>, test: fn(u64, u64, u64) -> bool| {
            bound.is_some_and(|b| {
                let ((first, at), (last, _)) = (b.of(meta, first), b.of(meta, last));
                // A clock that wraps in between (a made-up file) is no reason to leave something out.
                first <= last && test(first, last, at)
            })
        };
        !outside(self.from, |_, last, at| last < at) && !outside(self.to, |first, _, at| first >= at)
    }
}

/// A span such as `10s`, `1.5ms` or `2h`, in nanoseconds.
pub fn duration(option: &str, text: &str) -> Result<u64, String> {
    let units = [("ns", 0), ("us", 3), ("ms", 6), ("s", 9)];
    let long = [("min", 60), ("m", 60), ("h", 3600), ("d", 86_400)];
    let scaled = |digits: &str, zeros: usize, times: u64| -> Option<u64> {
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(part) || part.len() > zeros || digits.ends_with('.') {
            return None;
        }
        let zeros = u32::try_from(zeros).ok()?;
        let rest = zeros.checked_sub(u32::try_from(part.len()).ok()?)?;
        let part: u64 = if part.is_empty() { 0 } else { part.parse().ok()? };
        let whole = whole.parse::<u64>().ok()?.checked_mul(10u64.pow(zeros))?;
        whole.checked_add(part.checked_mul(10u64.pow(rest))?)?.checked_mul(times)
    };
    let short = units.iter().find_map(|(u, zeros)| scaled(text.strip_suffix(u)?, *zeros, 1));
    short
        .or_else(|| long.iter().find_map(|(u, times)| scaled(text.strip_suffix(u)?, 9, *times)))
        .ok_or_else(|| format!("{option} needs a span such as 10s, 1.5ms, 5m or 2h, not `{text}`"))
}

/// A wall time for people.
pub fn date(wall: u64) -> String {
    let mut out = Vec::new();
    crate::fields::clock::with_local(|clock| clock.date_time(&mut out, wall));
    String::from_utf8_lossy(&out).into_owned()
}

/// A span for people.
pub fn span(ns: u64) -> String {
    let spoken = SignedDuration::from_nanos(i64::try_from(ns).unwrap_or(i64::MAX));
    format!("{}.{:09}s", spoken.as_secs(), spoken.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_795_382_043_184_503_021; // 2026-11-22T21:14:03.184503021Z

    fn bound(text: &str) -> Result<Bound, String> {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        Bound::parse("--from", text, START, &zone)
    }

    #[test]
    fn times_as_people_write_them() {
        let second = START / 1_000_000_000;
        let wall = |s: u64, ns: u64| Ok(Bound::Wall(s * 1_000_000_000 + ns));
        assert_eq!(bound("+10s"), Ok(Bound::Since(10_000_000_000)));
        assert_eq!(bound("+1.5ms"), Ok(Bound::Since(1_500_000)));
        assert_eq!(bound("2026-11-22T21:14:03Z"), wall(second, 0));
        assert_eq!(bound("2026-11-22T22:14:03.5+01:00"), wall(second, 500_000_000));
        assert_eq!(bound("2026-11-22 23:14:03"), wall(second, 0));
        assert_eq!(bound("23:14:04.000000001"), wall(second + 1, 1));
        assert_eq!(bound("1795382043184503021"), Ok(Bound::Wall(START)));
        for bad in
            ["", "+", "+x", "10s", "yesterday", "25:00:00", "2026-13-01 00:00:00", "1969-01-01T00:00:00Z"]
        {
            assert!(bound(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans() {
        for (text, ns) in [
            ("10s", 10_000_000_000),
            ("1.5ms", 1_500_000),
            ("7ns", 7),
            ("2h", 7_200_000_000_000),
            ("5m", 300_000_000_000),
        ] {
            assert_eq!(duration("--duration", text), Ok(ns), "{text}");
        }
        for bad in ["", "s", "10", "-1s", "+1s", "1.s", ".5s", "1.5ns", "1e3s", "99999999999999d", "1 s"] {
            assert!(duration("--duration", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn from_is_inside_and_to_is_not() {
        let meta = Meta { start_time: 100, boot: 100, wall: 1000, host: 0 };
        let window = Window { from: Some(Bound::Since(10)), to: Some(Bound::Wall(1020)) };
        let inside: Vec<u64> = (100..130).filter(|t| window.has(&meta, *t)).collect();
        assert_eq!(inside, (110..120).collect::<Vec<_>>());
        for (range, may) in [((100, 109), false), ((100, 110), true), ((119, 130), true), ((120, 130), false)]
        {
            assert_eq!(window.may_have(&meta, range), may, "{range:?}");
        }
        assert!(Window::default().is_everything() && Window::default().has(&meta, 0));
    }
}
