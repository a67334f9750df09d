//! What daemons say of a container, for what files lack.
//!
//! Enters: whom to ask, the container so far. Leaves: what the daemon knows. Never: a wait of more than [`PATIENCE`], a
//! question that waits for the container's start to end: docker's and containerd's lists answer at once, where inspection
//! and Kubernetes' interface wait or do not know the container yet.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::files::Daemon;
use super::grpc::Client;
use super::host::Host;
use super::json::{at, bytes, labels, mounts, text};
use super::unix::Talk;
use super::{Container, Pod, Runtime, Source, cri, http, proto};

/// For one daemon, everything together.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum No {
    /// There is no such daemon, or none that may be asked.
    Daemon(String),
    /// It is there, but does not say it: another time it may.
    Answer(String),
}

impl Daemon {
    /// Its socket, and the user whose it is.
    pub(super) fn socket(&self) -> (&Path, u32) {
        match self {
            Daemon::Containerd { socket, uid, .. }
            | Daemon::Docker { socket, uid }
            | Daemon::Podman { socket, uid } => (socket, *uid),
        }
    }

    /// What it knows of a container.
    pub(super) fn ask(&self, host: &Host, c: &Container) -> Result<Container, No> {
        let (path, uid) = self.socket();
        let socket = host.socket(path, uid).map_err(No::Daemon)?;
        let address = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&socket));
        let address = Path::new(&address);
        let talk = |until| Talk::connect(address, until).map_err(|e| No::Daemon(e.to_string()));
        let talk = talk(Instant::now() + PATIENCE)?;
        let answer = match self {
            Daemon::Containerd { namespace, .. } => {
                Client::over(talk).and_then(|c2| containerd(c2, namespace, c))
            }
            Daemon::Docker { .. } => docker(talk, c),
            Daemon::Podman { .. } => podman(address, talk, c),
        };
        answer.map_err(No::Answer)
    }
}

/// The container's record, that of its pod's sandbox, its image's.
fn containerd(mut client: Client, namespace: &[u8], c: &Container) -> Result<Container, String> {
    let mut call = |method: &str, key: &[u8]| -> Result<Vec<u8>, String> {
        let mut question = Vec::new();
        proto::put(&mut question, 1, key);
        let answer = client.call(method, &[("containerd-namespace", namespace)], &question)?;
        proto::bytes(&answer, 1).map(<[u8]>::to_vec).ok_or_else(|| "an empty answer".into())
    };
    let get = "/containerd.services.containers.v1.Containers/Get";
    let own = call(get, &c.id)?;
    let mut said = record(&own, &c.id)?;
    let sandbox = said.pod.as_ref().or(c.pod.as_ref()).and_then(|p| p.sandbox.clone());
    if let Some(sandbox) = sandbox.filter(|s| *s != c.id) {
        let its = record(&call(get, &sandbox)?, &sandbox)?;
        said.pod = its.pod;
    }
    let image = c.image.clone().or_else(|| said.image.clone());
    if let Some(image) = image {
        // An image that was removed is no failure.
        let digest = call("/containerd.services.images.v1.Images/Get", &image);
        let digest = digest.ok().and_then(|i| proto::bytes(proto::bytes(&i, 3)?, 2).map(<[u8]>::to_vec));
        said.image_digest = digest.map(Into::into);
    }
    Ok(said)
}

/// Of a `Container`: 1 id, 2 labels, 3 image, 8 created, 10 extensions.
fn record(message: &[u8], id: &[u8]) -> Result<Container, String> {
    if proto::bytes(message, 1) != Some(id) {
        return Err("it speaks of another id".into());
    }
    let pairs = proto::all(message, 2)
        .filter_map(|e| Some((proto::bytes(e, 1)?, proto::bytes(e, 2).unwrap_or_default())));
    let mut c =
        Container { labels: cri::labels(pairs), sources: vec![Source::Socket], ..Container::default() };
    c.image = proto::bytes(message, 3).filter(|i| !i.is_empty()).map(Into::into);
    let created = proto::bytes(message, 8);
    c.started = created.and_then(|t| {
        let nanoseconds = proto::number(t, 2).unwrap_or(0);
        proto::number(t, 1)?.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
    });
    for extension in proto::all(message, 10).filter_map(|e| cri::metadata(proto::bytes(e, 2)?)) {
        cri::fill_own(&extension, &mut c);
    }
    Ok(c)
}

