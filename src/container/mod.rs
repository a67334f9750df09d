//! Containers: which one a control group belongs to, and what its runtime says of it.
//!
//! Enters: the path of a control group, a pid, the files and sockets of runtimes. Leaves: [`Container`]. Never: a record, a
//! batch, an event that waits for it; no failure stops anything (what a source does not say is not known).
//!
//! [`identify`] looks at the path alone. [`Resolver`] looks at files and sockets, on threads of its own. What a container
//! itself can write is never read; what a runtime wrote about it is, within limits.

mod asker;
pub mod bolt;
mod cri;
mod daemons;
mod files;
pub mod grpc;
mod host;
mod http;
mod json;
mod monitor;
mod path;
pub mod proto;
mod resolver;
mod unix;

pub use host::Said;
pub use path::identify;
pub use resolver::{Resolver, resting, why};

/// Who made a container.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum Runtime {
    /// Its control group has an id of 64 digits, but says not whose.
    #[default]
    Unknown = 0,
    /// docker.
    Docker = 1,
    /// containerd without Kubernetes (ctr, nerdctl).
    Containerd = 2,
    /// containerd, by the Container Runtime Interface.
    Cri = 3,
    /// CRI-O.
    Crio = 4,
    /// podman.
    Podman = 5,
    /// lxc, lxd, incus.
    Lxc = 6,
    /// systemd-nspawn.
    Nspawn = 7,
    /// runc or crun without anybody above.
    Oci = 8,
}

impl Runtime {
    /// All, by number.
    pub const ALL: [Runtime; 9] = [
        Runtime::Unknown,
        Runtime::Docker,
        Runtime::Containerd,
        Runtime::Cri,
        Runtime::Crio,
        Runtime::Podman,
        Runtime::Lxc,
        Runtime::Nspawn,
        Runtime::Oci,
    ];

    /// As users of sysdig and Falco know it; theirs for containerd is in `cri` as well.
    pub fn name(self) -> &'static str {
        match self {
            Runtime::Unknown => "unknown",
            Runtime::Docker => "docker",
            Runtime::Containerd => "containerd",
            Runtime::Cri => "cri",
            Runtime::Crio => "cri-o",
            Runtime::Podman => "podman",
            Runtime::Lxc => "lxc",
            Runtime::Nspawn => "nspawn",
            Runtime::Oci => "oci",
        }
    }
}

/// Where something about a container is from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Source {
    /// The path of its control group.
    Path = 0,
    /// Files of its runtime.
    Files = 1,
    /// A socket of its runtime.
    Socket = 2,
    /// Its first process: arguments of its parent, its environment.
    Process = 3,
}

/// Bytes from outside.
pub type Bytes = Box<[u8]>;

/// The pod that a container is in.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Pod {
    /// Its name.
    pub name: Option<Bytes>,
    /// Its namespace.
    pub namespace: Option<Bytes>,
    /// Its uid, with hyphens.
    pub uid: Option<Bytes>,
    /// Its labels.
    pub labels: Vec<(Bytes, Bytes)>,
    /// Its address.
    pub ip: Option<Bytes>,
    /// The id of the container that holds it together.
    pub sandbox: Option<Bytes>,
    /// Quality of service: guaranteed, burstable, besteffort.
    pub qos: Option<&'static str>,
}

/// The namespaces that a container may have of the host, as its configuration calls them.
pub const SHARED: [&str; 3] = ["pid", "network", "ipc"];

/// What is known about a container at one moment.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Container {
    /// Who made it.
    pub runtime: Runtime,
    /// Its id, whole. Of lxc and nspawn its name.
    pub id: Bytes,
    /// Its name; of one in a pod the name that the pod gives it.
    pub name: Option<Bytes>,
    /// The image, as it was asked for.
    pub image: Option<Bytes>,
    /// The id of the image.
    pub image_id: Option<Bytes>,
    /// The digest of the image in its repository.
    pub image_digest: Option<Bytes>,
    /// Its labels.
    pub labels: Vec<(Bytes, Bytes)>,
    /// Its mounts: `source:destination:options`.
    pub mounts: Vec<Bytes>,
    /// Whether it has the rights of the host.
    pub privileged: Option<bool>,
    /// Whether it has the host's namespaces of processes, network and messages ([`SHARED`]).
    pub shares: [Option<bool>; 3],
    /// Its address.
    pub ip: Option<Bytes>,
    /// When it was made or started, ns since 1970.
    pub started: Option<u64>,
    /// The id of the container that it runs in.
    pub parent: Option<Bytes>,
    /// It only holds a pod together.
    pub sandbox: bool,
    /// The pod that it is in.
    pub pod: Option<Pod>,
    /// Where this is from.
    pub sources: Vec<Source>,
}

/// What a look at files says of a control group.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time, and most that are kept are containers")]
pub enum Sight {
    /// One of its processes was looked at: it belongs to no container. Or its name is one that no container's has.
    Host,
    /// Its path tells nothing, and none of its processes was there to be looked at.
    Gone,
    /// It is this one's.
    In(Container),
}

impl Sight {
    /// The container, if it is known to be one.
    pub fn container(self) -> Option<Container> {
        match self {
            Sight::In(c) => Some(c),
            Sight::Host | Sight::Gone => None,
        }
    }
}

/// What came of a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The control group, as it was asked about.
    pub path: Bytes,
    /// All that is known of its container.
    pub container: Option<Container>,
    /// Nothing more will come of this question.
    pub last: bool,
}

/// True if no container has a control group with this path: it is the root, or a unit's.
pub fn is_hosts(path: &[u8]) -> bool {
    files::hosts(path)
}

#[cfg(test)]
mod setups;
#[cfg(test)]
mod tests;
