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
use crate::batch::{Batch, Bitmap, Dict, Edit, Proc, TextRole};
use crate::schema::layout::Is;
use crate::schema::{Arch, ArgShape, Copied, Kind, What, item};

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
    /// All that is known of containers and pods.
    Containers,
    /// Labels of containers and pods.
    Labels,
}

/// Every part with the name that `--drop` knows it by, and what it is.
pub const PARTS: &[(Part, &str, &str)] = &[
    (
        Part::Payload,
        "payload",
        "data read, written, sent, received, and what nobody has described; lengths stay",
    ),
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
    (Part::Cgroup, "cgroup", "paths of control groups, which have the ids of containers"),
    (Part::Containers, "containers", "all that is known of containers and pods"),
    (Part::Labels, "labels", "labels of containers and pods"),
];

impl Part {
    /// The part with this name.
    pub fn by_name(name: &str) -> Option<Part> {
        PARTS.iter().find(|(_, n, _)| *n == name).map(|(part, ..)| *part)
    }

    /// The part that the copied bytes of an argument are, if the call has these words.
    fn of_arg(arg: &ArgShape, words: &[u64]) -> Option<Part> {
        match arg.kind {
            Kind::Bytes(_)
            | Kind::Iovec(_)
            | Kind::Msghdr
            | Kind::Mmsghdr(_)
            | Kind::Msgbuf(_)
            | Kind::Unknown { .. } => Some(Part::Payload),
            Kind::Strings if &*arg.name == "envp" => Some(Part::Environment),
            Kind::Environment => Some(Part::Environment),
            Kind::Strings => Some(Part::Arguments),
            Kind::Str => Some(Part::Strings),
            Kind::Path => Some(Part::Paths),
            Kind::Struct(s) | Kind::Sized(s, _) | Kind::Array(s, _) => {
                Part::of_layout(s.layout(Arch::NATIVE))
            }
            Kind::By(choice) => match choice.what(words) {
                // Registers and memory of somebody else.
                _ if choice.name == "ptrace_data" => Some(Part::Payload),
                What::In(is) | What::Out(is) => Part::of_layout(is),
                // It is no pointer, or nobody knows to what: what was copied is whatever was there.
                What::Idle | What::Word(_) if matches!(choice.copied, Copied::Text(_)) => Some(Part::Strings),
                What::Idle | What::Word(_) => Some(Part::Payload),
            },
            _ => None,
        }
    }

    /// The part that a structure is; nothing if it is numbers, addresses and names of a fixed size.
    fn of_layout(is: &Is) -> Option<Part> {
        match is {
            Is::Text(_) | Is::Texts | Is::Far(..) => Some(Part::Strings),
            Is::Dirents(_) | Is::Rest | Is::NumberOrBytes => Some(Part::Payload),
            Is::List(one, _) | Is::All(one) | Is::At(one) => Part::of_layout(one),
            Is::Of(members) => {
                members.iter().filter(|m| !matches!(m.is, Is::Text(_))).find_map(|m| Part::of_layout(&m.is))
            }
            _ => None,
        }
    }

    fn of_text(role: TextRole) -> Option<Part> {
        match role {
            TextRole::Args => Some(Part::Arguments),
            TextRole::Env => Some(Part::Environment),
            TextRole::Cwd => Some(Part::Cwd),
            TextRole::Cgroup => Some(Part::Cgroup),
            TextRole::User | TextRole::Group => Some(Part::Users),
            TextRole::File => Some(Part::Files),
            TextRole::Labels => Some(Part::Labels),
            TextRole::Comm | TextRole::Exepath | TextRole::Container | TextRole::Mounts => None,
        }
    }
}

/// Parts for which `--redact` does something.
const REDACTED: &[Part] = &[Part::Payload, Part::Environment, Part::Arguments, Part::Strings, Part::Labels];

/// Processes known to be inside at one time; more are forgotten, and their children lose a parent's name.
const MOST_INSIDE: usize = 1 << 20;

