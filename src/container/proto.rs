//! Protocol buffers, as far as runtimes' interfaces take it: fields in, fields out.
//!
//! Enters: a message. Leaves: its fields. Never: an error: what cannot be read ends the message.

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// A number.
    Number(u64),
    /// A text, a message, bytes.
    Bytes(&'a [u8]),
}

/// The fields of a message: number and value.
pub struct Fields<'a>(&'a [u8]);

/// The fields of a message, as far as it can be read. Fixed numbers of 4 and 8 bytes are skipped: no message here has any.
pub fn fields(message: &[u8]) -> Fields<'_> {
    Fields(message)
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let key = self.number()?;
            match key & 7 {
                0 => return Some((key >> 3, Value::Number(self.number()?))),
                1 => _ = self.take(8)?,
                2 => {
                    let length = usize::try_from(self.number()?).ok()?;
                    return Some((key >> 3, Value::Bytes(self.take(length)?)));
                }
                5 => _ = self.take(4)?,
                _ => return None,
            }
        }
    }
}

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

/// The first text or message of a field.
pub fn bytes(message: &[u8], field: u64) -> Option<&[u8]> {
    all(message, field).next()
}

/// Every text or message of a field.
pub fn all(message: &[u8], field: u64) -> impl Iterator<Item = &[u8]> {
    fields(message).filter_map(move |(n, v)| match v {
        Value::Bytes(b) if n == field => Some(b),
        _ => None,
    })
}

/// The first number of a field.
pub fn number(message: &[u8], field: u64) -> Option<u64> {
    fields(message).find_map(|(n, v)| match v {
        Value::Number(value) if n == field => Some(value),
        _ => None,
    })
}

/// Adds a text or a message.
pub fn put(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Adds a number.
pub fn put_number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_put_is_found(text in prop::collection::vec(any::<u8>(), 0..300), n in any::<u64>(), field in 1..1000u64) {
            let mut message = Vec::new();
            put_number(&mut message, field, n);
            message.extend_from_slice(&[13, 1, 2, 3, 4]);
            put(&mut message, field + 1, &text);
            prop_assert_eq!(number(&message, field), (field != 1 || n != 0).then_some(n).or(Some(n)));
            prop_assert_eq!(bytes(&message, field + 1), Some(&text[..]));
            for cut in 0..message.len() {
                prop_assert!(fields(&message[..cut]).count() <= 2);
            }
        }

        #[test]
        fn any_bytes_are_a_message(message in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(fields(&message).count() <= message.len());
        }
    }
}
