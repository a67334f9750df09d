//! Decoded values as JSON; the forms are told in `output::json`.
//!
//! Enters: the parts of a value. Leaves: one JSON value. Never: a byte lost.

use super::{Sink, each_flag};
use crate::batch::{Batch, Dict, File};
use crate::fields::args::AT_FDCWD;
use crate::fields::structs::Data;
use crate::fields::{escape, names, number};
use crate::schema::Arch;
use crate::schema::names::{Names, SIGNAL};

/// JSON.
pub struct JsonSink<'o, 'a> {
    out: &'o mut Vec<u8>,
    dict: Dict<'a>,
    arch: Arch,
}

/// Largest number that JavaScript and older jq keep; larger ones are written as strings.
const SAFE: u64 = 1 << 53;

/// Appends a number, as a string if it is larger than 2^53.
pub fn json_uint(out: &mut Vec<u8>, n: u64) {
    if n > SAFE {
        out.push(b'"');
        number::uint(out, n);
        out.push(b'"');
    } else {
        number::uint(out, n);
    }
}

/// The same, signed.
pub fn json_int(out: &mut Vec<u8>, n: i64) {
    if n.unsigned_abs() > SAFE {
        out.push(b'"');
        number::int(out, n);
        out.push(b'"');
    } else {
        number::int(out, n);
    }
}

impl<'o, 'a> JsonSink<'o, 'a> {
    /// A sink for values of this batch.
    pub fn new(out: &'o mut Vec<u8>, batch: &Batch<'a>) -> Self {
        JsonSink { out, dict: batch.dict, arch: batch.schema.arch }
    }

    fn put(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    fn next(&mut self) {
        if !matches!(self.out.last(), Some(b'{' | b'[')) {
            self.out.push(b',');
        }
    }
}

impl Sink for JsonSink<'_, '_> {
    fn arch(&self) -> Arch {
        self.arch
    }
    fn null(&mut self) {
        self.put(b"null");
    }
    fn int(&mut self, n: i64) {
        json_int(self.out, n);
    }
    fn uint(&mut self, n: u64) {
        json_uint(self.out, n);
    }
    fn hex(&mut self, n: u64) {
        self.out.push(b'"');
        if n == 0 {
            self.out.extend_from_slice(b"0x0");
        } else {
            number::hex(self.out, n);
        }
        self.out.push(b'"');
    }
    fn octal(&mut self, n: u32) {
        self.out.push(b'"');
        number::octal(self.out, n);
        self.out.push(b'"');
    }
    fn word(&mut self, word: &str) {
        escape::json_str(self.out, word);
    }
    fn flags(&mut self, n: u64, table: &Names) {
        self.out.push(b'[');
        let start = self.out.len();
        let rest = each_flag(n, table, |name| {
            if self.out.len() > start {
                self.out.push(b',');
            }
            escape::json_str(self.out, name);
        });
        if rest != 0 {
            if self.out.len() > start {
                self.out.push(b',');
            }
            if table.has_mode() { self.octal(rest as u32) } else { self.hex(rest) }
        }
        self.out.push(b']');
    }
    fn sigset(&mut self, bits: u64) {
        self.open_list();
        for n in (1..=64).filter(|n| bits >> (n - 1) & 1 == 1) {
            self.element();
            match SIGNAL.name_of(n) {
                Some(name) => self.word(name),
                None => self.uint(n),
            }
        }
        self.close_list();
    }
    fn data(&mut self, data: Data<'_>) {
        if !data.cut {
            return escape::json(self.out, data.bytes);
        }
        match std::str::from_utf8(data.bytes) {
            Ok(text) => {
                self.put(b"{\"text\":");
                escape::json_str(self.out, text);
            }
            Err(_) => {
                self.put(b"{\"b64\":\"");
                escape::base64(self.out, data.bytes);
                self.out.push(b'"');
            }
        }
        self.put(b",\"cut\":true");
        if let Some(total) = data.total.filter(|t| *t > data.bytes.len() as u64) {
            self.put(b",\"len\":");
            self.uint(total);
        }
        self.out.push(b'}');
    }
    fn dump(&mut self, bytes: &[u8]) {
        self.put(b"{\"b64\":\"");
        escape::base64(self.out, bytes);
        self.put(b"\"}");
    }
    fn unreadable(&mut self, at: u64) {
        self.put(b"{\"unreadable\":");
        self.hex(at);
        self.out.push(b'}');
    }
    fn fd(&mut self, n: i32, file: Option<&File>) {
        self.put(b"{\"fd\":");
        self.int(i64::from(n));
        if n == AT_FDCWD {
            self.put(b",\"alias\":\"AT_FDCWD\"");
        } else if let Some(file) = file {
            self.put(b",\"type\":\"");
            self.put(file.kind.name().as_bytes());
            self.out.push(b'"');
            let name = names::file_name(&self.dict, file);
            if !name.is_empty() {
                self.put(b",\"name\":");
                escape::json(self.out, &name);
            }
        }
        self.out.push(b'}');
    }
    fn endpoint(&mut self, ip: std::net::IpAddr, port: u16) {
        self.put(b"{\"family\":\"");
        self.put(if ip.is_ipv4() { b"ipv4" } else { b"ipv6" });
        self.put(b"\",\"ip\":\"");
        number::ip(self.out, ip);
        self.put(b"\",\"port\":");
        self.uint(u64::from(port));
        self.out.push(b'}');
    }
    fn unix(&mut self, path: &[u8], is_abstract: bool) {
        self.put(b"{\"family\":\"unix\",\"");
        self.put(if is_abstract { b"abstract" } else { b"path" });
        self.put(b"\":");
        escape::json(self.out, path);
        self.out.push(b'}');
    }
    fn open_map(&mut self) {
        self.out.push(b'{');
    }
    fn key(&mut self, name: &str) {
        self.next();
        escape::json_str(self.out, name);
        self.out.push(b':');
    }
    fn close_map(&mut self) {
        self.out.push(b'}');
    }
    fn open_list(&mut self) {
        self.out.push(b'[');
    }
    fn element(&mut self) {
        self.next();
    }
    fn close_list_cut(&mut self, cut: bool) {
        if cut {
            self.element();
            self.put(b"{\"cut\":true}");
        }
        self.out.push(b']');
    }
    fn pointee(&mut self, inner: impl FnOnce(&mut Self)) {
        inner(self);
    }
}
