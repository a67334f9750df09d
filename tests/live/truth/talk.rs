//! Sockets, waiting for descriptors, and what processes talk through.

use serde_json::{Value, json};

use super::table::*;

pub fn all(t: &mut Table) {
    sockets(t);
    addresses(t);
    waiting(t);
    rings(t);
    futexes(t);
    t.child(system_v);
    t.child(queues);
}

fn inet(port: u16, last: u8) -> libc::sockaddr_in {
    let mut a: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    a.sin_family = libc::AF_INET as u16;
    a.sin_port = port.to_be();
    a.sin_addr.s_addr = u32::from_ne_bytes([127, 0, 0, last]);
    a
}
fn shown(port: u16, last: u8) -> Value {
    json!({"family": "ipv4", "ip": format!("127.0.0.{last}"), "port": port})
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
fn sockets(t: &mut Table) {
    let s = row!(t: socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, libc::IPPROTO_TCP) = ok, {"domain": "AF_INET",
        "type": flags(["SOCK_STREAM", "SOCK_CLOEXEC"]), "protocol": or(6.into(), "IPPROTO_TCP".into())});
    row!(t: socket(libc::AF_UNSPEC, libc::SOCK_DGRAM | libc::SOCK_NONBLOCK, 0) = EAFNOSUPPORT, {"domain": "AF_UNSPEC",
        "type": flags(["SOCK_DGRAM", "SOCK_NONBLOCK"]), "protocol": any()});
    let a = inet(0, 1);
    row!(t: bind(s, &a, 16) = ok, {"fd": fd(s), "addr": shown(0, 1), "addrlen": 16});
    row!(t: bind(s, 0x10u64, 16) = EFAULT, {"fd": fd(s), "addr": unreadable(0x10), "addrlen": 16});
    row!(t: listen(s, 5) = ok, {"fd": fd(s), "backlog": 5});
    let (mut b, mut len) = (inet(0, 0), 16i32);
    let ret = t.call(libc::SYS_getsockname, &[s.word(), (&mut b).word(), (&mut len).word()]);
    let port = u16::from_be(b.sin_port);
    t.row("getsockname", End::Ok, ret, json!({"fd": fd(s), "addr": shown(port, 1), "addrlen": 16}));
    let c = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) };
    row!(t: connect(c, &b, 16) = ok, {"fd": fd(c), "addr": shown(port, 1), "addrlen": 16});
    row!(t: connect(-1, &b, 16) = EBADF, {"fd": nofd(-1), "addr": shown(port, 1), "addrlen": 16});
    let mut peer = inet(0, 0);
    let x = t.call(libc::SYS_accept, &[s.word(), (&mut peer).word(), (&mut len).word()]);
    let theirs = shown(u16::from_be(peer.sin_port), 1);
    t.row("accept", End::Ok, x, json!({"fd": fd(s), "addr": theirs.clone(), "addrlen": 16}));
    row!(t: getpeername(x, &mut peer, &mut len) = ok, {"fd": fd(x), "addr": theirs, "addrlen": 16});
    unsafe { libc::fcntl(s as i32, libc::F_SETFL, libc::O_NONBLOCK) };
    row!(t: accept4(s, 0, 0, libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) = EAGAIN,
        {"fd": fd(s), "addr": null, "addrlen": null, "flags": flags(["SOCK_NONBLOCK", "SOCK_CLOEXEC"])});
    row!(t: setsockopt(c, libc::SOL_TCP, libc::TCP_NODELAY, &1i32, 4) = ok, {"fd": fd(c), "level": "SOL_TCP",
        "optname": "TCP_NODELAY", "optval": or("\u{1}\0\0\0".into(), json!(1)), "optlen": 4});
    let mut value = 0i32;
    len = 4;
    row!(t: getsockopt(c, libc::SOL_SOCKET, libc::SO_TYPE, &mut value, &mut len) = ok, {"fd": fd(c),
        "level": "SOL_SOCKET", "optname": "SO_TYPE", "optval": or("\u{1}\0\0\0".into(), any()), "optlen": 4});
    row!(t: setsockopt(c, libc::SOL_SOCKET, 4242, &1i32, 4) = any,
        {"fd": fd(c), "level": "SOL_SOCKET", "optname": 4242, "optval": any(), "optlen": 4});
    row!(t: sendto(c, b"to you", 6, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT, 0, 0) = ok, {"fd": fd(c), "buf": "to you",
        "size": 6, "flags": flags(["MSG_NOSIGNAL", "MSG_DONTWAIT"]), "dest_addr": null, "addrlen": 0});
    let mut buf = [0u8; 64];
    row!(t: recvfrom(x, &mut buf, 64, libc::MSG_PEEK, 0, 0) = ok, {"fd": fd(x), "buf": "to you", "size": 64,
        "flags": ["MSG_PEEK"], "src_addr": null, "addrlen": null});
    let mut parts = [
        libc::iovec { iov_base: b"mess".as_ptr().cast_mut().cast(), iov_len: 4 },
        libc::iovec { iov_base: b"age".as_ptr().cast_mut().cast(), iov_len: 3 },
    ];
    let mut m: libc::msghdr = unsafe { std::mem::zeroed() };
    (m.msg_iov, m.msg_iovlen) = (parts.as_mut_ptr(), 2);
    row!(t: sendmsg(c, &m, libc::MSG_MORE) = ok,
        {"fd": fd(c), "msg": has(json!({"data": gathered("message")})), "flags": ["MSG_MORE"]});
    row!(t: sendmsg(-1, &m, 0) = EBADF, {"fd": nofd(-1), "msg": has(json!({"data": gathered("message")})), "flags": []});
    row!(t: recvfrom(x, &mut buf, 6, 0, 0, 0) = ok,
        {"fd": fd(x), "buf": "to you", "size": 6, "flags": [], "src_addr": null, "addrlen": null});
    row!(t: recvfrom(x, &mut buf, 64, libc::MSG_DONTWAIT, 0, 0) = any, {"fd": fd(x), "buf": any(), "size": 64,
        "flags": ["MSG_DONTWAIT"], "src_addr": null, "addrlen": null});
    // Where there is less room than the call tells, what lay behind it is not shown.
    let mut short: [u8; 128];
    let begins = |short: &[u8; 128], n: usize| beginning(&short[..n], 16);
    for room in [0usize, 1, 4, 15] {
        (short, len) = ([b'Z'; 128], room as i32);
        row!(t: getsockname(s, &mut short, &mut len) = ok,
            {"fd": fd(s), "addr": begins(&short, room), "addrlen": 16});
        assert_eq!((len, short[room]), (16, b'Z'));
    }
    (short, len) = ([b'Z'; 128], 8);
    row!(t: getpeername(x, &mut short, &mut len) = ok, {"fd": fd(x), "addr": begins(&short, 8), "addrlen": 16});
    len = 77;
    row!(t: getpeername(-1, &mut short, &mut len) = EBADF, {"fd": nofd(-1), "addr": hex(&short), "addrlen": 77});
    (short, len) = ([b'Z'; 128], 128);
    row!(t: getpeername(x, &mut short, &mut len) = ok, {"fd": fd(x), "addr": any(), "addrlen": 16});
    len = 2;
    row!(t: getsockopt(c, libc::SOL_SOCKET, libc::SO_TYPE, &mut short, &mut len) = ok, {"fd": fd(c),
        "level": "SOL_SOCKET", "optname": "SO_TYPE", "optval": {"b64": "AQA="}, "optlen": 2});
    let mut ends = [0i32; 2];
    unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_DGRAM, 0, ends.as_mut_ptr()) };
    unsafe { libc::send(ends[0], b"ten bytes!".as_ptr().cast(), 10, 0) };
    (short, len) = ([b'Z'; 128], 128);
    row!(t: recvfrom(ends[1], &mut short, 3, libc::MSG_TRUNC, &mut polluted(), &mut len) = ok, {"fd": fd(ends[1]),
        "buf": beginning(b"ten", 10), "size": 3, "flags": ["MSG_TRUNC"], "src_addr": any(), "addrlen": any()});
    for n in ends {
        unsafe { libc::close(n) };
    }
    row!(t: shutdown(c, libc::SHUT_WR) = ok, {"fd": fd(c), "how": "SHUT_WR"});
    row!(t: shutdown(-1, libc::SHUT_RDWR) = EBADF, {"fd": nofd(-1), "how": "SHUT_RDWR"});

    let mut pair = [0i32; 2];
    row!(t: socketpair(libc::AF_UNIX, libc::SOCK_DGRAM, 0, &mut pair) = ok, {"domain": "AF_UNIX", "type": ["SOCK_DGRAM"],
        "protocol": any(), "sv": [fd(pair[0]), fd(pair[1])]});
    let mut two: [libc::mmsghdr; 2] = unsafe { std::mem::zeroed() };
    (two[0].msg_hdr.msg_iov, two[0].msg_hdr.msg_iovlen) = (parts.as_mut_ptr(), 2);
    (two[1].msg_hdr.msg_iov, two[1].msg_hdr.msg_iovlen) = (parts.as_mut_ptr(), 1);
    row!(t: sendmmsg(pair[0], &two, 2, 0) = ok, {"fd": fd(pair[0]), "msgvec": any(), "vlen": 2, "flags": []});
    let into = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: 64 };
    m.msg_iov = (&raw const into).cast_mut();
    m.msg_iovlen = 1;
    row!(t: recvmsg(pair[1], &mut m, libc::MSG_CMSG_CLOEXEC) = ok,
        {"fd": fd(pair[1]), "msg": has(json!({"data": gathered("message")})), "flags": ["MSG_CMSG_CLOEXEC"]});
    row!(t: recvmsg(pair[0], &mut m, libc::MSG_DONTWAIT) = EAGAIN, {"fd": fd(pair[0]), "msg": hex(&m), "flags": ["MSG_DONTWAIT"]});
    two[0].msg_hdr.msg_iov = (&raw const into).cast_mut();
    two[0].msg_hdr.msg_iovlen = 1;
    row!(t: recvmmsg(pair[1], &mut two, 1, libc::MSG_DONTWAIT, 0) = ok,
        {"fd": fd(pair[1]), "msgvec": any(), "vlen": 1, "flags": ["MSG_DONTWAIT"], "timeout": null});
    for n in [s as i32, c, x as i32, pair[0], pair[1]] {
        unsafe { libc::close(n) };
    }
}

