//! Calls by another door: 32-bit calls of a 64-bit process, which have numbers of their own. A number must never be looked
//! up in the wrong table.
#![allow(unsafe_code, reason = "what is tested are system calls as such")]

use serde_json::{Value, json};

use super::actor::fact;
use super::rig::{actor, alone, kind, of, pid, res, run, skip};

/// `int 0x80`: number and six words of 32 bits.
pub unsafe fn call(nr: u32, a: [u32; 6]) -> i32 {
    let ret: i64;
    unsafe {
        // rbx and rbp are not ours to name; the words are found by a register that none of them goes to.
        std::arch::asm!(
            "push rbp", "push rbx", "mov ebx, [r12]", "mov ecx, [r12 + 4]", "mov edx, [r12 + 8]",
            "mov esi, [r12 + 12]", "mov edi, [r12 + 16]", "mov ebp, [r12 + 20]", "int 0x80", "pop rbx", "pop rbp",
            in("r12") a.as_ptr(), inlateout("rax") i64::from(nr) => ret,
            out("rcx") _, out("rdx") _, out("rsi") _, out("rdi") _, out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    ret as i32
}

/// 32-bit numbers (arch/x86/entry/syscalls/syscall_32.tbl), names, words. Each number is another call's among the 64-bit ones.
const CALLS: [(u32, &str, [u32; 6]); 7] = [
    (20, "getpid", [1, 2, 3, 4, 5, 6]),
    (6, "close", [0xffff_ffff, 0, 0, 0, 0, 0]),
    (199, "getuid32", [7, 0, 0, 0, 0, 0x8000_0001]),
    (3, "read", [0xffff_fffe, 0x1000, 5, 0, 0, 0]),
    (192, "mmap2", [0, 0, 3, 0x22, 0xffff_ffff, 0]),
    (102, "socketcall", [99, 0x10, 0, 0, 0, 0]),
    // Nobody has it.
    (499, "compat_499", [1, 2, 3, 4, 5, 6]),
];

/// The actor.
pub fn act() {
    fact("main", unsafe { libc::getpid() });
    for (i, (nr, _, words)) in CALLS.iter().enumerate() {
        let ret = unsafe { call(*nr, *words) };
        fact(&format!("ret{i}"), ret);
    }
    // And once more as it should be: the same numbers, 64-bit.
    unsafe { libc::syscall(499, 1i64, 2i64, 3i64, 4i64, 5i64, 6i64) };
}

#[test]
fn calls_of_32_bits_have_their_own_names_and_all_words() {
    let _alone = alone!();
    if !std::fs::read_to_string("/proc/kallsyms").is_ok_and(|k| k.contains(" __ia32_sys_getpid")) {
        return skip("this kernel takes no 32-bit calls");
    }
    let done = run(&["-j"], &actor("compat"));
    assert_eq!(done.status.code(), Some(0), "{}", done.stderr);
    let events = done.events();
    let main = done.fact("main");
    let of_32: Vec<&Value> = events
        .iter()
        .filter(|e| pid(e) == main && e["evt.args"].get("arg5").is_some() && e["evt.compat"] == true)
        .collect();
    assert_eq!(of_32.len(), CALLS.len(), "{of_32:?}");
    for (i, ((_, name, words), e)) in CALLS.iter().zip(of_32).enumerate() {
        assert_eq!(kind(e), *name, "{e}");
        for (n, word) in words.iter().enumerate() {
            assert_eq!(e["evt.args"][format!("arg{n}")], json!(format!("{word:#x}")), "{e}");
        }
        assert_eq!(res(e) as i32, done.fact(&format!("ret{i}")) as i32, "{e}");
        assert_eq!(e["evt.failed"], (-4095..0).contains(&done.fact(&format!("ret{i}"))), "{e}");
    }
    let unknown = of(&events, "syscall_499");
    let [unknown] = unknown[..] else { panic!("{unknown:?}") };
    assert_eq!(unknown["evt.args"]["arg5"], "0x6");
    assert!(unknown.get("evt.compat").is_none_or(|c| c == false), "{unknown}");
    assert!(of(&events, "close").iter().all(|e| e["evt.compat"] == true || e["evt.args"]["fd"]["fd"] != -1));

    let lines = run::<String>(&[], &actor("compat")).lines;
    assert!(lines.iter().any(|l| l.contains(" mmap2/32(")), "marked in text too");
}