/// The largest `struct sockaddr`.
const SOCKADDR: usize = 128;

/// Bytes of a pseudonym.
const PSEUDONYM: usize = 25;

/// Takes parts out.
#[derive(Default)]
pub struct Strip {
    parts: Vec<Part>,
    key: Option<Key>,
    /// With `--no-ancestors`: processes that have rows of their own, by id and start.
    inside: Option<HashSet<(u32, u64)>>,
    /// Who is in a container has no parent and no leader outside of it.
    within: bool,
}

impl Strip {
    /// Drops `parts`; with a key it redacts; with `no_ancestors` it leaves out who has no rows.
    pub fn new(parts: &[Part], key: Option<Key>, no_ancestors: bool) -> Strip {
        Strip { parts: parts.to_vec(), key, inside: no_ancestors.then(HashSet::new), within: false }
    }

    /// Of what is in a container, nothing is to lead out of it.
    pub fn ends_at_containers(&mut self) {
        self.within = true;
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

/// True if a process is in a container, and the other one is not in the same. (Entries differ when more was learnt.)
fn leads_out(dict: &Dict, of: &Proc, other: &Proc) -> bool {
    let Some(here) = dict.container(of.container) else { return false };
    dict.container(other.container).is_none_or(|there| there.id != here.id)
}

/// Of keys and values in turn, each value by its pseudonym.
fn push_values(key: &Key, text: &[u8], out: &mut Vec<u8>) {
    let whole = text.strip_suffix(b"\0").unwrap_or(text);
    for (place, word) in whole.split(|b| *b == 0).enumerate() {
        if place % 2 == 0 {
            out.extend_from_slice(word)
        } else {
            key.push(out, word)
        }
        out.push(0);
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
    fn keeps_other(&self, dict: &Dict, of: &Proc, other: &Proc) -> bool {
        let inside = self.inside.as_ref().is_none_or(|inside| inside.contains(&(other.pid, other.start)));
        inside && !(self.within && leads_out(dict, of, other))
    }

    fn keeps_containers(&self) -> bool {
        !self.parts.contains(&Part::Containers)
    }

    fn changes(&self, role: TextRole) -> bool {
        self.touches(Part::of_text(role))
    }

    fn text(&self, role: TextRole, text: &[u8], out: &mut Vec<u8>) -> bool {
        match (&self.key, Part::of_text(role)) {
            (Some(key), Some(Part::Labels)) if !self.parts.contains(&Part::Labels) => {
                push_values(key, text, out);
                true
            }
            (Some(key), Some(part)) if !self.parts.contains(&part) => {
                push_each(key, text, out);
                true
            }
            _ => false,
        }
    }

    fn changes_item(&self, arg: &ArgShape) -> bool {
        match arg.kind {
            // What it is, the words of each call say; what was copied may be longer than that in any case.
            Kind::By(_) => self.touches(Some(Part::Payload)) || self.touches(Some(Part::Strings)),
            _ => self.touches(Part::of_arg(arg, &[])),
        }
    }

    fn item(
        &self,
        arg: &ArgShape,
        words: &[u64],
        bytes: &[u8],
        cut: bool,
        out: &mut Vec<u8>,
    ) -> Option<bool> {
        let part = Part::of_arg(arg, words);
        let Some(part) = part.filter(|part| self.touches(Some(*part))) else {
            out.extend_from_slice(known(arg, words, bytes));
            return Some(cut);
        };
        if part == Part::Payload {
            match arg.kind {
                // Who was talked to is no payload, nor how much was said.
                Kind::Msghdr | Kind::Mmsghdr(_) => messages(bytes, out),
                Kind::Iovec(_) | Kind::Msgbuf(_) => out.extend_from_slice(bytes.get(..8)?),
                Kind::Bytes(_) | Kind::Unknown { .. } => {}
                _ => return None,
            }
            return Some(cut || bytes.len() > out.len());
        }
        let key = self.key.as_ref().filter(|_| !self.parts.contains(&part));
        if arg.kind == Kind::Environment {
            // How many there are is no secret.
            let (count, variables) = bytes.split_at_checked(4)?;
            out.extend_from_slice(count);
            match key {
                Some(key) if !variables.is_empty() => push_each(key, variables, out),
                _ => {}
            }
            return Some(cut && key.is_some());
        }
        let key = key?;
        match (arg.kind, layout(arg, words)) {
            (Kind::Strings, _) | (_, Some(Is::Texts)) => push_each(key, bytes, out),
            (Kind::By(_), Some(Is::Text(room))) if usize::from(*room) >= PSEUDONYM => {
                key.push(out, bytes.split(|b| *b == 0).next().unwrap_or_default());
            }
            (Kind::By(_), _) | (_, Some(_)) => return None,
            _ => key.push(out, bytes),
        }
        Some(cut)
    }
}

/// What the copied bytes are, if a layout says it.
fn layout(arg: &ArgShape, words: &[u64]) -> Option<&'static Is> {
    match arg.kind {
        Kind::Struct(s) | Kind::Sized(s, _) | Kind::Array(s, _) => Some(s.layout(Arch::NATIVE)),
        Kind::By(choice) => match choice.what(words) {
            What::In(is) | What::Out(is) => Some(is),
            What::Idle | What::Word(_) => None,
        },
        _ => None,
    }
}

/// Without what was copied behind a structure: the probe does not know how long it is.
fn known<'a>(arg: &ArgShape, words: &[u64], bytes: &'a [u8]) -> &'a [u8] {
    let width = match arg.kind {
        Kind::By(_) => layout(arg, words).map_or(0, |is| is.width()),
        _ => 0,
    };
    bytes.get(..width).filter(|_| width > 0).unwrap_or(bytes)
}