fn json(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|e| format!("not JSON: {e}"))
}

/// From the list of containers: asking for one alone waits until its start has ended.
fn docker(talk: Talk, c: &Container) -> Result<Container, String> {
    let filter = format!("{{\"id\":[\"{}\"]}}", String::from_utf8_lossy(&c.id));
    let path = format!("/containers/json?all=1&filters={}", http::escaped(filter.as_bytes()));
    let all = json(&http::get(talk, &path)?)?;
    let own =
        all.as_array().and_then(|a| a.iter().find(|o| text(o, &["Id"]).map(str::as_bytes) == Some(&c.id)));
    let own = own.ok_or("it does not know the id")?;
    let name = at(own, &["Names"]).and_then(|n| n.get(0)?.as_str());
    let points = at(own, &["Mounts"]).and_then(Value::as_array);
    let mount = |m: &Value| -> Option<String> {
        let how = if at(m, &["RW"]).and_then(Value::as_bool) == Some(false) { "ro" } else { "rw" };
        Some(format!("{}:{}:{how}", text(m, &["Source"])?, text(m, &["Destination"])?))
    };
    let networks = at(own, &["NetworkSettings", "Networks"]).and_then(Value::as_object);
    Ok(Container {
        runtime: Runtime::Docker,
        name: name.map(|n| n.trim_start_matches('/').as_bytes().into()),
        image: bytes(own, &["Image"]),
        image_id: bytes(own, &["ImageID"]),
        labels: labels(at(own, &["Labels"])),
        mounts: mounts(points.into_iter().flatten().filter_map(mount)),
        ip: networks.and_then(|n| n.values().find_map(|n| bytes(n, &["IPAddress"]))),
        started: at(own, &["Created"]).and_then(Value::as_u64).and_then(|s| s.checked_mul(1_000_000_000)),
        sources: vec![Source::Socket],
        ..Container::default()
    })
}

fn podman(address: &Path, talk: Talk, c: &Container) -> Result<Container, String> {
    let until = Instant::now() + PATIENCE;
    let id = http::escaped(&c.id);
    let own = json(&http::get(talk, &format!("/v4.0.0/libpod/containers/{id}/json"))?)?;
    if text(&own, &["Id"]).map(str::as_bytes) != Some(&c.id) {
        return Err("it speaks of another id".into());
    }
    let mut said = Container {
        runtime: Runtime::Podman,
        name: bytes(&own, &["Name"]),
        image: bytes(&own, &["ImageName"]),
        image_id: bytes(&own, &["Image"]),
        image_digest: bytes(&own, &["ImageDigest"]),
        labels: labels(at(&own, &["Config", "Labels"])),
        ip: at(&own, &["NetworkSettings", "Networks"])
            .and_then(Value::as_object)
            .and_then(|n| n.values().find_map(|n| bytes(n, &["IPAddress"]))),
        sandbox: at(&own, &["IsInfra"]).and_then(Value::as_bool) == Some(true),
        sources: vec![Source::Socket],
        ..Container::default()
    };
    if let Some(pod) = bytes(&own, &["Pod"]) {
        let talk = Talk::connect(address, until).map_err(|e| e.to_string())?;
        let its = json(&http::get(talk, &format!("/v4.0.0/libpod/pods/{}/json", http::escaped(&pod)))?)?;
        said.pod = Some(Pod {
            name: bytes(&its, &["Name"]),
            labels: labels(at(&its, &["Labels"])),
            sandbox: bytes(&its, &["InfraContainerID"]),
            uid: Some(pod),
            ..Pod::default()
        });
    }
    Ok(said)
}
