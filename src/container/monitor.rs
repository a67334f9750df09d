//! The process on the host that watches a container: what its arguments tell of where the runtime keeps what.
//!
//! Enters: a process of a container, or the runtime that makes one. Leaves: the nearest watcher above it. Never: a watcher that
//! is in a container itself: its files would be that container's. Arguments beat every list of usual places (k3s, microk8s,
//! snap, roots of one's own).

use std::path::PathBuf;

use super::host::{Look, path};
use super::identify;

/// Ancestors that are looked at.
const STEPS: usize = 32;

/// What kind of program it is, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `containerd-shim-runc-v2 -namespace NAMESPACE -id ID -address SOCKET`; its working directory is the bundle.
    Shim { namespace: Vec<u8>, address: Option<PathBuf> },
    /// `conmon -c ID -n NAME -b BUNDLE …`, of podman and CRI-O.
    Conmon,
    /// `runc [--root ROOT] create|run --bundle BUNDLE ID`.
    Oci { root: Option<PathBuf> },
    /// `[lxc monitor] LXCPATH NAME`.
    Lxc { path: PathBuf },
    /// `systemd-nspawn -M NAME -D DIRECTORY | -i IMAGE`.
    Nspawn { image: Option<Vec<u8>> },
}

/// A watcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Monitor {
    pub(super) kind: Kind,
    /// The container that its arguments name; a shim serves a whole pod, and names the first.
    pub(super) id: Vec<u8>,
    /// The directory of the container's `config.json`.
    pub(super) bundle: Option<PathBuf>,
    /// Whose it is: 0, or a user who runs containers without root.
    pub(super) uid: u32,
}

/// What there is above a process.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Above {
    /// A watcher on the host.
    Watcher(Box<Monitor>),
    /// A watcher in a container: what it keeps is that container's.
    Inside,
    /// None.
    Nobody,
}

/// The nearest watcher: the process itself or an ancestor. A shim or conmon above runc knows more than runc.
///
/// What is in the container itself says nothing: it may call itself what it likes, and what is about to become its first
/// process still has the arguments of the runtime that forked it.
pub(super) fn above(look: &mut Look, pid: u32, group: &[u8]) -> Above {
    let own = identify(group).map(|c| (c.runtime, c.id));
    let (mut pid, mut best) = (pid, Above::Nobody);
    for _ in 0..STEPS {
        let host = look.host;
        let Some(process) = host.process(pid).filter(|_| pid > 1 && !look.late()) else { break };
        let groups = host.groups(pid);
        let here =
            |g: &Vec<u8>| g == group || (own.is_some() && identify(g).map(|c| (c.runtime, c.id)) == own);
        if groups.iter().any(|g| *g != b"/" && here(g)) {
            pid = process.parent;
            continue;
        }
        let found = host.arguments(pid).and_then(|a| told(&a)).map(|(kind, id, bundle)| {
            let at = host.directory(pid);
            // What it names by half is meant from where it works.
            let bundle = match (bundle, at) {
                (Some(bundle), Some(at)) => Some(at.join(bundle)),
                (bundle, at) => bundle.or(at),
            };
            Monitor { kind, id, bundle, uid: process.uid }
        });
        if let Some(found) = found {
            if groups.iter().any(|g| identify(g).is_some()) {
                return if best == Above::Nobody { Above::Inside } else { best };
            }
            let runc = matches!(found.kind, Kind::Oci { .. });
            if !runc {
                best = Above::Watcher(Box::new(found));
                break;
            }
            if best == Above::Nobody {
                best = Above::Watcher(Box::new(found));
            }
        } else if best != Above::Nobody {
            // The parent of runc is its shim or conmon, or runc is alone.
            break;
        }
        pid = process.parent;
    }
    if let Above::Watcher(m) = &best {
        let bundle = m.bundle.as_ref().map_or_else(String::new, |b| format!(", bundle {}", b.display()));
        look.note("processes above", format!("{}{bundle}", m.kind.name()));
    } else {
        look.note(
            "processes above",
            if best == Above::Inside { "a runtime in a container" } else { "no runtime" },
        );
    }
    best
}

impl Kind {
    fn name(&self) -> String {
        match self {
            Kind::Shim { namespace, .. } => {
                format!("containerd's shim, namespace {}", String::from_utf8_lossy(namespace))
            }
            Kind::Conmon => "conmon".into(),
            Kind::Oci { .. } => "an OCI runtime".into(),
            Kind::Lxc { .. } => "lxc's monitor".into(),
            Kind::Nspawn { .. } => "systemd-nspawn".into(),
        }
    }
}

type Told = (Kind, Vec<u8>, Option<PathBuf>);

