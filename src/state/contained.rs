//! What is known of a container as an entry of a dictionary, and back.
//!
//! Enters: containers as files and daemons tell of them, or entries of a reel. Leaves: the other. Never: a table, a question.

use crate::batch::{self, Builder, Dict, NONE, StrId, container_flags};
use crate::container::{Bytes, Container, Pod, Runtime, Source};

/// Most bytes of all labels or mounts of a container: they are in every block.
const MOST_LISTED: usize = 64 << 10;

/// What is found, and of what is known already that which it does not say.
pub(super) fn both(found: Container, known: &Container) -> Container {
    let or = |a: Option<Bytes>, b: &Option<Bytes>| a.or_else(|| b.clone());
    let list = |a: Vec<(Bytes, Bytes)>, b: &Vec<(Bytes, Bytes)>| if a.is_empty() { b.clone() } else { a };
    let mut sources = found.sources;
    sources.extend(&known.sources);
    sources.sort_unstable_by_key(|s| *s as u8);
    sources.dedup();
    let pod = match (found.pod, &known.pod) {
        (Some(a), Some(b)) => Some(Pod {
            name: or(a.name, &b.name),
            namespace: or(a.namespace, &b.namespace),
            uid: or(a.uid, &b.uid),
            labels: list(a.labels, &b.labels),
            ip: or(a.ip, &b.ip),
            sandbox: or(a.sandbox, &b.sandbox),
            qos: a.qos.or(b.qos),
        }),
        (a, b) => a.or_else(|| b.clone()),
    };
    Container {
        runtime: if found.runtime == Default::default() { known.runtime } else { found.runtime },
        id: found.id,
        name: or(found.name, &known.name),
        image: or(found.image, &known.image),
        image_id: or(found.image_id, &known.image_id),
        image_digest: or(found.image_digest, &known.image_digest),
        labels: list(found.labels, &known.labels),
        mounts: if found.mounts.is_empty() { known.mounts.clone() } else { found.mounts },
        privileged: found.privileged.or(known.privileged),
        shares: std::array::from_fn(|n| {
            found.shares.get(n).copied().flatten().or(known.shares.get(n).copied().flatten())
        }),
        ip: or(found.ip, &known.ip),
        started: found.started.or(known.started),
        parent: or(found.parent, &known.parent),
        sandbox: found.sandbox || known.sandbox,
        pod,
        sources,
    }
}

/// Values that each end with a NUL, as far as there is room; one that holds a NUL has a blank instead.
fn list<'a>(b: &mut Builder, values: impl Iterator<Item = [&'a [u8]; 2]>, pairs: bool) -> StrId {
    let mut out = Vec::new();
    for words in values {
        let words = words.get(..if pairs { 2 } else { 1 }).unwrap_or_default();
        if out.len() + words.iter().map(|w| w.len() + 1).sum::<usize>() > MOST_LISTED {
            break;
        }
        for word in words {
            out.extend(word.iter().map(|b| if *b == 0 { b' ' } else { *b }));
            out.push(0);
        }
    }
    if out.is_empty() { NONE } else { b.string(&out) }
}

/// What an entry says.
pub(super) fn told(dict: &Dict<'_>, c: &batch::Container) -> Container {
    let text = |id: StrId| dict.strings.find(id).map(Bytes::from);
    let list = |id: StrId| -> Vec<Bytes> {
        let all = dict.strings.find(id).and_then(|all| all.strip_suffix(b"\0"));
        all.map_or_else(Vec::new, |all| all.split(|b| *b == 0).map(Bytes::from).collect())
    };
    let pairs = |id: StrId| -> Vec<(Bytes, Bytes)> {
        let all = list(id);
        all.as_chunks::<2>().0.iter().map(|[k, v]| (k.clone(), v.clone())).collect()
    };
    let pod = Pod {
        name: text(c.pod),
        namespace: text(c.namespace),
        uid: text(c.pod_uid),
        labels: pairs(c.pod_labels),
        ip: text(c.pod_ip),
        sandbox: text(c.sandbox),
        qos: ["guaranteed", "burstable", "besteffort"]
            .into_iter()
            .find(|qos| dict.strings.find(c.qos) == Some(qos.as_bytes())),
    };
    let sources = [Source::Path, Source::Files, Source::Socket, Source::Process];
    Container {
        runtime: Runtime::ALL.get(c.runtime as usize).copied().unwrap_or_default(),
        id: text(c.id).unwrap_or_default(),
        name: text(c.name),
        image: text(c.image),
        image_id: text(c.image_id),
        image_digest: text(c.image_digest),
        labels: pairs(c.labels),
        mounts: list(c.mounts),
        privileged: (c.flags & container_flags::RIGHTS != 0)
            .then_some(c.flags & container_flags::PRIVILEGED != 0),
        shares: std::array::from_fn(|n| match c.flags >> shift(n) & 3 {
            0 | 2 => None,
            bits => Some(bits == 3),
        }),
        ip: text(c.ip),
        started: Some(c.started).filter(|at| *at != 0),
        parent: text(c.outer),
        sandbox: c.flags & container_flags::SANDBOX != 0,
        pod: Some(pod).filter(|pod| *pod != Pod::default()),
        sources: sources.into_iter().filter(|s| c.sources & 1 << (*s as u8) != 0).collect(),
    }
}

