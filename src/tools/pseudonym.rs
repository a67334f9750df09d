//! Names for what must not be named: a keyed hash, so that equal values stay recognizable as equal and nothing else.
//!
//! Enters: bytes and a secret key. Leaves: 64 bits by SipHash-2-4, a pseudorandom function: without the key nobody can try
//! guesses. Never: the key in any output.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A secret of 128 bits.
#[derive(Clone, Copy)]
pub struct Key([u64; 2]);

/// A key file has at least this many bytes …
const KEY_LEAST: u64 = 16;
/// … and counts up to this many.
const KEY_MOST: u64 = 4096;

impl Key {
    /// One that nobody knows and nobody will know.
    pub fn random() -> io::Result<Key> {
        let mut bytes = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Key::of(&bytes))
    }

    /// The one that a file holds.
    pub fn read(path: &Path) -> io::Result<Key> {
        let mut bytes = Vec::new();
        File::open(path)?.take(KEY_MOST).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < KEY_LEAST {
            let text = "a key has at least 16 bytes: head -c 32 /dev/urandom > FILE makes one";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(Key::of(&bytes))
    }

    fn of(bytes: &[u8]) -> Key {
        let part = |n| siphash([0x7379_7372_6565_6c00, n], bytes);
        Key([part(1), part(2)])
    }

    /// Appends the pseudonym of a value: `redacted-` and 16 hexadecimal digits; of nothing, nothing.
    pub fn push(&self, out: &mut Vec<u8>, value: &[u8]) {
        if !value.is_empty() {
            out.extend_from_slice(format!("redacted-{:016x}", siphash(self.0, value)).as_bytes());
        }
    }
}

/// SipHash-2-4 as in its authors' paper.
fn siphash(key: [u64; 2], bytes: &[u8]) -> u64 {
    let mut v = [
        key[0] ^ 0x736f_6d65_7073_6575,
        key[1] ^ 0x646f_7261_6e64_6f6d,
        key[0] ^ 0x6c79_6765_6e65_7261,
        key[1] ^ 0x7465_6462_7974_6573,
    ];
    let round = |v: &mut [u64; 4]| {
        v[0] = v[0].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[2] = v[2].rotate_left(32);
    };
    let take = |v: &mut [u64; 4], word: u64| {
        v[3] ^= word;
        round(v);
        round(v);
        v[0] ^= word;
    };
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        take(&mut v, u64::from_le_bytes(*word));
    }
    let last = tail.iter().rev().fold(0, |all, b| all << 8 | u64::from(*b));
    take(&mut v, (bytes.len() as u64) << 56 | last);
    v[2] ^= 0xff;
    (0..4).for_each(|_| round(&mut v));
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the reference implementation: key 00 01 … 0f, input 00 01 … of each length.
    #[test]
    fn the_hash_is_siphash() {
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        let input: Vec<u8> = (0..16).collect();
        for (len, hash) in [
            (0, 0x726f_db47_dd0e_0e31u64),
            (1, 0x74f8_39c5_93dc_67fd),
            (7, 0xab02_00f5_8b01_d137),
            (8, 0x93f5_f579_9a93_2462),
            (15, 0xa129_ca61_49be_45e5),
        ] {
            assert_eq!(siphash(key, &input[..len]), hash, "{len}");
        }
    }

    #[test]
    fn equal_values_are_recognizable_under_one_key_only() {
        let name = |key: Key, value: &[u8]| {
            let mut out = Vec::new();
            key.push(&mut out, value);
            out
        };
        let (a, b) = (Key::random().unwrap(), Key::random().unwrap());
        assert_eq!(name(a, b"hunter2"), name(a, b"hunter2"));
        assert_ne!(name(a, b"hunter2"), name(a, b"hunter3"));
        assert_ne!(name(a, b"hunter2"), name(b, b"hunter2"));
        assert_eq!(name(a, b""), b"");
    }
}
