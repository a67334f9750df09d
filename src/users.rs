//! Users and groups, read from the text of `passwd` and `group`.
//!
//! Enters: two files (any path: a container has its own). Leaves: names, homes, shells and group lists by id and by name.
//! Never: the name service switch. A static binary has none, and a tool that watches the host should not ask the network
//! who somebody is; users that exist only in a directory service stay numbers.
//!
//! Lines are treated tolerantly: what does not parse is skipped, the first of two entries wins, as in libc.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Bytes of a file that are looked at. A longer file is cut at its last whole line.
const LIMIT: u64 = 16 << 20;

/// One line of `passwd`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Login name.
    pub name: Box<[u8]>,
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Home directory.
    pub home: Box<[u8]>,
    /// Login shell; empty in the file means `/bin/sh`.
    pub shell: Box<[u8]>,
}

#[derive(Debug)]
struct Group {
    name: Box<[u8]>,
    gid: u32,
    members: Vec<Box<[u8]>>,
}

/// All users and groups of one system.
#[derive(Debug, Default)]
pub struct Users {
    users: Vec<User>,
    groups: Vec<Group>,
    by_uid: HashMap<u32, usize>,
    by_name: HashMap<Box<[u8]>, usize>,
    by_gid: HashMap<u32, usize>,
}

impl Users {
    /// This system's: `/etc/passwd` and `/etc/group`. A missing file is an empty one.
    pub fn system() -> io::Result<Users> {
        Users::read(Path::new("/etc/passwd"), Path::new("/etc/group"))
    }

    /// The host's: the files that its first process sees, below `proc`. In a container with the host's processes our own
    /// `/etc/passwd` would give them others' names. Where they cannot be read (it takes `CAP_SYS_PTRACE` to go through
    /// another process's root) it is this system's.
    pub fn host(proc: &Path) -> Users {
        let etc = proc.join("1/root/etc");
        let (passwd, group) = (etc.join("passwd"), etc.join("group"));
        let seen = passwd.is_file().then(|| Users::read(&passwd, &group).ok()).flatten();
        seen.or_else(|| Users::system().ok()).unwrap_or_default()
    }

    /// From two files. A missing file is an empty one.
    pub fn read(passwd: &Path, group: &Path) -> io::Result<Users> {
        Ok(Users::parse(&contents(passwd)?, &contents(group)?))
    }

    /// From the text of the two files.
    pub fn parse(passwd: &[u8], group: &[u8]) -> Users {
        let mut all = Users::default();
        for user in lines(passwd).filter_map(user) {
            let at = all.users.len();
            all.by_uid.entry(user.uid).or_insert(at);
            all.by_name.entry(user.name.clone()).or_insert(at);
            all.users.push(user);
        }
        for group in lines(group).filter_map(self::group) {
            all.by_gid.entry(group.gid).or_insert(all.groups.len());
            all.groups.push(group);
        }
        all
    }

    /// Knows a further user, if it is new.
    pub fn add_user(&mut self, uid: u32, name: &[u8], home: &[u8], shell: &[u8]) {
        if self.by_uid.contains_key(&uid) {
            return;
        }
        self.by_uid.insert(uid, self.users.len());
        self.by_name.entry(name.into()).or_insert(self.users.len());
        let (name, home, shell) = (name.into(), home.into(), shell.into());
        self.users.push(User { name, uid, gid: u32::MAX, home, shell });
    }

    /// Knows a further group, if it is new.
    pub fn add_group(&mut self, gid: u32, name: &[u8]) {
        if self.by_gid.contains_key(&gid) {
            return;
        }
        self.by_gid.insert(gid, self.groups.len());
        self.groups.push(Group { name: name.into(), gid, members: Vec::new() });
    }

    /// The user with this id.
    pub fn by_uid(&self, uid: u32) -> Option<&User> {
        self.by_uid.get(&uid).and_then(|i| self.users.get(*i))
    }

    /// The user with this name.
    pub fn by_name(&self, name: &[u8]) -> Option<&User> {
        self.by_name.get(name).and_then(|i| self.users.get(*i))
    }

    /// The name of a group.
    pub fn group_name(&self, gid: u32) -> Option<&[u8]> {
        self.by_gid.get(&gid).and_then(|i| self.groups.get(*i)).map(|g| &*g.name)
    }

    /// Every group of a user: the primary one first, then those that list the name.
    pub fn groups_of(&self, user: &User) -> Vec<u32> {
        let mut gids = vec![user.gid];
        for group in &self.groups {
            if group.members.contains(&user.name) && !gids.contains(&group.gid) {
                gids.push(group.gid);
            }
        }
        gids
    }
}

fn contents(path: &Path) -> io::Result<Vec<u8>> {
    // Not blocking: a fifo at this path must not hang the program. It then reads as empty.
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Ok(Vec::new());
    }
    let mut text = Vec::new();
    file.take(LIMIT).read_to_end(&mut text)?;
    if text.len() as u64 == LIMIT {
        // The last line is probably half a line, and half a name is a wrong name.
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        text.truncate(whole);
    }
    Ok(text)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| *b == b'\n').filter(|line| !line.is_empty() && line[0] != b'#')
}

