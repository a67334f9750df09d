//! In which layer of an overlay a program's file lies: in the upper one is what was written since the container began.
//!
//! Enters: a process, what /proc says of its file. Leaves: the layer, or that it is not known. Never: a guess; what the mount
//! table names is looked up in it alone (openat2), and must have the times of what runs.
//!
//! The kernel keeps the layer inside overlayfs and tells nobody; but the mount table says where the upper layer is, and a
//! name that is there hides those below (Documentation/filesystems/overlayfs.rst).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;

use super::proc_dir::ProcDir;

/// OVERLAYFS_SUPER_MAGIC (fs/overlayfs/super.c, "|LO|" backwards).
const MAGIC: i64 = 0x794c_7630;

/// Where a file lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer {
    /// In no overlay.
    None,
    /// In the upper layer of one.
    Upper,
    /// In one below.
    Lower,
    /// In an overlay, and not known in which layer.
    Unknown,
}

/// A line of the mount table.
struct Overlay {
    /// What of the file system is mounted, and where.
    root: Vec<u8>,
    at: Vec<u8>,
    upper: Option<Vec<u8>>,
}

/// The layer of the file that a process runs, which it sees by this path and of which `found` is known. `proc` is where
/// /proc is.
pub fn layer(proc: &Path, dir: &ProcDir, path: &[u8], found: &Statx) -> Layer {
    // Overlays have no device.
    if found.stx_dev_major != 0 {
        return Layer::None;
    }
    let exe = proc.join(format!("{}/exe", dir.pid));
    match rustix::fs::statfs(exe) {
        Ok(fs) if fs.f_type == MAGIC => inside(dir, path, found).unwrap_or(Layer::Unknown),
        Ok(_) => Layer::None,
        Err(_) => Layer::Unknown,
    }
}

fn inside(dir: &ProcDir, path: &[u8], found: &Statx) -> Option<Layer> {
    let mount = dir.behind(c"exe", StatxFlags::MNT_ID)?.stx_mnt_id;
    let mut room = Vec::new();
    let overlay = overlay(dir.read(c"mountinfo", &mut room)?, mount)?;
    let Some(upper) = overlay.upper else { return Some(Layer::Lower) };
    // What was unlinked is in no layer any more, by its name.
    let rest = path
        .strip_prefix(overlay.at.strip_suffix(b"/").unwrap_or(&overlay.at))
        .filter(|r| r.starts_with(b"/"))?;
    let name = [overlay.root.strip_suffix(b"/").unwrap_or(&overlay.root), rest].concat();
    let name = Path::new(OsStr::from_bytes(name.strip_prefix(b"/")?));
    let upper = PathBuf::from(OsStr::from_bytes(&upper));
    let look = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // One that is relative, or of another mount namespace, leads nowhere here.
    let top = rustix::fs::openat(
        CWD,
        Some(upper).filter(|u| u.is_absolute())?,
        look | OFlags::DIRECTORY,
        Mode::empty(),
    );
    let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS;
    match rustix::fs::openat2(top.ok()?, name, look, Mode::empty(), within) {
        Ok(file) => {
            let mask = StatxFlags::CTIME | StatxFlags::SIZE;
            let there =
                rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC, mask).ok()?;
            let ctime = |s: &Statx| (s.stx_ctime.tv_sec, s.stx_ctime.tv_nsec);
            (ctime(&there) == ctime(found)).then_some(Layer::Upper)
        }
        Err(Errno::NOENT) => Some(Layer::Lower),
        Err(_) => None,
    }
}

/// The overlay with this number in a mount table: `id parent dev root at options [more] - overlay source options`.
fn overlay(table: &[u8], id: u64) -> Option<Overlay> {
    let id = id.to_string().into_bytes();
    let mut lines = table.split(|b| *b == b'\n').map(|l| l.split(|b| *b == b' ').collect::<Vec<_>>());
    let words = lines.find(|words| words.first() == Some(&&id[..]))?;
    let kind = words.iter().position(|w| *w == b"-")?;
    if *words.get(kind + 1)? != b"overlay" {
        return None;
    }
    let mut options = words.get(kind + 3)?.split(|b| *b == b',');
    let upper = options.find_map(|o| o.strip_prefix(b"upperdir=")).map(plain);
    Some(Overlay { root: plain(words.get(3)?), at: plain(words.get(4)?), upper })
}

/// Blanks and the like stand there as three digits of base 8.
fn plain(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word;
    while let [first, tail @ ..] = rest {
        match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = tail;
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_table_names_the_upper_layer() {
        let table = b"21 1 8:1 / / rw - ext4 /dev/sda rw\n\
            99 21 0:45 / /var/lib/a\\040b rw,relatime shared:1 - overlay overlay rw,lowerdir=/l1:/l2,upperdir=/u\\054x/diff,workdir=/w\n\
            100 21 0:46 / /ro ro - overlay overlay ro,lowerdir=/l1:/l2\n";
        let found = overlay(table, 99).expect("an overlay");
        assert_eq!((&found.root[..], &found.at[..]), (&b"/"[..], &b"/var/lib/a b"[..]));
        assert_eq!(found.upper.as_deref(), Some(&b"/u,x/diff"[..]));
        assert_eq!(overlay(table, 100).expect("an overlay").upper, None);
        assert!(overlay(table, 21).is_none() && overlay(table, 1).is_none());
        for odd in [&b""[..], b"99", b"99 1 2 3 4 5 -", b"99 - overlay", b"\xff \xff"] {
            assert!(overlay(odd, 99).is_none());
        }
        assert_eq!(plain(b"\\04x\\134\\"), b"\\04x\\\\");
    }
}
