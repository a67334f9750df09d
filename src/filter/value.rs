//! Constants: from the text of a filter to something a value can be compared with.
//!
//! Enters: a constant's text and the type of its field. Leaves: numbers, networks, checked names. Never: a field.

use std::net::IpAddr;

use super::bits::Known;
use super::error::quoted;
use super::suggest::did_you_mean;
use crate::batch::FileKind;
use crate::fields::{Type, services};
use crate::schema::{Class, Schema, names};

/// Why a text is no constant of a type: title, reason, hint.
pub type Refusal = (String, String, String);

/// An address, or all addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    addr: IpAddr,
    prefix: u8,
}

impl Net {
    /// The address, if it is a single one.
    pub fn single(&self) -> Option<IpAddr> {
        (self.prefix == if self.addr.is_ipv4() { 32 } else { 128 }).then_some(self.addr)
    }

    /// True if the address lies within. An IPv4 address inside IPv6 (`::ffff:1.2.3.4`) counts as the IPv4 address.
    pub fn has(&self, ip: IpAddr) -> bool {
        match (self.addr, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32))).unwrap_or(0);
                (u32::from(net) ^ u32::from(ip)) & mask == 0
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix.min(128))).unwrap_or(0);
                (u128::from(net) ^ u128::from(ip)) & mask == 0
            }
            _ => false,
        }
    }
}

/// Reads an address or a network.
pub fn net(text: &str) -> Result<Net, Refusal> {
    let no = |reason: String| {
        ("not an address".to_string(), reason, "write 10.1.2.3, 10.0.0.0/8, ::1 or fe80::/10".to_string())
    };
    let (addr, prefix) = match text.split_once('/') {
        Some((addr, prefix)) => (addr, Some(prefix)),
        None => (text, None),
    };
    let addr: IpAddr =
        addr.parse().map_err(|_| no(format!("{} is no IPv4 or IPv6 address", quoted(addr))))?;
    let most = if addr.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        None => most,
        Some(p) => p
            .parse::<u8>()
            .ok()
            .filter(|n| *n <= most && p.bytes().all(|b| b.is_ascii_digit()))
            .ok_or_else(|| no(format!("{} is no prefix length from 0 to {most}", quoted(p))))?,
    };
    Ok(match addr.to_canonical() {
        v4 @ IpAddr::V4(_) if addr.is_ipv6() && prefix >= 96 => Net { addr: v4, prefix: prefix - 96 },
        _ => Net { addr, prefix },
    })
}

/// Reads a number of a numeric type.
pub fn number(text: &str, ty: Type) -> Result<i128, Refusal> {
    let no = |reason: String, hint: &str| ("not ".to_string() + article(ty), reason, hint.to_string());
    let is_none = |hint: &str| no(format!("{} is not {}", quoted(text), article(ty)), hint);
    let value = match ty {
        Type::Duration => scaled(text, DURATIONS)
            .ok_or_else(|| is_none("write 10ms, 1.5s or 250us; a bare number is nanoseconds"))?,
        Type::Size => scaled(text, SIZES).ok_or_else(|| is_none("write 4096, 4k, 10M or 1GiB"))?,
        Type::Port => match services::port_of(text) {
            Some(port) => i128::from(port),
            None => plain(text).ok_or_else(|| {
                let hint = did_you_mean(text, services::ALL.iter().map(|(n, _)| *n));
                is_none(if hint.is_empty() {
                    "write a number from 0 to 65535, or a service such as https"
                } else {
                    &hint
                })
            })?,
        },
        Type::Time => match plain(text) {
            Some(value) => value,
            None => text
                .parse::<jiff::Timestamp>()
                .map(jiff::Timestamp::as_nanosecond)
                .map_err(|_| is_none("write 2026-09-26T12:00:00Z, or nanoseconds since 1970"))?,
        },
        _ => plain(text).ok_or_else(|| {
            let is_errno = names::ERRNO.value_of(text.trim_start_matches('-')).is_some();
            is_none(match is_errno {
                true => "errors are compared by name in evt.res: `evt.res = ENOENT`",
                false => "write a number such as 17, 0x11 or 0o21",
            })
        })?,
    };
    let (least, most) = match ty {
        Type::Int => (i128::from(i64::MIN), i128::from(i64::MAX)),
        Type::Port => (0, 65535),
        Type::Id => (0, i128::from(u32::MAX)),
        _ => (0, i128::from(u64::MAX)),
    };
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(no(format!("{} is outside {least} to {most}", quoted(text)), ""))
    }
}

/// Reads a number or a range of them, both ends included: `7`, `1..1024`, `1024..`, `..1023`.
pub fn range(text: &str, ty: Type) -> Result<(i128, i128), Refusal> {
    let Some((low, high)) = text.split_once("..") else { return number(text, ty).map(|n| (n, n)) };
    let end = |text: &str, open: i128| if text.is_empty() { Ok(open) } else { number(text, ty) };
    if low.is_empty() && high.is_empty() {
        let reason = "a range has at least one end".to_string();
        return Err(("not ".to_string() + article(ty), reason, "write 1..1024, 1024.. or ..1023".into()));
    }
    let (low, high) = (end(low, i128::MIN)?, end(high, i128::MAX)?);
    if low > high {
        let hint = "write the smaller end first".to_string();
        return Err(("empty range".into(), format!("{} runs backwards", quoted(text)), hint));
    }
    Ok((low, high))
}

