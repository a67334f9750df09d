//! What containerd's plugin for Kubernetes keeps of containers and pods in containerd: the same in its database and at its
//! socket.
//!
//! Enters: extensions and labels of a container's record. Leaves: labels, the image, the pod. Never: a label that
//! containerd itself put there.

use serde_json::Value;

use super::json::{at, bytes, labels as texts, text, within};
use super::proto;
use super::{Bytes, Container, Pod};

/// Of an extension, a protobuf `Any` around JSON (`io.cri-containerd.{container,sandbox}.metadata`): what is inside.
pub(super) fn metadata(any: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(proto::bytes(any, 2)?).ok()?;
    at(&value, &["Metadata"]).filter(|m| m.is_object()).cloned()
}

/// Labels but for containerd's own.
pub(super) fn labels<'a>(all: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<(Bytes, Bytes)> {
    within(all.filter(|(k, _)| !k.starts_with(b"io.cri-containerd.") && !k.starts_with(b"containerd.io/")))
}

/// What the metadata of a container or sandbox say of itself. Its record also has its image's labels; these are its own.
pub(super) fn fill_own(metadata: &Value, c: &mut Container) {
    let own = texts(at(metadata, &["Config", "labels"]));
    if !own.is_empty() {
        c.labels = own;
    }
    c.image_id = bytes(metadata, &["ImageRef"]).or(c.image_id.take());
    match bytes(metadata, &["SandboxID"]) {
        Some(sandbox) => c.pod.get_or_insert_default().sandbox = Some(sandbox),
        None if text(metadata, &["Config", "metadata", "uid"]).is_some() => {
            let pod = c.pod.get_or_insert_default();
            pod.sandbox = bytes(metadata, &["ID"]);
            fill_pod(metadata, pod);
            c.sandbox = true;
        }
        None => {}
    }
}

/// What the metadata of a sandbox say of its pod.
pub(super) fn fill_pod(metadata: &Value, pod: &mut Pod) {
    pod.labels = texts(at(metadata, &["Config", "labels"]));
    pod.ip = bytes(metadata, &["IP"]);
    pod.name = bytes(metadata, &["Config", "metadata", "name"]).or(pod.name.take());
    pod.namespace = bytes(metadata, &["Config", "metadata", "namespace"]).or(pod.namespace.take());
    pod.uid = bytes(metadata, &["Config", "metadata", "uid"]).or(pod.uid.take());
}
