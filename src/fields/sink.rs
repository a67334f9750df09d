//! The two looks of a decoded value: text as strace users know it, and JSON.
//!
//! Enters: numbers, names, bytes and descriptors, in the order of the value's parts. Leaves: text or JSON at the end of a
//! byte vector. Never: a byte of the traced side that is not escaped.

mod json;

pub use json::{JsonSink, json_int, json_uint};

use super::args::{AT_FDCWD, is_uncertain};
use super::escape::{self, Within};
use super::structs::Data;
use super::{names, number};
use crate::batch::{Batch, Dict, File};
use crate::schema::Arch;
use crate::schema::names::{Names, SIGNAL};

/// Takes the parts of a value.
pub trait Sink {
    /// The architecture whose structures these are.
    fn arch(&self) -> Arch;
    /// A NULL pointer.
    fn null(&mut self);
    /// A signed number.
    fn int(&mut self, n: i64);
    /// An unsigned number.
    fn uint(&mut self, n: u64);
    /// An address or raw bits.
    fn hex(&mut self, n: u64);
    /// Permission bits.
    fn octal(&mut self, n: u32);
    /// A name that this program chose.
    fn word(&mut self, word: &str);
    /// Bits with names.
    fn flags(&mut self, n: u64, table: &Names);
    /// A set of signals.
    fn sigset(&mut self, bits: u64);
    /// Bytes of the traced side.
    fn data(&mut self, data: Data<'_>);
    /// Bytes that are not what they should be.
    fn dump(&mut self, bytes: &[u8]);
    /// An address of memory that could not be read.
    fn unreadable(&mut self, at: u64);
    /// A descriptor.
    fn fd(&mut self, n: i32, file: Option<&File>);
    /// An end of a connection.
    fn endpoint(&mut self, ip: std::net::IpAddr, port: u16);
    /// A unix address.
    fn unix(&mut self, path: &[u8], is_abstract: bool);
    /// Begins an object.
    fn open_map(&mut self);
    /// The name of the next part.
    fn key(&mut self, name: &str);
    /// Ends an object.
    fn close_map(&mut self);
    /// Begins a list.
    fn open_list(&mut self);
    /// Announces the next element.
    fn element(&mut self);
    /// Ends a list, of which more existed than were copied if `cut`.
    fn close_list_cut(&mut self, cut: bool);
    /// Ends a list.
    fn close_list(&mut self) {
        self.close_list_cut(false);
    }
    /// What a pointer points to: text shows that it is one.
    fn pointee(&mut self, inner: impl FnOnce(&mut Self))
    where
        Self: Sized;
}

/// Splits flags into names; gives what no name covers.
fn each_flag(n: u64, table: &Names, mut each: impl FnMut(&str)) -> u64 {
    let mut rest = n;
    if table.mask != 0 {
        let part = n & table.mask;
        if let Some(name) = table.name_of(part) {
            each(name);
            rest &= !table.mask;
        }
    } else if n == 0 {
        if let Some(name) = table.name_of(0) {
            each(name);
        }
        return 0;
    }
    for &(value, name) in table.rows {
        if rest == 0 {
            break;
        }
        if value & !table.mask != 0 && rest & value == value {
            each(name);
            rest &= !value;
        }
    }
    rest
}

/// Text.
pub struct TextSink<'o, 'a> {
    out: &'o mut Vec<u8>,
    dict: Dict<'a>,
    arch: Arch,
    uncertain: bool,
}

impl<'o, 'a> TextSink<'o, 'a> {
    /// A sink for values of this row.
    pub fn new(out: &'o mut Vec<u8>, batch: &Batch<'a>, row: usize) -> Self {
        TextSink { out, dict: batch.dict, arch: batch.schema.arch, uncertain: is_uncertain(batch, row) }
    }

