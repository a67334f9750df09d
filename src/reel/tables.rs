//! The dictionary as bytes: each table is a list of columns, in a fixed order that only grows.
//!
//! Enters: a [`Dict`], or bytes that nobody trusts. Leaves: bytes, or entries whose ids all point into their tables.
//! Never: rows.
//!
//! A table's section is a sequence of columns {encoding u8, length u32, bytes}. Columns past those known here are
//! skipped; columns that are not there, or have no bytes, leave their fields at the default. So what no entry has costs nothing.

use super::frame::array;
use super::ints;
use crate::batch::{Container, Dict, File, FileKind, Group, L4, NONE, Proc, Role, User};

/// One column of a table: how to get it and how to set it.
struct Column<T> {
    /// As `format.md` has it, `+` included.
    #[cfg_attr(not(test), allow(dead_code, reason = "compared with the format's description"))]
    name: &'static str,
    get: fn(&T) -> u64,
    set: fn(&mut T, u64),
}

/// An id or other number whose "not known" is all ones: stored plus one, so that it stays narrow.
fn up(id: u32) -> u64 {
    u64::from(id.wrapping_add(1))
}

fn down(v: u64) -> u32 {
    (v as u32).wrapping_sub(1)
}

macro_rules! number {
    ($t:ident $field:ident) => {
        Column::<$t> { name: stringify!($field), get: |e| e.$field as u64, set: |e, v| e.$field = v as _ }
    };
}
macro_rules! id {
    ($t:ident $field:ident) => {
        Column::<$t> {
            name: concat!(stringify!($field), " +"),
            get: |e| up(e.$field),
            set: |e, v| e.$field = down(v),
        }
    };
}
macro_rules! one_of {
    ($name:literal, $field:ident, $at:literal, $up:expr, $down:expr) => {
        Column::<Proc> { name: $name, get: |e| $up(e.$field[$at]), set: |e, v| e.$field[$at] = $down(v) }
    };
}
macro_rules! half {
    ($field:ident, $from:expr, $bytes:literal) => {
        Column::<File> {
            name: concat!(stringify!($field), $bytes),
            get: |e| e.$field[$from..].first_chunk().map_or(0, |c| u64::from_le_bytes(*c)),
            set: |e, v| {
                if let Some(c) = e.$field[$from..].first_chunk_mut() {
                    *c = v.to_le_bytes();
                }
            },
        }
    };
}

const PROC: &[Column<Proc>] = &[
    number!(Proc pid),
    number!(Proc ppid),
    id!(Proc parent),
    number!(Proc start),
    id!(Proc uid),
    id!(Proc gid),
    id!(Proc ruid),
    id!(Proc rgid),
    id!(Proc loginuid),
    id!(Proc user),
    id!(Proc group),
    number!(Proc sid),
    number!(Proc pgid),
    number!(Proc tty),
    number!(Proc vpid),
    id!(Proc comm),
    id!(Proc exepath),
    id!(Proc args),
    id!(Proc cwd),
    id!(Proc cgroup),
    number!(Proc flags),
    id!(Proc login),
    id!(Proc leader),
    id!(Proc group_leader),
    one_of!("stdin +", stdio, 0, up, down),
    one_of!("stdout +", stdio, 1, up, down),
    one_of!("stderr +", stdio, 2, up, down),
    number!(Proc threads),
    number!(Proc exe_ino),
    number!(Proc exe_ctime),
    number!(Proc exe_mtime),
    one_of!("caps, permitted", caps, 0, u64::from, std::convert::identity),
    one_of!("caps, inheritable", caps, 1, u64::from, std::convert::identity),
    one_of!("caps, effective", caps, 2, u64::from, std::convert::identity),
    id!(Proc env),
    id!(Proc container),
];

const FILE: &[Column<File>] = &[
    Column {
        name: "kind",
        get: |e| e.kind as u64,
        set: |e, v| e.kind = FileKind::from_number(v.min(255) as u8),
    },
    Column { name: "role", get: |e| e.role as u64, set: |e, v| e.role = role(v) },
    Column { name: "l4", get: |e| e.l4 as u64, set: |e, v| e.l4 = l4(v) },
    id!(File name),
    id!(File given),
    number!(File dev),
    number!(File ino),
    number!(File lport),
    number!(File rport),
    half!(laddr, 0, ", 0 to 7"),
    half!(laddr, 8, ", 8 to 15"),
    half!(raddr, 0, ", 0 to 7"),
    half!(raddr, 8, ", 8 to 15"),
    number!(File flags),
];

const USER: &[Column<User>] = &[id!(User uid), id!(User name), id!(User home), id!(User shell)];
const GROUP: &[Column<Group>] = &[id!(Group gid), id!(Group name)];