/// Room that is not empty.
fn polluted() -> [u8; 128] {
    [b'Z'; 128]
}

/// Addresses of all families, to a socket that takes none of them: what is passed is shown all the same.
fn addresses(t: &mut Table) {
    let s = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0) };
    let mut six: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
    (six.sin6_family, six.sin6_port, six.sin6_addr.s6_addr[15]) = (libc::AF_INET6 as u16, 443u16.to_be(), 1);
    row!(t: connect(s, &six, 28) = EAFNOSUPPORT,
        {"fd": fd(s), "addr": has(json!({"family": "ipv6", "ip": "::1", "port": 443})), "addrlen": 28});
    let u = *b"\x01\0/run/a socket\0";
    row!(t: connect(s, &u, u.len()) = any, {"fd": fd(s), "addr": {"family": "unix", "path": "/run/a socket"}, "addrlen": 16});
    let u = *b"\x01\0\0hidden\0x";
    row!(t: connect(s, &u, u.len()) = any, {"fd": fd(s), "addr": {"family": "unix", "abstract": "hidden\0x"}, "addrlen": 11});
    let n: [u32; 3] = [libc::AF_NETLINK as u32, 7, 0x11];
    row!(t: connect(s, &n, 12) = any, {"fd": fd(s), "addrlen": 12,
        "addr": has(json!({"family": "netlink", "pid": 7, "groups": "0x11"}))});
    let mut p: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    (p.sll_family, p.sll_protocol, p.sll_ifindex) = (libc::AF_PACKET as u16, 0x0800u16.to_be(), 2);
    row!(t: connect(s, &p, 20) = any, {"fd": fd(s), "addrlen": 20,
        "addr": has(json!({"family": "packet", "protocol": any(), "ifindex": 2}))});
    let v: [u32; 4] = [libc::AF_VSOCK as u32, 1024, 3, 0];
    row!(t: connect(s, &v, 16) = any, {"fd": fd(s), "addr": any(), "addrlen": 16});
    let none = [0u16; 8];
    row!(t: connect(s, &none, 16) = ok, {"fd": fd(s), "addr": "AF_UNSPEC", "addrlen": 16});
    row!(t: sendto(s, b"x", 1, 0, &inet(9, 1), 16) = ok,
        {"fd": fd(s), "buf": "x", "size": 1, "flags": [], "dest_addr": shown(9, 1), "addrlen": 16});
    unsafe { libc::close(s) };
}

