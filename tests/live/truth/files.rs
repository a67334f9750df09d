//! Files, directories, mounts, and being told of changes.

use std::ffi::CStr;

use serde_json::{Value, json};

use super::table::*;

/// Younger than the table of numbers that the rows are made with.
const LISTNS: i64 = 470;

fn stat_of(s: &libc::stat) -> Value {
    let kind = match s.st_mode & libc::S_IFMT {
        libc::S_IFREG => "S_IFREG",
        libc::S_IFDIR => "S_IFDIR",
        libc::S_IFLNK => "S_IFLNK",
        _ => "?",
    };
    has(json!({
        "st_dev": format!("{}:{}", libc::major(s.st_dev), libc::minor(s.st_dev)),
        "st_ino": s.st_ino, "st_mode": format!("{kind}|{:#05o}", s.st_mode & 0o7777).replace("0o", "0"),
        "st_nlink": s.st_nlink, "st_uid": s.st_uid, "st_gid": s.st_gid, "st_size": s.st_size,
        "st_blocks": s.st_blocks, "st_mtime": { "tv_sec": s.st_mtime, "tv_nsec": s.st_mtime_nsec },
    }))
}

fn statfs_of(s: &libc::statfs) -> Value {
    has(
        json!({ "f_bsize": s.f_bsize, "f_blocks": s.f_blocks, "f_files": s.f_files, "f_namelen": s.f_namelen }),
    )
}

