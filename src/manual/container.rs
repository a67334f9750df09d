//! Containers that are seen, and running in one, for the manual page.
//!
//! Enters: nothing; these are texts. Leaves: them. Never: roff. What they promise is held by tests/live/contained.rs.

/// What is known of containers.
pub const SEEN: &[&str] = &[
    "A process is in the container that its control group says, which the kernel tells whenever a process is moved; nested \
     containers have their outer one in container.parent. Names, images, labels and pods are read from the files of the \
     runtime when the first process of a control group makes its first call, which takes less than a millisecond, and so are \
     there from that call on. What only a daemon knows is asked of its socket meanwhile, and later events have it; \
     container.source says where it is from. Nothing has to be set up.",
    "A capture file holds what was known when each event happened, for the containers of its events. sysreel cut with a filter \
     that asks for containers or pods leaves out who is above the first process of a container, too.",
    "At its end it holds what was known last, also what a runtime told after a container's last event: sysreel containers FILE \
     shows that, and with -r --late-names filters and output take it for earlier events. -p, -pc and -pk mark those with ~, and \
     evt.certain is false for them. So does each file of a capture over several (as of when it was completed), and each that cut, \
     split, merge or -r -w makes of others (cut without --drop and --redact).",
    "What runs in control groups of the unified hierarchy in which nothing can match is rejected in the kernel, as soon as all is \
     known of them.",
];

/// What it takes, and what is different inside.
pub const NEEDS: &[&str] = &[
    "sysreel runs in a container that shares the host's pid namespace, with an image that holds nothing but the program, \
     which is static. In a pid namespace of its own it refuses, with exit status 1: the kernel numbers processes by the host's, \
     and no name would fit.",
    "It takes user 0 with CAP_BPF and CAP_PERFMON (CAP_SYS_ADMIN stands for both where a runtime does not know them yet), and \
     /sys of the host, read-only, which runtimes mount by themselves. With CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, both, what \
     processes had open before the start has names, and their executables as well. With the host's pid namespace /proc \
     inside is that of the host; if it is mounted elsewhere, --proc says where. A profile of seccomp must allow bpf(2), one \
     of AppArmor that /proc of other processes is read (ptrace for reading).",
    "Users have the names that the first process sees in its /etc/passwd (PROC/1/root/etc/passwd), which takes the same two \
     capabilities. Where this is refused they have those of the container's own, which should then be the host's, mounted \
     in its place. In a cgroup namespace of its own the kernel tells cgroups (thread.cgroups) as seen from there, \
     beginning with /..; docker has --cgroupns=host against that.",
];

/// By docker; then as the pod of a DaemonSet.
pub const DOCKER: &str = "\
docker run --rm --pid=host --cgroupns=host --network=none --cap-drop=ALL \\
  --cap-add=BPF --cap-add=PERFMON --cap-add=SYS_PTRACE --cap-add=DAC_READ_SEARCH \\
  --security-opt apparmor=unconfined \\
  -v /etc/passwd:/etc/passwd:ro -v /etc/group:/etc/group:ro \\
  IMAGE /sysreel 'evt.failed = true'";

/// The same on every node of Kubernetes.
pub const POD: &str = "\
spec:
  hostPID: true
  containers:
  - name: sysreel
    image: IMAGE
    command: [/sysreel, -w, /out/host.reel, -C, 100M, --max-disk, 1G]
    securityContext:
      runAsUser: 0
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
        add: [BPF, PERFMON, SYS_PTRACE, DAC_READ_SEARCH]
      appArmorProfile: {type: Unconfined}
    volumeMounts:
    - {name: out, mountPath: /out}
    - {name: passwd, mountPath: /etc/passwd, readOnly: true}
    - {name: group, mountPath: /etc/group, readOnly: true}
  volumes:
  - {name: out, hostPath: {path: /var/tmp/sysreel, type: DirectoryOrCreate}}
  - {name: passwd, hostPath: {path: /etc/passwd, type: File}}
  - {name: group, hostPath: {path: /etc/group, type: File}}";