/// Where the two bits of the nth namespace are.
fn shift(nth: usize) -> u32 {
    container_flags::SHARES.trailing_zeros() + 2 * nth as u32
}

/// A new entry.
pub(super) fn entry(b: &mut Builder, c: &Container) -> u32 {
    let pod = c.pod.as_ref();
    let mut string = |text: Option<&Bytes>| text.map_or(NONE, |t| b.string(t));
    let flag = |is: bool, bit: u32| if is { bit } else { 0 };
    let mut made = batch::Container {
        runtime: c.runtime as u32,
        flags: flag(c.sandbox, container_flags::SANDBOX)
            | flag(c.privileged.is_some(), container_flags::RIGHTS)
            | flag(c.privileged == Some(true), container_flags::PRIVILEGED)
            | (0..)
                .zip(c.shares)
                .fold(0, |bits, (n, is)| bits | is.map_or(0, |is| 1 + 2 * u32::from(is)) << shift(n)),
        sources: c.sources.iter().fold(0, |bits, s| bits | 1 << (*s as u8)),
        id: string(Some(&c.id)),
        name: string(c.name.as_ref()),
        image: string(c.image.as_ref()),
        image_id: string(c.image_id.as_ref()),
        image_digest: string(c.image_digest.as_ref()),
        ip: string(c.ip.as_ref()),
        started: c.started.unwrap_or(0),
        outer: string(c.parent.as_ref()),
        pod: string(pod.and_then(|p| p.name.as_ref())),
        namespace: string(pod.and_then(|p| p.namespace.as_ref())),
        pod_uid: string(pod.and_then(|p| p.uid.as_ref())),
        pod_ip: string(pod.and_then(|p| p.ip.as_ref())),
        sandbox: string(pod.and_then(|p| p.sandbox.as_ref())),
        ..batch::Container::default()
    };
    made.qos = pod.and_then(|p| p.qos).map_or(NONE, |qos| b.string(qos.as_bytes()));
    made.labels = list(b, c.labels.iter().map(|(k, v)| [&**k, &**v]), true);
    made.pod_labels = list(b, pod.into_iter().flat_map(|p| &p.labels).map(|(k, v)| [&**k, &**v]), true);
    made.mounts = list(b, c.mounts.iter().map(|m| [&**m, &[]]), false);
    b.container(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Arch, Schema};

    #[test]
    fn an_entry_says_what_it_was_made_of() {
        let bytes = |s: &str| Some(Bytes::from(s.as_bytes()));
        let pair = |k: &str, v: &str| (Bytes::from(k.as_bytes()), Bytes::from(v.as_bytes()));
        let all = Container {
            runtime: Runtime::Cri,
            id: "abc".as_bytes().into(),
            name: bytes("web"),
            image: bytes("i"),
            labels: vec![pair("a", "b"), pair("c", "")],
            mounts: vec!["/a:/b:ro".as_bytes().into()],
            privileged: Some(false),
            shares: [Some(true), None, Some(false)],
            started: Some(7),
            sandbox: true,
            pod: Some(Pod {
                name: bytes("p"),
                labels: vec![pair("x", "y")],
                qos: Some("burstable"),
                ..Pod::default()
            }),
            sources: vec![Source::Path, Source::Socket],
            ..Container::default()
        };
        let schema = Schema::native(Arch::X86_64);
        let mut b = Builder::new();
        entry(&mut b, &all);
        entry(&mut b, &Container::default());
        let dict = b.view(&schema).dict;
        assert_eq!(told(&dict, &dict.containers[0]), all);
        assert_eq!(told(&dict, &dict.containers[1]), Container::default());
        // What is found later and says less takes nothing away.
        let less = Container { id: all.id.clone(), sources: vec![Source::Path], ..Container::default() };
        assert_eq!(both(less, &all), all);
    }

    #[test]
    fn numbers_of_runtimes_are_those_of_their_names() {
        for (number, name) in batch::RUNTIMES.iter().enumerate() {
            let runtime = Runtime::ALL[number];
            assert_eq!((runtime as usize, runtime.name()), (number, *name));
        }
    }

    #[test]
    fn labels_without_end_are_cut_between_two() {
        let mut b = Builder::new();
        let long = vec![b'x'; MOST_LISTED / 2];
        let id = list(&mut b, (0..5).map(|_| [&b"key"[..], &long[..]]), true);
        let view_len = {
            let schema = Schema::native(Arch::X86_64);
            b.view(&schema).dict.strings.get(id).len()
        };
        assert_eq!(view_len, MOST_LISTED / 2 + 5);
    }
}