fn number(field: &[u8]) -> Option<u32> {
    // `parse` would accept a sign.
    if !field.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // The last number means "no user" to the kernel.
    std::str::from_utf8(field).ok()?.parse().ok().filter(|id| *id != u32::MAX)
}

/// A name that stands for somebody: not empty, and not one of the `+` and `-` entries of NIS.
fn named(field: &[u8]) -> Option<Box<[u8]>> {
    (!field.is_empty() && field[0] != b'+' && field[0] != b'-').then(|| field.into())
}

fn user(line: &[u8]) -> Option<User> {
    let mut fields = line.split(|b| *b == b':');
    let name = named(fields.next()?)?;
    let _password = fields.next()?;
    let uid = number(fields.next()?)?;
    let gid = number(fields.next()?)?;
    let _comment = fields.next();
    let home = fields.next().unwrap_or_default().into();
    let shell = fields.next().filter(|s| !s.is_empty()).unwrap_or(b"/bin/sh").into();
    Some(User { name, uid, gid, home, shell })
}

fn group(line: &[u8]) -> Option<Group> {
    let mut fields = line.split(|b| *b == b':');
    let name = named(fields.next()?)?;
    let _password = fields.next()?;
    let gid = number(fields.next()?)?;
    let members = fields.next().unwrap_or_default();
    let members = members.split(|b| *b == b',').filter(|m| !m.is_empty()).map(Into::into).collect();
    Some(Group { name, gid, members })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/bash\n\
        # a comment\n\
        ann:x:1000:1000:Ann,,,:/home/ann:\n\
        \n\
        +::::::\n\
        broken\n\
        minus:x:-1:5::/:/bin/sh\n\
        plus:x:+7:7::/:/bin/sh\n\
        huge:x:4294967296:1::/:/bin/sh\n\
        none:x:4294967295:1::/:/bin/sh\n\
        :x:9:9::/:/bin/sh\n\
        ann2:x:1000:1001::/home/second:/bin/sh\n\
        odd\xff\x1b:x:77:77::/h\xfe:/bin/zsh\n\
        short:x:88:88\n\
        last:x:99:99::/l:/bin/dash";
    const GROUP: &[u8] =
        b"root:x:0:\nann:x:1000:\nwheel:x:10:root,ann\nvideo:x:44:,ann,,\nbad:x:zz:ann\ndup:x:10:ann\nshort:x:55";

    fn all() -> Users {
        Users::parse(PASSWD, GROUP)
    }

    #[test]
    fn the_host_is_what_its_first_process_sees() {
        let dir = tempfile::tempdir().unwrap();
        let etc = dir.path().join("1/root/etc");
        std::fs::create_dir_all(&etc).unwrap();
        let own = Users::system().unwrap();
        let name = |users: &Users, uid| users.by_uid(uid).map(|u| u.name.clone());
        assert_eq!(name(&Users::host(dir.path()), 0), name(&own, 0), "not there: our own");
        std::fs::write(etc.join("passwd"), "captain:x:0:0::/:/bin/sh\n").unwrap();
        let host = Users::host(dir.path());
        assert_eq!(name(&host, 0).as_deref(), Some(&b"captain"[..]));
        assert_eq!(name(&host, 65534), None, "nothing of our own among them");
    }

    #[test]
    fn looks_up_both_ways_and_the_first_entry_wins() {
        let all = all();
        let ann = all.by_uid(1000).unwrap();
        assert_eq!((&*ann.name, &*ann.home, &*ann.shell), (&b"ann"[..], &b"/home/ann"[..], &b"/bin/sh"[..]));
        assert_eq!(all.by_name(b"ann2").unwrap().gid, 1001);
        assert_eq!(all.by_name(b"last").unwrap().uid, 99);
        assert_eq!(&*all.by_uid(77).unwrap().name, b"odd\xff\x1b");
        assert_eq!(&*all.by_name(b"short").unwrap().home, b"");
        assert_eq!(all.group_name(10), Some(&b"wheel"[..]));
        assert_eq!(all.group_name(55), Some(&b"short"[..]));
        assert_eq!(all.group_name(56), None);
    }

    #[test]
    fn lists_groups_once_with_the_primary_first() {
        let all = all();
        assert_eq!(all.groups_of(all.by_name(b"ann").unwrap()), [1000, 10, 44]);
        assert_eq!(all.groups_of(all.by_name(b"last").unwrap()), [99]);
    }

    #[test]
    fn skips_what_does_not_parse() {
        let all = all();
        for name in [&b"minus"[..], b"plus", b"huge", b"none", b"broken", b"+", b""] {
            assert!(all.by_name(name).is_none(), "{}", String::from_utf8_lossy(name));
        }
        assert!(Users::parse(b"", b"").by_uid(0).is_none());
        assert!(Users::parse(b"::::::\n:::", b":::\n::").by_uid(0).is_none());
    }

    #[test]
    fn missing_files_and_directories_read_as_empty() {
        let dir = tempfile::tempdir().unwrap();
        let users = Users::read(&dir.path().join("none"), dir.path()).unwrap();
        assert!(users.by_uid(0).is_none());
    }
}
