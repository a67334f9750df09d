//! Sets and arrays of descriptors that calls are given, and those that go with messages: which numbers the copied bytes of an
//! argument name.
//!
//! Enters: the kind of an argument, its item, the words of the call. Leaves: numbers. Never: trust: the bytes may be cut or
//! made up.

use super::item::{MESSAGE, SET_NONE, SET_UNREADABLE};
use super::{Kind, Len};

/// Most descriptors of one row whose files are kept; the probe copies sets of that size.
pub const MOST: usize = 4096;

impl Kind {
    /// True if its item names descriptors, any number of them. What epoll answers are words that the program chose.
    pub fn is_fd_list(self) -> bool {
        matches!(self, Kind::Pollfds(_) | Kind::FdSet(_) | Kind::Msghdr | Kind::Mmsghdr(_))
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
        Kind::Msghdr => _ = passed(&mut { bytes }, out),
        Kind::Mmsghdr(_) => {
            let mut rest = bytes;
            while passed(&mut rest, out).is_some() {}
        }
        _ => {}
    }
}

/// SOL_SOCKET, SCM_RIGHTS and SCM_PIDFD (include/linux/socket.h).
const SOL_SOCKET: u32 = 1;
const SCM_RIGHTS: u32 = 1;
const SCM_PIDFD: u32 = 4;

/// Takes the next message off the front and appends the descriptors of its control messages.
fn passed(rest: &mut &[u8], out: &mut Vec<u32>) -> Option<()> {
    let word = |bytes: &[u8], at: usize| -> Option<u32> {
        Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
    };
    let (head, tail) = rest.split_at_checked(MESSAGE)?;
    let (_, tail) = tail.split_at_checked(word(head, 16)? as usize)?;
    let (mut control, tail) = tail.split_at_checked(word(head, 24)? as usize)?;
    (_, *rest) = tail.split_at_checked(word(head, 8)? as usize)?;
    // `struct cmsghdr` is {size_t len, int level, int type}, and the next begins at a multiple of 8.
    while let Some((head, body)) = control.split_at_checked(16) {
        let (len, level, kind) = (word(head, 0)?, word(head, 8)?, word(head, 12)?);
        let Some(len) = (len as usize).checked_sub(16) else { break };
        let mine = body.get(..len).unwrap_or(body);
        if level == SOL_SOCKET && matches!(kind, SCM_RIGHTS | SCM_PIDFD) {
            let numbers = mine.as_chunks::<4>().0.iter().map(|n| i32::from_le_bytes(*n));
            out.extend(numbers.filter_map(|n| u32::try_from(n).ok()));
        }
        control = body.get(len.next_multiple_of(8)..).unwrap_or_default();
    }
    Some(())
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

    /// A message with a name of 3 bytes, these control messages and 2 bytes of data.
    fn message(control: &[(u32, u32, &[i32])]) -> Vec<u8> {
        let mut all = Vec::new();
        for (level, kind, numbers) in control {
            all.extend((16 + 4 * numbers.len() as u64).to_le_bytes());
            all.extend([level.to_le_bytes(), kind.to_le_bytes()].concat());
            all.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
            all.resize(all.len().next_multiple_of(8), 0);
        }
        let mut bytes = vec![0; MESSAGE];
        bytes[8] = 2;
        bytes[16] = 3;
        bytes[24] = all.len() as u8;
        [bytes, b"nam".to_vec(), all, b"da".to_vec()].concat()
    }

    #[test]
    fn messages_name_what_goes_with_them() {
        let one = message(&[(1, 2, &[9, 9, 9]), (1, 1, &[8, 5, -1]), (1, 4, &[6]), (41, 1, &[7])]);
        assert_eq!(of(&[], &[(Kind::Msghdr, &one)]), [5, 6, 8]);
        let none = message(&[]);
        assert!(of(&[], &[(Kind::Msghdr, &none)]).is_empty());
        let all = [&none[..], &one, &message(&[(1, 1, &[3])])].concat();
        assert_eq!(of(&[], &[(Kind::Mmsghdr(Len::Arg(2)), &all)]), [3, 5, 6, 8]);
        // Cut anywhere, or made up.
        for n in 0..all.len() {
            of(&[], &[(Kind::Mmsghdr(Len::Arg(2)), &all[..n])]);
            let mut other = all.clone();
            other[n] = 0xff;
            of(&[], &[(Kind::Mmsghdr(Len::Arg(2)), &other)]);
        }
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
