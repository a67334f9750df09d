//! Fields of the container that a process runs in, of its control group and its unit: `container.*`, `cgroup.*`, `unit.*`.
//!
//! Enters: the dictionary and the index of a process. Leaves: what its entry says of the container, `host` where it runs in
//! none. Never: a runtime that is asked.

use super::proc::{of, of_proc, text};
use super::{field, keyed};
use crate::batch::{Batch, Columns, Container, Dict, ProcId, RUNTIMES, StrId, container_flags, proc_flags};
use crate::fields::{Extract, Field, Key, Takes, Type, Value};

/// What the host is called where a container has an id, a name, a type.
const HOST: &[u8] = b"host";
/// Digits of an id that are enough to tell containers apart.
const SHORT: usize = 12;
/// Names of the bits of [`Container::sources`].
const SOURCES: [&str; 5] = ["path", "files", "socket", "process", "late"];
/// Ends of the names of systemd's units that have control groups.
const UNITS: [&[u8]; 5] = [b".service", b".scope", b".slice", b".socket", b".mount"];

pub(super) fn inside<'a>(
    d: &Dict<'a>,
    id: ProcId,
    get: impl FnOnce(&'a Container) -> Value<'a>,
) -> Value<'a> {
    of(d, id, |p| d.container(p.container).map_or(Value::None, get))
}

/// The same, and `host` for what is in no container.
fn or_host<'a>(d: &Dict<'a>, id: ProcId, get: impl FnOnce(&'a Container) -> Value<'a>) -> Value<'a> {
    of(d, id, |p| match d.container(p.container) {
        Some(c) => get(c),
        None if p.flags & proc_flags::HOST != 0 => Value::text(HOST),
        None => Value::None,
    })
}

/// The beginning of an id of digits; a name that is an id is whole.
pub(super) fn short<'a>(d: &Dict<'a>, id: StrId) -> Value<'a> {
    let Some(id) = d.strings.find(id) else { return Value::None };
    let digits = id.len() == 64 && id.iter().all(u8::is_ascii_hexdigit);
    Value::text(if digits { &id[..SHORT] } else { id })
}

/// Keys and values of labels, in turn.
fn pairs(labels: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut words = labels.strip_suffix(b"\0").unwrap_or(labels).split(|b| *b == 0);
    std::iter::from_fn(move || Some((words.next()?, words.next()?)))
}

/// One label.
pub(super) fn label<'a>(d: &Dict<'a>, labels: StrId, key: &Key) -> Value<'a> {
    let number;
    let wanted = match key {
        Key::Name(name) => name.as_bytes(),
        Key::Index(n) => {
            number = n.to_string();
            number.as_bytes()
        }
        Key::None => return Value::None,
    };
    let labels = d.strings.find(labels).unwrap_or_default();
    Value::maybe(pairs(labels).find(|(key, _)| *key == wanted).map(|(_, value)| value))
}

/// All labels: `key:value,key:value`.
pub(super) fn labels<'a>(d: &Dict<'a>, labels: StrId) -> Value<'a> {
    let Some(labels) = d.strings.find(labels) else { return Value::None };
    let all: Vec<Vec<u8>> = pairs(labels).map(|(key, value)| [key, b":", value].concat()).collect();
    Value::Text(all.join(&b","[..]).into())
}

fn lines<'a>(d: &Dict<'a>, list: StrId) -> impl Iterator<Item = &'a [u8]> {
    let list = d.strings.find(list).unwrap_or_default();
    list.strip_suffix(b"\0").unwrap_or(list).split(|b| *b == 0).filter(|l| !l.is_empty())
}

/// Source, destination and options of a mount.
fn parts(mount: &[u8]) -> [&[u8]; 3] {
    let mut words = mount.splitn(3, |b| *b == b':');
    std::array::from_fn(|_| words.next().unwrap_or_default())
}

/// A mount by its number or its destination.
fn mount<'a>(d: &Dict<'a>, c: &Container, key: &Key) -> Option<&'a [u8]> {
    match key {
        Key::Index(n) => lines(d, c.mounts).nth(*n),
        Key::Name(to) => lines(d, c.mounts).find(|m| parts(m)[1] == to.as_bytes()),
        Key::None => None,
    }
}

