//! What can be taken out of a reel before it is passed on.
//!
//! Enters: the names of parts, or `--redact`. Leaves: an [`Edit`]. Never: a guess: what a part is, the kinds of arguments
//! say, and an argument that nobody has described counts as payload.
//!
//! * A part that is dropped is not there any more. Of payload the length stays, where the call's words or result tell it:
//!   it looks like a capture with `-s 0`.
//! * `--redact` does that with payload, and puts pseudonyms in the place of environment, arguments and other strings, one
//!   for each value.
//!
//! Names stay: of processes, executables, files, addresses and users, unless they are dropped too.

use std::collections::HashSet;

use super::pseudonym::Key;
use crate::batch::{Batch, Bitmap, Edit, Proc, TextRole};
use crate::schema::{ArgShape, Kind};

/// A part of what a reel holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Data that was read, written, sent or received.
    Payload,
    /// The environment of programs.
    Environment,
    /// The arguments of programs.
    Arguments,
    /// Strings that are no paths.
    Strings,
    /// Paths that calls were given.
    Paths,
    /// Names of descriptors.
    Files,
    /// Working directories.
    Cwd,
    /// Names, homes and shells of users; names of groups.
    Users,
    /// Paths of cgroups.
    Cgroup,
}

/// Every part with the name that `--drop` knows it by, and what it is.
pub const PARTS: &[(Part, &str, &str)] = &[
    (Part::Payload, "payload", "data read, written, sent, received; lengths stay"),
    (Part::Environment, "environment", "the environment that programs were started with"),
    (Part::Arguments, "arguments", "the arguments of programs: of processes, and those given to execve"),
    (
        Part::Strings,
        "strings",
        "strings given to calls that are no paths: mount data, names of attributes, keys",
    ),
    (Part::Paths, "paths", "paths as they were given to calls"),
    (Part::Files, "files", "names of what descriptors stand for"),
    (Part::Cwd, "cwd", "working directories"),
    (Part::Users, "users", "names, homes and shells of users, names of groups; numbers stay"),
    (Part::Cgroup, "cgroup", "paths of control groups"),
];

impl Part {
    /// The part with this name.
    pub fn by_name(name: &str) -> Option<Part> {
        PARTS.iter().find(|(_, n, _)| *n == name).map(|(part, ..)| *part)
    }

    /// The part that the copied bytes of an argument are.
    fn of_arg(arg: &ArgShape) -> Option<Part> {
        match arg.kind {
            Kind::Bytes(_) | Kind::Iovec(_) | Kind::Msghdr | Kind::Unknown { .. } => Some(Part::Payload),
            Kind::Strings if &*arg.name == "envp" => Some(Part::Environment),
            Kind::Strings => Some(Part::Arguments),
            Kind::Str => Some(Part::Strings),
            Kind::Path => Some(Part::Paths),
            _ => None,
        }
    }

    fn of_text(role: TextRole) -> Option<Part> {
        match role {
            TextRole::Args => Some(Part::Arguments),
            TextRole::Cwd => Some(Part::Cwd),
            TextRole::Cgroup => Some(Part::Cgroup),
            TextRole::User | TextRole::Group => Some(Part::Users),
            TextRole::File => Some(Part::Files),
            TextRole::Comm | TextRole::Exepath => None,
        }
    }
}

/// Parts for which `--redact` does something.
const REDACTED: &[Part] = &[Part::Payload, Part::Environment, Part::Arguments, Part::Strings];

/// Processes known to be inside at one time; more are forgotten, and their children lose a parent's name.
const MOST_INSIDE: usize = 1 << 20;

/// The largest `struct sockaddr`.
const SOCKADDR: usize = 128;

/// Takes parts out.
#[derive(Default)]
pub struct Strip {
    parts: Vec<Part>,
    key: Option<Key>,
    /// With `--no-ancestors`: processes that have rows of their own, by id and start.
    inside: Option<HashSet<(u32, u64)>>,
}

impl Strip {
    /// Drops `parts`; with a key it redacts; with `no_ancestors` it leaves out who has no rows.
    pub fn new(parts: &[Part], key: Option<Key>, no_ancestors: bool) -> Strip {
        Strip { parts: parts.to_vec(), key, inside: no_ancestors.then(HashSet::new) }
    }

    /// Looks who is inside, before rows of a block are copied.
    pub fn look(&mut self, batch: &Batch, rows: &Bitmap) {
        let Some(inside) = &mut self.inside else { return };
        if inside.len() > MOST_INSIDE {
            inside.clear();
        }
        let mut last = None;
        for row in rows.iter() {
            let id = batch.proc.get(row).copied();
            if id != last
                && let Some(p) = batch.proc_of(row)
            {
                inside.insert((p.pid, p.start));
            }
            last = id;
        }
    }

    /// One value that a header or a listing of arguments holds.
    pub fn value(&self, part: Part, value: &str) -> Option<String> {
        match &self.key {
            _ if self.parts.contains(&part) => None,
            Some(key) => {
                let mut out = Vec::new();
                key.push(&mut out, value.as_bytes());
                Some(String::from_utf8_lossy(&out).into_owned())
            }
            None => Some(value.to_owned()),
        }
    }

    fn touches(&self, part: Option<Part>) -> bool {
        part.is_some_and(|p| self.parts.contains(&p) || self.key.is_some() && REDACTED.contains(&p))
    }
}

/// Each of the NUL-terminated values by its pseudonym.
fn push_each(key: &Key, text: &[u8], out: &mut Vec<u8>) {
    let whole = text.strip_suffix(b"\0").unwrap_or(text);
    for value in whole.split(|b| *b == 0) {
        key.push(out, value);
        out.push(0);
    }
}

impl Edit for Strip {
    fn keeps_parent(&self, parent: &Proc) -> bool {
        self.inside.as_ref().is_none_or(|inside| inside.contains(&(parent.pid, parent.start)))
    }

    fn changes(&self, role: TextRole) -> bool {
        self.touches(Part::of_text(role))
    }

    fn text(&self, role: TextRole, text: &[u8], out: &mut Vec<u8>) -> bool {
        match (&self.key, Part::of_text(role)) {
            (Some(key), Some(part)) if !self.parts.contains(&part) => {
                push_each(key, text, out);
                true
            }
            _ => false,
        }
    }

    fn changes_item(&self, arg: &ArgShape) -> bool {
        self.touches(Part::of_arg(arg))
    }

    fn item(&self, arg: &ArgShape, bytes: &[u8], cut: bool, out: &mut Vec<u8>) -> Option<bool> {
        let part = Part::of_arg(arg)?;
        if part == Part::Payload {
            if arg.kind == Kind::Msghdr {
                // Who was talked to is no payload; what it is worth if it is not whole, nobody knows.
                let head = bytes.first_chunk().map_or(0, |len| u32::from_le_bytes(*len) as usize);
                let head = Some(head).filter(|n| *n <= SOCKADDR).and_then(|n| bytes.get(..n + 8));
                out.extend_from_slice(head.unwrap_or(&[0; 8]));
                return Some(cut || bytes.len() > out.len());
            }
            return Some(cut || !bytes.is_empty());
        }
        let key = self.key.as_ref().filter(|_| !self.parts.contains(&part))?;
        match arg.kind {
            Kind::Strings => push_each(key, bytes, out),
            _ => key.push(out, bytes),
        }
        Some(cut)
    }
}
