//! One argument as both show it: the same or not.
//!
//! What the two write differently is translated; what cannot be the same in two runs (addresses, process ids, times) is
//! compared only by being there or not. Nothing else is left out here; what is, is listed in the tables of [`super`].

use serde_json::Value;

use super::parse::{number, split, string};

/// What an argument of sysreel's is, as far as that decides how it is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// An address: there or not.
    Address,
    /// A process id: there or not.
    Pid,
    /// A signed number of 32 bits, which strace may write unsigned.
    Word,
}

/// How two runs of one program may differ.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Both runs make files of their own: inodes and times of files differ.
    pub own_files: bool,
}

/// What differs, if anything does. `ours` is JSON, `theirs` what strace wrote.
pub fn differs(theirs: &str, ours: &Value, sort: Sort, t: Tolerance) -> Option<String> {
    let fine = match sort {
        Sort::Address => address(theirs, ours) || same(theirs, ours, t),
        Sort::Pid => ours.is_number() && number(theirs).is_some_and(|n| (n > 0) == (ours.as_i64() > Some(0))),
        Sort::Word => same(theirs, ours, t),
    };
    (!fine).then(|| format!("strace {theirs} sysreel {ours}"))
}

fn is_address(ours: &Value) -> Option<u64> {
    match ours {
        Value::Null => Some(0),
        Value::String(s) => u64::from_str_radix(s.strip_prefix("0x")?, 16).ok(),
        Value::Object(o) if o.contains_key("unreadable") => Some(1),
        _ => None,
    }
}

/// Two addresses: both none, or both some.
fn address(theirs: &str, ours: &Value) -> bool {
    let n = if theirs == "NULL" { Some(0) } else { number(theirs) };
    match (n, is_address(ours)) {
        (Some(a), Some(b)) => (a == 0) == (b == 0) || a as u64 == b,
        _ => false,
    }
}