#[allow(clippy::too_many_lines, reason = "a row a call")]
fn waiting(t: &mut Table) {
    let e = row!(t: eventfd2(3, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) = ok,
        {"initval": 3, "flags": flags(["EFD_CLOEXEC", "EFD_NONBLOCK"])});
    row!(t: eventfd(0) = ok, {"initval": 0});
    let mut polls = [
        libc::pollfd { fd: e as i32, events: libc::POLLIN | libc::POLLOUT, revents: 0 },
        libc::pollfd { fd: -1, events: libc::POLLPRI, revents: 0 },
    ];
    row!(t: poll(&mut polls, 2, 0) = ok, {"nfds": 2, "timeout": 0, "fds": [
        has(json!({"events": flags(["POLLIN", "POLLOUT"]), "revents": flags(["POLLIN", "POLLOUT"])})),
        has(json!({"events": ["POLLPRI"]}))]});
    let (now, mask) = ([0i64, 5], 1u64);
    row!(t: ppoll(&mut polls, 1, &now, &mask, 8) = ok, {"nfds": 1, "fds": [has(json!({"events": flags(["POLLIN", "POLLOUT"])}))],
        "tmo_p": any(), "sigmask": ["SIGHUP"], "sigsetsize": 8});
    let (mut read, mut time) = ([0u64; 16], [0i64, 0]);
    read[0] = 1 << e;
    row!(t: select(e + 1, &mut read, 0, 0, &mut time) = ok, {"nfds": e + 1, "readfds": or(hex(&read), any()),
        "writefds": any(), "exceptfds": any(), "timeout": {"tv_sec": 0, "tv_usec": 0}});
    row!(t: pselect6(0, 0, 0, 0, &now, 0) = ok, {"nfds": 0, "readfds": any(), "writefds": any(), "exceptfds": any(),
        "timeout": any(), "sigmask": any()});
    row!(t: select(-1, 0, 0, 0, 0) = EINVAL,
        {"nfds": -1, "readfds": any(), "writefds": any(), "exceptfds": any(), "timeout": null});
    // What is left of a timeout is written back.
    let now = [0i64, 5];
    row!(t: epoll_create(5) = ok, {"size": 5});
    let p = row!(t: epoll_create1(libc::EPOLL_CLOEXEC) = ok, {"flags": ["EPOLL_CLOEXEC"]});
    let mut event =
        libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLET) as u32, u64: 0x1234_5678_9abc };
    row!(t: epoll_ctl(p, libc::EPOLL_CTL_ADD, e, &event) = ok, {"epfd": fd(p), "op": "EPOLL_CTL_ADD", "fd": fd(e),
        "event": {"events": flags(["EPOLLIN", "EPOLLET"]), "data": "0x123456789abc"}});
    row!(t: epoll_ctl(p, libc::EPOLL_CTL_DEL, -1, 0) = EBADF,
        {"epfd": fd(p), "op": "EPOLL_CTL_DEL", "fd": nofd(-1), "event": null});
    let one = || json!([{"events": ["EPOLLIN"], "data": "0x123456789abc"}]);
    row!(t: epoll_wait(p, &mut event, 1, 0) = ok, {"epfd": fd(p), "events": one(), "maxevents": 1, "timeout": 0});
    row!(t: epoll_pwait(p, &mut event, 1, 0, &mask, 8) = ok, {"epfd": fd(p), "events": [], "maxevents": 1,
        "timeout": 0, "sigmask": ["SIGHUP"], "sigsetsize": 8});
    row!(t: epoll_pwait2(p, &mut event, 1, &now, 0, 8) = ok, {"epfd": fd(p), "events": [], "maxevents": 1,
        "timeout": {"tv_sec": 0, "tv_nsec": 5}, "sigmask": null, "sigsetsize": 8});
    row!(t: epoll_wait(e, &mut event, 1, 0) = EINVAL, {"epfd": fd(e), "events": hex(&event), "maxevents": 1, "timeout": 0});
    unsafe {
        libc::close(e as i32);
        libc::close(p as i32);
    }
}