const CONTAINER: &[Column<Container>] = &[
    number!(Container runtime),
    number!(Container flags),
    number!(Container sources),
    id!(Container id),
    id!(Container name),
    id!(Container image),
    id!(Container image_id),
    id!(Container image_digest),
    id!(Container labels),
    id!(Container mounts),
    id!(Container ip),
    number!(Container started),
    id!(Container outer),
    id!(Container pod),
    id!(Container namespace),
    id!(Container pod_uid),
    id!(Container pod_labels),
    id!(Container pod_ip),
    id!(Container sandbox),
    id!(Container qos),
];

const NOBODY: User = User { uid: NONE, name: NONE, home: NONE, shell: NONE };
const NO_GROUP: Group = Group { gid: NONE, name: NONE };

fn role(v: u64) -> Role {
    match v {
        1 => Role::Client,
        2 => Role::Server,
        _ => Role::Unknown,
    }
}

fn l4(v: u64) -> L4 {
    match v {
        1 => L4::Tcp,
        2 => L4::Udp,
        3 => L4::Icmp,
        4 => L4::Raw,
        _ => L4::Unknown,
    }
}

/// A column whose numbers are all 0 or "not known": the default of its field. It has no bytes.
const ABSENT: u8 = 0;

fn put<T>(out: &mut Vec<u8>, columns: &[Column<T>], entries: &[T], default: &T) {
    let (mut values, mut end) = (Vec::with_capacity(entries.len()), out.len());
    for column in columns {
        let head = out.len();
        out.extend_from_slice(&[ABSENT; 5]);
        let default = (column.get)(default);
        values.clear();
        values.extend(entries.iter().map(column.get));
        if values.iter().all(|v| *v == default) {
            continue;
        }
        let encoding = ints::put_entries(out, values.iter().copied());
        let len = (out.len() - head - 5) as u32;
        if let Some(room) = out.get_mut(head..head + 5) {
            room[0] = encoding;
            room[1..].copy_from_slice(&len.to_le_bytes());
        }
        end = out.len();
    }
    // Columns that are absent at the end are not there at all.
    out.truncate(end);
}

fn read<T: Clone>(
    mut bytes: &[u8],
    columns: &[Column<T>],
    count: usize,
    default: T,
    out: &mut Vec<T>,
) -> Option<()> {
    out.clear();
    out.resize(count, default);
    for column in columns {
        if bytes.is_empty() {
            break;
        }
        let [encoding] = array(&mut bytes)?;
        let len = u32::from_le_bytes(array(&mut bytes)?) as usize;
        let (data, rest) = bytes.split_at_checked(len)?;
        bytes = rest;
        if encoding == ABSENT && len == 0 {
            continue;
        }
        let mut entries = out.iter_mut();
        ints::read(encoding, data, count, |v| {
            if let Some(e) = entries.next() {
                (column.set)(e, v);
            }
        })?;
    }
    Some(())
}

/// Appends the table of processes.
pub(super) fn put_procs(out: &mut Vec<u8>, dict: &Dict) {
    put(out, PROC, dict.procs, &Proc::default());
}

/// Appends the table of files.
pub(super) fn put_files(out: &mut Vec<u8>, dict: &Dict) {
    put(out, FILE, dict.files, &File::default());
}

/// Appends the table of users.
pub(super) fn put_users(out: &mut Vec<u8>, dict: &Dict) {
    put(out, USER, dict.users, &NOBODY);
}

/// Appends the table of groups.
pub(super) fn put_groups(out: &mut Vec<u8>, dict: &Dict) {
    put(out, GROUP, dict.groups, &NO_GROUP);
}

/// Appends the table of containers.
pub(super) fn put_containers(out: &mut Vec<u8>, dict: &Dict) {
    put(out, CONTAINER, dict.containers, &Container::default());
}

/// Names of the columns of each table, as the format's description must have them.
#[cfg(test)]
pub(super) fn names() -> [Vec<&'static str>; 5] {
    [
        PROC.iter().map(|c| c.name).collect(),
        FILE.iter().map(|c| c.name).collect(),
        USER.iter().map(|c| c.name).collect(),
        GROUP.iter().map(|c| c.name).collect(),
        CONTAINER.iter().map(|c| c.name).collect(),
    ]
}

/// How many strings from the first on hold all those of processes, users, groups and containers; and all those of files too.
pub(super) fn strings(dict: &Dict) -> (usize, usize) {
    let past = |id: u32| id.wrapping_add(1) as usize;
    let procs = dict.procs.iter().flat_map(|p| PROC_STRINGS.map(|get| get(p)));
    let users = dict.users.iter().flat_map(|u| [u.name, u.home, u.shell]);
    let groups = dict.groups.iter().map(|g| g.name);
    let containers = dict.containers.iter().flat_map(Container::strings);
    let files = dict.files.iter().flat_map(|f| [f.name, f.given]);
    let first = procs.chain(users).chain(groups).chain(containers).map(past).max().unwrap_or(0);
    (first, files.map(past).max().unwrap_or(0).max(first))
}

