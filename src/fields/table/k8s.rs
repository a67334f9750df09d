//! Fields of the pod that a process runs in: `k8s.*`.
//!
//! Enters: the dictionary and the index of a process. Leaves: what the entry of its container says of the pod. Never: an
//! API server that is asked.

use super::container::{inside, label, labels, short};
use super::proc::{of_proc, text};
use super::{field, keyed};
use crate::batch::NONE;
use crate::fields::{Field, Takes, Type, Value};

/// The rows.
pub const FIELDS: &[Field] = &[
    field(
        "k8s.pod.name",
        Type::Text,
        "name of the pod",
        "k8s.pod.name startswith web-",
        of_proc(|d, i, _| inside(d, i, |c| text(d, c.pod))),
    ),
    field(
        "k8s.pod.uid",
        Type::Text,
        "uid of the pod",
        "k8s.pod.uid exists",
        of_proc(|d, i, _| inside(d, i, |c| text(d, c.pod_uid))),
    ),
    field(
        "k8s.pod.id",
        Type::Text,
        "the same as k8s.pod.uid",
        "k8s.pod.id exists",
        of_proc(|d, i, _| inside(d, i, |c| text(d, c.pod_uid))),
    ),
    keyed(
        Takes::NameOrIndex,
        field(
            "k8s.pod.label",
            Type::Text,
            "one label of the pod",
            "k8s.pod.label[app] = web",
            of_proc(|d, i, key| inside(d, i, |c| label(d, c.pod_labels, key))),
        ),
    ),
    field(
        "k8s.pod.labels",
        Type::Text,
        "all labels of the pod: key:value,key:value",
        "k8s.pod.labels contains app:web",
        of_proc(|d, i, _| inside(d, i, |c| labels(d, c.pod_labels))),
    ),
    field(
        "k8s.pod.ip",
        Type::Text,
        "address of the pod",
        "k8s.pod.ip startswith 10.",
        of_proc(|d, i, _| inside(d, i, |c| text(d, c.pod_ip))),
    ),
    field(
        "k8s.pod.sandbox_id",
        Type::Text,
        "id of the container that holds the pod together, its first 12 digits",
        "k8s.pod.sandbox_id exists",
        of_proc(|d, i, _| inside(d, i, |c| short(d, c.sandbox))),
    ),
    field(
        "k8s.pod.full_sandbox_id",
        Type::Text,
        "id of the container that holds the pod together, whole",
        "k8s.pod.full_sandbox_id exists",
        of_proc(|d, i, _| inside(d, i, |c| text(d, c.sandbox))),
    ),
    field(
        "k8s.ns.name",
        Type::Text,
        "namespace of the pod",
        "k8s.ns.name = kube-system",
        of_proc(|d, i, _| inside(d, i, |c| text(d, c.namespace))),
    ),
    field(
        "k8s.container.name",
        Type::Text,
        "name that the pod gives the container",
        "k8s.container.name = web",
        of_proc(|d, i, _| {
            inside(d, i, |c| match (c.pod, c.pod_uid) {
                (NONE, NONE) => Value::None,
                _ => text(d, c.name),
            })
        }),
    ),
    field(
        "k8s.pod.qos",
        Type::Text,
        "quality of service of the pod: guaranteed, burstable, besteffort",
        "k8s.pod.qos = besteffort",
        of_proc(|d, i, _| inside(d, i, |c| text(d, c.qos))),
    ),
];