fn rings(t: &mut Table) {
    let (mut id, now) = (0u64, [0i64, 0]);
    row!(t: io_setup(8, &mut id) = any, {"nr_events": 8, "ctx_idp": any()});
    row!(t: io_submit(id, 0, 0) = any, {"ctx_id": hex(id), "nr": 0, "iocbpp": null});
    row!(t: io_submit(id, 2, 0x10u64) = any, {"ctx_id": hex(id), "nr": 2, "iocbpp": unreadable(0x10)});
    // struct iocb: data, key and flags, opcode with priority and descriptor, buffer, length, offset, then nothing.
    let iocb = |n: u64| [n, 0, 1 | 0xffff_ffff << 32, 0x1000, 512 * n, 4096, 0, 0];
    let iocbs: Vec<[u64; 8]> = (1..=10).map(iocb).collect();
    let pointers: Vec<*const [u64; 8]> = iocbs.iter().map(std::ptr::from_ref).collect();
    let said = |n: u64| {
        json!({"aio_lio_opcode": "IOCB_CMD_PWRITE", "aio_fildes": nofd(-1), "aio_buf": "0x1000",
        "aio_nbytes": 512 * n, "aio_offset": 4096, "aio_data": hex(n)})
    };
    row!(t: io_submit(id, 2, pointers.as_ptr()) = any,
        {"ctx_id": hex(id), "nr": 2, "iocbpp": [said(1), said(2)]});
    let mut eight: Vec<Value> = (1..=8).map(said).collect();
    row!(t: io_submit(id, 8, pointers.as_ptr()) = any, {"ctx_id": hex(id), "nr": 8, "iocbpp": eight.clone()});
    eight.push(json!({"cut": true}));
    row!(t: io_submit(id, 10, pointers.as_ptr()) = any, {"ctx_id": hex(id), "nr": 10, "iocbpp": eight});
    row!(t: io_cancel(id, 0x10u64, 0) = any, {"ctx_id": hex(id), "iocb": unreadable(0x10), "result": null});
    row!(t: io_cancel(id, &iocbs[2], 0) = any, {"ctx_id": hex(id), "iocb": said(3), "result": null});
    let mut events = [0u64; 4];
    row!(t: io_getevents(id, 0, 1, &mut events, &now) = any, {"ctx_id": hex(id), "min_nr": 0, "nr": 1,
        "events": any(), "timeout": {"tv_sec": 0, "tv_nsec": 0}});
    row!(t: io_pgetevents(id, 0, 1, &mut events, &now, 0) = any, {"ctx_id": hex(id), "min_nr": 0, "nr": 1,
        "events": any(), "timeout": {"tv_sec": 0, "tv_nsec": 0}, "sig": any()});
    row!(t: io_destroy(id) = any, {"ctx_id": hex(id)});
    let mut params = [0u32; 30];
    let r = row!(t: io_uring_setup(4, &mut params) = any, {"entries": 4, "p": any()});
    row!(t: io_uring_enter(r, 0, 0, 1, 0, 0) = any, {"fd": fd(r), "to_submit": 0, "min_complete": 0,
        "flags": ["IORING_ENTER_GETEVENTS"], "arg": any(), "argsz": 0});
    row!(t: io_uring_register(r, 9, 0, 0) = any,
        {"fd": fd(r), "opcode": "IORING_REGISTER_PERSONALITY", "arg": any(), "nr_args": 0});
    row!(t: io_uring_register(-1, 2, 0, 5) = any,
        {"fd": nofd(-1), "opcode": "IORING_REGISTER_FILES", "arg": any(), "nr_args": 5});
    if r >= 0 {
        unsafe { libc::close(r as i32) };
    }
}