/// Bytes written as hexadecimal digits.
pub fn bytes(text: &str) -> Result<Vec<u8>, Refusal> {
    let no = |reason: String| {
        ("not bytes".to_string(), reason, "write two hexadecimal digits for each byte: 7f454c46".to_string())
    };
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    if text.is_empty() || !text.len().is_multiple_of(2) {
        let reason = if text.is_empty() {
            "it is empty".into()
        } else {
            format!("{} has an odd number of digits", quoted(text))
        };
        return Err(no(reason));
    }
    let pairs = text.as_bytes().chunks(2);
    let read = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
    pairs
        .map(read)
        .collect::<Option<Vec<u8>>>()
        .ok_or_else(|| no(format!("{} is no hexadecimal", quoted(text))))
}

fn article(ty: Type) -> &'static str {
    match ty {
        Type::Duration => "a duration",
        Type::Size => "a size",
        Type::Port => "a port",
        Type::Time => "a time",
        Type::Id => "an id",
        _ => "a number",
    }
}

/// Decimal, hexadecimal or octal.
pub fn plain(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', b'o' | b'O', ..] => (&digits[2..], 8),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    // from_str_radix would take another sign.
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -value } else { value })
}

const DURATIONS: &[(&str, i128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

const SIZES: &[(&str, i128)] = &[
    ("B", 1),
    ("k", 1 << 10),
    ("K", 1 << 10),
    ("KiB", 1 << 10),
    ("kiB", 1 << 10),
    ("m", 1 << 20),
    ("M", 1 << 20),
    ("MiB", 1 << 20),
    ("miB", 1 << 20),
    ("g", 1 << 30),
    ("G", 1 << 30),
    ("GiB", 1 << 30),
    ("giB", 1 << 30),
];

/// A number with a unit; with a unit it may have a fraction.
fn scaled(text: &str, units: &[(&str, i128)]) -> Option<i128> {
    if let Some(value) = plain(text) {
        return Some(value);
    }
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (digits, unit) = text.split_at(at);
    let scale = units.iter().find(|(n, _)| *n == unit)?.1;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    // 18 digits on either side cannot overflow.
    if !all_digits(whole) || !all_digits(fraction) || whole.len() > 18 || fraction.len() > 18 {
        return None;
    }
    let part = fraction.parse::<i128>().ok()? * scale / 10i128.pow(fraction.len() as u32);
    Some(whole.parse::<i128>().ok()? * scale + part)
}

/// True or false.
pub fn boolean(text: &str) -> Result<bool, Refusal> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err((
            "not true or false".into(),
            format!("{} is neither `true` nor `false`", quoted(text)),
            String::new(),
        )),
    }
}

/// Every name that a value of a type can be; nothing for types that are not names.
pub fn vocabulary(ty: Type, schema: &Schema) -> Vec<&str> {
    match ty {
        Type::CallName => schema.named().map(|s| &*s.name).collect(),
        Type::ClassName => Class::NAMES.iter().map(|(_, n, _)| *n).chain(["other"]).collect(),
        Type::ErrnoName => names::ERRNO.rows.iter().map(|(_, n)| *n).chain(["SUCCESS"]).collect(),
        Type::FileKindName => FileKind::ALL.iter().map(|(_, n, _)| *n).collect(),
        _ => Vec::new(),
    }
}

/// What a name of this type names.
pub fn noun(ty: Type) -> &'static str {
    match ty {
        Type::CallName => "system call",
        Type::ClassName => "class of calls",
        Type::ErrnoName => "error",
        _ => "kind of file",
    }
}

/// Checks a name, and gives it as it is printed.
pub fn name(text: &str, ty: Type, field: &str, schema: &Schema) -> Result<String, Refusal> {
    if ty == Type::ErrnoName && text != "SUCCESS" {
        // Of two names for one number (EWOULDBLOCK) events have the first.
        if let Some(shown) = names::ERRNO.value_of(text).and_then(|n| names::ERRNO.name_of(n)) {
            return Ok(shown.to_string());
        }
    } else if ty == Type::CallName {
        if schema.code(text).is_some() {
            return Ok(text.to_string());
        }
    } else if ty != Type::ErrnoName && vocabulary(ty, schema).contains(&text) {
        return Ok(text.to_string());
    }
    if text == "SUCCESS" && ty == Type::ErrnoName {
        return Ok(text.to_string());
    }
    let words = vocabulary(ty, schema);
    let mut hint = did_you_mean(text, words.iter().copied());
    if hint.is_empty() && words.len() <= 30 && ty != Type::CallName {
        hint = format!("it is one of {}", words.join(" "));
    }
    if ty == Type::CallName && hint.is_empty() {
        hint = "list: sysreel calls".into();
    }
    if ty == Type::ErrnoName
        && let Ok(n) = text.parse::<i64>()
    {
        hint = match names::errno(n.unsigned_abs()) {
            Some(name) => format!("errors are compared by name: write `{name}`"),
            None => "errors are compared by name, such as ENOENT".into(),
        };
    }
    let reason = format!("no {} is called {}", noun(ty), quoted(text));
    Err((format!("unknown value for {field}"), reason, hint))
}

/// The value of an argument that is always a name, several joined by `|`, or a number: as it is printed.
pub fn named(text: &str, known: &Known) -> String {
    let shown: Vec<&str> = text.split('|').map(|part| known.printed(part).unwrap_or(part)).collect();
    shown.join("|")
}

/// The refusal of a name that no value of an argument has.
pub fn unknown_name(part: &str, known: &Known, field: &str) -> Refusal {
    let mut names: Vec<&str> = known.names().collect();
    names.sort_unstable();
    names.dedup();
    let mut hint = did_you_mean(part, names.iter().copied());
    if hint.is_empty() && names.len() <= 30 {
        hint = format!("it is one of {}", names.join(" "));
    }
    let reason = format!("no value of {field} is called {}", quoted(part));
    (format!("unknown value for {field}"), reason, hint)
}
