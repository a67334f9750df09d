//! The probe: what runs in the kernel.
//!
//! Enters: the kernel's tracepoints (sys_enter, sys_exit, sched_process_fork/exec/exit, task_rename, cgroup_attach_task, cgroup_mkdir,
//! io_uring_submit_req and io_uring_complete; on request sched_switch, signal_generate and _deliver, page_fault_user and _kernel), plans and scope set
//! by user space. Leaves: records in one ring per CPU, slots of calls in flight, counters. Never: names, formatting,
//! policy, waiting, waking.
//!
//! Order of work: reject (number, then process, then result), then the ring's room, then the clock (once), then memory.
//! Offsets of kernel structures are constants of frozen `.rodata` that the loader sets from the kernel's BTF; the
//! verifier sees them as numbers, so `*(task + OFF)` is a typed load.
//!
//! All of it is `unsafe`: every pointer is the kernel's or a map's, and the verifier proves each access.
#![no_std]
#![feature(core_intrinsics, asm_experimental_arch)]
#![allow(internal_features, static_mut_refs, clippy::missing_safety_doc)]

#[macro_use]
mod kernel;
#[allow(dead_code)]
mod abi;
mod btf;
mod calls;
mod copy;
mod events;
mod facts;
mod got;
mod groups;
mod life;
mod ring;
mod scope;
mod share;
mod step;
mod uring;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
