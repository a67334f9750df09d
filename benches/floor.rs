//! The floor: one empty program on sys_exit, which is what every tracer with a hook there pays for each call.
#![allow(unsafe_code, reason = "a program of two instructions is loaded by the bare system call")]

use std::os::fd::{FromRawFd, OwnedFd};

const PROG_LOAD: libc::c_int = 5;
const RAW_TRACEPOINT_OPEN: libc::c_int = 17;
const TYPE_RAW_TRACEPOINT: u32 = 17;

/// The beginning of `union bpf_attr` for BPF_PROG_LOAD.
#[repr(C)]
struct Load {
    kind: u32,
    instructions: u32,
    code: u64,
    license: u64,
    rest: [u64; 4],
}

/// The same for BPF_RAW_TRACEPOINT_OPEN.
#[repr(C)]
struct Open {
    name: u64,
    program: u32,
    pad: u32,
}

fn bpf<T>(command: libc::c_int, what: &T) -> Option<OwnedFd> {
    // SAFETY: the kernel reads `size_of::<T>()` bytes, and what they point to lives until it returns.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, command, what as *const T, size_of::<T>()) };
    // SAFETY: a descriptor that the kernel has just made for us.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Attaches it, until what is given goes out of scope.
pub fn attach() -> Option<(OwnedFd, OwnedFd)> {
    // r0 = 0; exit
    let code: [u64; 2] = [0x0000_0000_0000_00b7, 0x0000_0000_0000_0095];
    let load = Load {
        kind: TYPE_RAW_TRACEPOINT,
        instructions: 2,
        code: code.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        rest: [0; 4],
    };
    let program = bpf(PROG_LOAD, &load)?;
    use std::os::fd::AsRawFd;
    let open = Open { name: c"sys_exit".as_ptr() as u64, program: program.as_raw_fd() as u32, pad: 0 };
    let link = bpf(RAW_TRACEPOINT_OPEN, &open)?;
    Some((program, link))
}
