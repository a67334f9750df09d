//! Sockets by their inodes: a descriptor that comes from elsewhere may stand for one that is known.
//!
//! Enters: a new description of a socket. Leaves: in it what is known of that very socket, and the kernel's own memory does
//! not say: who connected. Never: a socket that nobody has open any more.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use rustc_hash::FxHashMap;

use super::tables::{FileDesc, FileEntity, FileRef};
use crate::batch::{Role, file_flags};

/// Those that are gone are looked for when there are so many more than then.
const SLACK: usize = 1024;

/// All sockets that are known.
#[derive(Default)]
pub struct Sockets(RefCell<Known>);

#[derive(Default)]
struct Known {
    by_inode: FxHashMap<u64, Weak<FileEntity>>,
    /// How many there may be before those that are gone are forgotten.
    most: usize,
}

impl Sockets {
    /// A file for this description, which becomes known if it is a socket.
    pub fn file(&self, mut desc: FileDesc) -> FileRef {
        let ino = desc.ino;
        if ino == 0 || !desc.kind.is_socket() {
            return FileEntity::new(desc);
        }
        let mut known = self.0.borrow_mut();
        if let Some(other) = known.by_inode.get(&ino).and_then(Weak::upgrade) {
            let other = other.desc.borrow();
            // An inode's number may be given away again.
            let same = (other.kind, other.l4, other.laddr, other.lport, other.raddr, other.rport)
                == (desc.kind, desc.l4, desc.laddr, desc.lport, desc.raddr, desc.rport);
            if same && other.flags & file_flags::UNCERTAIN == 0 && desc.role == Role::Unknown {
                desc.role = other.role;
                desc.flags |= other.flags & file_flags::LISTENING;
            }
        }
        let file = FileEntity::new(desc);
        if known.by_inode.len() > known.most {
            known.by_inode.retain(|_, file| file.strong_count() > 0);
            known.most = 2 * known.by_inode.len() + SLACK;
        }
        known.by_inode.insert(ino, Rc::downgrade(&file));
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{FileKind, L4};

    #[test]
    fn a_socket_that_came_is_what_it_was_where_it_came_from() {
        let all = Sockets::default();
        let tcp = || FileDesc { kind: FileKind::Ipv4, l4: L4::Tcp, lport: 80, ino: 7, ..FileDesc::default() };
        let sent = all.file(FileDesc { role: Role::Server, flags: file_flags::LISTENING, ..tcp() });
        let came = all.file(tcp());
        assert_eq!(
            (came.desc.borrow().role, came.desc.borrow().flags),
            (Role::Server, file_flags::LISTENING)
        );
        assert_eq!(all.file(FileDesc { lport: 81, ..tcp() }).desc.borrow().role, Role::Unknown);
        drop((sent, came));
        assert_eq!(all.file(tcp()).desc.borrow().role, Role::Unknown, "nobody has it open any more");
        for ino in 100..10_000 {
            all.file(FileDesc { ino, ..tcp() });
        }
        assert!(all.0.borrow().by_inode.len() <= 2 * SLACK);
    }
}