fn futexes(t: &mut Table) {
    let (word, now) = (5u32, [0i64, 0]);
    row!(t: futex(&word, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1, 0, 0, 0) = ok, {"uaddr": any(),
        "futex_op": flags(["FUTEX_WAKE", "FUTEX_PRIVATE_FLAG"]), "val": 1, "timeout": any(), "uaddr2": any(), "val3": any()});
    row!(t: futex(&word, libc::FUTEX_WAIT_BITSET | libc::FUTEX_CLOCK_REALTIME, 6, &now, 0, -1) = EAGAIN, {"uaddr": any(),
        "futex_op": flags(["FUTEX_WAIT_BITSET", "FUTEX_CLOCK_REALTIME"]), "val": 6, "timeout": any(), "uaddr2": any(),
        "val3": any()});
    // Numbers of 6.7; the size is the two low bits, and 128 is private.
    row!(t: futex_wait(&word, 6, -1, 130, &now, libc::CLOCK_MONOTONIC) = any, {"uaddr": hex(&word), "val": 6, "mask": any(),
        "flags": any(), "timeout": {"tv_sec": 0, "tv_nsec": 0}, "clockid": "CLOCK_MONOTONIC"});
    row!(t: futex_wake(&word, 1, 3, 130) = any, {"uaddr": hex(&word), "mask": any(), "nr": 3, "flags": any()});
    row!(t: futex_requeue(0, 0, 1, 2) = any, {"waiters": any(), "flags": any(), "nr_wake": 1, "nr_requeue": 2});
    // struct futex_waitv: value, address, flags.
    let waiters = [6u64, (&raw const word) as u64, 130];
    row!(t: futex_waitv(&waiters, 1, 0, &now, libc::CLOCK_MONOTONIC) = any, {"waiters": any(), "nr_futexes": 1,
        "flags": any(), "timeout": {"tv_sec": 0, "tv_nsec": 0}, "clockid": "CLOCK_MONOTONIC"});
}

