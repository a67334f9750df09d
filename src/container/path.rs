//! Which container a control group belongs to, by its path alone.
//!
//! Enters: the path of a control group as `/proc/PID/cgroup` tells it. Leaves: the id and the runtime of the innermost
//! container, that of the one around it, the pod. Never: a look at anything else, an error (what has no shape that we know
//! is the host's), more work than the path is long.
//!
//! Runtimes name their control groups in few ways, which are the rows of [`SHAPES`]. The components of a path are looked at
//! from the right, because what runs inside a container (systemd, docker) makes control groups below the container's. What
//! watches a container from outside (`crio-conmon-…`, `lxc.monitor.…`, nspawn's `supervisor`) has no row: it is the host's.

use super::{Bytes, Container, Pod, Runtime, Source};

/// What the kernel gives at most (PATH_MAX).
const LONGEST: usize = 4096;

/// What stands in a component between what is before and after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Id {
    /// 64 hexadecimal digits.
    Digits,
    /// 25 letters and digits.
    Token,
    /// Anything: the name is the id.
    Name,
    /// A name in systemd's escapes.
    Escaped,
}

/// One way to name a control group: `before ID after`, below `above` and above `below` (empty: any).
struct Shape {
    above: &'static str,
    before: &'static str,
    id: Id,
    after: &'static [&'static str],
    below: &'static str,
    runtime: Runtime,
}

/// `before ID`, with systemd as the maker of control groups a scope.
const fn prefixed(before: &'static str, runtime: Runtime) -> Shape {
    Shape { above: "", before, id: Id::Digits, after: &["", ".scope"], below: "", runtime }
}

/// A runtime that was told of systemd but does not use it gives `SLICE:NAME:ID` to the kernel as it is.
const fn told(before: &'static str, runtime: Runtime) -> Shape {
    Shape { above: "", before, id: Id::Digits, after: &[""], below: "", runtime }
}

const fn under(above: &'static str, id: Id, runtime: Runtime) -> Shape {
    Shape { above, before: "", id, after: &[""], below: "", runtime }
}

const fn named(
    before: &'static str,
    id: Id,
    after: &'static str,
    below: &'static str,
    runtime: Runtime,
) -> Shape {
    let after: &'static [&'static str] = match after.as_bytes() {
        b".scope" => &[".scope"],
        b".service" => &[".service"],
        _ => &[""],
    };
    Shape { above: "", before, id, after, below, runtime }
}

/// The first that fits wins. What begins with `:` is looked for from the right.
const SHAPES: &[Shape] = &[
    prefixed("docker-", Runtime::Docker),
    prefixed("cri-containerd-", Runtime::Cri),
    prefixed("crio-", Runtime::Crio),
    prefixed("libpod-", Runtime::Podman),
    prefixed("libpod-payload-", Runtime::Podman),
    prefixed("nerdctl-", Runtime::Containerd),
    told(":docker:", Runtime::Docker),
    told(":cri-containerd:", Runtime::Cri),
    told(":crio:", Runtime::Crio),
    told(":nerdctl:", Runtime::Containerd),
    under("docker", Id::Digits, Runtime::Docker),
    // Kubernetes without a runtime's name in it, GitHub's runners, ECS.
    under("", Id::Digits, Runtime::Unknown),
    under("buildkit", Id::Token, Runtime::Oci),
    named("lxc.payload.", Id::Name, "", "", Runtime::Lxc),
    under("lxc.payload", Id::Name, Runtime::Lxc),
    under("lxc", Id::Name, Runtime::Lxc),
    named("machine-", Id::Escaped, ".scope", "payload", Runtime::Nspawn),
    named("systemd-nspawn@", Id::Escaped, ".service", "payload", Runtime::Nspawn),
    named("runc-", Id::Name, ".scope", "", Runtime::Oci),
    named("crun-", Id::Name, ".scope", "", Runtime::Oci),
];

/// Above the containers of a podman pod is the pod, named by its id.
const PODMAN_PODS: &[u8] = b"libpod_parent";
/// The same with systemd: `machine-libpod_pod_ID.slice`.
const PODMAN_POD: &[u8] = b"libpod_pod_";

