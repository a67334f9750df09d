//! Wall-clock times as text.
//!
//! Enters: nanoseconds since 1970. Leaves: local times, UTC times in RFC 3339. Never: a look at the time zone for every
//! event: the offset is kept for a quarter of an hour of event time, the digits of the second for a second.

use std::cell::RefCell;

use jiff::{Timestamp, tz::TimeZone};

use super::number;

const NS: u64 = 1_000_000_000;
/// Offsets of time zones change at multiples of this.
const QUARTER: u64 = 900;

/// Writes times; keeps what the last one needed.
#[derive(Debug)]
pub struct Clock {
    zone: TimeZone,
    quarter: u64,
    offset: i64,
    second: u64,
    /// `YYYY-MM-DD HH:MM:SS` of `second`.
    text: Vec<u8>,
}

impl Clock {
    /// A clock of this time zone.
    pub fn new(zone: TimeZone) -> Clock {
        Clock { zone, quarter: u64::MAX, offset: 0, second: u64::MAX, text: Vec::new() }
    }

    /// A clock of the system's time zone; UTC if there is no time zone database.
    pub fn local() -> Clock {
        // Tests must give the same text everywhere.
        Clock::new(if cfg!(test) { TimeZone::UTC } else { TimeZone::system() })
    }

    fn civil(&mut self, wall: u64) -> &[u8] {
        let second = wall / NS;
        if second != self.second {
            if second / QUARTER != self.quarter {
                self.quarter = second / QUARTER;
                let at = i64::try_from(second).ok().and_then(|s| Timestamp::from_second(s).ok());
                self.offset = at.map_or(0, |t| i64::from(self.zone.to_offset(t).seconds()));
            }
            self.second = second;
            self.text.clear();
            civil(&mut self.text, second as i64 + self.offset, b' ');
        }
        &self.text
    }

    /// `21:14:03.184503021`.
    pub fn time(&mut self, out: &mut Vec<u8>, wall: u64) {
        self.second_of_day(out, wall);
        fraction(out, wall);
    }

    /// `21:14:03`.
    pub fn second_of_day(&mut self, out: &mut Vec<u8>, wall: u64) {
        out.extend_from_slice(&self.civil(wall)[11..]);
    }

    /// `2026-11-22 21:14:03`.
    pub fn date_time_s(&mut self, out: &mut Vec<u8>, wall: u64) {
        out.extend_from_slice(self.civil(wall));
    }

    /// `2026-11-22 21:14:03.184503021`.
    pub fn date_time(&mut self, out: &mut Vec<u8>, wall: u64) {
        out.extend_from_slice(self.civil(wall));
        fraction(out, wall);
    }
}

/// `2026-11-22T21:14:03.184503021Z`.
pub fn rfc3339(out: &mut Vec<u8>, wall: u64) {
    civil(out, (wall / NS) as i64, b'T');
    fraction(out, wall);
    out.push(b'Z');
}

/// `1795382043.184503021`.
pub fn epoch(out: &mut Vec<u8>, ns: u64) {
    number::uint(out, ns / NS);
    fraction(out, ns);
}

fn fraction(out: &mut Vec<u8>, ns: u64) {
    out.push(b'.');
    number::padded(out, ns % NS, 9);
}

/// Date and time of seconds since 1970; years 1970 to 2554 are all that nanoseconds can say.
fn civil(out: &mut Vec<u8>, seconds: i64, between: u8) {
    let (day, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400) as u64);
    // Days to a date by the rules of the Gregorian calendar, in eras of 400 years that begin in March.
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    number::padded(out, year as u64, 4);
    out.push(b'-');
    number::padded(out, month as u64, 2);
    out.push(b'-');
    number::padded(out, (doy - (153 * mp + 2) / 5 + 1) as u64, 2);
    out.push(between);
    number::padded(out, rest / 3_600, 2);
    out.push(b':');
    number::padded(out, rest / 60 % 60, 2);
    out.push(b':');
    number::padded(out, rest % 60, 2);
}

thread_local! {
    static LOCAL: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

/// Uses this thread's clock of local time.
pub fn with_local<T>(f: impl FnOnce(&mut Clock) -> T) -> T {
    LOCAL.with(|c| match c.try_borrow_mut() {
        Ok(mut c) => f(c.get_or_insert_with(Clock::local)),
        Err(_) => f(&mut Clock::local()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(f: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        f(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_zone_is_heeded() {
        let mut clock = Clock::new(TimeZone::fixed(jiff::tz::offset(2)));
        let wall = 1_795_382_043_184_503_021;
        assert_eq!(text(|o| rfc3339(o, wall)), "2026-11-22T21:14:03.184503021Z");
        assert_eq!(text(|o| clock.date_time(o, wall)), "2026-11-22 23:14:03.184503021");
        assert_eq!(text(|o| clock.time(o, wall + NS)), "23:14:04.184503021");
        assert_eq!(text(|o| epoch(o, wall)), "1795382043.184503021");
    }

    proptest! {
        #[test]
        fn dates_are_those_of_jiff(wall in 0..u64::MAX) {
            let want = Timestamp::from_nanosecond(i128::from(wall)).unwrap();
            prop_assert_eq!(text(|o| rfc3339(o, wall)), format!("{want:.9}"));
        }
    }
}
