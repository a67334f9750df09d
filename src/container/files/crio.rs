//! CRI-O: `STORAGE/overlay-containers/ID/userdata/config.json` below its run root. Everything is in the annotations; the labels
//! of the pod are those of its sandbox.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::host::{Look, path};
use super::super::json::{at, bytes, inner, labels, text, time};
use super::super::{Bytes, Container, Pod, Runtime, Source};
use super::{Answer, Ask, Learned, learn, oci};

/// Its run root, usually.
const CONTAINERS: &str = "/run/containers/storage/overlay-containers";

pub(super) fn read(look: &mut Look, learned: &mut Learned, ask: &Ask) -> Answer {
    let told = ask.bundle().and_then(|b| Some((b.parent()?.parent()?.to_owned(), ask.uid())));
    let places: Vec<(PathBuf, u32)> = match &told {
        // conmon's bundle is that of its container.
        Some(place) => vec![place.clone()],
        None => learned.storage.iter().cloned().chain([(PathBuf::from(CONTAINERS), 0)]).collect(),
    };
    for (place, uid) in places {
        let config = |id: &[u8]| place.join(path(id)).join("userdata/config.json");
        let file = config(ask.id);
        if !look.host.exists(&file, uid) {
            continue;
        }
        let Some((own, _)) = look.json(&file, uid) else { continue };
        let Some(mut c) = container(&own).filter(|c| *c.id == *ask.id) else { continue };
        learn(&mut learned.storage, (place.clone(), uid));
        if let Some(sandbox) =
            c.pod.as_ref().and_then(|p| p.sandbox.clone()).filter(|s| *s != c.id && proper(s))
        {
            let other = look.json(&config(&sandbox), uid).and_then(|(v, _)| container(&v));
            let its = other.as_ref().map_or([None; 3], |o| o.shares);
            c.shares.iter_mut().zip(its).for_each(|(a, b)| *a = a.or(b));
            if let (Some(own), Some(other)) = (&mut c.pod, other.and_then(|o| o.pod)) {
                own.labels = other.labels;
                own.ip = own.ip.take().or(other.ip);
            }
        }
        return Some((c, Vec::new()));
    }
    None
}

/// An id that is one name of a directory.
fn proper(id: &Bytes) -> bool {
    super::digits(id) && Path::new("x").join(path(id)).components().count() == 2
}

/// What the annotations say; `None`: it is not CRI-O's.
fn container(config: &Value) -> Option<Container> {
    let all = at(config, &["annotations"])?;
    let own = |name: &str| bytes(all, &[&format!("io.kubernetes.cri-o.{name}")]);
    let kubernetes = |name: &str| bytes(all, &[&format!("io.kubernetes.{name}")]);
    let kind = own("ContainerType")?;
    // podman borrows two of its annotations.
    let id = own("ContainerID").or_else(|| if *kind == *b"sandbox" { own("SandboxID") } else { None })?;
    own("Name").or_else(|| own("ContainerName"))?;
    let mut c = oci::container(config);
    c.sandbox = *kind == *b"sandbox";
    let all_labels = inner(all, &["io.kubernetes.cri-o.Labels"]);
    let names = labels(all_labels.as_ref());
    let added = |k: &[u8]| k.starts_with(b"io.kubernetes.");
    let pod_name = kubernetes("pod.name").or_else(|| own("KubeName"));
    c.pod = Some(Pod {
        name: pod_name.clone(),
        namespace: kubernetes("pod.namespace").or_else(|| own("Namespace")),
        uid: kubernetes("pod.uid"),
        labels: if c.sandbox {
            names.iter().filter(|(k, _)| !added(k)).cloned().collect()
        } else {
            Vec::new()
        },
        ip: own("IP.0"),
        sandbox: own("SandboxID"),
        qos: None,
    });
    let metadata = inner(all, &["io.kubernetes.cri-o.Metadata"]);
    c.name = if c.sandbox {
        pod_name
    } else {
        kubernetes("container.name").or_else(|| metadata.as_ref().and_then(|m| bytes(m, &["name"])))
    };
    c.labels = names;
    // Image may be the id of one, ImageName is what was asked for; either may be empty.
    let image = own("ImageName").or_else(|| own("SomeNameOfTheImage")).or_else(|| own("Image"));
    c.image = image;
    c.image_id = own("ImageRef")
        .or_else(|| own("Image"))
        .map(|i| i.rsplit(|b| *b == b'@').next().unwrap_or_default().into());
    let digests = inner(all, &["io.kubernetes.cri-o.ImageRepoDigests"]);
    let digest = digests.as_ref().and_then(|d| d.get(0)?.as_str()).and_then(|d| d.rsplit_once('@'));
    c.image_digest = digest.map(|(_, d)| d.as_bytes().into());
    if let Some(told) = text(all, &["io.kubernetes.cri-o.PrivilegedRuntime"]) {
        c.privileged = Some(told == "true");
    }
    c.started = time(all, &["io.kubernetes.cri-o.Created"]);
    c.id = id;
    c.runtime = Runtime::Crio;
    c.sources = vec![Source::Files];
    Some(c)
}