/// What arguments tell: kind, id, bundle.
fn told(args: &[Vec<u8>]) -> Option<Told> {
    let first = args.first()?;
    if let Some(rest) = first.strip_prefix(b"[lxc monitor] ") {
        let at = rest.iter().rposition(|b| *b == b' ')?;
        return Some((Kind::Lxc { path: path(rest.get(..at)?) }, rest.get(at + 1..)?.to_vec(), None));
    }
    let program = first.rsplit(|b| *b == b'/').next()?;
    let rest = args.get(1..)?;
    match program {
        b"conmon" => {
            let id = option(rest, &["-c", "--cid"])?.to_vec();
            Some((Kind::Conmon, id, option(rest, &["-b", "--bundle"]).map(path)))
        }
        b"runc" | b"crun" | b"youki" | b"runsc" | b"kata-runtime" => {
            let made = rest.iter().any(|a| matches!(&a[..], b"create" | b"run" | b"restore"));
            let id = rest.last().filter(|id| made && !id.starts_with(b"-"))?.to_vec();
            let root = option(rest, &["--root"]).map(path);
            Some((Kind::Oci { root }, id, option(rest, &["--bundle", "-b"]).map(path)))
        }
        b"systemd-nspawn" => {
            let image = option(rest, &["-D", "--directory", "-i", "--image"]);
            let name = option(rest, &["-M", "--machine"]).or_else(|| image?.rsplit(|b| *b == b'/').next())?;
            Some((Kind::Nspawn { image: image.map(<[u8]>::to_vec) }, name.to_vec(), None))
        }
        p if p.starts_with(b"containerd-shim") => {
            let namespace = option(rest, &["-namespace", "--namespace"])?.to_vec();
            let address = option(rest, &["-address", "--address"]).map(path);
            Some((Kind::Shim { namespace, address }, option(rest, &["-id", "--id"])?.to_vec(), None))
        }
        _ => None,
    }
}

/// The value of an option: `NAME VALUE` or `NAME=VALUE`.
pub(super) fn option<'a>(args: &'a [Vec<u8>], names: &[&str]) -> Option<&'a [u8]> {
    let value = |at: usize, arg: &'a Vec<u8>| -> Option<&'a [u8]> {
        names.iter().find_map(|n| match arg.strip_prefix(n.as_bytes())? {
            [] => args.get(at + 1).map(|v| &v[..]),
            [b'=', value @ ..] => Some(value),
            _ => None,
        })
    };
    args.iter().enumerate().find_map(|(at, arg)| value(at, arg))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn of(line: &str) -> Option<Told> {
        told(&line.split(' ').map(|a| a.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_of_watchers_tell_where_things_are() {
        let (kind, id, bundle) =
            of("/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id abc -address /run/k3s/containerd/containerd.sock").unwrap();
        assert_eq!(
            kind,
            Kind::Shim {
                namespace: b"k8s.io".to_vec(),
                address: Some("/run/k3s/containerd/containerd.sock".into())
            }
        );
        assert_eq!((&id[..], bundle), (&b"abc"[..], None));
        let (kind, id, bundle) =
            of("/usr/bin/conmon --api-version 1 -c abc -u abc -r /usr/bin/crun -b /s/overlay-containers/abc/userdata -n web").unwrap();
        assert_eq!((kind, &id[..]), (Kind::Conmon, &b"abc"[..]));
        assert_eq!(bundle.as_deref(), Some(Path::new("/s/overlay-containers/abc/userdata")));
        let (kind, id, bundle) = of("runc --root /run/mine run --bundle=/b web").unwrap();
        assert_eq!((kind, &id[..]), (Kind::Oci { root: Some("/run/mine".into()) }, &b"web"[..]));
        assert_eq!(bundle.as_deref(), Some(Path::new("/b")));
        let (kind, id, _) = told(&[b"[lxc monitor] /var/lib/lxc a-b".to_vec()]).unwrap();
        assert_eq!((kind, &id[..]), (Kind::Lxc { path: "/var/lib/lxc".into() }, &b"a-b"[..]));
        let (kind, id, _) = of("systemd-nspawn --register=no -M web -D /srv/web sleep 1").unwrap();
        assert_eq!((kind, &id[..]), (Kind::Nspawn { image: Some(b"/srv/web".to_vec()) }, &b"web"[..]));
    }

    #[test]
    fn others_and_halves_tell_nothing() {
        for line in [
            "",
            "conmon",
            "conmon -c",
            "runc init",
            "runc state web",
            "runc run -d",
            "containerd-shim -id x",
            "[lxc monitor] x",
            "sleep 1",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
        assert_eq!(told(&[]), None);
    }
}