/// In a namespace of its own, so that nothing stays.
fn system_v(t: &mut Table) {
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWIPC) }, 0);
    let made = flags_with(["IPC_CREAT", "IPC_EXCL"]);
    let how = libc::IPC_CREAT | libc::IPC_EXCL | 0o600;
    let s = row!(t: shmget(0x42, 8192, how) = ok, {"key": hex(0x42), "size": 8192, "shmflg": made.clone()});
    let a = row!(t: shmat(s, 0, libc::SHM_RDONLY) = ok, {"shmid": s, "shmaddr": hex(0), "shmflg": ["SHM_RDONLY"]});
    row!(t: shmdt(a) = ok, {"shmaddr": hex(a)});
    row!(t: shmctl(s, libc::IPC_RMID, 0) = ok, {"shmid": s, "op": "IPC_RMID", "buf": any()});
    let s = row!(t: semget(0x43, 2, how) = ok, {"key": hex(0x43), "nsems": 2, "semflg": made.clone()});
    // struct sembuf: number, operation, flags.
    let ops = [0u16, 1, 0, 1, 2, libc::IPC_NOWAIT as u16];
    row!(t: semop(s, &ops, 2) = ok, {"semid": s, "sops": any(), "nsops": 2});
    let now = [0i64, 0];
    row!(t: semtimedop(s, &[0u16, -5i16 as u16, 0], 1, &now) = EAGAIN,
        {"semid": s, "sops": any(), "nsops": 1, "timeout": {"tv_sec": 0, "tv_nsec": 0}});
    row!(t: semctl(s, 1, libc::GETVAL, 0) = ok, {"semid": s, "semnum": 1, "op": "GETVAL", "arg": any()});
    let q = row!(t: msgget(0x44, how) = ok, {"key": hex(0x44), "msgflg": made});
    // struct msgbuf: a type, then text.
    let mut message = [7u64, u64::from_ne_bytes(*b"of eight"), 0];
    row!(t: msgsnd(q, &message, 8, libc::IPC_NOWAIT) = ok,
        {"msqid": q, "msgp": {"mtype": 7, "mtext": "of eight"}, "msgsz": 8, "msgflg": ["IPC_NOWAIT"]});
    // What lay behind the text stays out.
    message = [!0, !0, !0];
    row!(t: msgrcv(q, &mut message, 16, -9i64, libc::MSG_NOERROR) = ok, {"msqid": q,
        "msgp": {"mtype": 7, "mtext": "of eight"}, "msgsz": 16, "msgtyp": -9, "msgflg": ["MSG_NOERROR"]});
    row!(t: msgrcv(q, &mut message, 16, 0, libc::IPC_NOWAIT) = ENOMSG, {"msqid": q,
        "msgp": hex(&message), "msgsz": 16, "msgtyp": 0, "msgflg": ["IPC_NOWAIT"]});
    let long = [[1u8, 0, 0, 0, 0, 0, 0, 0].as_slice(), &[b'm'; 100]].concat();
    row!(t: msgsnd(q, long.as_ptr(), 100, 0) = ok, {"msqid": q,
        "msgp": {"mtype": 1, "mtext": data(&[b'm'; 100])}, "msgsz": 100, "msgflg": []});
    row!(t: msgctl(q, libc::IPC_RMID, 0) = ok, {"msqid": q, "op": "IPC_RMID", "buf": any()});
}

