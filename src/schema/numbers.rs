//! Numbers of system calls by architecture, apart from meanings.

/// x86_64.
pub const X86_64: &[(u16, &str)] = &[
    (0, "read"),
    (1, "write"),
    (3, "close"),
    (33, "dup2"),
    (35, "nanosleep"),
    (42, "connect"),
    (59, "execve"),
    (110, "getppid"),
    (231, "exit_group"),
    (257, "openat"),
    (293, "pipe2"),
];
/// aarch64.
pub const AARCH64: &[(u16, &str)] = &[(56, "openat"), (57, "close"), (63, "read"), (64, "write")];
/// 32-bit x86, as 32-bit programs on an x86_64 kernel use them.
pub const IA32: &[(u16, &str)] = &[(1, "exit")];
