//! A small block for tests: a process tree, files, sockets, and a row of each sort.

use crate::batch::{
    Builder, Container, File, FileKind, Group, Item, L4, Meta, NO_LATENCY, NONE, Proc, Role, Row, User,
    container_flags, file_flags, proc_flags, row_flags,
};
use crate::schema::{Arch, Class, Dir, Kind, LOST, Len, PROCEXIT, Ret, Schema, Shape, Struct, names};

/// A schema of the test's own, so that tests do not change when calls are added.
pub fn schema() -> Schema {
    let a = |name: &str, kind, dir| (name.to_string(), kind, dir);
    let file = Class::FILE.and(Class::DESC);
    let net = Class::NET.and(Class::DESC);
    let (i, o) = (Dir::In, Dir::Out);
    Schema::from_shapes(
        Arch::X86_64,
        [
            Shape::new(
                0,
                "read",
                file,
                Ret::Bytes,
                [a("fd", Kind::Fd, i), a("buf", Kind::Bytes(Len::Ret), o), a("count", Kind::Size, i)],
            ),
            Shape::new(
                1,
                "write",
                file,
                Ret::Bytes,
                [a("fd", Kind::Fd, i), a("buf", Kind::Bytes(Len::Arg(2)), i), a("count", Kind::Size, i)],
            ),
            Shape::new(9, "mmap", Class::MEMORY, Ret::Addr, [a("addr", Kind::Hex, i)]),
            Shape::new(
                42,
                "connect",
                net,
                Ret::Zero,
                [
                    a("fd", Kind::Fd, i),
                    a("addr", Kind::Sockaddr(Len::Arg(2)), i),
                    a("addrlen", Kind::UInt, i),
                ],
            ),
            Shape::new(
                59,
                "execve",
                Class::PROCESS,
                Ret::Zero,
                [a("path", Kind::Path, i), a("argv", Kind::Strings, i), a("envp", Kind::Hex, i)],
            ),
            Shape::new(
                230,
                "nanosleep",
                Class::TIME,
                Ret::Zero,
                [a("req", Kind::Struct(Struct::Timespec), i)],
            ),
            Shape::new(
                7,
                "poll",
                Class::WAIT,
                Ret::Count,
                [
                    a("fds", Kind::Pollfds(Len::Arg(1)), i),
                    a("nfds", Kind::UInt, i),
                    a("timeout", Kind::Int, i),
                ],
            ),
            Shape::new(231, "exit_group", Class::PROCESS, Ret::None, [a("status", Kind::Int, i)]),
            Shape::new(
                257,
                "openat",
                file,
                Ret::Fd,
                [
                    a("dirfd", Kind::DirFd, i),
                    a("path", Kind::Path, i),
                    a("flags", Kind::Flags(names::by_name("open").expect("a table")), i),
                    a("mode", Kind::Mode, i),
                ],
            ),
            Shape::new(
                264,
                "renameat",
                Class::FILE,
                Ret::Zero,
                [
                    a("olddirfd", Kind::DirFd, i),
                    a("oldpath", Kind::Path, i),
                    a("newdirfd", Kind::DirFd, i),
                    a("newpath", Kind::Path, i),
                ],
            ),
            Shape::new(293, "pipe2", Class::IPC, Ret::Zero, [a("fds", Kind::Struct(Struct::FdPair), o)]),
            Shape::new(
                PROCEXIT,
                "procexit",
                Class::PROCESS,
                Ret::None,
                [a("status", Kind::Int, i), a("signal", Kind::Signal, i)],
            ),
            Shape::new(
                LOST,
                "lost",
                Class::OTHER,
                Ret::None,
                [a("count", Kind::UInt, i), a("cpu", Kind::UInt, i)],
            ),
            Shape::new(2053, "open", file, Ret::Int, [a("arg0", Kind::Hex, i)]),
        ],
    )
    .on("recorder")
    .with_tags(&["0:team=blue", "0:rack=7", "1:team=red"])
}

