//! Sets and arrays of descriptors that calls are given: which numbers the copied bytes of an argument name.
//!
//! Enters: the kind of an argument, its item, the words of the call. Leaves: numbers. Never: trust: the bytes may be cut or
//! made up.

use super::item::{SET_NONE, SET_UNREADABLE};
use super::{Kind, Len};

/// Most descriptors of one row whose files are kept; the probe copies sets of that size.
pub const MOST: usize = 4096;

impl Kind {
    /// True if its item names descriptors, any number of them. What epoll answers are words that the program chose.
    pub fn is_fd_list(self) -> bool {
        matches!(self, Kind::Pollfds(_) | Kind::FdSet(_))
    }
}

/// Appends the descriptors that the item of such an argument names, as the call was given it.
fn push(kind: Kind, words: &[u64], bytes: &[u8], out: &mut Vec<u32>) {
    match kind {
        // Numbers below zero are passed over (poll(2)).
        Kind::Pollfds(_) => out.extend(bytes.as_chunks::<8>().0.iter().filter_map(|fd| {
            let number = fd.first_chunk().map(|four| i32::from_le_bytes(*four))?;
            u32::try_from(number).ok()
        })),
        Kind::FdSet(len) => {
            let (heads, sets) = bytes.split_at_checked(8).unwrap_or_default();
            let mut lens = heads.as_chunks::<4>().0.iter().map(|four| i32::from_le_bytes(*four));
            // Without what was asked, at least what was found was asked for.
            let Some(len_of) = lens.find(|len| *len != SET_UNREADABLE && *len != SET_NONE) else { return };
            let set = usize::try_from(len_of).ok().and_then(|n| sets.get(..n)).unwrap_or(sets);
            let bits = match len {
                Len::Arg(n) => words.get(usize::from(n)).map(|n| *n as i32),
                _ => None,
            };
            let bits = bits.map_or(u32::MAX, |n| u32::try_from(n).unwrap_or(0));
            let of_byte =
                |(i, byte): (u32, u8)| (0..8).filter(move |n| byte >> n & 1 == 1).map(move |n| 8 * i + n);
            out.extend((0u32..).zip(set.iter().copied()).flat_map(of_byte).take_while(|fd| *fd < bits));
        }
        _ => {}
    }
}

/// The descriptors that the sets and arrays of a call name, ascending and each once, at most [`MOST`]: `items` are the
/// kinds of such arguments with their copied bytes.
pub fn descriptors<'a>(words: &[u64], items: impl Iterator<Item = (Kind, &'a [u8])>, out: &mut Vec<u32>) {
    out.clear();
    for (kind, bytes) in items {
        push(kind, words, bytes, out);
    }
    out.sort_unstable();
    out.dedup();
    out.truncate(MOST);
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: Kind = Kind::Pollfds(Len::Arg(1));
    const SET: Kind = Kind::FdSet(Len::Arg(0));

    fn of(words: &[u64], items: &[(Kind, &[u8])]) -> Vec<u32> {
        let mut out = vec![7];
        descriptors(words, items.iter().copied(), &mut out);
        out
    }

    fn set(before: i32, after: i32, bytes: &[u8]) -> Vec<u8> {
        [&before.to_le_bytes()[..], &after.to_le_bytes(), bytes].concat()
    }

    #[test]
    fn arrays_name_what_is_not_below_zero() {
        let bytes: Vec<u8> =
            [9i32, -1, 3, 9].iter().flat_map(|fd| [&fd.to_le_bytes()[..], &[1, 0, 0, 0]].concat()).collect();
        assert_eq!(of(&[0, 4], &[(POLL, &bytes)]), [3, 9]);
        assert_eq!(of(&[0, 4], &[(POLL, &bytes[..27])]), [3, 9], "the torn one does not count");
        assert!(of(&[0, 4], &[(POLL, &[])]).is_empty());
    }

    #[test]
    fn sets_name_what_was_asked() {
        // Asked for 1, 8 and 9; found 8.
        let one = set(2, 2, &[2, 3, 0, 1]);
        assert_eq!(of(&[16], &[(SET, &one)]), [1, 8, 9]);
        assert_eq!(of(&[9], &[(SET, &one)]), [1, 8], "bits from nfds on are not looked at");
        assert!(of(&[-1i64 as u64], &[(SET, &one)]).is_empty());
        assert_eq!(
            of(&[16], &[(SET, &one), (SET, &set(1, -2, &[4])), (POLL, &[5, 0, 0, 0, 1, 0, 0, 0])]),
            [1, 2, 5, 8, 9]
        );
        assert_eq!(of(&[16], &[(SET, &set(-1, 2, &[0, 1]))]), [8], "what was asked could not be read");
        for bad in
            [&set(-1, -2, &[1]), &set(i32::MAX, 0, &[1]), &vec![1, 0, 0], &Vec::new(), &set(-77, 1, &[1])]
        {
            assert!(of(&[16], &[(SET, bad)]).len() <= 1);
        }
    }

    #[test]
    fn there_is_an_end() {
        let all = set(1024, -2, &[0xff; 1024]);
        assert_eq!(of(&[8192], &[(SET, &all)]), (0..MOST as u32).collect::<Vec<_>>());
    }
}
