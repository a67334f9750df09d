//! sysdig's fields beside ours.
//!
//! Enters: the table of fields. Leaves: for each of the 233 fields of sysdig's core libraries whether it is here, what is
//! different on purpose, and why one is missing, as a page; the same of the 61 of the plugin for containers. Never: fields of
//! other plugins.

use std::fmt::Write as _;

use crate::fields::FIELDS;

/// What became of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Here {
    /// It is here and means the same.
    Same,
    /// It is here, and this is different.
    Differs(&'static str),
    /// It is not here, for this reason.
    Missing(&'static str),
}

use Here::{Differs, Missing, Same};

const PLUGINS: &str = "there are no plugins: every event is a call, an end of a process or a loss";
const DAEMON: &str = "told by a container daemon, not by calls";
const SAMPLE: &str = "a sample, taken between events; a capture has calls";
const SCHEDULER: &str = "needs an event for each change of the scheduler";
const DESCRIPTORS: &str =
    "changes with nearly every call that opens or closes, and a capture keeps each version of a process";
const LAYERS: &str = "inside overlayfs, where the kernel offers no stable place to look";
const RESOLVER: &str =
    "asking a name server would disturb what is observed, and give today's answer for yesterday's packet";
const JOINED: &str = "two fields in one: container.id and fd.name, fd.directory";
const LIST: &str = "also of other calls that name several: select, pipe, dup2, splice and the like; each once, those of poll, select and messages ascending";
const SERVICES: &str = "from a table of its own, not from the host's files";
const FAILED: &str = "also of calls that failed";
const KERNEL_DEV: &str = "the kernel's number: major * 2^20 + minor";

/// Every field of sysdig's core libraries (falcosecurity/libs 0.25), in their order.
pub const CORE: &[(&str, Here)] = &[
    ("evt.num", Same),
    ("evt.rawtime", Same),
    ("evt.pluginname", Missing(PLUGINS)),
    ("evt.time", Same),
    ("evt.rawtime.s", Same),
    ("evt.plugininfo", Missing(PLUGINS)),
    ("evt.time.s", Same),
    ("evt.rawtime.ns", Same),
    ("evt.source", Same),
    ("evt.time.iso8601", Same),
    ("evt.reltime", Same),
    ("evt.is_async", Missing(PLUGINS)),
    ("evt.datetime", Same),
    ("evt.reltime.s", Same),
    ("evt.asynctype", Missing(PLUGINS)),
    ("evt.datetime.s", Same),
    ("evt.reltime.ns", Same),
    ("evt.hostname", Differs("the host that was captured, wherever it is read")),
    ("evt.latency", Same),
    ("evt.buflen", Differs("of a call that failed, what it tried to move")),
    ("evt.around", Differs("a span, to be compared: evt.around[T] < 500ms")),
    ("evt.latency.s", Same),
    ("evt.res", Same),
    ("evt.abspath", Differs("evt.abspath.src and evt.abspath.dst are fields of their own")),
    ("evt.latency.ns", Same),
    ("evt.rawres", Same),
    ("evt.buflen.in", Same),
    ("evt.latency.quantized", Missing("a column on a screen of fixed width; evt.latency has the number")),
    ("evt.failed", Same),
    ("evt.buflen.out", Same),
    ("evt.latency.human", Same),
    ("evt.is_io", Same),
    ("evt.buflen.file", Same),
    ("evt.deltatime", Same),
    ("evt.is_io_read", Same),
    ("evt.buflen.file.in", Same),
    ("evt.deltatime.s", Same),
    ("evt.is_io_write", Same),
    ("evt.buflen.file.out", Same),
    ("evt.deltatime.ns", Same),
    ("evt.io_dir", Same),
    ("evt.buflen.net", Same),
    ("evt.outputtime", Differs("does not follow -t, so that it means the same in a filter")),
    ("evt.is_wait", Same),
    ("evt.buflen.net.in", Same),
    (
        "evt.dir",
        Differs(
            "there are no entry events: > stands for a call that was entered and never returned; when a call began is evt.entrytime",
        ),
    ),
    ("evt.wait_latency", Same),
    ("evt.buflen.net.out", Same),
    ("evt.type", Differs("the kernel's names of calls, and procexit and lost")),
    ("evt.is_syslog", Same),
    ("evt.is_open_read", Same),
    ("evt.type.is", Differs("the number in brackets is the call's own, not one of sysdig's")),
    ("evt.count", Same),
    ("evt.is_open_write", Same),
    ("syscall.type", Same),
    ("evt.count.error", Same),
    ("evt.infra.docker.name", Missing(DAEMON)),
    ("evt.category", Differs("the classes of sysreel calls")),
    ("evt.count.error.file", Differs("by the class of the call")),
    ("evt.infra.docker.container.id", Missing(DAEMON)),
    ("evt.cpu", Same),
    ("evt.count.error.net", Differs("by the class of the call")),
    ("evt.infra.docker.container.name", Missing(DAEMON)),
    ("evt.args", Same),
    ("evt.count.error.memory", Differs("by the class of the call")),
    ("evt.infra.docker.container.image", Missing(DAEMON)),
    ("evt.arg", Differs("arguments have the names of sysreel calls")),
    ("evt.count.error.other", Differs("what is about neither files, the network nor memory by its class")),
    ("evt.is_open_exec", Differs("true if the call may have made the file")),
    ("evt.rawarg", Differs("arguments have the names of sysreel calls")),
    ("evt.count.exit", Differs("every event stands for a call's end")),
    (
        "evt.is_open_create",
        Differs(
            "true if the call may have made the file; whether it was there before, the kernel does not tell",
        ),
    ),
    ("evt.info", Same),
    ("evt.count.procinfo", Missing(SAMPLE)),
    ("evt.buffer", Same),
    ("evt.count.threadinfo", Missing(SAMPLE)),
    ("proc.exe", Same),
    ("proc.sid.exepath", Same),
    ("proc.fdlimit", Missing("a limit that may change at any time, and that no call in a capture needs")),
    ("proc.pexe", Same),
    ("proc.vpgid", Same),
    ("proc.fdusage", Missing(DESCRIPTORS)),
    ("proc.aexe", Same),
    ("proc.vpgid.name", Same),
    ("proc.vmsize", Missing(SAMPLE)),
    ("proc.exepath", Same),
    ("proc.vpgid.exe", Same),
    ("proc.vmrss", Missing(SAMPLE)),
    ("proc.pexepath", Same),
    ("proc.vpgid.exepath", Same),
    ("proc.vmswap", Missing(SAMPLE)),
    ("proc.aexepath", Same),
    ("proc.pgid", Same),
    ("thread.pfmajor", Missing(SAMPLE)),
    ("proc.name", Same),
    ("proc.pgid.name", Same),
    ("thread.pfminor", Missing(SAMPLE)),
    ("proc.pname", Same),
    ("proc.pgid.exe", Same),
    ("thread.tid", Same),
    ("proc.aname", Same),
    ("proc.pgid.exepath", Same),
    ("thread.ismain", Same),
    ("proc.args", Same),
    ("proc.duration", Same),
    ("thread.vtid", Differs("inside a container only known of main threads")),
    ("proc.aargs", Same),
    ("proc.ppid.duration", Same),
    ("thread.nametid", Same),
    ("proc.cmdline", Same),
    ("proc.pid.ts", Same),
    ("thread.exectime", Missing(SCHEDULER)),
    ("proc.pcmdline", Same),
    ("proc.ppid.ts", Same),
    ("thread.totexectime", Missing(SCHEDULER)),
    ("proc.acmdline", Same),
    ("proc.is_exe_writable", Differs("by owner, group and mode of the file; root may")),
    ("thread.cgroups", Differs("one path, of the unified tree")),
    ("proc.cmdnargs", Same),
    ("proc.is_exe_upper_layer", Differs("by the mount table; missing where that leads nowhere on the host")),
    ("thread.cgroup", Missing("the unified tree has one path for all controllers: thread.cgroups")),
    ("proc.cmdlenargs", Same),
    ("proc.is_exe_lower_layer", Differs("by the mount table; missing where that leads nowhere on the host")),
    ("proc.nthreads", Differs("missing after a loss until the process runs a new program")),
    ("proc.exeline", Same),
    ("proc.is_exe_from_memfd", Same),
    ("proc.nchilds", Differs("missing after a loss until the process runs a new program")),
    ("proc.env", Differs("only captured with --env, because of secrets")),
    ("proc.is_sid_leader", Same),
    ("thread.cpu", Missing(SAMPLE)),
    ("proc.aenv", Differs("only captured with --env, because of secrets")),
    ("proc.is_vpgid_leader", Same),
    ("thread.cpu.user", Missing(SAMPLE)),
    ("proc.cwd", Same),
    ("proc.is_pgid_leader", Same),
    ("thread.cpu.system", Missing(SAMPLE)),
    ("proc.loginshellid", Differs("ssh is no shell")),
    ("proc.exe_ino", Same),
    ("thread.vmsize", Missing(SAMPLE)),
    ("proc.tty", Differs(KERNEL_DEV)),
    ("proc.exe_ino.ctime", Same),
    ("thread.vmrss", Missing(SAMPLE)),
    ("proc.pid", Same),
    ("proc.exe_ino.mtime", Same),
    ("thread.vmsize.b", Missing(SAMPLE)),
    ("proc.ppid", Same),
    ("proc.exe_ino.ctime_duration_proc_start", Differs("missing if the file changed after the start")),
    ("thread.vmrss.b", Missing(SAMPLE)),
    ("proc.apid", Same),
    ("proc.exe_ino.ctime_duration_pidns_start", Differs("missing if the file changed before the start")),
    ("proc.stdin.type", Same),
    ("proc.vpid", Same),
    ("proc.pidns_init_start_ts", Differs("missing for what entered the namespace from outside")),
    ("proc.stdout.type", Same),
    ("proc.pvpid", Same),
    (
        "thread.cap_permitted",
        Differs(
            "of the process, as /proc told at its first event after the last program or change of credentials",
        ),
    ),
    ("proc.stderr.type", Same),
    ("proc.sid", Same),
    ("thread.cap_inheritable", Differs("as thread.cap_permitted")),
    ("proc.stdin.name", Same),
    ("proc.sname", Differs("missing if the leader was never seen")),
    ("thread.cap_effective", Differs("as thread.cap_permitted")),
    ("proc.stdout.name", Same),
    ("proc.sid.exe", Same),
    ("proc.fdopencount", Missing(DESCRIPTORS)),
    ("proc.stderr.name", Same),
    ("fd.num", Same),
    ("fd.l4proto", Same),
    ("fd.connected", Differs("known of IP sockets")),
    ("fd.type", Differs("more kinds, see sysreel fields fd.type")),
    ("fd.sockfamily", Same),
    (
        "fd.name_changed",
        Missing("an event has the name after the call; which calls give one is known from evt.type"),
    ),
    ("fd.typechar", Same),
    ("fd.is_server", Same),
    ("fd.cip.name", Missing(RESOLVER)),
    ("fd.name", Same),
    ("fd.uid", Same),
    ("fd.sip.name", Missing(RESOLVER)),
    ("fd.directory", Same),
    ("fd.containername", Missing(JOINED)),
    ("fd.lip.name", Missing(RESOLVER)),
    ("fd.filename", Same),
    ("fd.containerdirectory", Missing(JOINED)),
    ("fd.rip.name", Missing(RESOLVER)),
    ("fd.ip", Same),
    ("fd.proto", Differs(SERVICES)),
    ("fd.dev", Differs(KERNEL_DEV)),
    ("fd.cip", Same),
    ("fd.cproto", Differs(SERVICES)),
    ("fd.dev.major", Same),
    ("fd.sip", Same),
    ("fd.sproto", Differs(SERVICES)),
    ("fd.dev.minor", Same),
    ("fd.lip", Same),
    ("fd.lproto", Differs(SERVICES)),
    ("fd.ino", Same),
    ("fd.rip", Same),
    ("fd.rproto", Differs(SERVICES)),
    ("fd.nameraw", Same),
    ("fd.port", Same),
    ("fd.net", Same),
    ("fd.types", Differs("kinds of the descriptors that the event names, not of all that the process has")),
    ("fd.cport", Same),
    ("fd.cnet", Same),
    ("fd.is_upper_layer", Missing(LAYERS)),
    ("fd.sport", Same),
    ("fd.snet", Same),
    ("fd.is_lower_layer", Missing(LAYERS)),
    ("fd.lport", Same),
    ("fd.lnet", Same),
    ("fd.rport", Same),
    ("fd.rnet", Same),
    ("fs.path.name", Differs(FAILED)),
    ("fdlist.names", Differs(LIST)),
    ("user.homedir", Same),
    ("fs.path.nameraw", Differs(FAILED)),
    ("fdlist.cips", Differs(LIST)),
    ("user.shell", Same),
    ("fs.path.source", Differs(FAILED)),
    ("fdlist.sips", Differs(LIST)),
    ("user.loginuid", Same),
    ("fs.path.sourceraw", Differs(FAILED)),
    ("fdlist.cports", Differs(LIST)),
    ("user.loginname", Same),
    ("fs.path.target", Differs(FAILED)),
    ("fdlist.sports", Differs(LIST)),
    ("group.gid", Same),
    ("fs.path.targetraw", Differs(FAILED)),
    ("user.uid", Same),
    ("group.name", Same),
    ("fdlist.nums", Differs(LIST)),
    ("user.name", Same),
    ("util.cnt", Missing("hidden there too: a counter without a meaning")),
];

const HEALTH: &str = "a process of a probe looks like any other from here";
const NETWORKS: &str = "what a network plugin was told is not kept";
const SERVER: &str = "empty there too: only an API server knows";

/// Every field of sysdig's plugin for containers, in its order.
pub const PLUGIN: &[(&str, Here)] = &[
    ("container.id", Same),
    ("container.full_id", Differs("host for what is in no container")),
    ("container.name", Same),
    ("container.image", Same),
    ("container.image.id", Same),
    ("container.image.repository", Same),
    ("container.image.tag", Same),
    ("container.image.digest", Same),
    ("container.type", Differs("nspawn and oci (runc or crun alone) too; no libvirt_lxc, bpm")),
    ("container.privileged", Same),
    ("container.mounts", Differs("a list, each source:destination:options")),
    ("container.mount", Differs("source:destination:options")),
    ("container.mount.source", Same),
    ("container.mount.dest", Same),
    ("container.mount.mode", Differs("all options")),
    ("container.mount.rdwr", Same),
    ("container.mount.propagation", Same),
    ("container.healthcheck", Missing(HEALTH)),
    ("container.liveness_probe", Missing(HEALTH)),
    ("container.readiness_probe", Missing(HEALTH)),
    ("container.start_ts", Same),
    ("container.duration", Same),
    ("container.ip", Same),
    ("container.cni.json", Missing(NETWORKS)),
    ("container.host_pid", Same),
    ("container.host_network", Same),
    ("container.host_ipc", Same),
    ("container.label", Same),
    ("container.labels", Same),
    ("proc.is_container_healthcheck", Missing(HEALTH)),
    ("proc.is_container_liveness_probe", Missing(HEALTH)),
    ("proc.is_container_readiness_probe", Missing(HEALTH)),
    ("k8s.pod.name", Same),
    ("k8s.pod.id", Same),
    ("k8s.pod.uid", Same),
    ("k8s.pod.sandbox_id", Same),
    ("k8s.pod.full_sandbox_id", Same),
    ("k8s.pod.label", Same),
    ("k8s.pod.labels", Same),
    ("k8s.pod.ip", Same),
    ("k8s.pod.cni.json", Missing(NETWORKS)),
    ("k8s.ns.name", Same),
    ("k8s.rc.*", Missing(SERVER)),
    ("k8s.svc.*", Missing(SERVER)),
    ("k8s.ns.id", Missing(SERVER)),
    ("k8s.ns.label", Missing(SERVER)),
    ("k8s.ns.labels", Missing(SERVER)),
    ("k8s.rs.*", Missing(SERVER)),
    ("k8s.deployment.*", Missing(SERVER)),
];

/// The page: a table of all, and what only sysreel has.
pub fn page() -> String {
    let here = CORE.iter().filter(|(_, h)| !matches!(h, Missing(_))).count();
    let mut out = format!(
        "# Fields: sysdig and sysreel\n\n\
         Of the {} fields of sysdig's core libraries (falcosecurity/libs 0.25) sysreel has {here}. This page is made from \
         the tables of both; `sysreel fields` lists sysreel's own with type, documentation and example.\n\n\
         | field | here | what differs, or why not |\n|---|---|---|\n",
        CORE.len()
    );
    rows(&mut out, CORE);
    let here = PLUGIN.iter().filter(|(_, h)| !matches!(h, Missing(_))).count();
    let _ = write!(
        out,
        "\n## Containers and pods\n\n\
         Of the 61 fields of sysdig's plugin for containers sysreel has {here}. It asks no daemon for most of them: they are \
         read from the files of runtimes.\n\n\
         | field | here | what differs, or why not |\n|---|---|---|\n"
    );
    rows(&mut out, PLUGIN);
    out.push_str("\n## Only in sysreel\n\n| field | meaning |\n|---|---|\n");
    for field in FIELDS.iter().filter(|f| CORE.iter().chain(PLUGIN).all(|(name, _)| f.name != *name)) {
        let _ = writeln!(out, "| `{}` | {} |", field.name, field.doc);
    }
    out
}

fn rows(out: &mut String, fields: &[(&str, Here)]) {
    for (name, here) in fields {
        let (mark, text) = match here {
            Same => ("yes", ""),
            Differs(text) => ("yes", *text),
            Missing(text) => ("no", *text),
        };
        let _ = writeln!(out, "| `{name}` | {mark} | {text} |");
    }
}

/// What is different on purpose: fields with one reason together, in the order of the table.
pub fn differences() -> Vec<(String, &'static str)> {
    grouped(|here| match here {
        Differs(text) => Some(text),
        _ => None,
    })
}

/// What is missing: fields with one reason together, in the order of the table.
pub fn missing() -> Vec<(String, &'static str)> {
    grouped(|here| match here {
        Missing(text) => Some(text),
        _ => None,
    })
}

fn grouped(reason: fn(Here) -> Option<&'static str>) -> Vec<(String, &'static str)> {
    let mut groups: Vec<(String, &'static str)> = Vec::new();
    for (name, text) in CORE.iter().chain(PLUGIN).filter_map(|(name, here)| Some((name, reason(*here)?))) {
        match groups.iter_mut().find(|(_, t)| *t == text) {
            Some((names, _)) => {
                let _ = write!(names, ", {name}");
            }
            None => groups.push(((*name).to_owned(), text)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::class_of;
    use crate::fields::find;
    use std::collections::HashSet;

    #[test]
    fn every_core_field_is_here_or_has_a_reason() {
        assert_eq!(CORE.len(), 233);
        let mut seen = HashSet::new();
        for (name, here) in CORE.iter().chain(PLUGIN) {
            assert!(seen.insert(name), "{name} stands twice");
            match here {
                Same | Differs(_) => assert!(find(name).is_some(), "{name} is said to be here"),
                Missing(reason) => {
                    assert!(find(name).is_none() && !reason.is_empty(), "{name} is said to be missing")
                }
            }
        }
    }

    #[test]
    fn classes_are_those_that_sysdig_has_too() {
        // Control groups, units and tags are nobody else's.
        let ours = ["cgroup", "unit", "host"];
        let all = CORE.iter().chain(PLUGIN).map(|(n, _)| *n);
        let classes: HashSet<&str> = all.filter_map(|n| n.split('.').next()).chain(ours).collect();
        for field in FIELDS {
            assert!(classes.contains(class_of(field)), "{}", field.name);
        }
    }
}