/// What the path of a control group says of a container: its id and runtime, its pod's uid and quality of service, the id of
/// the container around it. `None`: it is the host's, as far as a path tells. `ctr` and plain `runc` name their control groups
/// as they are told to: those take a look at a process ([`Resolver::by_files`](super::Resolver::by_files)).
pub fn identify(path: &[u8]) -> Option<Container> {
    if path.len() > LONGEST {
        return None;
    }
    let parts: Vec<&[u8]> = path.split(|b| *b == b'/').filter(|p| !p.is_empty()).collect();
    let mut found = (0..parts.len()).rev().filter_map(|at| Some((at, shape(&parts, at)?)));
    let (at, (runtime, id)) = found.next()?;
    let around = found.next();
    let outer = around.as_ref().map_or(0, |(at, _)| at + 1);
    let pod = pod(parts.get(outer..=at).unwrap_or_default());
    let name = matches!(runtime, Runtime::Lxc | Runtime::Nspawn).then(|| id.clone());
    let parent = around.map(|(_, (_, id))| id);
    Some(Container { runtime, id, name, parent, pod, sources: vec![Source::Path], ..Container::default() })
}

/// The runtime and id that one component of a path tells.
fn shape(parts: &[&[u8]], at: usize) -> Option<(Runtime, Bytes)> {
    let part = *parts.get(at)?;
    let above = at.checked_sub(1).and_then(|i| parts.get(i)).copied().unwrap_or_default();
    let below = parts.get(at + 1).copied().unwrap_or_default();
    let fits = |s: &Shape| {
        let around = |wanted: &str, is: &[u8]| wanted.is_empty() || wanted.as_bytes() == is;
        if !around(s.above, above) || !around(s.below, below) {
            return None;
        }
        let rest = after(part, s.before.as_bytes())?;
        s.after.iter().find_map(|a| id(rest.strip_suffix(a.as_bytes())?, s.id)).map(|id| (s.runtime, id))
    };
    if above == PODMAN_PODS && digits(part) {
        return None;
    }
    SHAPES.iter().find_map(fits)
}

/// What follows `before`: at the beginning, or, if that is `:NAME:`, its last occurrence.
fn after<'a>(part: &'a [u8], before: &[u8]) -> Option<&'a [u8]> {
    if !before.starts_with(b":") {
        return part.strip_prefix(before);
    }
    let at = part.windows(before.len()).rposition(|w| w == before)?;
    part.get(at + before.len()..)
}

fn id(text: &[u8], kind: Id) -> Option<Bytes> {
    match kind {
        Id::Digits => digits(text).then(|| text.into()),
        Id::Token => {
            let lower = text.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            (text.len() == 25 && lower).then(|| text.into())
        }
        Id::Name => (!text.is_empty()).then(|| text.into()),
        Id::Escaped => (!text.is_empty()).then(|| unescaped(text)),
    }
}

/// An id: 64 hexadecimal digits as runtimes write them.
pub(super) fn digits(text: &[u8]) -> bool {
    text.len() == 64 && hexadecimal(text)
}

fn hexadecimal(text: &[u8]) -> bool {
    text.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Without systemd's escapes: `\x2d` is a hyphen.
fn unescaped(text: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, more)) = rest.split_first() {
        let byte = match rest {
            [b'\\', b'x', high, low, ..] => nibble(*high).zip(nibble(*low)).map(|(h, l)| h << 4 | l),
            _ => None,
        };
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { rest.get(4..).unwrap_or_default() } else { more };
    }
    out.into()
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// The pod that the components of a path tell, down to that of the container.
fn pod(parts: &[&[u8]]) -> Option<Pod> {
    let uid = parts.iter().rev().find_map(|p| pod_uid(p)).or_else(|| podman_pod(parts))?;
    let word =
        |wanted: &[u8]| parts.iter().any(|p| p.split(|b| matches!(b, b'-' | b'.')).any(|w| w == wanted));
    let qos = match () {
        () if !word(b"kubepods") => None,
        () if word(b"burstable") => Some("burstable"),
        () if word(b"besteffort") => Some("besteffort"),
        () => Some("guaranteed"),
    };
    Some(Pod { uid: Some(uid), qos, ..Pod::default() })
}