    fn put(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }
}

impl Sink for TextSink<'_, '_> {
    fn arch(&self) -> Arch {
        self.arch
    }
    fn null(&mut self) {
        self.put(b"NULL");
    }
    fn int(&mut self, n: i64) {
        number::int(self.out, n);
    }
    fn uint(&mut self, n: u64) {
        number::uint(self.out, n);
    }
    fn hex(&mut self, n: u64) {
        number::hex(self.out, n);
    }
    fn octal(&mut self, n: u32) {
        number::octal(self.out, n);
    }
    fn word(&mut self, word: &str) {
        self.put(word.as_bytes());
    }
    fn flags(&mut self, n: u64, table: &Names) {
        let start = self.out.len();
        let rest = each_flag(n, table, |name| {
            if self.out.len() > start {
                self.out.push(b'|');
            }
            self.out.extend_from_slice(name.as_bytes());
        });
        if rest != 0 || self.out.len() == start {
            if self.out.len() > start {
                self.out.push(b'|');
            }
            if table.has_mode() { number::octal(self.out, rest as u32) } else { number::hex(self.out, rest) }
        }
    }
    fn sigset(&mut self, bits: u64) {
        // A set of nearly all is easier to read by what it lacks.
        let inverted = bits.count_ones() > 32;
        self.put(if inverted { b"~[" } else { b"[" });
        let shown = if inverted { !bits } else { bits };
        for n in (1..=64).filter(|n| shown >> (n - 1) & 1 == 1) {
            if self.out.last() != Some(&b'[') {
                self.out.push(b' ');
            }
            match SIGNAL.name_of(n) {
                Some(name) => self.put(name.as_bytes()),
                None => self.uint(n),
            }
        }
        self.put(b"]");
    }
    fn data(&mut self, data: Data<'_>) {
        self.out.push(b'"');
        escape::escape(self.out, data.bytes, Within::Quotes);
        self.out.push(b'"');
        if data.cut {
            self.put(b"...");
            let shown = data.bytes.len() as u64;
            if let Some(hidden) = data.total.and_then(|t| t.checked_sub(shown)).filter(|h| *h > 0) {
                self.out.push(b'+');
                self.uint(hidden);
            }
        }
    }
    fn dump(&mut self, bytes: &[u8]) {
        self.put(b"0x");
        for b in bytes {
            number::byte(self.out, *b);
        }
    }
    fn unreadable(&mut self, _: u64) {
        self.put(b"<unreadable>");
    }
    fn fd(&mut self, n: i32, file: Option<&File>) {
        if n == AT_FDCWD {
            return self.put(b"AT_FDCWD");
        }
        self.int(i64::from(n));
        if let Some(file) = file {
            names::push_brackets(self.out, &self.dict, file, self.uncertain);
        }
    }
    fn endpoint(&mut self, ip: std::net::IpAddr, port: u16) {
        number::endpoint(self.out, ip, port);
    }
    fn unix(&mut self, path: &[u8], is_abstract: bool) {
        // In quotes: a path may hold blanks and commas, and may itself begin with `@`.
        self.put(if is_abstract { b"@\"" } else { b"\"" });
        escape::escape(self.out, path, Within::Quotes);
        self.out.push(b'"');
    }
    fn open_map(&mut self) {
        self.out.push(b'{');
    }
    fn key(&mut self, name: &str) {
        if self.out.last() != Some(&b'{') {
            self.put(b", ");
        }
        self.put(name.as_bytes());
        self.out.push(b'=');
    }
    fn close_map(&mut self) {
        self.out.push(b'}');
    }
    fn open_list(&mut self) {
        self.out.push(b'[');
    }
    fn element(&mut self) {
        if self.out.last() != Some(&b'[') {
            self.put(b", ");
        }
    }
    fn close_list_cut(&mut self, cut: bool) {
        if cut {
            self.element();
            self.put(b"...");
        }
        self.out.push(b']');
    }
    fn pointee(&mut self, inner: impl FnOnce(&mut Self)) {
        self.out.push(b'[');
        inner(self);
        self.out.push(b']');
    }
}