/// The strings of a process.
const PROC_STRINGS: [fn(&Proc) -> u32; 6] =
    [|p| p.comm, |p| p.exepath, |p| p.args, |p| p.cwd, |p| p.cgroup, |p| p.env];

/// How many entries each table has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub procs: u32,
    pub files: u32,
    pub users: u32,
    pub groups: u32,
    pub containers: u32,
    pub strings: u32,
    pub bytes: u32,
}

impl Sizes {
    pub fn of(dict: &Dict) -> Sizes {
        Sizes {
            procs: dict.procs.len() as u32,
            files: dict.files.len() as u32,
            users: dict.users.len() as u32,
            groups: dict.groups.len() as u32,
            containers: dict.containers.len() as u32,
            strings: dict.strings.len() as u32,
            bytes: dict.strings.bytes.len() as u32,
        }
    }
}

fn within(id: u32, count: u32) -> bool {
    id == NONE || id < count
}

/// Reads the table of processes; every id points into its table, and parents and leaders stand before their children.
pub(super) fn read_procs(bytes: &[u8], sizes: Sizes, out: &mut Vec<Proc>) -> Option<()> {
    read(bytes, PROC, sizes.procs as usize, Proc::default(), out)?;
    out.iter().zip(0u32..).all(|(p, i)| proc_is_sound(p, i, sizes)).then_some(())
}

fn proc_is_sound(p: &Proc, index: u32, sizes: Sizes) -> bool {
    [p.parent, p.leader, p.group_leader].iter().all(|id| within(*id, index))
        && p.stdio.iter().all(|id| within(*id, sizes.files))
        && within(p.user, sizes.users)
        && within(p.login, sizes.users)
        && within(p.group, sizes.groups)
        && within(p.container, sizes.containers)
        && PROC_STRINGS.iter().all(|get| within(get(p), sizes.strings))
}

/// Reads the table of files.
pub(super) fn read_files(bytes: &[u8], sizes: Sizes, out: &mut Vec<File>) -> Option<()> {
    read(bytes, FILE, sizes.files as usize, File::default(), out)?;
    out.iter().all(|f| file_is_sound(f, sizes)).then_some(())
}

fn file_is_sound(f: &File, sizes: Sizes) -> bool {
    within(f.name, sizes.strings) && within(f.given, sizes.strings)
}

/// Reads the table of users.
pub(super) fn read_users(bytes: &[u8], sizes: Sizes, out: &mut Vec<User>) -> Option<()> {
    read(bytes, USER, sizes.users as usize, NOBODY, out)?;
    out.iter().all(|u| user_is_sound(u, sizes)).then_some(())
}

fn user_is_sound(u: &User, sizes: Sizes) -> bool {
    [u.name, u.home, u.shell].iter().all(|s| within(*s, sizes.strings))
}

/// Reads the table of groups.
pub(super) fn read_groups(bytes: &[u8], sizes: Sizes, out: &mut Vec<Group>) -> Option<()> {
    read(bytes, GROUP, sizes.groups as usize, NO_GROUP, out)?;
    out.iter().all(|g| within(g.name, sizes.strings)).then_some(())
}

/// Reads the table of containers.
pub(super) fn read_containers(bytes: &[u8], sizes: Sizes, out: &mut Vec<Container>) -> Option<()> {
    read(bytes, CONTAINER, sizes.containers as usize, Container::default(), out)?;
    out.iter().all(|c| container_is_sound(c, sizes)).then_some(())
}

fn container_is_sound(c: &Container, sizes: Sizes) -> bool {
    c.strings().iter().all(|id| within(*id, sizes.strings))
}

/// True if a reader will accept the dictionary: the writer asks before it writes.
pub(super) fn is_sound(dict: &Dict) -> bool {
    let sizes = Sizes::of(dict);
    let strings = dict.strings;
    dict.procs.iter().zip(0u32..).all(|(p, i)| proc_is_sound(p, i, sizes))
        && dict.files.iter().all(|f| file_is_sound(f, sizes))
        && dict.users.iter().all(|u| user_is_sound(u, sizes))
        && dict.groups.iter().all(|g| within(g.name, sizes.strings))
        && dict.containers.iter().all(|c| container_is_sound(c, sizes))
        && strings.at.first().is_none_or(|at| *at == 0)
        && strings.at.last().is_none_or(|at| *at == sizes.bytes)
        && strings.at.is_sorted()
}