fn queues(t: &mut Table) {
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWIPC) }, 0);
    let attr = [0u64, 4, 32, 0, 0, 0, 0, 0];
    let q = row!(t: mq_open(c"queue", libc::O_RDWR | libc::O_CREAT | libc::O_NONBLOCK, 0o600, &attr) = ok, {"name": "queue",
        "oflag": flags(["O_RDWR", "O_CREAT", "O_NONBLOCK"]), "mode": "0600", "attr": behind(&attr)});
    row!(t: mq_timedsend(q, b"message", 7, 3, 0) = ok,
        {"mqdes": fd(q), "buf": "message", "msg_len": 7, "msg_prio": 3, "abs_timeout": null});
    let (mut buf, mut prio) = ([0u8; 32], 0u32);
    row!(t: mq_timedreceive(q, &mut buf, 32, &mut prio, 0) = ok,
        {"mqdes": fd(q), "buf": "message", "msg_len": 32, "msg_prio": 3, "abs_timeout": null});
    let soon = [1i64, 0];
    row!(t: mq_timedreceive(q, &mut buf, 32, 0, &soon) = EAGAIN, {"mqdes": fd(q), "buf": hex(&buf), "msg_len": 32,
        "msg_prio": null, "abs_timeout": {"tv_sec": 1, "tv_nsec": 0}});
    row!(t: mq_notify(q, 0) = any, {"mqdes": fd(q), "sevp": any()});
    let mut old = [0u64; 8];
    row!(t: mq_getsetattr(q, 0, &mut old) = ok, {"mqdes": fd(q), "newattr": any(), "oldattr": any()});
    row!(t: mq_unlink(c"queue") = ok, {"name": "queue"});
    row!(t: mq_unlink(c"none") = ENOENT, {"name": "none"});
}
