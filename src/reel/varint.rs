//! Numbers of variable length: LEB128, and zigzag for signed differences.
//!
//! Enters: numbers, or bytes that nobody trusts. Leaves: bytes, or numbers. Never: a read past the end, an allocation
//! whose size the input chose.

/// Longest encoding of a `u64`.
pub(super) const MAX: usize = 10;

/// Maps small differences of either sign to small numbers.
pub(super) fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

/// Reverses [`zigzag`].
pub(super) fn unzigzag(v: u64) -> i64 {
    (v >> 1) as i64 ^ -((v & 1) as i64)
}

/// Appends one number.
pub(super) fn put(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// Bytes put together before they are appended.
const ROOM: usize = 1024;

/// Appends many numbers. They are put together on the side: a check of the capacity for each byte would cost more than
/// the rest.
pub(super) struct Appender<'a> {
    out: &'a mut Vec<u8>,
    room: [u8; ROOM + MAX],
    at: usize,
}

impl<'a> Appender<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Appender<'a> {
        Appender { out, room: [0; ROOM + MAX], at: 0 }
    }

    #[inline]
    pub fn put(&mut self, v: u64) {
        if let Some(room) = self.room.get_mut(self.at..self.at + MAX) {
            self.at += write(room, v);
        }
        if self.at >= ROOM {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.out.extend_from_slice(self.room.get(..self.at).unwrap_or_default());
        self.at = 0;
    }
}

impl Drop for Appender<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Appends many numbers.
pub(super) fn put_all(out: &mut Vec<u8>, values: impl Iterator<Item = u64>) {
    let mut to = Appender::new(out);
    values.for_each(|v| to.put(v));
}

/// Writes one number to the front of `room`, which has [`MAX`] bytes.
#[inline]
fn write(room: &mut [u8], mut v: u64) -> usize {
    if let (0..0x80, Some(slot)) = (v, room.first_mut()) {
        *slot = v as u8;
        return 1;
    }
    let mut n = 0;
    for slot in room {
        n += 1;
        if v < 0x80 {
            *slot = v as u8;
            break;
        }
        *slot = v as u8 | 0x80;
        v >>= 7;
    }
    n
}

/// Takes one number off the front. Numbers that do not fit in 64 bits are refused.
#[inline]
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    *bytes = rest;
    if first < 0x80 {
        return Some(u64::from(first));
    }
    let (mut v, mut shift) = (u64::from(first & 0x7f), 7u32);
    loop {
        let (&b, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(b & 0x7f);
        if shift > 63 || (shift == 63 && part > 1) {
            return None;
        }
        v |= part << shift;
        if b < 0x80 {
            return Some(v);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(v in any::<u64>(), shift in 0u32..64, tail in any::<Vec<u8>>()) {
            let v = v >> shift;
            let mut one = Vec::new();
            put(&mut one, v);
            let mut all = vec![7];
            put_all(&mut all, [v, v].into_iter());
            prop_assert_eq!(&all[1..], &[one.clone(), one.clone()].concat()[..]);
            one.extend(&tail);
            let mut rest = &one[..];
            prop_assert_eq!(take(&mut rest), Some(v));
            prop_assert_eq!(rest, &tail[..]);
        }

        #[test]
        fn signs_come_back(v in any::<i64>()) {
            prop_assert_eq!(unzigzag(zigzag(v)), v);
        }

        #[test]
        fn anything_may_be_read(bytes in any::<Vec<u8>>()) {
            let mut rest = &bytes[..];
            while !rest.is_empty() && take(&mut rest).is_some() {}
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(
            take(&mut &[0xffu8; 9].iter().copied().chain([1]).collect::<Vec<_>>()[..]),
            Some(u64::MAX)
        );
        assert_eq!(take(&mut &[0xffu8; 9].iter().copied().chain([2]).collect::<Vec<_>>()[..]), None);
        assert_eq!(take(&mut &[0x80u8; 11][..]), None);
        assert_eq!(take(&mut &[0x80u8][..]), None);
        assert_eq!((zigzag(0), zigzag(-1), zigzag(1), zigzag(i64::MIN)), (0, 1, 2, u64::MAX));
    }
}