fn of_mount<'a>(d: &Dict<'a>, id: ProcId, key: &Key, part: usize) -> Value<'a> {
    inside(d, id, |c| match mount(d, c, key).map(|m| parts(m)[part]) {
        Some(text) if !text.is_empty() => Value::text(text),
        _ => Value::None,
    })
}

/// What an image was asked for by: repository, tag, digest.
fn named(image: &[u8]) -> [Option<&[u8]>; 3] {
    // An id.
    if image.starts_with(b"sha256:") {
        return [None; 3];
    }
    let (name, digest) = match image.iter().position(|b| *b == b'@') {
        Some(at) => (&image[..at], image.get(at + 1..)),
        None => (image, None),
    };
    // A colon before a slash is of a port.
    let last = name.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    match name.iter().skip(last).position(|b| *b == b':').map(|at| at + last) {
        Some(at) => [name.get(..at), name.get(at + 1..), digest],
        None => [Some(name), None, digest],
    }
}

fn of_image<'a>(d: &Dict<'a>, id: ProcId, part: usize) -> Value<'a> {
    inside(d, id, |c| Value::maybe(d.strings.find(c.image).and_then(|i| named(i)[part])))
}

/// The digest in the repository, as the runtime tells it or as it was asked for.
fn digest<'a>(d: &Dict<'a>, id: ProcId) -> Value<'a> {
    match inside(d, id, |c| text(d, c.image_digest)) {
        Value::None => of_image(d, id, 2),
        told => told,
    }
}

/// The innermost unit of a path.
fn unit(path: &[u8]) -> Option<&[u8]> {
    path.split(|b| *b == b'/').rev().find(|part| UNITS.iter().any(|end| part.ends_with(end)))
}

/// Whether a namespace of the container is the host's, by its place among [`container_flags::SHARES`].
fn shares<'a>(d: &Dict<'a>, id: ProcId, nth: u32) -> Value<'a> {
    inside(d, id, |c| match c.flags >> (container_flags::SHARES.trailing_zeros() + 2 * nth) & 3 {
        0 | 2 => Value::None,
        bits => Value::Bool(bits == 3),
    })
}

/// What the options of a mount say of writing and of propagation.
fn of_options<'a>(d: &Dict<'a>, id: ProcId, key: &Key, say: fn(&[u8]) -> Value<'static>) -> Value<'a> {
    inside(d, id, |c| mount(d, c, key).map_or(Value::None, |m| say(parts(m)[2])))
}

fn options(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| *b == b',')
}

/// How mounts below it spread; runtimes write the recursive form with an r.
fn propagation(text: &[u8]) -> Value<'static> {
    const WORDS: [&str; 8] =
        ["rprivate", "private", "rslave", "slave", "rshared", "shared", "runbindable", "unbindable"];
    let found = WORDS.into_iter().find(|w| options(text).any(|o| o == w.as_bytes()));
    found.map_or(Value::None, |word| Value::Text(word.as_bytes().into()))
}

fn duration<'a>(b: &Batch<'a>, row: usize) -> Value<'a> {
    let container = b.proc_of(row).and_then(|p| b.dict.container(p.container));
    match (container.filter(|c| c.started != 0), b.time.get(row)) {
        (Some(c), Some(time)) => Value::UInt(b.meta.wall_of(*time).saturating_sub(c.started)),
        _ => Value::None,
    }
}