/// The block: 2026-11-22 21:14:03 and a little.
pub fn block() -> Builder {
    let mut b = Builder::new();
    let wall = 1_795_382_043_184_503_021;
    b.set_meta(Meta { start_time: 9_000_000_000, boot: 10_000_000_000, wall, host: 0 });
    let (alice, home, shell, staff) =
        (b.string(b"alice"), b.string(b"/home/alice"), b.string(b"/bin/sh"), b.string(b"staff"));
    let user = b.user(User { uid: 1000, name: alice, home, shell });
    let group = b.group(Group { gid: 50, name: staff });
    let (init_comm, init_path, init_args) =
        (b.string(b"systemd"), b.string(b"/sbin/init"), b.string(b"/sbin/init\0"));
    let init = b.proc(Proc {
        pid: 1,
        uid: 0,
        gid: 0,
        start: 1_000_000_000,
        comm: init_comm,
        exepath: init_path,
        args: init_args,
        flags: proc_flags::HOST,
        ..Proc::default()
    });
    let (sh, sh_path, sh_args) = (b.string(b"my shell"), b.string(b"/usr/bin/dash"), b.string(b"-sh\0"));
    let shell_proc = b.proc(Proc {
        pid: 4700,
        ppid: 1,
        parent: init,
        start: 5_000_000_000,
        comm: sh,
        sid: 4700,
        pgid: 4700,
        vpid: 3,
        exepath: sh_path,
        args: sh_args,
        ..Proc::default()
    });
    let (comm, exepath, args, cwd, cgroup) = (
        b.string(b"cat"),
        b.string(b"/usr/bin/cat"),
        b.string(b"cat\0-n\0/etc/passwd\0"),
        b.string(b"/home/alice"),
        b.string(b"/system.slice/cri.service/kubepods.slice:cri-containerd:a1b2"),
    );
    let outer = b.string(&[b'0'; 64]);
    let container = Container {
        runtime: 3,
        flags: container_flags::RIGHTS | container_flags::PRIVILEGED | (container_flags::SHARES * 0b11_01),
        sources: 3,
        id: b.string(b"a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"),
        name: b.string(b"web"),
        image: b.string(b"host:5000/lab/web:1.2"),
        image_id: b.string(b"sha256:12ab"),
        image_digest: b.string(b"sha256:34cd"),
        labels: b.string(b"team\0blue\0a/b.c\0\x1b[1m\n\0"),
        mounts: b.string(b"/srv/data:/data:ro,rprivate\0/var/run:/run:rw\0"),
        ip: b.string(b"172.17.0.2"),
        started: wall - 5_000_000_000,
        outer,
        pod: b.string(b"web-7d4"),
        namespace: b.string(b"shop"),
        pod_uid: b.string(b"6f1d2c3b-4a59-4e68-8776-95a4b3c2d1e0"),
        pod_labels: b.string(b"app\0web\0"),
        pod_ip: b.string(b"10.1.2.3"),
        sandbox: outer,
        qos: b.string(b"burstable"),
    };
    let container = b.container(container);
    let env = b.string(b"HOME=/home/alice\0EMPTY=\0PATH=/bin\0");
    let cat = b.proc(Proc {
        pid: 4711,
        ppid: 4700,
        parent: shell_proc,
        start: 9_500_000_000,
        uid: 1000,
        gid: 50,
        ruid: 1000,
        rgid: 50,
        loginuid: 1000,
        user,
        group,
        sid: 4700,
        pgid: 4711,
        tty: 0x8801,
        vpid: 11,
        comm,
        exepath,
        args,
        cwd,
        cgroup,
        flags: proc_flags::CAPS | proc_flags::EXE_SEEN | proc_flags::EXE_WRITABLE,
        login: user,
        leader: shell_proc,
        // The pipe, the file and the socket below.
        stdio: [4, 0, 2],
        threads: 3,
        exe_ino: 55,
        exe_ctime: wall - 100_000_000_000,
        exe_mtime: wall - 200_000_000_000,
        caps: [1 << 21 | 1 << 63, 0, 1],
        env,
        container,
        ..Proc::default()
    });
    let (passwd, given, etc) = (b.string(b"/etc/passwd"), b.string(b"../etc/passwd"), b.string(b"/etc"));
    let file = b.file(File {
        kind: FileKind::File,
        name: passwd,
        given,
        dev: 8 << 20 | 1,
        ino: 77,
        ..File::default()
    });
    let dir = b.file(File { kind: FileKind::Directory, name: etc, ..File::default() });
    let mut socket = File {
        kind: FileKind::Ipv4,
        role: Role::Client,
        l4: L4::Tcp,
        lport: 5000,
        rport: 80,
        flags: file_flags::LOCAL | file_flags::REMOTE,
        ino: 99,
        ..File::default()
    };
    socket.laddr[..4].copy_from_slice(&[127, 0, 0, 1]);
    socket.raddr[..4].copy_from_slice(&[10, 0, 0, 7]);
    let socket = b.file(socket);
    let nasty = b.string(b"/tmp/a\n> \x1b[1Ab\xff");
    let nasty = b.file(File { kind: FileKind::File, name: nasty, ..File::default() });
    let pipe = b.file(File { kind: FileKind::Pipe, ino: 4712, ..File::default() });
    let cwd_fd = AT_FDCWD as u32 as u64;

    let row = |n: u64, call, ret| Row {
        num: n,
        time: 10_000_000_000 + (n - 1) * 1_000_000,
        delta: if n == 1 { 0 } else { 1_000_000 },
        latency: 18_000 * n,
        call,
        cpu: 2,
        tid: 4711,
        proc: cat,
        ret,
        flags: 0,
    };
    let s = |b: &mut Builder, text: &[u8]| Item::new(b.string(text), false);
    let (path, rel, missing) = (s(&mut b, b"/etc/passwd"), s(&mut b, b"../x/./y"), s(&mut b, b"no/such"));
    b.push(row(1, 257, 3), &[cwd_fd, 0x7ffd_0001, 0o2_000_000, 0x7777], &[path], &[NONE, file]);
    b.push(row(2, 257, -2), &[cwd_fd, 0x7ffd_0001, 0o101, 0o644], &[missing], &[NONE, NONE]);
    let hello = Item::new(b.string(b"hello\n"), true);
    b.push(row(3, 0, 1026), &[3, 0x7ffd_0002, 4096], &[hello], &[file]);
    let addr = s(&mut b, b"\x02\x00\x00\x50\x0a\x00\x00\x07\0\0\0\0\0\0\0\0");
    b.push(row(4, 42, 0), &[4, 0x7ffd_0003, 16], &[addr], &[socket]);
    let argv = s(&mut b, b"cat\0-n\0a \"b\"\0");
    let exe = s(&mut b, b"/usr/bin/cat");
    b.push(row(5, 59, 0), &[0x1, 0x2, 0x7ffd_0009], &[exe, argv], &[]);
    let spec = s(&mut b, &[1, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x65, 0xcd, 0x1d, 0, 0, 0, 0]);
    b.push(row(6, 230, -516), &[0x7ffd_0004], &[spec], &[]);
    b.push(row(7, 9, 0x7f12_3456_7000), &[0], &[], &[]);
    let bytes = s(&mut b, b"\xff\x00binary");
    b.push(Row { flags: row_flags::UNCERTAIN, ..row(8, 1, 8) }, &[5, 0x7ffd_0005, 8], &[bytes], &[nasty]);
    b.push(row(9, 1, -1), &[5, 0x1, 8], &[Item::UNREADABLE], &[pipe]);
    b.push(row(10, 264, 0), &[6, 0x1, cwd_fd, 0x2], &[path, rel], &[dir, NONE]);
    let fds = s(&mut b, &[7, 0, 0, 0, 8, 0, 0, 0]);
    b.push(row(11, 293, 0), &[0x7ffd_0006], &[fds], &[pipe, pipe]);
    b.push(Row { flags: row_flags::COMPAT, ..row(12, 2053, 3) }, &[0xffff_0000], &[], &[]);
    b.push(row(13, 500, 0), &[1, 2, 0, 0, 0, 0], &[], &[]);
    b.push(Row { latency: NO_LATENCY, flags: row_flags::UNFINISHED, ..row(14, 231, 0) }, &[0], &[], &[]);
    b.push(Row { latency: NO_LATENCY, ..row(15, PROCEXIT, 0) }, &[0, 9], &[], &[]);
    b.push(Row { latency: NO_LATENCY, ..row(16, PROCEXIT, 0) }, &[3, 0], &[], &[]);
    b.push(Row { latency: NO_LATENCY, tid: 0, proc: NONE, cpu: 1, ..row(17, LOST, 0) }, &[123, 1], &[], &[]);
    b.push(row(18, 0, 0), &[3, 0, 4096], &[Item::ABSENT], &[NONE]);
    let polled: Vec<u8> =
        [9u8, 4, 3, 5].iter().flat_map(|fd| [*fd, 0, 0, 0, 1, 0, u8::from(*fd == 4), 0]).collect();
    let polled = s(&mut b, &polled);
    b.push(row(19, 7, 1), &[0x7ffd_0007, 4, 0xffff_ffff], &[polled], &[]);
    b.fdlist(&[file, socket, nasty, NONE]);
    b
}

use super::args::AT_FDCWD;
