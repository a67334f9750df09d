//! Type information of the probe's own functions: the kernel takes a callback only from a program whose functions it
//! knows by name (check_ld_imm in kernel/bpf/verifier.c: "missing btf func_info").
//!
//! Enters: the list of functions. Leaves: the sections `.BTF` and `.BTF.ext`. Never: types of anything else. Made by hand
//! because the compiler makes them of debug information only, which is ten times the rest of the object. The format is the
//! kernel's Documentation/bpf/btf.rst.

/// Section and name of each function; each is the first of its section.
const FUNCTIONS: [(&str, &str); 16] = [
    ("tp_btf/sched_process_fork", "sched_process_fork"),
    ("tp_btf/sched_process_exec", "sched_process_exec"),
    ("tp_btf/sched_process_exit", "sched_process_exit"),
    ("tp_btf/task_rename", "task_rename"),
    ("tp_btf/cgroup_attach_task", "cgroup_attach_task"),
    ("tp_btf/cgroup_mkdir", "cgroup_mkdir"),
    ("tp_btf/io_uring_submit_req", "io_uring_submit_req"),
    ("tp_btf/io_uring_complete", "io_uring_complete"),
    ("tp_btf/signal_generate", "signal_generate"),
    ("tp_btf/signal_deliver", "signal_deliver"),
    ("tp_btf/page_fault_user", "page_fault_user"),
    ("tp_btf/page_fault_kernel", "page_fault_kernel"),
    ("tp_btf/sched_switch", "sched_switch"),
    ("tp_btf/sys_enter", "sys_enter"),
    ("tp_btf/sys_exit", "sys_exit"),
    (".text.step", "step"),
];
const N: usize = FUNCTIONS.len();
const MAGIC: u16 = 0xeb9f;
/// Bytes of both headers (of `.BTF.ext` as it was before relocations were added).
const HEADER: u32 = 24;
/// BTF_KIND_* in the bits where a type's record has its kind.
const INT: u32 = 1 << 24;
const FUNC: u32 = 12 << 24;
const PROTO: u32 = 13 << 24;
/// Ids: an int, a function of nothing that gives one, and then the functions.
const ID_INT: u32 = 1;
const ID_PROTO: u32 = 2;
const ID_FIRST: u32 = 3;
/// Bytes of the records of types.
const TYPES: usize = 16 + 12 + 12 * N;

/// Bytes of the strings: an empty one, "int", and the names.
const STRINGS: usize = {
    let (mut n, mut i) = (1 + 4, 0);
    while i < N {
        n += FUNCTIONS[i].0.len() + FUNCTIONS[i].1.len() + 2;
        i += 1;
    }
    n
};

/// Bytes that grow at compile time.
struct Bytes<const L: usize>([u8; L], usize);

impl<const L: usize> Bytes<L> {
    const fn bytes(mut self, b: &[u8]) -> Self {
        let mut i = 0;
        while i < b.len() {
            self.0[self.1] = b[i];
            self.1 += 1;
            i += 1;
        }
        self
    }
    const fn word(self, v: u32) -> Self {
        self.bytes(&v.to_le_bytes())
    }
    const fn head(self) -> Self {
        // Magic, version 1, no flags.
        self.bytes(&MAGIC.to_le_bytes()).bytes(&[1, 0]).word(HEADER)
    }
}

/// Where the names of a function are among the strings: its section's, its own.
const fn names(function: usize) -> (u32, u32) {
    let (mut at, mut i) = (1 + 4, 0);
    while i < function {
        at += FUNCTIONS[i].0.len() + FUNCTIONS[i].1.len() + 2;
        i += 1;
    }
    (at as u32, (at + FUNCTIONS[function].0.len() + 1) as u32)
}

#[used]
#[unsafe(link_section = ".BTF")]
static TYPES_AND_NAMES: [u8; HEADER as usize + TYPES + STRINGS] = {
    let b = Bytes([0; HEADER as usize + TYPES + STRINGS], 0).head();
    let b = b.word(0).word(TYPES as u32).word(TYPES as u32).word(STRINGS as u32);
    // A signed int of 4 bytes, 32 bits.
    let mut b = b.word(1).word(INT).word(4).word(1 << 24 | 32).word(0).word(PROTO).word(ID_INT);
    let mut i = 0;
    while i < N {
        // BTF_FUNC_STATIC is 0: what a callback must be.
        b = b.word(names(i).1).word(FUNC).word(ID_PROTO);
        i += 1;
    }
    b = b.bytes(b"\0int\0");
    let mut i = 0;
    while i < N {
        b = b.bytes(FUNCTIONS[i].0.as_bytes()).bytes(&[0]).bytes(FUNCTIONS[i].1.as_bytes()).bytes(&[0]);
        i += 1;
    }
    b.0
};

/// Bytes of the function records: their size, and a section's head and one record for each.
const INFO: usize = 4 + 16 * N;

#[used]
#[unsafe(link_section = ".BTF.ext")]
static WHERE_THEY_ARE: [u8; HEADER as usize + INFO + 4] = {
    let b = Bytes([0; HEADER as usize + INFO + 4], 0).head();
    // Functions; behind them lines: none, but their size is looked at.
    let b = b.word(0).word(INFO as u32).word(INFO as u32).word(4);
    let mut b = b.word(8);
    let mut i = 0;
    while i < N {
        b = b.word(names(i).0).word(1).word(0).word(ID_FIRST + i as u32);
        i += 1;
    }
    b.word(16).0
};
