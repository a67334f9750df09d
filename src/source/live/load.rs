//! Loads the probe, attaches it, and hands out its maps. The only file that knows aya.
//!
//! Enters: options, plans. Leaves: [`Probe`]. Never: a guess at what the kernel supports: it is asked by loading, and what
//! it refuses is reported with what the user can do about it.

use std::fmt;
use std::os::fd::{AsFd, OwnedFd};

use aya::maps::{Map as AyaMap, MapData};
use aya::programs::{BtfTracePoint, Program};
use aya::{Btf, Ebpf, EbpfLoader, Endianness, include_bytes_aligned};

use super::map::Map;
use super::offsets;
use super::ring::Rings;
use crate::source::abi;

static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("CARGO_MANIFEST_DIR"), "/probe/probe.o"));
const BTF_PATH: &str = "/sys/kernel/btf/vmlinux";

/// How the probe is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes of all rings together.
    pub ring: u64,
    /// Only processes marked in scope; otherwise all but those marked out.
    pub scoped: bool,
    /// Attach the entry hook: latency, and which calls are in flight.
    pub entry: bool,
    /// Number of rt_sigreturn on this architecture.
    pub rt_sigreturn: u32,
    /// New programs tell their environment.
    pub env: bool,
    /// Bounds that may be set: what else [`Probe::set_bounds`] has counts for nothing.
    pub bounds: u32,
    /// What else happens to tasks.
    pub beside: Beside,
}

/// What happens to tasks beside their calls, each only if it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// A CPU turns from one to another.
    pub switches: bool,
    /// Signals are sent, and taken.
    pub signals: bool,
    /// A page is missing.
    pub faults: bool,
}

/// What the verifier and the kernel say of one program.
#[derive(Clone, Debug)]
pub struct ProgramInfo {
    /// Its name: the tracepoint.
    pub name: String,
    /// Instructions that the verifier walked.
    pub verified: u32,
}

