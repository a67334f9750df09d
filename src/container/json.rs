//! What is taken out of the JSON of runtimes, within limits.
//!
//! Enters: a parsed value. Leaves: texts, labels, times. Never: a text longer than [`LONGEST`], more of labels than
//! [`LABELS`] and [`LABEL_BYTES`]; what is longer is left out, never cut: half a label would be another label.

use serde_json::{Map, Value};

use super::{Bytes, Container};

/// Bytes of one text.
const LONGEST: usize = 16 << 10;
/// Labels or mounts of one container.
const LABELS: usize = 256;
/// Bytes of all its labels, of all its mounts.
const LABEL_BYTES: usize = 64 << 10;

/// The value at the end of a path of keys.
pub(super) fn at<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().try_fold(value, |v, k| v.get(k))
}

/// A text that is not empty.
pub(super) fn text<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a str> {
    at(value, keys)?.as_str().filter(|t| !t.is_empty() && t.len() <= LONGEST)
}

/// The same, as it is kept.
pub(super) fn bytes(value: &Value, keys: &[&str]) -> Option<Bytes> {
    text(value, keys).map(|t| t.as_bytes().into())
}

/// A time in RFC 3339: ns since 1970. What runtimes write for never is before.
pub(super) fn time(value: &Value, keys: &[&str]) -> Option<u64> {
    let time: jiff::Timestamp = text(value, keys)?.parse().ok()?;
    u64::try_from(time.as_nanosecond()).ok().filter(|t| *t > 0)
}

/// JSON in a text, as annotations hold it.
pub(super) fn inner(value: &Value, keys: &[&str]) -> Option<Value> {
    serde_json::from_str(at(value, keys)?.as_str()?).ok()
}

/// Labels: an object of texts.
pub(super) fn labels(value: Option<&Value>) -> Vec<(Bytes, Bytes)> {
    let all = value.and_then(Value::as_object).into_iter().flat_map(Map::iter);
    within(all.filter_map(|(k, v)| Some((k.as_bytes(), v.as_str()?.as_bytes()))))
}

/// Labels within limits, by name.
pub(super) fn within<'a>(all: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<(Bytes, Bytes)> {
    let mut left = LABEL_BYTES;
    let mut kept: Vec<(Bytes, Bytes)> = all
        .filter(|(k, v)| !k.is_empty() && v.len() <= LONGEST)
        .filter(|(k, v)| {
            let rest = left.checked_sub(k.len() + v.len());
            left = rest.unwrap_or(left);
            rest.is_some()
        })
        .take(LABELS)
        .map(|(k, v)| (k.into(), v.into()))
        .collect();
    kept.sort();
    kept
}

/// Mounts within limits.
pub(super) fn mounts(all: impl Iterator<Item = String>) -> Vec<Bytes> {
    let mut left = LABEL_BYTES;
    all.take(LABELS)
        .map_while(|m| {
            left = left.checked_sub(m.len())?;
            Some(m.into_bytes().into())
        })
        .collect()
}

/// Takes what one source knows and no other said so far.
pub(super) fn fill(into: &mut Container, from: Container) {
    fn or<T>(a: &mut Option<T>, b: Option<T>) {
        if a.is_none() {
            *a = b;
        }
    }
    fn full<T>(a: &mut Vec<T>, b: Vec<T>) {
        if a.is_empty() {
            *a = b;
        }
    }
    or(&mut into.name, from.name);
    or(&mut into.image, from.image);
    or(&mut into.image_id, from.image_id);
    or(&mut into.image_digest, from.image_digest);
    full(&mut into.labels, from.labels);
    full(&mut into.mounts, from.mounts);
    or(&mut into.privileged, from.privileged);
    into.shares.iter_mut().zip(from.shares).for_each(|(a, b)| or(a, b));
    or(&mut into.ip, from.ip);
    or(&mut into.started, from.started);
    into.sandbox |= from.sandbox;
    match (&mut into.pod, from.pod) {
        (Some(a), Some(b)) => {
            or(&mut a.name, b.name);
            or(&mut a.namespace, b.namespace);
            or(&mut a.uid, b.uid);
            full(&mut a.labels, b.labels);
            or(&mut a.ip, b.ip);
            or(&mut a.sandbox, b.sandbox);
            or(&mut a.qos, b.qos);
        }
        (a @ None, b) => *a = b,
        (Some(_), None) => {}
    }
    for source in from.sources {
        if !into.sources.contains(&source) {
            into.sources.push(source);
        }
    }
}