fn bytes_of(ours: &Value) -> Option<(Vec<u8>, bool)> {
    match ours {
        Value::String(s) => Some((s.clone().into_bytes(), false)),
        Value::Object(o) => {
            let cut = o.contains_key("cut");
            match (o.get("text").and_then(Value::as_str), o.get("b64").and_then(Value::as_str)) {
                (Some(text), _) => Some((text.as_bytes().to_vec(), cut)),
                (_, Some(code)) => Some((base64(code), cut)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn base64(code: &str) -> Vec<u8> {
    let digit = |b: u8| match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    for four in code.as_bytes().chunks(4) {
        let known: Vec<u8> = four.iter().copied().take_while(|b| *b != b'=').map(digit).collect();
        let n = known.iter().fold(0u32, |n, d| n << 6 | u32::from(*d)) << (6 * (4 - known.len()));
        out.extend_from_slice(&n.to_be_bytes()[1..known.len()]);
    }
    out
}

/// What programs make up anew in each run: what stands before it, and its length.
const RANDOM: [(&str, usize); 6] =
    [("/tmp/cc", 6), ("tmp_obj_", 6), ("tmp_pack_", 6), ("tmp_idx_", 6), ("/.git/t", 6), ("Date: ", 29)];

/// A string without what programs make up and without their own process id.
fn plain(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    for (prefix, len) in RANDOM {
        let mut from = 0;
        while let Some(at) = text[from..].find(prefix) {
            let begin = from + at + prefix.len();
            let end = (begin + len).min(text.len());
            if text.is_char_boundary(end) {
                text.replace_range(begin..end, "*");
            }
            from = begin;
        }
    }
    // git's index holds inodes and times.
    if text.starts_with("DIRC") {
        text.truncate(4);
    }
    // The process's own directory, by its number.
    if let Some(rest) = text.strip_prefix("/proc/") {
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        return format!("/proc/N{rest}");
    }
    text
}

/// The same bytes; of what one of them cut, the beginning.
fn same_bytes(a: &(Vec<u8>, bool), b: &(Vec<u8>, bool)) -> bool {
    let (x, y) = (plain(&a.0), plain(&b.0));
    match (a.1, b.1) {
        (false, false) => x == y,
        (true, true) => x.starts_with(&y) || y.starts_with(&x),
        // Of several buffers strace cuts each by itself. What it shows whole must not be called cut, unless it is.
        (false, true) => x.len() > y.len() && x.starts_with(&y),
        (true, false) => y.starts_with(&x),
    }
}

/// The buffers of an iovec array, joined up to the first that strace cut.
fn gathered(theirs: &str) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    for part in split(theirs.trim_start_matches('[').trim_end_matches(']')).0 {
        let base = members(&part).into_iter().find(|(k, _)| k == "iov_base");
        let Some((bytes, cut)) = base.and_then(|(_, v)| string(&v)) else { return (all, true) };
        all.extend_from_slice(&bytes);
        if cut {
            return (all, true);
        }
    }
    (all, false)
}

fn names(list: &[Value]) -> Option<Vec<String>> {
    list.iter().map(|v| v.as_str().map(str::to_owned)).collect()
}

/// Flags: the same names; what has none, the same bits.
fn same_flags(theirs: &str, ours: &[Value]) -> bool {
    let Some(mut ours) = names(ours) else { return false };
    let mut theirs: Vec<String> =
        theirs.split('|').filter(|n| number(n) != Some(0)).map(str::to_owned).collect();
    // strace has names of its own for the private operations of futex.
    if let Some(op) = theirs
        .first()
        .filter(|n| n.starts_with("FUTEX_"))
        .and_then(|n| n.strip_suffix("_PRIVATE"))
        .map(str::to_owned)
    {
        theirs.splice(..1, [op, "FUTEX_PRIVATE_FLAG".to_owned()]);
    }
    for n in theirs.iter_mut().chain(&mut ours) {
        if let Some(v) = number(n) {
            *n = format!("{v:#x}");
        }
    }
    theirs.sort();
    ours.sort();
    theirs == ours
}

/// `[INT TERM]` or `~[KILL]`, against names with `SIG`.
fn same_signals(theirs: &str, ours: &[Value]) -> bool {
    let Some(mut ours) = names(ours) else { return false };
    let inverted = theirs.starts_with('~');
    let Some(inner) = theirs.trim_start_matches('~').strip_prefix('[').and_then(|t| t.strip_suffix(']'))
    else {
        return false;
    };
    let mut theirs: Vec<String> = inner
        .split_whitespace()
        .map(|n| match n.strip_prefix("RT_") {
            // strace counts from the kernel's first, as sysreel does.
            Some(rt) => format!("SIGRT_{rt}"),
            None if n == "RTMIN" => "SIGRTMIN".into(),
            None => format!("SIG{n}"),
        })
        .collect();
    theirs.sort();
    ours.sort();
    if inverted {
        ours.len() == 64 - theirs.len() && theirs.iter().all(|n| !ours.contains(n))
    } else {
        theirs == ours
    }
}

/// `{exited: 3}` and the like against the macros of `<sys/wait.h>`.
fn same_status(theirs: &str, ours: &Value) -> bool {
    let last = |mark: &str| theirs.split(mark).nth(1).map(|t| t.trim_end_matches(['}', ']', ' ']).to_owned());
    if let Some(n) = ours.get("exited") {
        return last("WEXITSTATUS(s) == ").is_some_and(|s| number(&s) == n.as_i64().map(i128::from));
    }
    if let Some(n) = ours.get("signaled").and_then(Value::as_str) {
        return last("WTERMSIG(s) == ").is_some_and(|s| s.starts_with(n));
    }
    false
}

/// A port, or that the kernel chose one (ip_local_port_range).
fn chosen(port: u64) -> u64 {
    port.min(32768)
}

fn same_address_of_socket(theirs: &str, ours: &Value) -> bool {
    let members = members(theirs);
    let member = |key: &str| members.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
    let inside = |text: Option<&str>| -> Option<String> {
        let text = text?;
        let inner = text.split_once('(')?.1.strip_suffix(')')?;
        Some(inner.trim_matches('"').to_owned())
    };
    let port = |key| inside(member(key)).and_then(|p| p.parse::<u64>().ok()).map(chosen);
    let our_port = ours["port"].as_u64().map(chosen);
    match (member("sa_family"), ours["family"].as_str()) {
        (Some("AF_INET"), Some("ipv4")) => {
            inside(member("sin_addr")).as_deref() == ours["ip"].as_str() && port("sin_port") == our_port
        }
        (Some("AF_INET6"), Some("ipv6")) => port("sin6_port") == our_port,
        (Some("AF_UNIX"), Some("unix")) => {
            let path = member("sun_path").unwrap_or("\"\"");
            let key = if path.starts_with('@') { "abstract" } else { "path" };
            string(path).map(|s| s.0) == ours[key].as_str().map(|s| s.as_bytes().to_vec())
        }
        (Some("AF_NETLINK"), Some("netlink")) => {
            // The kernel chooses a port id that is often the process's.
            member("nl_groups").and_then(number) == ours["groups"].as_str().and_then(number)
        }
        (Some(_), _) => ours == "AF_UNSPEC" && theirs.contains("AF_UNSPEC"),
        _ => false,
    }
}

/// `{a=b, c=d}` as pairs.
fn members(theirs: &str) -> Vec<(String, String)> {
    let inner = theirs.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or("");
    let pairs = split(inner).0;
    pairs.iter().filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.trim().to_owned())).collect()
}

/// Members of structures that hold addresses.
const ADDRESSES: [&str; 9] =
    ["sa_handler", "sa_restorer", "stack", "tls", "data", "si_value", "child_tid", "parent_tid", "pidfd"];
/// Members of a file's attributes that its making decides.
const OF_FILE: [&str; 9] = [
    "st_ino",
    "st_dev",
    "st_mtime",
    "st_atime",
    "st_ctime",
    "stx_ino",
    "stx_mtime",
    "stx_btime",
    "stx_ctime",
];
/// Members that tell of times and loads, which no two runs share.
const OF_RUN: [&str; 8] =
    ["ru_", "si_pid", "si_utime", "si_stime", "f_bfree", "f_bavail", "f_ffree", "d_ino"];
/// Types of files (stat.h).
const KINDS: [(&str, i128); 7] = [
    ("S_IFREG", 0o100_000),
    ("S_IFDIR", 0o040_000),
    ("S_IFLNK", 0o120_000),
    ("S_IFCHR", 0o020_000),
    ("S_IFBLK", 0o060_000),
    ("S_IFIFO", 0o010_000),
    ("S_IFSOCK", 0o140_000),
];

/// Every member that sysreel shows, strace shows too, and the same. (strace shows more of some.)
fn same_members(theirs: &str, ours: &serde_json::Map<String, Value>, t: Tolerance) -> bool {
    let theirs = members(theirs);
    ours.iter().all(|(key, value)| {
        let made = t.own_files
            || ours.get("st_mode").and_then(Value::as_str).is_some_and(|m| m.starts_with("S_IFIFO"));
        if OF_RUN.iter().any(|m| key.starts_with(m)) || made && OF_FILE.contains(&key.as_str()) {
            return true;
        }
        // Names that share a number: strace takes the first of ext2, ext3 and ext4.
        if key == "f_type"
            && value == "EXT4_SUPER_MAGIC"
            && theirs.iter().any(|(_, v)| v == "EXT2_SUPER_MAGIC")
        {
            return true;
        }
        // strace leaves out what the flags do not ask for; sysreel shows what was passed.
        if key == "pidfd" && value.is_string() && !theirs.iter().any(|(k, _)| k == "pidfd") {
            return true;
        }
        let find = |key: &str| theirs.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        if let (Some(major), Some(minor)) = (find(&format!("{key}_major")), find(&format!("{key}_minor"))) {
            let n = |s: &str| number(s).unwrap_or(-1);
            return *value == format!("{}:{}", n(major), n(minor));
        }
        // What came of a poll, strace tells behind the result; the size of a device it does not tell.
        if key == "revents" || key == "st_size" && find("st_rdev").is_some() {
            return true;
        }
        let Some(member) = find(key) else { return false };
        if let Some(n) = member.strip_prefix("{u32=") {
            return address(n.rsplit_once("u64=").map_or(n, |(_, n)| n).trim_end_matches('}'), value);
        }
        // Seconds and nanoseconds of a file are two members of strace's.
        if let (Some(sec), Some(nsec)) = (value.get("tv_sec"), value.get("tv_nsec"))
            && let Some(theirs) = find(&format!("{key}_nsec"))
        {
            return same(member, sec, t) && same(theirs, nsec, t);
        }
        ADDRESSES.contains(&key.as_str()) && address(member, value) || same(member, value, t)
    })
}

/// The same value in two looks. Where strace has the value before and after, sysreel has one of them.
fn same(theirs: &str, ours: &Value, t: Tolerance) -> bool {
    // What the kernel changed is `[before => after]` or `[before] => [after]`.
    if let Some((before, after)) = theirs.split_once("] => [") {
        return same(&format!("{before}]"), ours, t) || same(&format!("[{after}"), ours, t);
    }
    if let Some((_, after)) =
        theirs.strip_prefix('[').and_then(|x| x.strip_suffix(']')).and_then(|x| x.split_once(" => "))
    {
        return same(after, ours, t);
    }
    if let Some((_, after)) = theirs.split_once("} => ") {
        return same(after, ours, t) || same(&theirs[..=theirs.find("} => ").unwrap_or(0)], ours, t);
    }
    if let (Some(a), Some(b)) = (string(theirs), bytes_of(ours)) {
        return same_bytes(&a, &b);
    }
    if let (true, Some(b)) = (theirs.starts_with("[{iov_base="), bytes_of(ours)) {
        return same_bytes(&gathered(theirs), &b);
    }
    // An option's value: a number for strace, its bytes for sysreel.
    if let (Some(n), Some((b, false))) = (number(theirs.trim_matches(['[', ']'])), bytes_of(ours))
        && theirs.starts_with('[')
        && let Ok(b) = <[u8; 4]>::try_from(b)
    {
        return n as i32 == i32::from_le_bytes(b);
    }
    match ours {
        Value::Null => theirs == "NULL",
        Value::Bool(_) => false,
        Value::Number(n) => {
            let theirs = theirs.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(theirs);
            let theirs = theirs.split('<').next().unwrap_or(theirs);
            let (Some(a), Some(b)) = (number(theirs), n.as_i64()) else { return false };
            a == i128::from(b) || a as u32 == b as u32 && (a < 0 || b < 0)
        }
        Value::String(s) => {
            // `S_IFREG|0644`; strace shows one number where it takes the word for mere permissions.
            if let Some((kind, mode)) = s.split_once('|')
                && let Some(bits) = KINDS.iter().find(|(name, _)| *name == kind).map(|(_, bits)| *bits)
                && let (Some(mode), Some(theirs)) = (number(mode), number(theirs))
            {
                return theirs == mode | bits;
            }
            if let Some(mode) = s.strip_prefix('0').filter(|m| m.bytes().all(|b| b.is_ascii_digit())) {
                return number(theirs) == number(&format!("0{mode}"));
            }
            if let (Some((major, minor)), Some(dev)) = (s.split_once(':'), theirs.strip_prefix("makedev(")) {
                let (parts, _) = split(dev);
                let n = |s: &str| number(s).map(|n| n.to_string());
                return parts.len() == 2
                    && n(&parts[0]).as_deref() == Some(major)
                    && n(&parts[1]).as_deref() == Some(minor);
            }
            s == theirs || number(s).is_some() && number(s) == number(theirs)
        }
        Value::Array(list) => {
            if same_flags(theirs, list) || same_signals(theirs, list) {
                return true;
            }
            let Some(inner) = theirs.strip_prefix('[').and_then(|t| t.strip_suffix(']')) else {
                return false;
            };
            let (mut parts, _) = split(inner);
            let mut list = &list[..];
            // Of a list that is longer than either shows.
            if list.last().is_some_and(|v| v.get("cut").is_some() && v.get("text").is_none()) {
                list = &list[..list.len() - 1];
                parts.truncate(list.len());
            } else if parts.last().is_some_and(|p| p == "...") {
                parts.pop();
                list = &list[..parts.len().min(list.len())];
            }
            parts.len() == list.len() && parts.iter().zip(list).all(|(a, b)| same(a, b, t))
        }
        Value::Object(o) => {
            if let Some(fd) = o.get("fd").filter(|_| !o.contains_key("events")) {
                return same_descriptor(theirs, fd, o);
            }
            if o.contains_key("family") {
                return same_address_of_socket(theirs, ours);
            }
            if o.contains_key("exited") || o.contains_key("signaled") {
                return same_status(theirs, ours);
            }
            same_members(theirs, o, t)
        }
    }
}

/// The same number, and where both know a path, the same path.
fn same_descriptor(theirs: &str, fd: &Value, ours: &serde_json::Map<String, Value>) -> bool {
    let (n, name) = match theirs.split_once('<') {
        Some((n, rest)) => (n, rest.strip_suffix('>')),
        None => (theirs, None),
    };
    if n == "AT_FDCWD" {
        return ours.get("alias").is_some_and(|a| a == "AT_FDCWD");
    }
    if number(n) != fd.as_i64().map(i128::from) {
        return false;
    }
    // strace tells pipes, sockets and anonymous files by inode, which no two runs share.
    match (name.filter(|n| n.starts_with('/')), ours.get("name").and_then(Value::as_str)) {
        (Some(a), Some(b)) if b.starts_with('/') => {
            let a = string(&format!("\"{a}\"")).map(|s| s.0).unwrap_or_default();
            let bare =
                |s: &str| plain(s.trim_end_matches(" (deleted)").trim_end_matches("(deleted)").as_bytes());
            bare(&String::from_utf8_lossy(&a)) == bare(b)
        }
        _ => true,
    }
}