fn iov(parts: &[&'static [u8]]) -> Vec<libc::iovec> {
    parts.iter().map(|p| libc::iovec { iov_base: p.as_ptr().cast_mut().cast(), iov_len: p.len() }).collect()
}

pub fn all(t: &mut Table) {
    data_of_files(t);
    descriptors(t);
    attributes(t);
    xattrs(t);
    names(t);
    told(t);
    t.child(mounts);
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
fn data_of_files(t: &mut Table) {
    row!(t: umask(0o022) = ok, {"mask": "0022"});
    let f = row!(t: open(c"f", libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC, 0o644) = ok,
        {"path": "f", "flags": flags(["O_RDWR", "O_CREAT", "O_TRUNC"]), "mode": "0644"});
    row!(t: open(c"none", libc::O_RDONLY) = ENOENT, {"path": "none", "flags": ["O_RDONLY"]});
    row!(t: open(0x10u64, libc::O_WRONLY | libc::O_APPEND) = EFAULT,
        {"path": unreadable(0x10), "flags": flags(["O_WRONLY", "O_APPEND"])});
    let g = row!(t: creat(c"g", 0o600) = ok, {"path": "g", "mode": "0600"});
    row!(t: openat(libc::AT_FDCWD, c"f", libc::O_RDONLY | libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOFOLLOW) = ok,
        {"dirfd": cwd(), "path": "f", "flags": flags(["O_RDONLY", "O_NONBLOCK", "O_CLOEXEC", "O_NOFOLLOW"])});
    row!(t: openat(libc::AT_FDCWD, c"f", libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_SYNC, 0o1777) = EEXIST,
        {"dirfd": cwd(), "path": "f", "flags": flags(["O_WRONLY", "O_CREAT", "O_EXCL", "O_SYNC"]), "mode": "01777"});
    row!(t: openat(-5, c"f", libc::O_PATH) = EBADF, {"dirfd": nofd(-5), "path": "f", "flags": flags(["O_RDONLY", "O_PATH"])});
    let how = [
        (libc::O_RDWR | libc::O_CREAT | libc::O_CLOEXEC) as u64,
        0o640,
        libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS,
    ];
    row!(t: openat2(libc::AT_FDCWD, c"h", &how, 24) = ok, {"dirfd": cwd(), "path": "h", "size": 24,
        "how": {"flags": flags(["O_RDWR", "O_CREAT", "O_CLOEXEC"]), "mode": "0640",
            "resolve": flags(["RESOLVE_BENEATH", "RESOLVE_NO_SYMLINKS"])}});
    row!(t: openat2(libc::AT_FDCWD, c"h", 0x10u64, 24) = EFAULT,
        {"dirfd": cwd(), "path": "h", "size": 24, "how": unreadable(0x10)});

    let text = b"hello, world";
    row!(t: write(f, text, text.len()) = ok, {"fd": fd(f), "buf": "hello, world", "count": 12});
    let long: Vec<u8> = (0..200u8).map(|n| b'a' + n % 26).collect();
    row!(t: write(g, long.as_ptr(), long.len()) = ok, {"fd": fd(g), "buf": data(&long), "count": 200});
    let odd = [0xffu8, 0, 0x80, b'x'];
    row!(t: write(g, &odd, odd.len()) = ok, {"fd": fd(g), "buf": data(&odd), "count": 4});
    row!(t: write(g, 0x10u64, 5) = EFAULT, {"fd": fd(g), "buf": unreadable(0x10), "count": 5});
    row!(t: write(-1, text, 5) = EBADF, {"fd": nofd(-1), "buf": "hello", "count": 5});
    row!(t: write(g, text, 0) = ok, {"fd": fd(g), "buf": "", "count": 0});
    let mut buf = [0u8; 256];
    row!(t: lseek(f, 0, libc::SEEK_SET) = ok, {"fd": fd(f), "offset": 0, "whence": "SEEK_SET"});
    row!(t: lseek(f, -3, libc::SEEK_CUR) = EINVAL, {"fd": fd(f), "offset": -3, "whence": "SEEK_CUR"});
    row!(t: lseek(f, 0, libc::SEEK_HOLE) = ok, {"fd": fd(f), "offset": 0, "whence": "SEEK_HOLE"});
    row!(t: lseek(f, 0, libc::SEEK_SET) = ok, {"fd": fd(f), "offset": 0, "whence": "SEEK_SET"});
    // What is shown is what came, not what there was room for.
    row!(t: read(f, &mut buf, buf.len()) = ok, {"fd": fd(f), "buf": "hello, world", "count": 256});
    row!(t: read(f, &mut buf, buf.len()) = ok, {"fd": fd(f), "buf": "", "count": 256});
    row!(t: read(-1, &mut buf, 7) = EBADF, {"fd": nofd(-1), "buf": hex(&buf), "count": 7});
    row!(t: pread64(f, &mut buf, 5, 7) = ok, {"fd": fd(f), "buf": "world", "count": 5, "offset": 7});
    row!(t: pwrite64(f, b"W", 1, 7) = ok, {"fd": fd(f), "buf": "W", "count": 1, "offset": 7});
    let parts = iov(&[b"one,", b"", b"two"]);
    row!(t: writev(g, parts.as_ptr(), 3) = ok, {"fd": fd(g), "iov": "one,two", "iovcnt": 3});
    row!(t: pwritev(g, parts.as_ptr(), 3, 300, 0) = ok,
        {"fd": fd(g), "iov": "one,two", "iovcnt": 3, "offset": 300, "offset_high": hex(0)});
    row!(t: pwritev2(g, parts.as_ptr(), 1, 400, 0, libc::RWF_DSYNC) = ok,
        {"fd": fd(g), "iov": "one,", "iovcnt": 1, "offset": 400, "offset_high": hex(0), "flags": ["RWF_DSYNC"]});
    let (mut a, mut b) = ([0u8; 4], [0u8; 90]);
    let into = [
        libc::iovec { iov_base: a.as_mut_ptr().cast(), iov_len: 4 },
        libc::iovec { iov_base: b.as_mut_ptr().cast(), iov_len: 90 },
    ];
    row!(t: lseek(f, 0, libc::SEEK_SET) = ok, {"fd": fd(f), "offset": 0, "whence": "SEEK_SET"});
    row!(t: readv(f, &into, 2) = ok, {"fd": fd(f), "iov": gathered("hello, World"), "iovcnt": 2});
    row!(t: preadv(f, &into, 2, 1, 0) = ok,
        {"fd": fd(f), "iov": gathered("ello, World"), "iovcnt": 2, "offset": 1, "offset_high": hex(0)});
    row!(t: preadv2(f, &into, 2, 2, 0, libc::RWF_HIPRI) = any,
        {"fd": fd(f), "iov": or(gathered("llo, World"), hex(&into)), "iovcnt": 2, "offset": 2, "offset_high": hex(0),
            "flags": ["RWF_HIPRI"]});
    row!(t: readv(-1, &into, 2) = EBADF, {"fd": nofd(-1), "iov": hex(&into), "iovcnt": 2});

    let mut pipe = [0i32; 2];
    row!(t: pipe2(&mut pipe, libc::O_CLOEXEC) = ok,
        {"fds": [fd(pipe[0]), fd(pipe[1])], "flags": ["O_CLOEXEC"]});
    let mut offset = 2i64;
    row!(t: sendfile(pipe[1], f, &mut offset, 3) = ok,
        {"out_fd": fd(pipe[1]), "in_fd": fd(f), "offset": any(), "count": 3});
    row!(t: sendfile(pipe[1], -1, 0, 3) = EBADF, {"out_fd": fd(pipe[1]), "in_fd": nofd(-1), "offset": null, "count": 3});
    let mut pipe2 = [0i32; 2];
    row!(t: pipe(&mut pipe2) = ok, {"fds": [fd(pipe2[0]), fd(pipe2[1])]});
    row!(t: tee(pipe[0], pipe2[1], 2, libc::SPLICE_F_NONBLOCK) = ok,
        {"fd_in": fd(pipe[0]), "fd_out": fd(pipe2[1]), "size": 2, "flags": ["SPLICE_F_NONBLOCK"]});
    row!(t: splice(pipe[0], 0, g, 0, 3, libc::SPLICE_F_MOVE | libc::SPLICE_F_MORE) = ok,
        {"fd_in": fd(pipe[0]), "off_in": null, "fd_out": fd(g), "off_out": null, "size": 3,
            "flags": flags(["SPLICE_F_MOVE", "SPLICE_F_MORE"])});
    row!(t: vmsplice(pipe2[1], parts.as_ptr(), 3, libc::SPLICE_F_GIFT) = ok,
        {"fd": fd(pipe2[1]), "iov": "one,two", "nr_segs": 3, "flags": ["SPLICE_F_GIFT"]});
    let (mut from, mut to) = (1i64, 500i64);
    row!(t: copy_file_range(f, &mut from, g, &mut to, 4, 0) = ok,
        {"fd_in": fd(f), "off_in": any(), "fd_out": fd(g), "off_out": any(), "size": 4, "flags": any()});
    row!(t: fsync(g) = ok, {"fd": fd(g)});
    row!(t: fdatasync(g) = ok, {"fd": fd(g)});
    row!(t: fsync(-7) = EBADF, {"fd": nofd(-7)});
    row!(t: syncfs(-8) = EBADF, {"fd": nofd(-8)});
    row!(t: sync_file_range(g, 0, 100, libc::SYNC_FILE_RANGE_WRITE) = any,
        {"fd": fd(g), "offset": 0, "nbytes": 100, "flags": ["SYNC_FILE_RANGE_WRITE"]});
    row!(t: readahead(f, 1, 2) = any, {"fd": fd(f), "offset": 1, "count": 2});
    row!(t: fadvise64(f, 0, 100, libc::POSIX_FADV_SEQUENTIAL) = ok,
        {"fd": fd(f), "offset": 0, "size": 100, "advice": "POSIX_FADV_SEQUENTIAL"});
    row!(t: fallocate(g, libc::FALLOC_FL_KEEP_SIZE, 0, 4096) = any,
        {"fd": fd(g), "mode": ["FALLOC_FL_KEEP_SIZE"], "offset": 0, "size": 4096});
    row!(t: fallocate(g, libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE, -1, 4096) = EINVAL,
        {"fd": fd(g), "mode": flags(["FALLOC_FL_KEEP_SIZE", "FALLOC_FL_PUNCH_HOLE"]), "offset": -1, "size": 4096});
    row!(t: truncate(c"g", 100) = ok, {"path": "g", "length": 100});
    row!(t: truncate(c"g", -1) = EINVAL, {"path": "g", "length": -1});
    row!(t: ftruncate(g, 50) = ok, {"fd": fd(g), "length": 50});
    let (range, mut cached) = ([0u64, 4096], [0u64; 5]);
    row!(t: cachestat(f, &range, &mut cached, 0) = any, {"fd": fd(f),
        "cstat_range": behind(&range), "cstat": behind(&cached), "flags": any()});
    // The whole machine's disks have to wait for this one; asked of an empty file system of its own, it is quick too.
    row!(t: sync() = any, {});
}

fn descriptors(t: &mut Table) {
    let f = unsafe { libc::open(c"f".as_ptr(), libc::O_RDWR) };
    let d = row!(t: dup(f) = ok, {"oldfd": fd(f)});
    row!(t: dup(-3) = EBADF, {"oldfd": nofd(-3)});
    row!(t: dup2(f, 90) = ok, {"oldfd": fd(f), "newfd": any()});
    row!(t: dup3(f, 91, libc::O_CLOEXEC) = ok, {"oldfd": fd(f), "newfd": any(), "flags": ["O_CLOEXEC"]});
    row!(t: dup3(f, f, 0) = EINVAL, {"oldfd": fd(f), "newfd": any(), "flags": []});
    row!(t: close(d) = ok, {"fd": fd(d)});
    row!(t: close(d) = EBADF, {"fd": nofd(d as i32)});
    row!(t: close_range(90, 91, libc::CLOSE_RANGE_CLOEXEC) = ok,
        {"first": 90, "last": 91, "flags": ["CLOSE_RANGE_CLOEXEC"]});
    row!(t: close_range(90, 91, 0) = ok, {"first": 90, "last": 91, "flags": []});
    row!(t: close_range(91, 90, 0) = EINVAL, {"first": 91, "last": 90, "flags": []});
    row!(t: fcntl(f, libc::F_GETFD, 0) = ok, {"fd": fd(f), "cmd": "F_GETFD", "arg": any()});
    row!(t: fcntl(f, libc::F_SETFD, libc::FD_CLOEXEC) = ok,
        {"fd": fd(f), "cmd": "F_SETFD", "arg": or(hex(1), json!(["FD_CLOEXEC"]))});
    row!(t: fcntl(f, libc::F_GETFL, 0) = ok, {"fd": fd(f), "cmd": "F_GETFL", "arg": any()});
    row!(t: fcntl(f, libc::F_SETFL, libc::O_NONBLOCK | libc::O_APPEND) = ok, {"fd": fd(f), "cmd": "F_SETFL",
        "arg": or(hex(libc::O_NONBLOCK | libc::O_APPEND), flags_with(["O_NONBLOCK", "O_APPEND"]))});
    row!(t: fcntl(f, libc::F_DUPFD_CLOEXEC, 70) = ok,
        {"fd": fd(f), "cmd": "F_DUPFD_CLOEXEC", "arg": or(hex(70), or(70.into(), fd(70)))});
    let lock: libc::flock = unsafe { std::mem::zeroed() };
    row!(t: fcntl(f, libc::F_SETLK, &lock) = ok, {"fd": fd(f), "cmd": "F_SETLK", "arg": behind(&lock)});
    row!(t: fcntl(-1, libc::F_GETPIPE_SZ, 0) = EBADF, {"fd": nofd(-1), "cmd": "F_GETPIPE_SZ", "arg": any()});
    let mut n = 0i32;
    row!(t: ioctl(f, libc::FIONREAD, &mut n) = ok, {"fd": fd(f), "request": "FIONREAD", "argp": any()});
    row!(t: ioctl(f, libc::TCGETS, &mut [0u8; 64]) = ENOTTY, {"fd": fd(f), "request": "TCGETS", "argp": any()});
    row!(t: ioctl(f, libc::FIOCLEX, 0) = ok, {"fd": fd(f), "request": "FIOCLEX", "argp": any()});
    row!(t: ioctl(-1, 0x1234_5678, 0x42) = EBADF, {"fd": nofd(-1), "request": any(), "argp": hex(0x42)});
    row!(t: flock(f, libc::LOCK_EX | libc::LOCK_NB) = ok, {"fd": fd(f), "operation": flags(["LOCK_EX", "LOCK_NB"])});
    row!(t: flock(f, libc::LOCK_UN) = ok, {"fd": fd(f), "operation": ["LOCK_UN"]});
    let me = unsafe { libc::getpid() };
    row!(t: kcmp(me, me, 0, f, 1) = any,
        {"pid1": me, "pid2": me, "type": "KCMP_FILE", "idx1": f, "idx2": 1});
    row!(t: kcmp(me, me, 1, 0, 0) = ok, {"pid1": me, "pid2": me, "type": "KCMP_VM", "idx1": any(), "idx2": any()});
    unsafe { libc::close(f) };
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
fn attributes(t: &mut Table) {
    let f = unsafe { libc::open(c"f".as_ptr(), libc::O_RDWR) };
    unsafe { libc::symlink(c"f".as_ptr(), c"link".as_ptr()) };
    let mut s: libc::stat = unsafe { std::mem::zeroed() };
    row!(t: stat(c"f", &mut s) = ok, {"path": "f", "statbuf": stat_of(&s)});
    row!(t: stat(c"none", &mut s) = ENOENT, {"path": "none", "statbuf": hex(&s)});
    row!(t: lstat(c"link", &mut s) = ok, {"path": "link", "statbuf": stat_of(&s)});
    row!(t: fstat(f, &mut s) = ok, {"fd": fd(f), "statbuf": stat_of(&s)});
    row!(t: fstat(f, 0x10u64) = EFAULT, {"fd": fd(f), "statbuf": hex(0x10)});
    row!(t: newfstatat(libc::AT_FDCWD, c"link", &mut s, libc::AT_SYMLINK_NOFOLLOW) = ok,
        {"dirfd": cwd(), "path": "link", "statbuf": stat_of(&s), "flags": ["AT_SYMLINK_NOFOLLOW"]});
    row!(t: newfstatat(f, c"", &mut s, libc::AT_EMPTY_PATH) = ok,
        {"dirfd": fd(f), "path": "", "statbuf": stat_of(&s), "flags": ["AT_EMPTY_PATH"]});
    let mut x: libc::statx = unsafe { std::mem::zeroed() };
    row!(t: statx(libc::AT_FDCWD, c"f", libc::AT_SYMLINK_NOFOLLOW | libc::AT_STATX_DONT_SYNC, libc::STATX_BASIC_STATS, &mut x) = ok,
        {"dirfd": cwd(), "path": "f", "flags": flags(["AT_STATX_DONT_SYNC", "AT_SYMLINK_NOFOLLOW"]),
            "mask": ["STATX_BASIC_STATS"], "statxbuf": has(json!({"stx_mode": "S_IFREG|0644", "stx_size": x.stx_size,
                "stx_ino": x.stx_ino, "stx_nlink": 1, "stx_uid": x.stx_uid, "stx_blocks": x.stx_blocks,
                "stx_mtime": {"tv_sec": x.stx_mtime.tv_sec, "tv_nsec": x.stx_mtime.tv_nsec},
                "stx_dev": format!("{}:{}", x.stx_dev_major, x.stx_dev_minor)}))});
    let mut fs: libc::statfs = unsafe { std::mem::zeroed() };
    row!(t: statfs(c"/proc", &mut fs) = ok, {"path": "/proc", "buf": statfs_of(&fs)});
    row!(t: fstatfs(f, &mut fs) = ok, {"fd": fd(f), "buf": any()});
    row!(t: ustat(0, &mut [0u8; 64]) = any, {"dev": "0:0", "ubuf": any()});
    row!(t: access(c"f", libc::R_OK | libc::W_OK) = ok, {"path": "f", "mode": flags(["R_OK", "W_OK"])});
    row!(t: access(c"none", libc::F_OK) = ENOENT, {"path": "none", "mode": ["F_OK"]});
    row!(t: faccessat(libc::AT_FDCWD, c"f", libc::X_OK) = EACCES, {"dirfd": cwd(), "path": "f", "mode": ["X_OK"]});
    row!(t: faccessat2(libc::AT_FDCWD, c"f", libc::F_OK, libc::AT_EACCESS | libc::AT_SYMLINK_NOFOLLOW) = ok,
        {"dirfd": cwd(), "path": "f", "mode": ["F_OK"], "flags": flags(["AT_EACCESS", "AT_SYMLINK_NOFOLLOW"])});
    row!(t: chmod(c"f", 0o4755) = ok, {"path": "f", "mode": "04755"});
    row!(t: fchmod(f, 0o644) = ok, {"fd": fd(f), "mode": "0644"});
    row!(t: fchmodat(libc::AT_FDCWD, c"f", 0o600) = ok, {"dirfd": cwd(), "path": "f", "mode": "0600"});
    row!(t: fchmodat2(libc::AT_FDCWD, c"link", 0o600, libc::AT_SYMLINK_NOFOLLOW) = any,
        {"dirfd": cwd(), "path": "link", "mode": "0600", "flags": ["AT_SYMLINK_NOFOLLOW"]});
    let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
    row!(t: chown(c"f", uid, -1) = ok, {"path": "f", "owner": uid, "group": -1});
    row!(t: lchown(c"link", -1, gid) = ok, {"path": "link", "owner": -1, "group": gid});
    row!(t: fchown(f, -1, -1) = ok, {"fd": fd(f), "owner": -1, "group": -1});
    row!(t: fchownat(libc::AT_FDCWD, c"link", uid, gid, libc::AT_SYMLINK_NOFOLLOW) = ok,
        {"dirfd": cwd(), "path": "link", "owner": uid, "group": gid, "flags": ["AT_SYMLINK_NOFOLLOW"]});
    let times = [1000i64, 2000];
    row!(t: utime(c"f", &times) = ok, {"path": "f", "times": behind(&times)});
    let times = [1000i64, 5, 2000, 6];
    row!(t: utimes(c"f", &times) = ok, {"path": "f", "times": behind(&times)});
    row!(t: futimesat(libc::AT_FDCWD, c"f", &times) = ok, {"dirfd": cwd(), "path": "f", "times": behind(&times)});
    row!(t: utimensat(libc::AT_FDCWD, c"f", &times, 0) = ok, {"dirfd": cwd(), "path": "f", "flags": [],
        "times": [{"tv_sec": 1000, "tv_nsec": 5}, {"tv_sec": 2000, "tv_nsec": 6}]});
    let times = [0i64, libc::UTIME_NOW, 0, libc::UTIME_OMIT];
    row!(t: utimensat(f, 0, &times, 0) = ok,
        {"dirfd": fd(f), "path": null, "flags": [], "times": ["UTIME_NOW", "UTIME_OMIT"]});

    // struct file_handle: two numbers, then room.
    let mut handle = [0u32; 34];
    handle[0] = 128;
    let mut id = 0i32;
    row!(t: name_to_handle_at(libc::AT_FDCWD, c"f", &mut handle, &mut id, 0) = any,
        {"dirfd": cwd(), "path": "f", "handle": behind(&handle), "mount_id": any(), "flags": []});
    row!(t: open_by_handle_at(libc::AT_FDCWD, &handle, libc::O_RDONLY) = any,
        {"mount_fd": cwd(), "handle": behind(&handle), "flags": ["O_RDONLY"]});
    let mut attr = [0u64; 3];
    row!(t: file_getattr(libc::AT_FDCWD, c"f", &mut attr, 24, 0) = any,
        {"dirfd": cwd(), "path": "f", "attr": any(), "size": 24, "at_flags": []});
    row!(t: file_setattr(libc::AT_FDCWD, c"none", &attr, 24, libc::AT_SYMLINK_NOFOLLOW) = any,
        {"dirfd": cwd(), "path": "none", "attr": any(), "size": 24, "at_flags": ["AT_SYMLINK_NOFOLLOW"]});
    unsafe { libc::close(f) };
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
fn xattrs(t: &mut Table) {
    let f = unsafe { libc::open(c"f".as_ptr(), libc::O_RDWR) };
    let value = b"some value";
    let n = c"user.sysreel";
    let mut buf = [0u8; 64];
    // Not every file system has them; what is passed in is shown all the same.
    row!(t: setxattr(c"f", n, value, 10, libc::XATTR_CREATE) = any,
        {"path": "f", "name": "user.sysreel", "value": "some value", "size": 10, "flags": ["XATTR_CREATE"]});
    row!(t: lsetxattr(c"f", n, value, 4, 0) = any,
        {"path": "f", "name": "user.sysreel", "value": "some", "size": 4, "flags": []});
    row!(t: fsetxattr(f, n, value, 10, libc::XATTR_REPLACE) = any,
        {"fd": fd(f), "name": "user.sysreel", "value": "some value", "size": 10, "flags": ["XATTR_REPLACE"]});
    row!(t: setxattr(c"f", n, 0x10u64, 10, 0) = any,
        {"path": "f", "name": "user.sysreel", "value": unreadable(0x10), "size": 10, "flags": []});
    let got = |ret: i64, buf: &[u8; 64]| match usize::try_from(ret) {
        Ok(n) => data(&buf[..n.min(64)]),
        Err(_) => hex(buf),
    };
    // Names with NULs between them.
    let listed = |ret: i64, buf: &[u8; 64]| match usize::try_from(ret) {
        Ok(n) => {
            let names = buf[..n.min(64)].split(|b| *b == 0).filter(|n| !n.is_empty());
            names.map(|n| String::from_utf8_lossy(n).into_owned()).collect()
        }
        Err(_) => hex(buf),
    };
    macro_rules! get {
        ($name:ident($($arg:expr),*), $first:literal : $what:expr, $($key:literal),*) => {{
            let ret = t.call(syscalls::x86_64::Sysno::$name.id().into(), &[$($arg.word()),*]);
            let mut args = json!({ "size": 64 });
            args[$first] = $what;
            $(args[$key] = match $key {
                "name" => "user.sysreel".into(),
                "list" => listed(ret, &buf),
                _ => got(ret, &buf),
            };)*
            t.row(stringify!($name), End::Any, ret, args);
        }};
    }
    get!(getxattr(c"f", n, &mut buf, 64), "path": "f".into(), "name", "value");
    get!(lgetxattr(c"f", n, &mut buf, 64), "path": "f".into(), "name", "value");
    get!(fgetxattr(f, n, &mut buf, 64), "fd": fd(f), "name", "value");
    get!(listxattr(c"f", &mut buf, 64), "path": "f".into(), "list");
    get!(llistxattr(c"f", &mut buf, 64), "path": "f".into(), "list");
    get!(flistxattr(f, &mut buf, 64), "fd": fd(f), "list");
    let size = unsafe { libc::getxattr(c"f".as_ptr(), n.as_ptr(), std::ptr::null_mut(), 0) };
    if size > 0 {
        row!(t: getxattr(c"f", n, &mut buf, 0) = ok, {"path": "f", "name": n.to_str().unwrap(),
            "value": beginning(b"", size as usize), "size": 0});
    }
    row!(t: getxattr(c"f", c"user.none", &mut buf, 64) = any,
        {"path": "f", "name": "user.none", "value": hex(&buf), "size": 64});
    let args = (value.as_ptr() as u64, 10u32, 0u32);
    row!(t: setxattrat(libc::AT_FDCWD, c"f", libc::AT_SYMLINK_NOFOLLOW, n, &args, 16) = any, {"dirfd": cwd(), "path": "f",
        "at_flags": ["AT_SYMLINK_NOFOLLOW"], "name": "user.sysreel", "args": behind(&args), "size": 16});
    row!(t: getxattrat(libc::AT_FDCWD, c"f", 0, n, &args, 16) = any, {"dirfd": cwd(), "path": "f",
        "at_flags": [], "name": "user.sysreel", "args": behind(&args), "size": 16});
    let ret = t.call(465, &[libc::AT_FDCWD.word(), c"f".word(), 0, (&mut buf).word(), 64]);
    t.row(
        "listxattrat",
        End::Any,
        ret,
        json!({"dirfd": cwd(), "path": "f", "at_flags": [], "list": listed(ret, &buf), "size": 64}),
    );
    row!(t: removexattrat(libc::AT_FDCWD, c"f", 0, n) = any,
        {"dirfd": cwd(), "path": "f", "at_flags": [], "name": "user.sysreel"});
    row!(t: removexattr(c"f", n) = any, {"path": "f", "name": "user.sysreel"});
    row!(t: lremovexattr(c"f", n) = any, {"path": "f", "name": "user.sysreel"});
    row!(t: fremovexattr(f, n) = any, {"fd": fd(f), "name": "user.sysreel"});
    unsafe { libc::close(f) };
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
fn names(t: &mut Table) {
    let here = libc::AT_FDCWD;
    row!(t: mkdir(c"dir", 0o755) = ok, {"path": "dir", "mode": "0755"});
    row!(t: mkdir(c"dir", 0o755) = EEXIST, {"path": "dir", "mode": "0755"});
    row!(t: mkdirat(here, c"dir/sub", 0o700) = ok, {"dirfd": cwd(), "path": "dir/sub", "mode": "0700"});
    let dir = unsafe { libc::open(c"dir".as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY) };
    let mut where_ = [0u8; 4096];
    row!(t: getcwd(&mut where_, 4096) = ok,
        {"buf": CStr::from_bytes_until_nul(&where_).unwrap().to_str().unwrap(), "size": 4096});
    let home = CStr::from_bytes_until_nul(&where_).unwrap().to_str().unwrap().to_owned();
    row!(t: getcwd(&mut [0u8; 2], 2) = ERANGE, {"buf": any(), "size": 2});
    let full = format!("{home}/dir");
    let mut list = [0u8; 2048];
    let n = t.call(libc::SYS_getdents64, &[dir.word(), (&mut list).word(), 2048]);
    t.row(
        "getdents64",
        End::Ok,
        n,
        json!({"fd": named(dir, &full), "dirp": data_or_decoded(&list, n), "count": 2048}),
    );
    unsafe { libc::lseek(dir, 0, libc::SEEK_SET) };
    let n = t.call(libc::SYS_getdents, &[dir.word(), (&mut list).word(), 2048]);
    t.row(
        "getdents",
        End::Ok,
        n,
        json!({"fd": named(dir, &full), "dirp": data_or_decoded(&list, n), "count": 2048}),
    );
    row!(t: getdents64(-1, &mut list, 2048) = EBADF, {"fd": nofd(-1), "dirp": hex(&list), "count": 2048});
    row!(t: chdir(c"dir") = ok, {"path": "dir"});
    row!(t: chdir(c"none") = ENOENT, {"path": "none"});
    row!(t: fchdir(dir) = ok, {"fd": named(dir, &full)});
    unsafe { libc::chdir(path(&home).as_ptr()) };
    row!(t: link(c"f", c"l1") = ok, {"oldpath": "f", "newpath": "l1"});
    row!(t: linkat(here, c"f", dir, c"l2", libc::AT_SYMLINK_FOLLOW) = ok, {"olddirfd": cwd(), "oldpath": "f",
        "newdirfd": named(dir, &full), "newpath": "l2", "flags": ["AT_SYMLINK_FOLLOW"]});
    row!(t: symlink(c"to/nowhere", c"s1") = ok, {"target": "to/nowhere", "path": "s1"});
    row!(t: symlinkat(c"x", dir, c"s2") = ok, {"target": "x", "newdirfd": named(dir, &full), "path": "s2"});
    let mut buf = [0u8; 64];
    row!(t: readlink(c"s1", &mut buf, 64) = ok, {"path": "s1", "buf": "to/nowhere", "bufsiz": 64});
    row!(t: readlinkat(dir, c"s2", &mut buf, 64) = ok,
        {"dirfd": named(dir, &full), "path": "s2", "buf": "x", "bufsiz": 64});
    row!(t: readlink(c"f", &mut buf, 64) = EINVAL, {"path": "f", "buf": hex(&buf), "bufsiz": 64});
    row!(t: rename(c"l1", c"l3") = ok, {"oldpath": "l1", "newpath": "l3"});
    row!(t: renameat(here, c"l3", dir, c"l4") = ok,
        {"olddirfd": cwd(), "oldpath": "l3", "newdirfd": named(dir, &full), "newpath": "l4"});
    row!(t: renameat2(dir, c"l4", dir, c"l2", libc::RENAME_NOREPLACE) = EEXIST, {"olddirfd": named(dir, &full),
        "oldpath": "l4", "newdirfd": named(dir, &full), "newpath": "l2", "flags": ["RENAME_NOREPLACE"]});
    row!(t: renameat2(dir, c"l4", dir, c"s2", libc::RENAME_EXCHANGE) = any, {"olddirfd": named(dir, &full),
        "oldpath": "l4", "newdirfd": named(dir, &full), "newpath": "s2", "flags": ["RENAME_EXCHANGE"]});
    row!(t: mknod(c"fifo", libc::S_IFIFO | 0o600, 0) = ok, {"path": "fifo", "mode": any(), "dev": "0:0"});
    row!(t: mknodat(here, c"null", libc::S_IFCHR | 0o666, libc::makedev(1, 3)) = any,
        {"dirfd": cwd(), "path": "null", "mode": any(), "dev": "1:3"});
    row!(t: unlink(c"s1") = ok, {"path": "s1"});
    row!(t: unlink(c"s1") = ENOENT, {"path": "s1"});
    row!(t: unlinkat(dir, c"sub", libc::AT_REMOVEDIR) = ok,
        {"dirfd": named(dir, &full), "path": "sub", "flags": ["AT_REMOVEDIR"]});
    row!(t: unlinkat(dir, c"none", 0) = ENOENT, {"dirfd": named(dir, &full), "path": "none", "flags": []});
    row!(t: rmdir(c"dir") = ENOTEMPTY, {"path": "dir"});
    // Q_SYNC of no device, and of a descriptor that does not exist.
    row!(t: quotactl(0x8000_0100u32, c"/dev/none", 0, 0) = any,
        {"cmd": any(), "path": "/dev/none", "id": 0, "addr": any()});
    row!(t: quotactl_fd(-1, 0x8000_0100u32, 0, 0) = any, {"fd": nofd(-1), "cmd": any(), "id": 0, "addr": any()});
    row!(t: swapon(c"none", 0) = ENOENT, {"path": "none", "swapflags": any()});
    row!(t: swapoff(c"none") = ENOENT, {"path": "none"});
    row!(t: acct(c"none") = ENOENT, {"path": "none"});
    // Gone from the kernel: ENOSYS.
    row!(t: uselib(c"none") = any, {"path": "none"});
    unsafe { libc::close(dir) };
}

/// Entries of a directory, as bytes or as a list.
fn data_or_decoded(list: &[u8; 2048], n: i64) -> Value {
    or(data(&list[..usize::try_from(n).unwrap_or(0)]), json!({ "$decoded": true }))
}

fn told(t: &mut Table) {
    let i = row!(t: inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) = ok, {"flags": flags(["IN_CLOEXEC", "IN_NONBLOCK"])});
    row!(t: inotify_init() = ok, {});
    let w = row!(t: inotify_add_watch(i, c".", libc::IN_CREATE | libc::IN_ONLYDIR | libc::IN_CLOSE) = ok,
        {"fd": fd(i), "path": ".", "mask": flags(["IN_CREATE", "IN_ONLYDIR", "IN_CLOSE"])});
    row!(t: inotify_rm_watch(i, w) = ok, {"fd": fd(i), "wd": w});
    row!(t: inotify_rm_watch(i, -1) = EINVAL, {"fd": fd(i), "wd": -1});
    let n = row!(t: fanotify_init(libc::FAN_CLASS_NOTIF | libc::FAN_CLOEXEC, libc::O_RDONLY | libc::O_CLOEXEC) = any,
        {"flags": flags(["FAN_CLASS_NOTIF", "FAN_CLOEXEC"]), "event_f_flags": flags(["O_RDONLY", "O_CLOEXEC"])});
    row!(t: fanotify_mark(n, libc::FAN_MARK_ADD, libc::FAN_OPEN | libc::FAN_EVENT_ON_CHILD, libc::AT_FDCWD, c".") = any,
        {"fanotify_fd": fd(n), "flags": ["FAN_MARK_ADD"], "mask": flags(["FAN_OPEN", "FAN_EVENT_ON_CHILD"]),
            "dirfd": cwd(), "path": "."});
    unsafe {
        libc::close(i as i32);
        libc::close(n as i32);
    }
}

/// In a mount namespace of its own, and only what nobody else sees.
#[allow(clippy::too_many_lines, reason = "a row a call")]
fn mounts(t: &mut Table) {
    let here = libc::AT_FDCWD;
    row!(t: unshare(libc::CLONE_NEWNS | libc::CLONE_FS) = ok, {"flags": flags(["CLONE_NEWNS", "CLONE_FS"])});
    row!(t: mount(c"none", c"/", 0, libc::MS_REC | libc::MS_PRIVATE, 0) = ok, {"source": "none", "path": "/",
        "filesystemtype": null, "mountflags": flags(["MS_REC", "MS_PRIVATE"]), "data": null});
    unsafe { libc::mkdir(c"mnt".as_ptr(), 0o755) };
    row!(t: mount(c"mine", c"mnt", c"tmpfs", libc::MS_NOSUID | libc::MS_NODEV, c"size=64k") = ok,
        {"source": "mine", "path": "mnt", "filesystemtype": "tmpfs", "mountflags": flags(["MS_NOSUID", "MS_NODEV"]),
            "data": "size=64k"});
    row!(t: mount(c"mine", c"mnt", c"nosuchfs", 0, 0) = ENODEV, {"source": "mine", "path": "mnt",
        "filesystemtype": "nosuchfs", "mountflags": [], "data": null});
    row!(t: umount2(c"mnt", libc::MNT_DETACH | libc::UMOUNT_NOFOLLOW) = ok,
        {"path": "mnt", "flags": flags(["MNT_DETACH", "UMOUNT_NOFOLLOW"])});
    row!(t: umount2(c"none", 0) = ENOENT, {"path": "none", "flags": []});
    let fs = row!(t: fsopen(c"tmpfs", 1) = ok, {"fsname": "tmpfs", "flags": ["FSOPEN_CLOEXEC"]});
    row!(t: fsconfig(fs, 1, c"size", c"64k", 0) = ok,
        {"fd": fd(fs), "cmd": "FSCONFIG_SET_STRING", "key": "size", "value": "64k", "aux": any()});
    row!(t: fsconfig(fs, 6, 0, 0, 0) = ok,
        {"fd": fd(fs), "cmd": "FSCONFIG_CMD_CREATE", "key": null, "value": any(), "aux": any()});
    let m = row!(t: fsmount(fs, 1, 3) = ok, {"fsfd": fd(fs), "flags": ["FSMOUNT_CLOEXEC"],
        "attr_flags": flags_with(["MOUNT_ATTR_RDONLY", "MOUNT_ATTR_NOSUID"])});
    row!(t: move_mount(m, c"", here, c"mnt", 4) = ok, {"olddirfd": fd(m), "oldpath": "", "newdirfd": cwd(),
        "newpath": "mnt", "flags": ["MOVE_MOUNT_F_EMPTY_PATH"]});
    let attr = [4u64, 0, 0, 0];
    row!(t: mount_setattr(here, c"mnt", libc::AT_SYMLINK_NOFOLLOW, &attr, 32) = ok, {"dirfd": cwd(), "path": "mnt",
        "flags": ["AT_SYMLINK_NOFOLLOW"], "attr": behind(&attr), "size": 32});
    row!(t: fspick(here, c"mnt", 1) = ok, {"dirfd": cwd(), "path": "mnt", "flags": ["FSPICK_CLOEXEC"]});
    row!(t: open_tree(here, c"mnt", 1 | libc::O_CLOEXEC) = ok,
        {"dirfd": cwd(), "path": "mnt", "flags": flags(["OPEN_TREE_CLONE", "OPEN_TREE_CLOEXEC"])});
    row!(t: open_tree_attr(here, c"mnt", 1, &attr, 32) = any,
        {"dirfd": cwd(), "path": "mnt", "flags": ["OPEN_TREE_CLONE"], "attr": any(), "size": 32});
    let mut buf = [0u8; 1024];
    // struct mnt_id_req of a mount that does not exist.
    let request = [24u32, 0, 0, 0, 1, 0];
    row!(t: statmount(&request, &mut buf, 1024, 0) = any,
        {"req": behind(&request), "buf": any(), "bufsize": 1024, "flags": any()});
    row!(t: listmount(&request, &mut buf, 16, 0) = any,
        {"req": behind(&request), "mnt_ids": any(), "nr_mnt_ids": 16, "flags": any()});
    let ret = t.call(LISTNS, &[(&request).word(), (&mut buf).word(), 16, 0]);
    t.row(
        "listns",
        End::Any,
        ret,
        json!({"req": behind(&request), "ns_ids": any(), "nr_ns_ids": 16, "flags": any()}),
    );
    row!(t: pivot_root(c"f", c"mnt") = any, {"newpath": "f", "oldpath": "mnt"});
    row!(t: chroot(c"mnt") = ok, {"path": "mnt"});
    row!(t: chroot(c"/none") = ENOENT, {"path": "/none"});
}