/// Of `podUID`, `…-podUID.slice`, `…-podUID.slice:RUNTIME:ID`: the uid. That of a static pod is 32 digits.
fn pod_uid(part: &[u8]) -> Option<Bytes> {
    let part = part.split(|b| *b == b':').next()?;
    let part = part.strip_suffix(b".slice").unwrap_or(part);
    let at = part.windows(3).rposition(|w| w == b"pod")?;
    if at > 0 && part.get(at - 1) != Some(&b'-') {
        return None;
    }
    let uid = part.get(at + 3..)?;
    if uid.len() == 32 && hexadecimal(uid) {
        return Some(uid.into());
    }
    // systemd takes a hyphen in the name of a slice for a level, so that kubelet writes underscores.
    let uid: Vec<u8> = uid.iter().map(|b| if *b == b'_' { b'-' } else { *b }).collect();
    let groups = uid.split(|b| *b == b'-').map(|g| if hexadecimal(g) { g.len() } else { 0 });
    groups.eq([8, 4, 4, 4, 12]).then(|| uid.into())
}

fn podman_pod(parts: &[&[u8]]) -> Option<Bytes> {
    parts.windows(2).rev().find_map(|pair| {
        let &[above, part] = pair else { return None };
        let of = |part: &[u8]| -> Option<Bytes> {
            let at = part.windows(PODMAN_POD.len()).rposition(|w| w == PODMAN_POD)?;
            let id = part.get(at + PODMAN_POD.len()..)?.strip_suffix(b".slice")?;
            digits(id).then(|| id.into())
        };
        of(above).or_else(|| (above == PODMAN_PODS && digits(part)).then(|| part.into()))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";
    const B: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const UID: &str = "6f1d2c3b-4a59-4e68-8776-95a4b3c2d1e0";
    const SLICED: &str = "6f1d2c3b_4a59_4e68_8776_95a4b3c2d1e0";
    const STATIC: &str = "00112233445566778899aabbccddeeff";

    /// `runtime id parent pod qos`, with the names of the constants above for what they stand for.
    fn told(path: &str) -> String {
        let mut path = path.to_owned();
        for (name, text) in
            [("{A}", A), ("{B}", B), ("{UID}", UID), ("{SLICED}", SLICED), ("{STATIC}", STATIC)]
        {
            path = path.replace(name, text);
        }
        let Some(c) = identify(path.as_bytes()) else { return "host".to_owned() };
        let short = |id: Option<&Bytes>| {
            let text = id.map_or("-".into(), |i| String::from_utf8_lossy(i).into_owned());
            text.replace(A, "A").replace(B, "B").replace(UID, "UID").replace(STATIC, "STATIC")
        };
        assert_eq!(c.sources, [Source::Path]);
        let pod = c.pod.as_ref();
        format!(
            "{:?} {} in {} pod {} {}",
            c.runtime,
            short(Some(&c.id)),
            short(c.parent.as_ref()),
            short(pod.and_then(|p| p.uid.as_ref())),
            pod.and_then(|p| p.qos).unwrap_or("-"),
        )
    }

    #[test]
    fn every_known_shape_is_told() {
        let samples: &[(&str, &str)] = &[
            // docker: its own control groups, systemd's, told but not used, a parent of one's own, rootless.
            ("/docker/{A}", "Docker A in - pod - -"),
            ("/system.slice/docker-{A}.scope", "Docker A in - pod - -"),
            ("/system.slice/containerd.service/system.slice:docker:{A}", "Docker A in - pod - -"),
            ("/mine/{A}", "Unknown A in - pod - -"),
            (
                "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{A}.scope",
                "Docker A in - pod - -",
            ),
            ("/../docker/{A}", "Docker A in - pod - -"),
            ("/actions_job/{A}", "Unknown A in - pod - -"),
            ("/ecs/{STATIC}/{A}", "Unknown A in - pod - -"),
            // Kubernetes.
            ("/kubepods/burstable/pod{UID}/{A}", "Unknown A in - pod UID burstable"),
            ("/kubepods/pod{UID}/{A}", "Unknown A in - pod UID guaranteed"),
            ("/kubepods/besteffort/pod{STATIC}/{A}", "Unknown A in - pod STATIC besteffort"),
            ("/k3s/kubepods/burstable/pod{UID}/{A}", "Unknown A in - pod UID burstable"),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{SLICED}.slice/cri-containerd-{A}.scope",
                "Cri A in - pod UID burstable",
            ),
            (
                "/kubepods.slice/kubepods-pod{SLICED}.slice/cri-containerd-{A}.scope",
                "Cri A in - pod UID guaranteed",
            ),
            (
                "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{SLICED}.slice/crio-{A}.scope",
                "Crio A in - pod UID besteffort",
            ),
            (
                "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{SLICED}.slice/crio-{A}.scope/container",
                "Crio A in - pod UID besteffort",
            ),
            ("/kubepods/burstable/pod{UID}/crio-{A}", "Crio A in - pod UID burstable"),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{SLICED}.slice/docker-{A}.scope",
                "Docker A in - pod UID burstable",
            ),
            (
                "/system.slice/containerd.service/kubepods-burstable-pod{SLICED}.slice:cri-containerd:{A}",
                "Cri A in - pod UID burstable",
            ),
            (
                "/system.slice/containerd.service/kubepods-besteffort-pod{STATIC}.slice:cri-containerd:{A}",
                "Cri A in - pod STATIC besteffort",
            ),
            ("/kubepods.slice/kubepods-pod{SLICED}.slice/crio-conmon-{A}.scope", "host"),
            // kind: the node is a container, its pods are inside.
            ("/docker/{B}/kubelet/kubepods/burstable/pod{UID}/{A}", "Unknown A in B pod UID burstable"),
            (
                "/system.slice/docker-{B}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/\
                 kubelet-kubepods-burstable-pod{SLICED}.slice/cri-containerd-{A}.scope",
                "Cri A in B pod UID burstable",
            ),
            ("/docker/{B}/kubelet.slice/kubelet.service", "Docker B in - pod - -"),
            ("/docker/{B}/docker/{A}", "Docker A in B pod - -"),
            ("/kubepods/burstable/pod{UID}/{B}/docker/{A}", "Docker A in B pod - -"),
            ("/docker/{B}/libpod-conmon-{A}", "Docker B in - pod - -"),
            ("/docker/{B}/system.slice/cron.service", "Docker B in - pod - -"),
            ("/docker/{A}/init.scope", "Docker A in - pod - -"),
            // podman: its own, systemd's, rootless, split, in a pod.
            ("/libpod_parent/libpod-{A}", "Podman A in - pod - -"),
            ("/machine.slice/libpod-{A}.scope", "Podman A in - pod - -"),
            ("/machine.slice/libpod-{A}.scope/container", "Podman A in - pod - -"),
            ("/machine.slice/libpod-conmon-{A}.scope", "host"),
            (
                "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{A}.scope/container",
                "Podman A in - pod - -",
            ),
            ("/system.slice/web.service/libpod-payload-{A}", "Podman A in - pod - -"),
            ("/libpod_parent/{B}/libpod-{A}", "Podman A in - pod B -"),
            ("/libpod_parent/{B}", "host"),
            ("/machine.slice/machine-libpod_pod_{B}.slice/libpod-{A}.scope", "Podman A in - pod B -"),
            // containerd's nerdctl, with systemd and without its name.
            ("/system.slice/nerdctl-{A}.scope", "Containerd A in - pod - -"),
            ("/default/{A}", "Unknown A in - pod - -"),
            ("/default/web", "host"),
            ("/system.slice/containerd.service/system.slice:nerdctl:{A}", "Containerd A in - pod - -"),
            // buildkit.
            (
                "/system.slice/docker.service/buildkit/k9s1x0h3m2q7r5t8v4w6y0z1a",
                "Oci k9s1x0h3m2q7r5t8v4w6y0z1a in - pod - -",
            ),
            ("/docker/{B}/buildkit/k9s1x0h3m2q7r5t8v4w6y0z1a", "Oci k9s1x0h3m2q7r5t8v4w6y0z1a in B pod - -"),
            ("/docker/buildkit", "host"),
            // lxc, lxd, incus.
            ("/lxc.payload.web-1", "Lxc web-1 in - pod - -"),
            ("/lxc.payload.web/system.slice/cron.service", "Lxc web in - pod - -"),
            ("/lxc.payload/web", "Lxc web in - pod - -"),
            ("/lxc/web/init.scope", "Lxc web in - pod - -"),
            ("/lxc.monitor.web", "host"),
            ("/lxc.monitor/web", "host"),
            ("/lxc.payload.{B}/lxc.payload.inner", "Lxc inner in B pod - -"),
            ("/lxc.payload.web/docker/{A}", "Docker A in web pod - -"),
            // nspawn.
            ("/machine.slice/machine-web\\x2d1.scope/payload", "Nspawn web-1 in - pod - -"),
            ("/machine.slice/machine-web.scope/payload/init.scope", "Nspawn web in - pod - -"),
            (
                "/machine.slice/systemd-nspawn@web.service/payload/system.slice/cron.service",
                "Nspawn web in - pod - -",
            ),
            ("/machine.slice/machine-web.scope/supervisor", "host"),
            ("/machine.slice/machine-web.scope", "host"),
            ("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator", "host"),
            // runc and crun with systemd.
            ("/system.slice/runc-web.scope", "Oci web in - pod - -"),
            ("/system.slice/crun-web.scope/container", "Oci web in - pod - -"),
            // The host.
            ("/", "host"),
            ("", "host"),
            ("/system.slice/docker.service", "host"),
            ("/user.slice/user-1000.slice/session-1.scope", "host"),
            ("/init.scope", "host"),
            ("/kubepods/burstable/pod{UID}", "host"),
            ("/kubepods", "host"),
            // An id is 64 digits, small ones.
            ("/docker/{A}0", "host"),
            ("/docker/docker-{STATIC}.scope", "host"),
        ];
        for (path, is) in samples {
            assert_eq!(told(path), *is, "{path}");
        }
        assert_eq!(identify(format!("/docker/{}", A.to_uppercase()).as_bytes()), None);
    }

    #[test]
    fn names_are_whole_and_unescaped() {
        let name = |path: &[u8]| identify(path).and_then(|c| c.name).map(|n| n.into_vec());
        assert_eq!(name(b"/lxc.payload.a b\x1b"), Some(b"a b\x1b".to_vec()));
        assert_eq!(name(b"/machine-\\x2d\\x5cx\\xzz\\x4.scope/payload"), Some(b"-\\x\\xzz\\x4".to_vec()));
        assert_eq!(name(format!("/docker/{A}").as_bytes()), None);
    }

    #[test]
    fn a_path_longer_than_the_kernels_is_nobodys() {
        let mut path = b"/x".repeat(LONGEST / 2);
        path.extend_from_slice(b"/lxc.payload.web");
        assert_eq!(identify(&path), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_path(path in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = identify(&path);
        }

        #[test]
        fn any_order_of_what_paths_are_made_of_is_a_path(parts in prop::collection::vec(prop::sample::select(vec![
            "/", "docker", "docker-", ":docker:", ".scope", ".slice", "lxc.payload.", "lxc", "machine-", "payload", "\\x2", "pod",
            A, B, UID, SLICED, STATIC, "kubepods", "-", "burstable", "libpod_parent", "libpod_pod_", "systemd-nspawn@", "runc-",
        ]), 0..24)) {
            let path = parts.concat();
            if let Some(c) = identify(path.as_bytes()) {
                // What is told stands in the path, but for escapes.
                prop_assert!(!c.id.is_empty());
                prop_assert!(path.contains("\\x") || path.as_bytes().windows(c.id.len()).any(|w| w == &*c.id));
            }
        }
    }
}