/// Why the probe could not be loaded, in words for the user.
#[derive(Debug)]
pub enum LoadError {
    /// The kernel has no BTF.
    NoBtf(std::io::Error),
    /// The kernel's BTF lacks members that the probe needs.
    Missing(Vec<String>),
    /// A capability is missing.
    Denied(String),
    /// We are in a pid namespace of our own.
    ForeignPids,
    /// Anything else that the kernel or the loader said.
    Other(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::NoBtf(e) => write!(
                f,
                "this kernel shows no type information ({BTF_PATH}: {e}); a kernel from 6.1 on, built with \
                 CONFIG_DEBUG_INFO_BTF=y, is needed"
            ),
            LoadError::Missing(what) => {
                write!(
                    f,
                    "this kernel's type information lacks {}: it is not a kernel this version knows",
                    what.join(", ")
                )
            }
            LoadError::Denied(what) => write!(
                f,
                "cannot load the probe ({what}): it takes the capabilities CAP_BPF and CAP_PERFMON\n  \
                 run it as:      sudo sysreel ...\n  \
                 or allow it:    sudo setcap cap_bpf,cap_perfmon,cap_dac_read_search,cap_sys_ptrace+ep \"$(command -v sysreel)\""
            ),
            LoadError::ForeignPids => f.write_str(
                "this is a pid namespace of its own (a container?): the kernel numbers processes by the host's, and nothing \
                 here would fit. Run it on the host, or in a container with the host's pid namespace (docker: --pid=host; \
                 Kubernetes: hostPID: true)",
            ),
            LoadError::Other(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for LoadError {}

/// The probe: attached as long as this lives.
pub struct Probe {
    ebpf: Ebpf,
    options: Options,
    kernel: Kernel,
    attached: Vec<&'static str>,
    /// One byte per pid.
    scope: Map,
    plans: Map,
    slots: Map,
    bounds: Map,
    rejected_groups: Map,
}

/// Every hook, in order of attaching: scope and process life first, so that no process is missed.
const HOOKS: &[&str] = &[
    "sched_process_fork",
    "sched_process_exec",
    "sched_process_exit",
    "task_rename",
    "cgroup_attach_task",
    "cgroup_mkdir",
    "io_uring_submit_req",
    "io_uring_complete",
    "signal_generate",
    "signal_deliver",
    "page_fault_user",
    "page_fault_kernel",
    "sched_switch",
    "sys_exit",
    "sys_enter",
];

/// What kernels differ in.
#[derive(Clone, Debug, Default)]
struct Kernel {
    /// It has control groups.
    groups: bool,
    /// See [`offsets::Found::tracepoints`].
    tracepoints: Vec<(&'static str, &'static str)>,
}

impl Kernel {
    /// What this kernel calls the tracepoint of a hook, if it has it.
    fn tracepoint(&self, hook: &'static str) -> Option<&'static str> {
        match offsets::is_optional(hook) {
            true => self.tracepoints.iter().find(|(own, _)| *own == hook).map(|(_, name)| *name),
            false => (self.groups || !hook.starts_with("cgroup_")).then_some(hook),
        }
    }
}

fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut at = e.source();
    while let Some(e) = at {
        text.push_str(": ");
        text.push_str(&e.to_string());
        at = e.source();
    }
    text
}

fn explain(what: &str, e: &(dyn std::error::Error + 'static)) -> LoadError {
    let mut at: Option<&(dyn std::error::Error + 'static)> = Some(e);
    while let Some(e) = at {
        if let Some(io) = e.downcast_ref::<std::io::Error>()
            && matches!(io.raw_os_error(), Some(libc::EPERM | libc::EACCES))
            && !has_capabilities()
        {
            return LoadError::Denied(format!("{what}: {io}"));
        }
        at = e.source();
    }
    LoadError::Other(format!("{what}: {}", chain(e)))
}

/// How often a program is handed to the verifier that a signal keeps from ending its work.
const TRIES: u32 = 20;

/// True if this process holds CAP_BPF and CAP_PERFMON (39 and 38), or CAP_SYS_ADMIN (21), which stands for both.
fn has_capabilities() -> bool {
    let effective = std::fs::read_to_string("/proc/self/status").ok().and_then(|s| {
        let line = s.lines().find_map(|l| l.strip_prefix("CapEff:"))?;
        u64::from_str_radix(line.trim(), 16).ok()
    });
    effective.is_none_or(|c| c >> 21 & 1 == 1 || (c >> 38) & 3 == 3)
}

fn online_cpus() -> u32 {
    let highest = std::fs::read_to_string("/sys/devices/system/cpu/possible").ok().and_then(|s| {
        let last = s.trim().rsplit([',', '-']).next()?.parse::<u32>().ok()?;
        Some(last + 1)
    });
    highest
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get() as u32))
        .clamp(1, 1024)
}

impl Options {
    /// Whether a hook is needed.
    fn wants(&self, hook: &str) -> bool {
        match hook {
            "sys_enter" => self.entry,
            "sched_switch" => self.beside.switches,
            "signal_generate" | "signal_deliver" => self.beside.signals,
            "page_fault_user" | "page_fault_kernel" => self.beside.faults,
            _ => true,
        }
    }
}

fn tracepoint<'e>(ebpf: &'e mut Ebpf, name: &str) -> Result<&'e mut BtfTracePoint, LoadError> {
    ebpf.program_mut(name)
        .ok_or_else(|| LoadError::Other(format!("the probe has no program {name}")))?
        .try_into()
        .map_err(|e: aya::programs::ProgramError| explain(name, &e))
}

/// Places for control groups that are rejected.
fn places(options: &Options) -> u32 {
    if options.bounds & abi::BOUND_GROUP != 0 { abi::GROUPS } else { 1 }
}

/// Makes the probe's maps, and sets its constants. With it, what is particular to this kernel.
fn make(types: &[u8], options: &Options, cpus: u32, per_cpu: u32) -> Result<(Ebpf, Kernel), LoadError> {
    let offsets::Found { mut constants, tracepoints } =
        offsets::resolve(types).map_err(LoadError::Missing)?;
    let groups = constants.iter().any(|(name, at)| *name == "TASK_GROUPS" && *at != 0);
    constants.extend([
        ("CHUNK_MASK", per_cpu - 1),
        ("SCOPED", u32::from(options.scoped)),
        ("HAVE_ENTRY", u32::from(options.entry)),
        ("BOUNDS_SET", options.bounds),
        ("NR_RT_SIGRETURN", options.rt_sigreturn),
        ("PAGE_SHIFT", rustix::param::page_size().trailing_zeros()),
        ("ENV_BYTES", if options.env { abi::ENV_MAX } else { 0 }),
    ]);
    let mut loader = EbpfLoader::new();
    // It has read all types by itself, tens of megabytes; the probe has nothing that would need them.
    loader.btf(None);
    for (name, value) in &constants {
        loader.override_global(name, value, true);
    }
    loader
        .map_max_entries("CHUNKS", cpus * per_cpu)
        .map_max_entries("CTL", cpus)
        .map_max_entries("SHARED", cpus)
        .map_max_entries("GROUPS", places(options));
    let made = loader.load(OBJECT).map_err(|e| explain("cannot make the probe's maps", &e))?;
    Ok((made, Kernel { groups, tracepoints }))
}

/// The verifier gives up when a signal comes, be it only one that stops and continues us (bpf_check in
/// kernel/bpf/verifier.c).
fn was_interrupted(error: &aya::programs::ProgramError) -> bool {
    matches!(error, aya::programs::ProgramError::LoadError { io_error, .. }
        if io_error.raw_os_error() == Some(libc::EAGAIN))
}

/// Loads the programs: two at a time, as the verifier takes nearly all of the time that a start takes.
fn verify(ebpf: &mut Ebpf, options: &Options, kernel: &Kernel, btf: &Btf) -> Result<(), LoadError> {
    let mut programs: Vec<(&'static str, &mut Program)> = ebpf
        .programs_mut()
        .filter_map(|(name, program)| {
            Some((*HOOKS.iter().find(|h| **h == name && options.wants(h))?, program))
        })
        .collect();
    let load = |programs: Vec<(&'static str, &mut Program)>| {
        programs.into_iter().try_for_each(|(hook, program)| {
            let Some(tracepoint) = kernel.tracepoint(hook) else { return Ok(()) };
            let program: &mut BtfTracePoint =
                program.try_into().map_err(|e: aya::programs::ProgramError| explain(hook, &e))?;
            let mut tries = 0..TRIES;
            loop {
                match program.load(tracepoint, btf) {
                    Err(e) if was_interrupted(&e) && tries.next().is_some() => {}
                    done => {
                        break done
                            .map_err(|e| explain(&format!("the kernel refuses the program {hook}"), &e));
                    }
                }
            }
        })
    };
    // The largest on its own.
    let largest = programs.iter().position(|(hook, _)| *hook == "sys_exit");
    let first: Vec<_> = largest.map(|at| programs.swap_remove(at)).into_iter().collect();
    std::thread::scope(|s| {
        let other = s.spawn(|| load(programs));
        load(first)?;
        other.join().unwrap_or_else(|_| Err(LoadError::Other("loading the probe failed".into())))
    })
}

impl Probe {
    /// Loads the object into the kernel, without attaching anything.
    pub fn load(options: Options) -> Result<(Probe, Rings), LoadError> {
        // PROC_PID_INIT_INO (include/linux/proc_ns.h) is the inode of the first pid namespace, always.
        if rustix::fs::stat("/proc/self/ns/pid").is_ok_and(|s| s.st_ino != 0xEFFF_FFFC) {
            return Err(LoadError::ForeignPids);
        }
        let bytes = std::fs::read(BTF_PATH).map_err(LoadError::NoBtf)?;
        if !has_capabilities() {
            return Err(LoadError::Denied("operation not permitted".into()));
        }
        let cpus = online_cpus();
        // Largest power of two of chunks that keeps within the total; four at least, or hopping would starve a ring.
        let chunks = (options.ring / u64::from(cpus) / u64::from(abi::CHUNK)).clamp(4, 32768);
        let per_cpu = 1u32 << chunks.ilog2();
        // The loader's reading of all types takes as long as everything else up to the programs. It is on this thread, so
        // that the memory, tens of megabytes, goes back to the system afterwards.
        let (btf, maps) = std::thread::scope(|s| {
            let maps = s.spawn(|| make(&bytes, &options, cpus, per_cpu));
            (Btf::parse(&bytes, Endianness::default()), maps.join())
        });
        drop(bytes);
        let (mut ebpf, kernel) =
            maps.unwrap_or_else(|_| Err(LoadError::Other("making the probe's maps failed".into())))?;
        let btf = btf.map_err(|e| explain("reading the kernel's type information", &e))?;
        if options.beside.faults && kernel.tracepoint("page_fault_user").is_none() {
            return Err(LoadError::Other("this kernel has no tracepoint of page faults".into()));
        }
        verify(&mut ebpf, &options, &kernel, &btf)?;
        // As large as all the rest of this process together, and of no use any more.
        drop(btf);
        let take = |name: &str, len: usize| -> Result<Map, LoadError> {
            let fd = array(ebpf.map(name))
                .ok_or_else(|| LoadError::Other(format!("the probe has no map {name}")))?;
            Map::new(fd, len).map_err(|e| LoadError::Other(format!("cannot map {name} of the probe: {e}")))
        };
        let chunk = abi::CHUNK as usize;
        let chunks = take("CHUNKS", (cpus * per_cpu) as usize * chunk)?;
        let ctl = take("CTL", (cpus * abi::CTL) as usize)?;
        let plans = take("PLANS", abi::PLANS as usize * size_of::<abi::Plan>())?;
        let slots = take("SLOTS", abi::SLOTS as usize * size_of::<abi::Slot>())?;
        let bounds = take("BOUNDS", abi::BOUNDS as usize)?;
        let scope = take("SCOPE", abi::SCOPES as usize * abi::SCOPE as usize)?;
        let rejected_groups = take("GROUPS", places(&options) as usize * size_of::<u64>())?;
        let rings = Rings::new(chunks, ctl, cpus, per_cpu);
        let attached = Vec::new();
        Ok((Probe { ebpf, options, kernel, attached, scope, plans, slots, bounds, rejected_groups }, rings))
    }

    /// Sets what is wanted. Takes effect call by call, at once.
    pub fn set_plans(&self, bytes: &[u8]) {
        self.plans.write(0, bytes);
    }

    /// Attaches every hook that is needed.
    pub fn attach(&mut self) -> Result<(), LoadError> {
        let needed =
            |hook: &&&'static str| self.options.wants(hook) && self.kernel.tracepoint(hook).is_some();
        for hook in HOOKS.iter().filter(needed) {
            tracepoint(&mut self.ebpf, hook)?
                .attach()
                .map_err(|e| explain(&format!("cannot attach to {hook}"), &e))?;
            self.attached.push(hook);
        }
        Ok(())
    }

    /// Stops tracing; what the rings hold stays readable.
    pub fn detach(&mut self) {
        for name in std::mem::take(&mut self.attached) {
            if let Some(Program::BtfTracePoint(p)) = self.ebpf.program_mut(name) {
                // Nothing to do about a failure: the link goes with the process.
                let _ = p.unload();
            }
        }
    }

    /// Whether operations of io_uring are seen.
    pub fn sees_uring(&self) -> bool {
        self.kernel.tracepoint("io_uring_complete").is_some()
    }

    /// Whether page faults can be seen.
    pub fn sees_faults(&self) -> bool {
        self.kernel.tracepoint("page_fault_user").is_some()
    }

    /// Names of the attached hooks.
    pub fn hooks(&self) -> Vec<String> {
        self.attached.iter().map(|n| n.to_string()).collect()
    }

    /// Sizes of the attached programs.
    pub fn programs(&self) -> Vec<ProgramInfo> {
        let info = |name: &&'static str| {
            let Some(Program::BtfTracePoint(p)) = self.ebpf.program(name) else { return None };
            let verified = p.info().ok()?.verified_instruction_count().unwrap_or(0);
            Some(ProgramInfo { name: name.to_string(), verified })
        };
        self.attached.iter().filter_map(info).collect()
    }

    /// Sets the bounds that plans with `WANT_BOUND` heed. Before those plans.
    pub fn set_bounds(&self, b: &abi::Bounds) {
        self.bounds.write(8, &b.latency.to_le_bytes());
        for (at, spans) in [(abi::BOUND_RESULTS, b.results), (abi::BOUND_UIDS, b.uids)] {
            for (i, span) in spans.iter().enumerate() {
                let at = at as usize + i * size_of::<abi::Span>();
                self.bounds.write(at, &span.low.to_le_bytes());
                self.bounds.write(at + 8, &span.width.to_le_bytes());
            }
        }
        self.bounds.write(0, &b.what.to_le_bytes());
    }

    /// Says whether the calls of a control group's processes are rejected, if the bounds have [`abi::BOUND_GROUP`]. One that
    /// takes the place of another lets that pass.
    pub fn reject_group(&self, id: u64, rejected: bool) {
        let at = (id as usize & (abi::GROUPS as usize - 1)) * size_of::<u64>();
        if rejected {
            self.rejected_groups.store(at, id);
        } else if self.rejected_groups.load(at) == id {
            self.rejected_groups.store(at, 0);
        }
    }

    /// Says whether a process is traced.
    pub fn set_scope(&self, pid: u32, scope: u8) {
        let rest = self.scope.get(pid as usize) & !abi::SCOPE_BITS;
        self.scope.set(pid as usize, rest | scope);
    }

    /// Whether a process is traced.
    pub fn scope(&self, pid: u32) -> u8 {
        self.scope.get(pid as usize) & abi::SCOPE_BITS
    }

    /// Adds marks to a process; true if they are new.
    pub fn mark(&self, pid: u32, marks: u8) -> bool {
        let old = self.scope.get(pid as usize);
        self.scope.set(pid as usize, old | marks);
        old & marks != marks
    }

    /// True if a process has all these marks.
    pub fn is_marked(&self, pid: u32, marks: u8) -> bool {
        self.scope.get(pid as usize) & marks == marks
    }

    /// Every call in flight whose entry was seen: thread, number, time of entry.
    pub fn all_in_flight(&self) -> Vec<(u32, u32, u64)> {
        let tids = (0..abi::SLOTS as usize).map(|slot| self.slots.load(slot * size_of::<abi::Slot>()) as u32);
        let known = |tid| self.in_flight(tid).map(|(nr, time)| (tid, nr, time));
        tids.filter(|tid| *tid != 0).filter_map(known).collect()
    }

    /// The call that a thread is in, if it is known: number and time of entry.
    pub fn in_flight(&self, tid: u32) -> Option<(u32, u64)> {
        let at = abi::slot(tid) as usize * size_of::<abi::Slot>();
        let owner = self.slots.load(at);
        let time = self.slots.load(at + 8);
        // Looked at twice: the slot may have changed hands in between.
        (owner as u32 == tid && tid != 0 && self.slots.load(at) == owner)
            .then_some(((owner >> 32) as u32, time))
    }
}

/// Another descriptor of an array map. (The map itself stays with the object: programs that are loaded later name it by
/// the number of its own descriptor.)
fn array(map: Option<&AyaMap>) -> Option<OwnedFd> {
    let data: &MapData = match map? {
        AyaMap::Array(data) => data,
        _ => return None,
    };
    data.fd().as_fd().try_clone_to_owned().ok()
}
