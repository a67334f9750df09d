//! Numbers as text, appended to a byte vector.
//!
//! Enters: integers and addresses. Leaves: ASCII digits at the end of a `Vec<u8>`. Never: `format!` (it costs several
//! times as much, and this runs a dozen times for every event).

use std::net::IpAddr;

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// Decimal.
pub fn uint(out: &mut Vec<u8>, mut n: u64) {
    let mut buf = [0u8; 20];
    let mut at = buf.len();
    while n >= 100 {
        let pair = (n % 100) as usize * 2;
        n /= 100;
        at -= 2;
        buf[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if n >= 10 {
        let pair = n as usize * 2;
        at -= 2;
        buf[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        buf[at] = b'0' + n as u8;
    }
    out.extend_from_slice(&buf[at..]);
}

/// Decimal with a sign if negative.
pub fn int(out: &mut Vec<u8>, n: i64) {
    if n < 0 {
        out.push(b'-');
    }
    uint(out, n.unsigned_abs());
}

/// Decimal, exactly the last `width` digits, with leading zeros.
pub fn padded(out: &mut Vec<u8>, mut n: u64, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    for slot in out[start..].iter_mut().rev() {
        *slot = b'0' + (n % 10) as u8;
        n /= 10;
    }
}

/// `0x` and hexadecimal; 0 is `0`.
pub fn hex(out: &mut Vec<u8>, n: u64) {
    if n == 0 {
        out.push(b'0');
        return;
    }
    out.extend_from_slice(b"0x");
    let digits = 16 - n.leading_zeros() / 4;
    for i in (0..digits).rev() {
        out.push(nibble((n >> (4 * i)) as u8));
    }
}

/// Two hexadecimal digits.
pub fn byte(out: &mut Vec<u8>, b: u8) {
    out.push(nibble(b >> 4));
    out.push(nibble(b));
}

fn nibble(n: u8) -> u8 {
    b"0123456789abcdef"[usize::from(n & 15)]
}

/// Octal with a leading `0`, at least three digits after it unless the number is 0: `0644`, `04755`, `0`.
pub fn octal(out: &mut Vec<u8>, n: u32) {
    out.push(b'0');
    if n == 0 {
        return;
    }
    let digits = (32 - n.leading_zeros()).div_ceil(3).max(3);
    for i in (0..digits).rev() {
        out.push(b'0' + (n >> (3 * i) & 7) as u8);
    }
}

/// A span with three significant digits and a unit: `250ns`, `18us`, `1.04ms`, `2.5s`. Zeros at the end go.
pub fn span(out: &mut Vec<u8>, ns: u64) {
    let (unit, name): (u64, &[u8]) = match ns {
        0..1_000 => (1, b"ns"),
        1_000..1_000_000 => (1_000, b"us"),
        1_000_000..1_000_000_000 => (1_000_000, b"ms"),
        _ => (1_000_000_000, b"s"),
    };
    let whole = ns / unit;
    uint(out, whole);
    // Cut, not rounded: 999.99us must not become 1000us.
    let digits = match whole {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    if unit > 1 && digits > 0 {
        let hundredths = ns % unit / (unit / 100);
        let (mut n, mut digits) = if digits == 2 { (hundredths, 2) } else { (hundredths / 10, 1) };
        while digits > 0 && n % 10 == 0 {
            n /= 10;
            digits -= 1;
        }
        if digits > 0 {
            out.push(b'.');
            padded(out, n, digits);
        }
    }
    out.extend_from_slice(name);
}

/// An address as the world writes it.
pub fn ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(v4) => {
            for (i, b) in v4.octets().into_iter().enumerate() {
                if i > 0 {
                    out.push(b'.');
                }
                uint(out, u64::from(b));
            }
        }
        // Rare enough for the standard library's rules of compression.
        IpAddr::V6(v6) => out.extend_from_slice(v6.to_string().as_bytes()),
    }
}

/// An address with its port: `127.0.0.1:80`, `[::1]:80`.
pub fn endpoint(out: &mut Vec<u8>, addr: IpAddr, port: u16) {
    if addr.is_ipv6() {
        out.push(b'[');
        ip(out, addr);
        out.push(b']');
    } else {
        ip(out, addr);
    }
    out.push(b':');
    uint(out, u64::from(port));
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
    fn spans() {
        for (ns, want) in [
            (0, "0ns"),
            (250, "250ns"),
            (1_000, "1us"),
            (18_000, "18us"),
            (18_540, "18.5us"),
            (1_045_000, "1.04ms"),
            (999_999, "999us"),
            (2_500_000_000, "2.5s"),
            (90_000_000_000, "90s"),
            (1_005_000_000_000, "1005s"),
        ] {
            assert_eq!(text(|o| span(o, ns)), want);
        }
    }

    #[test]
    fn octals() {
        for (n, want) in [(0, "0"), (0o644, "0644"), (0o4755, "04755"), (0o22, "0022"), (0o100644, "0100644")]
        {
            assert_eq!(text(|o| octal(o, n)), want);
        }
        assert_eq!(text(|o| octal(o, u32::MAX)), "037777777777");
    }

    proptest! {
        #[test]
        fn as_the_standard_library_writes_them(n: u64, i: i64, v4: [u8; 4], port: u16) {
            prop_assert_eq!(text(|o| uint(o, n)), n.to_string());
            prop_assert_eq!(text(|o| uint(o, n % 1000)), (n % 1000).to_string());
            prop_assert_eq!(text(|o| int(o, i)), i.to_string());
            let want = if n == 0 { "0".to_string() } else { format!("{n:#x}") };
            prop_assert_eq!(text(|o| hex(o, n)), want);
            prop_assert_eq!(text(|o| padded(o, n % 1_000_000_000, 9)), format!("{:09}", n % 1_000_000_000));
            let addr = std::net::SocketAddr::from((v4, port));
            prop_assert_eq!(text(|o| endpoint(o, addr.ip(), port)), addr.to_string());
        }
    }
}
