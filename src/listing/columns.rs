//! The columns of the tables, and their lines.
//!
//! Enters: rows of a snapshot. Leaves: cells, in columns of one width or with tabs between them. Never: a byte of the traced
//! side that could move a cursor, begin a line or a cell.

use super::What;
use crate::batch::{Batch, FileKind, Role, file_flags, proc_flags, row_flags};
use crate::fields::escape::{Within, escape};
use crate::fields::{self, clock, names, number};
use crate::output::Template;

/// What a cell shows.
enum Cell {
    /// A field.
    Field(Template),
    /// Something that is put together.
    Made(fn(&Batch<'_>, usize, &mut Vec<u8>)),
}

struct Column {
    title: String,
    /// The field that JSON has in its place.
    field: &'static str,
    right: bool,
    cell: Cell,
}

/// The columns of a table.
pub struct Columns(Vec<Column>);

/// Title, field, whether numbers stand to the right, and what is shown if it is not the field as it is.
type Standard = (&'static str, &'static str, bool, Option<fn(&Batch<'_>, usize, &mut Vec<u8>)>);

const HOST: Standard = ("HOST", "evt.hostname", false, None);

const PS: &[Standard] = &[
    ("PID", "proc.pid", true, None),
    ("PPID", "proc.ppid", true, None),
    ("USER", "user.name", false, Some(user)),
    ("SID", "proc.sid", true, None),
    ("TTY", "proc.tty", false, Some(tty)),
    ("START", "proc.pid.ts", false, Some(start)),
    ("NLWP", "proc.nthreads", true, None),
    ("NAME", "proc.name", false, None),
    ("COMMAND", "proc.exeline", false, Some(command)),
];

const LSOF: &[Standard] = &[
    ("COMMAND", "proc.name", false, None),
    ("PID", "proc.pid", true, None),
    ("USER", "user.name", false, Some(user)),
    ("FD", "fd.num", true, Some(descriptor)),
    ("TYPE", "fd.type", false, None),
    ("DEVICE", "fd.dev", true, Some(device)),
    ("NODE", "fd.ino", true, None),
    ("NAME", "fd.name", false, Some(name)),
];

const NETSTAT: &[Standard] = &[
    ("PROTO", "fd.l4proto", false, Some(proto)),
    ("STATE", "fd.connected", false, Some(state)),
    ("ROLE", "fd.is_server", false, Some(role)),
    ("LOCAL", "fd.lip", false, Some(local)),
    ("REMOTE", "fd.rip", false, Some(remote)),
    ("USER", "user.name", false, Some(user)),
    ("PID", "proc.pid", true, None),
    ("NAME", "proc.name", false, None),
    ("FD", "fd.num", true, None),
    ("INODE", "fd.ino", true, None),
];

/// The fields of JSON beside those of the columns.
const MORE: &[(What, &str)] = &[
    (What::Ps, "user.uid,proc.exepath,proc.cmdline,proc.cwd,proc.pgid,thread.cgroups,evt.certain"),
    (What::Lsof, "fd.use,user.uid,proc.exepath,evt.certain"),
    (What::Netstat, "user.uid,fd.type,fd.name,fd.lport,fd.rport,fd.cip,fd.cport,fd.sip,fd.sport,evt.certain"),
];

/// The columns that a table has if nobody asks for others.
pub fn standard(what: What, several_hosts: bool) -> Columns {
    let all = match what {
        What::Ps => PS,
        What::Lsof => LSOF,
        What::Netstat => NETSTAT,
    };
    let host = several_hosts.then_some(&HOST);
    let column = |&(title, field, right, made): &Standard| {
        let cell = match made {
            Some(made) => Cell::Made(made),
            None => Cell::Field(Template::parse(&format!("%{{{field}}}")).ok()?),
        };
        Some(Column { title: title.to_owned(), field, right, cell })
    };
    Columns(host.into_iter().chain(all).filter_map(column).collect())
}

/// The fields that JSON has of a table, with commas between them.
pub fn names(columns: &Columns, what: What) -> String {
    let mut all: Vec<&str> = columns.0.iter().map(|c| c.field).collect();
    all.extend(MORE.iter().filter(|(of, _)| *of == what).map(|(_, more)| *more));
    all.join(",")
}

impl Columns {
    /// Columns of these fields, with commas between them.
    pub fn parse(list: &str) -> Result<Columns, String> {
        let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        let columns = names.map(|name| {
            let (field, _) = fields::lookup(name)?;
            let right = matches!(field.ty, fields::Type::Int | fields::Type::UInt | fields::Type::Id);
            let cell = Cell::Field(Template::parse(&format!("%{{{name}}}"))?);
            Ok(Column { title: name.to_owned(), field: field.name, right, cell })
        });
        columns.collect::<Result<_, String>>().map(Columns)
    }
}

/// Lines of columns.
pub struct Table {
    columns: Columns,
    aligned: bool,
    /// Cells of lines that wait for the widths to be known.
    waiting: Vec<u8>,
    ends: Vec<usize>,
    widths: Vec<usize>,
    head: bool,
    cell: Vec<u8>,
}

impl Table {
    /// A table without lines.
    pub fn new(columns: Columns, aligned: bool, head: bool) -> Table {
        let widths = columns.0.iter().map(|c| if head { c.title.chars().count() } else { 1 }).collect();
        let (waiting, ends, cell) = (Vec::new(), Vec::new(), Vec::new());
        Table { columns, aligned, waiting, ends, widths, head, cell }
    }

    /// Adds a line; it comes out at once if nothing is aligned.
    pub fn row(&mut self, batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
        if !self.aligned {
            self.titles(out);
        }
        let columns = std::mem::take(&mut self.columns.0);
        for (i, column) in columns.iter().enumerate() {
            self.cell.clear();
            match &column.cell {
                Cell::Made(make) => make(batch, row, &mut self.cell),
                Cell::Field(template) => {
                    template.render(batch, row, &mut self.cell);
                    self.cell.pop();
                }
            }
            if self.cell.is_empty() {
                self.cell.push(b'-');
            }
            if self.aligned {
                if let Some(width) = self.widths.get_mut(i) {
                    *width = (*width).max(width_of(&self.cell));
                }
                self.waiting.extend_from_slice(&self.cell);
                self.ends.push(self.waiting.len());
            } else {
                if i > 0 {
                    out.push(b'\t');
                }
                out.extend_from_slice(&self.cell);
            }
        }
        self.columns.0 = columns;
        if !self.aligned {
            out.push(b'\n');
        }
    }

    /// What has waited comes out.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.titles(out);
        let (mut from, count) = (0, self.columns.0.len().max(1));
        for (n, end) in self.ends.iter().enumerate() {
            let i = n % count;
            let cell = self.waiting.get(from..*end).unwrap_or_default();
            from = *end;
            self.put(i, cell, out);
        }
    }

    fn titles(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.head) {
            for (i, column) in self.columns.0.iter().enumerate() {
                match self.aligned {
                    true => self.put(i, column.title.as_bytes(), out),
                    false => {
                        out.extend_from_slice(column.title.as_bytes());
                        out.push(if i + 1 == self.columns.0.len() { b'\n' } else { b'\t' });
                    }
                }
            }
        }
    }

    fn put(&self, i: usize, cell: &[u8], out: &mut Vec<u8>) {
        let last = i + 1 == self.columns.0.len();
        let width = self.widths.get(i).copied().unwrap_or(0);
        let fill = width.saturating_sub(width_of(cell));
        let right = self.columns.0.get(i).is_some_and(|c| c.right);
        if right {
            out.resize(out.len() + fill, b' ');
        }
        out.extend_from_slice(cell);
        if last {
            out.push(b'\n');
            return;
        }
        if !right {
            out.resize(out.len() + fill, b' ');
        }
        out.extend_from_slice(b"  ");
    }
}

fn width_of(cell: &[u8]) -> usize {
    cell.iter().filter(|b| **b & 0xc0 != 0x80).count()
}

fn uncertain(batch: &Batch<'_>, row: usize) -> bool {
    batch.flags_of(row) & row_flags::UNCERTAIN != 0
        || batch.file_of(row).is_some_and(|f| f.flags & file_flags::UNCERTAIN != 0)
}

/// The name of the user, or the number of one who has none.
fn user(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    let Some(p) = batch.proc_of(row) else { return };
    let name = batch.dict.user(p.user).and_then(|u| batch.dict.strings.find(u.name));
    match name.filter(|n| !n.is_empty()) {
        Some(name) => escape(out, name, Within::Column),
        None if p.uid != u32::MAX => number::uint(out, u64::from(p.uid)),
        None => {}
    }
}

/// The terminal as it is called below /dev (Documentation/admin-guide/devices.txt).
fn tty(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    let Some(p) = batch.proc_of(row).filter(|p| p.tty != 0) else { return };
    let (major, minor) = (p.tty >> 20, p.tty & 0xf_ffff);
    let text = match (major, minor) {
        (136..=143, _) => format!("pts/{}", (major - 136) * 256 + minor),
        (4, 0..=63) => format!("tty{minor}"),
        (4, _) => format!("ttyS{}", minor - 64),
        (5, 1) => "console".into(),
        _ => format!("{major},{minor}"),
    };
    out.extend_from_slice(text.as_bytes());
}

/// When the process started, to the second.
fn start(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    if let Some(p) = batch.proc_of(row).filter(|p| p.start != 0) {
        clock::with_local(|clock| clock.date_time_s(out, batch.meta.wall_of(p.start)));
    }
}

/// Arguments, or in brackets the name of what has none.
fn command(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    let Some(p) = batch.proc_of(row) else { return };
    if uncertain(batch, row) || p.flags & proc_flags::UNCERTAIN != 0 {
        out.push(b'~');
    }
    let args = batch.dict.strings.find(p.args).unwrap_or_default();
    let args = args.strip_suffix(b"\0").unwrap_or(args);
    if args.is_empty() {
        out.push(b'[');
        escape(out, batch.dict.strings.find(p.comm).unwrap_or_default(), Within::Free);
        return out.push(b']');
    }
    for (i, arg) in args.split(|b| *b == 0).enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        escape(out, arg, Within::Free);
    }
    if p.flags & proc_flags::ARGS_CUT != 0 {
        out.extend_from_slice(b"...");
    }
}

/// The number and for what it is open, as `lsof` has it.
fn descriptor(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    let number = batch.words_of(row).first().map_or(-1, |n| *n as i32);
    if let Ok(number) = u64::try_from(number) {
        number::uint(out, number);
    }
    out.extend_from_slice(names::use_of(batch, row).unwrap_or_default().as_bytes());
}

fn device(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    if let Some(f) = batch.file_of(row).filter(|f| f.dev != 0) {
        out.extend_from_slice(format!("{},{}", f.dev >> 20, f.dev & 0xf_ffff).as_bytes());
    }
}

/// The name of a file, and what is to be known of a socket besides its addresses.
fn name(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    let Some(f) = batch.file_of(row) else { return };
    if uncertain(batch, row) {
        out.push(b'~');
    }
    if let Some(proto) = names::l4(f) {
        out.extend_from_slice(proto.as_bytes());
        out.push(b' ');
    }
    names::push_name(out, &batch.dict, f, Some(Within::Free));
    if f.flags & file_flags::LISTENING != 0 {
        out.extend_from_slice(b" (listens)");
    }
}

/// `tcp`, `tcp6`, `unix`, `netlink`.
fn proto(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    let Some(f) = batch.file_of(row) else { return };
    match names::l4(f) {
        Some(l4) => {
            out.extend_from_slice(l4.as_bytes());
            if f.kind == FileKind::Ipv6 {
                out.push(b'6');
            }
        }
        None => out.extend_from_slice(f.kind.name().as_bytes()),
    }
}

fn state(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    let Some(f) = batch.file_of(row) else { return };
    if f.flags & file_flags::LISTENING != 0 {
        out.extend_from_slice(b"listens");
    } else if names::remote(f).is_some() {
        out.extend_from_slice(b"connected");
    }
}

fn role(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    match batch.file_of(row).map(|f| f.role) {
        Some(Role::Client) => out.extend_from_slice(b"client"),
        Some(Role::Server) => out.extend_from_slice(b"server"),
        _ => {}
    }
}

/// The local address; of other sockets their name.
fn local(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    let Some(f) = batch.file_of(row) else { return };
    if uncertain(batch, row) {
        out.push(b'~');
    }
    match names::local(f) {
        Some((ip, port)) => number::endpoint(out, ip, port),
        None if f.kind.is_ip() => {}
        None => names::push_name(out, &batch.dict, f, Some(Within::Column)),
    }
}

fn remote(batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
    if let Some((ip, port)) = batch.file_of(row).and_then(names::remote) {
        number::endpoint(out, ip, port);
    }
}