/// Appends messages without their data and their control messages, as if nothing of them had been copied.
fn messages(mut bytes: &[u8], out: &mut Vec<u8>) {
    while let Some((head, rest)) = bytes.split_first_chunk::<{ item::MESSAGE }>() {
        let len = |at: usize| {
            let four = head.get(at..).and_then(|b| b.first_chunk());
            four.map_or(usize::MAX, |four| u32::from_le_bytes(*four) as usize)
        };
        let (data, name, control) = (len(8), len(16), len(24));
        // What it is worth if it is not whole, nobody knows.
        let Some((kept, rest)) = rest.split_at_checked(name).filter(|_| name <= SOCKADDR) else { return };
        let Some(rest) = control.checked_add(data).and_then(|n| rest.get(n..)) else { return };
        let mut head = *head;
        for at in [8, 24] {
            if let Some(four) = head.get_mut(at..at + 4) {
                four.fill(0);
            }
        }
        out.extend_from_slice(&head);
        out.extend_from_slice(kept);
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Builder, Container, Copier, NONE, Row};
    use crate::schema::{self, Schema};

    fn message(name: &[u8], control: &[u8], data: &[u8]) -> Vec<u8> {
        let mut out = (data.len() as u64).to_le_bytes().to_vec();
        for n in [data.len(), data.len(), name.len(), 128, control.len(), 0] {
            out.extend_from_slice(&(n as u32).to_le_bytes());
        }
        out.extend_from_slice(&(control.len() as u64).to_le_bytes());
        [&out[..], name, control, data].concat()
    }

    #[test]
    fn who_is_in_a_container_leads_nowhere_else() {
        let schema = Schema::native(Arch::NATIVE);
        let mut b = Builder::new();
        let ids = ["outer-id", "inner-id"].map(|id| {
            let (id, image) = (b.string(id.as_bytes()), b.string(format!("image of {id}").as_bytes()));
            let labels = b.string(b"team\0blue\0");
            b.container(Container { id, image, labels, ..Container::default() })
        });
        let mut parent = NONE;
        let line = [("init", NONE), ("shim", NONE), ("dockerd", ids[0]), ("web", ids[1]), ("worker", ids[1])];
        for (pid, (name, container)) in (1..).zip(line) {
            let comm = b.string(name.as_bytes());
            let leader = if pid > 1 { 0 } else { NONE };
            parent = b.proc(Proc { pid, comm, parent, container, leader, ..Proc::default() });
        }
        b.push(Row { call: schema::CODES, proc: parent, ..Row::default() }, &[], &[], &[]);
        let view = b.view(&schema);
        let copy = |strip: &Strip| {
            let mut to = Builder::new();
            Copier::new(&view).edited(&view, 0, &mut to, strip);
            let view = to.view(&schema);
            (view.dict.procs.len(), String::from_utf8_lossy(view.dict.strings.bytes).into_owned())
        };
        let mut strip = Strip::new(&[], None, false);
        assert_eq!(copy(&strip).0, 5);
        strip.ends_at_containers();
        let (procs, strings) = copy(&strip);
        assert_eq!(procs, 2);
        for word in ["init", "shim", "dockerd", "outer"] {
            assert!(!strings.contains(word), "{strings}");
        }
        assert!(strings.contains("web") && strings.contains("worker") && strings.contains("inner-id"));
        assert!(strings.contains("team\0blue"));
        // Values of labels may be secret, their keys hardly.
        let (_, strings) = copy(&Strip::new(&[], Some(Key::random().unwrap()), false));
        assert!(strings.contains("team\0") && !strings.contains("blue") && strings.contains("inner-id"));
        let (_, strings) = copy(&Strip::new(&[Part::Containers], None, false));
        assert!(!strings.contains("-id") && !strings.contains("team") && strings.contains("worker"));
        let (_, strings) = copy(&Strip::new(&[Part::Labels], None, false));
        assert!(strings.contains("inner-id") && !strings.contains("team"));
    }

    #[test]
    fn of_messages_names_and_lengths_stay() {
        let all = [message(b"name", b"CONTROL!", b"DATA"), message(b"", b"", b"MORE")].concat();
        let mut out = Vec::new();
        messages(&all, &mut out);
        assert_eq!(out.len(), 2 * item::MESSAGE + 4);
        assert!(out.windows(4).any(|w| w == b"name"));
        assert_eq!(out[..8], 4u64.to_le_bytes(), "how much it was is still known");
        assert!(!out.windows(4).any(|w| [b"DATA", b"MORE", b"CONT"].contains(&w.try_into().unwrap())));
        // One that is not whole, or whose name cannot be one, gives nothing.
        for bad in [&all[..item::MESSAGE + 6], &message(&[b'x'; 200], b"", b"")[..]] {
            let mut out = Vec::new();
            messages(bad, &mut out);
            assert_eq!(out, b"");
        }
    }

    #[test]
    fn what_depends_on_a_command_is_what_the_command_says() {
        let schema = Schema::native(Arch::NATIVE);
        let strip = Strip::new(&[], Some(Key::random().unwrap()), false);
        let look = |call: &str, arg: &str, words: &[u64]| -> Option<Vec<u8>> {
            let shape = schema.shape(schema.code(call).unwrap());
            let arg = shape.args.iter().find(|a| &*a.name == arg).unwrap();
            assert!(strip.changes_item(arg));
            let mut out = Vec::new();
            strip.item(arg, words, &[b'x'; 32], false, &mut out).map(|_| out)
        };
        // F_SETLK: the lock, without what lay behind it. F_DUPFD: no pointer, so nothing.
        assert_eq!(look("fcntl", "arg", &[3, 6, 4096]), Some(vec![b'x'; 24]));
        assert_eq!(look("fcntl", "arg", &[3, 0, 4096]), None);
        // A command that nobody knows.
        assert_eq!(look("ioctl", "argp", &[3, 0xdead_beef, 4096]), None);
    }
}