/// The rows.
pub const FIELDS: &[Field] = &[
    field(
        "container.id",
        Type::Text,
        "id of the container, its first 12 digits; of lxc and systemd-nspawn its name; host for what is in none",
        "container.id != host",
        of_proc(|d, i, _| or_host(d, i, |c| short(d, c.id))),
    ),
    field(
        "container.full_id",
        Type::Text,
        "id of the container, whole; host for what is in none",
        "container.full_id startswith 3ad7b26ded6d",
        of_proc(|d, i, _| or_host(d, i, |c| text(d, c.id))),
    ),
    field(
        "container.name",
        Type::Text,
        "name of the container, in a pod the name that the pod gives it; host for what is in none",
        "container.name = web",
        of_proc(|d, i, _| or_host(d, i, |c| text(d, c.name))),
    ),
    field(
        "container.type",
        Type::Text,
        "who made the container: docker, containerd, cri, cri-o, podman, lxc, nspawn, oci (runc or crun alone), unknown; host for \
         what is in none",
        "container.type = podman",
        of_proc(|d, i, _| {
            or_host(d, i, |c| Value::maybe(RUNTIMES.get(c.runtime as usize).map(|n| n.as_bytes())))
        }),
    ),
    field(
        "container.image",
        Type::Text,
        "image of the container, as it was asked for",
        "container.image startswith docker.io/library/",
        of_proc(|d, i, _| inside(d, i, |c| text(d, c.image))),
    ),
    field(
        "container.image.repository",
        Type::Text,
        "image without tag and digest",
        "container.image.repository endswith /nginx",
        of_proc(|d, i, _| of_image(d, i, 0)),
    ),
    field(
        "container.image.tag",
        Type::Text,
        "tag of the image, if it was asked for by one",
        "container.image.tag = latest",
        of_proc(|d, i, _| of_image(d, i, 1)),
    ),
    field(
        "container.image.digest",
        Type::Text,
        "digest of the image in its repository",
        "container.image.digest startswith sha256:",
        of_proc(|d, i, _| digest(d, i)),
    ),
    field(
        "container.image.id",
        Type::Text,
        "id of the image",
        "container.image.id startswith sha256:",
        of_proc(|d, i, _| inside(d, i, |c| text(d, c.image_id))),
    ),
    field(
        "container.privileged",
        Type::Bool,
        "true if the container has the rights of the host",
        "container.privileged = true",
        of_proc(|d, i, _| {
            inside(d, i, |c| match c.flags & container_flags::RIGHTS {
                0 => Value::None,
                _ => Value::Bool(c.flags & container_flags::PRIVILEGED != 0),
            })
        }),
    ),
    field(
        "container.is_pause",
        Type::Bool,
        "true for a container that only holds a pod together",
        "container.is_pause = true",
        of_proc(|d, i, _| inside(d, i, |c| Value::Bool(c.flags & container_flags::SANDBOX != 0))),
    ),
    keyed(
        Takes::NameOrIndex,
        field(
            "container.label",
            Type::Text,
            "one label of the container",
            "container.label[team] = blue",
            of_proc(|d, i, key| inside(d, i, |c| label(d, c.labels, key))),
        ),
    ),
    field(
        "container.labels",
        Type::Text,
        "all labels of the container: key:value,key:value",
        "container.labels contains team:blue",
        of_proc(|d, i, _| inside(d, i, |c| labels(d, c.labels))),
    ),
    field(
        "container.mounts",
        Type::Text,
        "all mounts of the container, each source:destination:options; a comparison holds for any of them",
        "container.mounts startswith /var/run/docker.sock",
        of_proc(|d, i, _| {
            inside(d, i, |c| {
                let all: Vec<_> = lines(d, c.mounts).map(Value::text).collect();
                if all.is_empty() { Value::None } else { Value::Any(all) }
            })
        }),
    ),
    keyed(
        Takes::NameOrIndex,
        field(
            "container.mount",
            Type::Text,
            "one mount of the container, by number or destination: source:destination:options",
            "container.mount[/data] exists",
            of_proc(|d, i, key| inside(d, i, |c| Value::maybe(mount(d, c, key)))),
        ),
    ),
    keyed(
        Takes::NameOrIndex,
        field(
            "container.mount.source",
            Type::Path,
            "source of one mount, by number or destination",
            "container.mount.source[/data] startswith /home",
            of_proc(|d, i, key| of_mount(d, i, key, 0)),
        ),
    ),
    keyed(
        Takes::NameOrIndex,
        field(
            "container.mount.dest",
            Type::Path,
            "destination of one mount, by number or destination",
            "container.mount.dest[0] = /data",
            of_proc(|d, i, key| of_mount(d, i, key, 1)),
        ),
    ),
    keyed(
        Takes::NameOrIndex,
        field(
            "container.mount.mode",
            Type::Text,
            "options of one mount, by number or destination",
            "container.mount.mode[/data] contains ro",
            of_proc(|d, i, key| of_mount(d, i, key, 2)),
        ),
    ),
    keyed(
        Takes::NameOrIndex,
        field(
            "container.mount.rdwr",
            Type::Bool,
            "true if one mount can be written to, by number or destination",
            "container.mount.rdwr[/data] = false",
            of_proc(|d, i, key| {
                of_options(d, i, key, |text| Value::Bool(!options(text).any(|o| o == b"ro")))
            }),
        ),
    ),
    keyed(
        Takes::NameOrIndex,
        field(
            "container.mount.propagation",
            Type::Text,
            "how mounts below one mount spread, by number or destination: rprivate, rslave, rshared",
            "container.mount.propagation[/data] = rshared",
            of_proc(|d, i, key| of_options(d, i, key, propagation)),
        ),
    ),
    field(
        "container.host_pid",
        Type::Bool,
        "true if the container has the host's pid namespace",
        "container.host_pid = true",
        of_proc(|d, i, _| shares(d, i, 0)),
    ),
    field(
        "container.host_network",
        Type::Bool,
        "true if the container has the host's network",
        "container.host_network = true",
        of_proc(|d, i, _| shares(d, i, 1)),
    ),
    field(
        "container.host_ipc",
        Type::Bool,
        "true if the container has the host's IPC namespace",
        "container.host_ipc = true",
        of_proc(|d, i, _| shares(d, i, 2)),
    ),
    field(
        "container.start_ts",
        Type::Time,
        "when the container was made or started",
        "container.start_ts >= 2026-11-22T21:00:00Z",
        of_proc(|d, i, _| inside(d, i, |c| super::unless(0, c.started))),
    ),
    field(
        "container.duration",
        Type::Duration,
        "time since then",
        "container.duration < 1s",
        Extract::Row(Columns::TIME.and(Columns::PROC), |b, row, _| duration(b, row)),
    ),
    field(
        "container.ip",
        Type::Text,
        "address of the container",
        "container.ip startswith 172.17.",
        of_proc(|d, i, _| inside(d, i, |c| text(d, c.ip))),
    ),
    field(
        "container.parent",
        Type::Text,
        "id of the container that the container runs in, as container.id",
        "container.parent exists",
        of_proc(|d, i, _| inside(d, i, |c| short(d, c.outer))),
    ),
    field(
        "container.source",
        Type::Text,
        "where what is known is from: path (of the control group), files, socket (of the runtime), process; late: from the end of \
         the capture (--late-names)",
        "container.source = socket",
        of_proc(|d, i, _| {
            inside(d, i, |c| {
                let bits = SOURCES.iter().enumerate().filter(|(bit, _)| c.sources >> bit & 1 == 1);
                let all: Vec<_> = bits.map(|(_, name)| Value::text(name.as_bytes())).collect();
                if all.is_empty() { Value::None } else { Value::Any(all) }
            })
        }),
    ),
    field(
        "cgroup.path",
        Type::Path,
        "control group of the process: its path in the unified tree, or where it is at the root of that, in version 1",
        "cgroup.path startswith /system.slice",
        of_proc(|d, i, _| of(d, i, |p| text(d, p.cgroup))),
    ),
    field(
        "unit.name",
        Type::Text,
        "innermost unit of systemd that the process is in",
        "unit.name = ssh.service",
        of_proc(|d, i, _| of(d, i, |p| Value::maybe(d.strings.find(p.cgroup).and_then(unit)))),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_taken_apart() {
        let of = |image: &'static str| {
            named(image.as_bytes()).map(|p| p.map_or("-", |p| std::str::from_utf8(p).unwrap()))
        };
        assert_eq!(of("nginx"), ["nginx", "-", "-"]);
        assert_eq!(of("docker.io/library/nginx:1.2"), ["docker.io/library/nginx", "1.2", "-"]);
        assert_eq!(of("host:5000/a/b"), ["host:5000/a/b", "-", "-"]);
        assert_eq!(of("host:5000/a/b:t@sha256:12"), ["host:5000/a/b", "t", "sha256:12"]);
        assert_eq!(of("sha256:12"), ["-", "-", "-"]);
        assert_eq!(of(""), ["", "-", "-"]);
    }

    #[test]
    fn units_are_the_innermost() {
        let of = |path: &'static str| unit(path.as_bytes()).map_or("-", |u| std::str::from_utf8(u).unwrap());
        assert_eq!(of("/system.slice/ssh.service"), "ssh.service");
        assert_eq!(of("/user.slice/user-0.slice/session-1.scope"), "session-1.scope");
        assert_eq!(of("/system.slice/docker-12.scope/init.scope"), "init.scope");
        assert_eq!(of("/machine.slice/a.service/payload"), "a.service");
        assert_eq!(of("/docker/12"), "-");
    }
}
