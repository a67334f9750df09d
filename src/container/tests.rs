//! A host made of files: what runtimes keep, what hostile hands make of it, daemons that misbehave.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::daemons::No;
use super::files::{Daemon, Found, Learned, describe};
use super::host::{Host, LIMIT, Look, Said};
use super::*;

pub(super) const ID: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";
pub(super) const POD: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// `/proc` and the root of its first process, in a directory.
pub(super) struct Fake {
    dir: tempfile::TempDir,
}

impl Fake {
    pub(super) fn new() -> Fake {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("proc/1/root")).unwrap();
        Fake { dir }
    }

    pub(super) fn proc(&self) -> PathBuf {
        self.dir.path().join("proc")
    }

    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.proc().join("1/root").join(path.trim_start_matches('/'))
    }

    pub(super) fn put(&self, path: &str, text: impl AsRef<[u8]>) -> &Fake {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
        self
    }

    pub(super) fn process(&self, pid: u32, parent: u32, group: &str, args: &str, cwd: &str) -> &Fake {
        let dir = self.proc().join(pid.to_string());
        fs::create_dir_all(&dir).unwrap();
        let me = rustix::process::geteuid().as_raw();
        fs::write(dir.join("status"), format!("Name:\tx\nPPid:\t{parent}\nUid:\t{me}\t{me}\t{me}\t{me}\n"))
            .unwrap();
        fs::write(dir.join("cmdline"), args.replace(' ', "\0") + "\0").unwrap();
        fs::write(dir.join("cgroup"), format!("0::{group}\n")).unwrap();
        symlink(cwd, dir.join("cwd")).unwrap();
        self
    }

    pub(super) fn describe(&self, group: &str, pid: Option<u32>) -> (Option<Found>, Vec<Said>) {
        let host = Host::new(&self.proc());
        let mut look = Look::new(&host, Instant::now() + Duration::from_secs(5));
        let found = describe(&mut look, &mut Learned::default(), group.as_bytes(), &[pid]);
        (found, look.said())
    }

    pub(super) fn container(&self, group: &str, pid: Option<u32>) -> Container {
        self.describe(group, pid).0.unwrap().container
    }
}

fn config() -> Value {
    json!({
        "ID": ID, "Name": "/web", "Image": "sha256:11", "Created": "2024-05-06T07:08:09.5Z", "Driver": "overlay2",
        "Config": {"Image": "shop/web:2", "Labels": {"team": "blue"}},
        "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
        "State": {"Running": false, "StartedAt": "0001-01-01T00:00:00Z"},
    })
}

/// The usual place of docker's file.
fn file() -> String {
    format!("/var/lib/docker/containers/{ID}/config.v2.json")
}

fn group() -> String {
    format!("/docker/{ID}")
}

pub(super) fn text(value: &Option<Bytes>) -> &str {
    value.as_deref().map_or("", |v| std::str::from_utf8(v).unwrap())
}

#[test]
fn files_are_found_where_the_watcher_says() {
    let host = Fake::new();
    let mounts = json!({"mounts": [{"destination": "/etc/hostname", "source": format!("/data/containers/{ID}/hostname")}]});
    host.put(&format!("/x/moby/{ID}/config.json"), mounts.to_string())
        .put(&format!("/data/containers/{ID}/config.v2.json"), config().to_string())
        .put(&format!("/data/containers/{ID}/hostconfig.json"), "{\"Privileged\":true}")
        .put(
            "/data/image/overlay2/repositories.json",
            json!({"Repositories": {"shop/web": {"shop/web:2": "sha256:11", "shop/web@sha256:22": "sha256:11"}}}).to_string(),
        )
        .process(9, 8, &group(), "web", "/")
        .process(8, 1, "/system.slice/docker.service", &format!("containerd-shim-runc-v2 -namespace moby -id {ID}"), &format!("/x/moby/{ID}"));
    let c = host.container(&group(), Some(9));
    assert_eq!((text(&c.name), text(&c.image), text(&c.image_id)), ("web", "shop/web:2", "sha256:11"));
    assert_eq!((text(&c.image_digest), text(&c.ip), c.privileged), ("sha256:22", "172.17.0.2", Some(true)));
    assert_eq!((c.started, c.sources), (Some(1_714_979_289_500_000_000), vec![Source::Path, Source::Files]));
    // The first process is gone by now; who made the control group was told before.
    let mut resolver = Resolver::new(&host.proc());
    assert!(resolver.ask(group().as_bytes(), Some(8)));
    let seen = resolver.by_files(group().as_bytes(), Some(77)).container();
    assert_eq!(seen.map(|c| c.name.is_some()), Some(true));
    // A path that tells nothing: one of its processes says that it is the host's, one that is gone or elsewhere does not.
    host.process(7, 1, "/some", "sleep", "/");
    for (path, pid, is) in [("/some", 7, Sight::Host), ("/some", 77, Sight::Gone), ("/other", 7, Sight::Gone)]
    {
        assert_eq!(resolver.by_files(path.as_bytes(), Some(pid)), is, "{path} {pid}");
    }
}

#[test]
fn a_pod_of_cri_dockerd_has_its_names_in_labels() {
    let host = Fake::new();
    let labels = json!({
        "io.kubernetes.container.name": "web", "io.kubernetes.pod.name": "web-7d4", "io.kubernetes.pod.namespace": "shop",
        "io.kubernetes.pod.uid": "u", "io.kubernetes.sandbox.id": POD, "io.kubernetes.docker.type": "container",
    });
    let (mut own, mut its) = (config(), config());
    own["Config"]["Labels"] = labels.clone();
    own["Name"] = json!("/k8s_web_web-7d4_shop_u_0");
    its["Config"]["Labels"] = labels;
    its["Config"]["Labels"]["app"] = json!("front");
    its["Config"]["Labels"]["io.kubernetes.docker.type"] = json!("podsandbox");
    its["ID"] = json!(POD);
    its["Name"] = json!("/k8s_POD_web-7d4_shop_u_0");
    host.put(&file(), own.to_string()).put(&file().replace(ID, POD), its.to_string());
    let c = host.container(&group(), None);
    let pod = c.pod.unwrap();
    assert_eq!((text(&c.name), c.sandbox, text(&pod.name)), ("web", false, "web-7d4"));
    assert_eq!(
        (text(&pod.namespace), text(&pod.uid), text(&pod.sandbox), text(&pod.ip)),
        ("shop", "u", POD, "172.17.0.2")
    );
    assert_eq!(pod.labels, [(b"app"[..].into(), b"front"[..].into())]);
    let c = host.container(&group().replace(ID, POD), None);
    assert_eq!((text(&c.name), c.sandbox), ("web-7d4", true));
}

#[test]
fn only_a_regular_file_of_the_runtimes_user_is_read() {
    let said = |host: &Fake| {
        let begin = Instant::now();
        let (found, said) = host.describe(&group(), None);
        assert!(begin.elapsed() < Duration::from_secs(1));
        let c = found.unwrap().container;
        assert_eq!((c.name, c.image, &*c.id), (None, None, ID.as_bytes()));
        let own = said.into_iter().find(|s| s.source == file());
        own.map_or_else(String::new, |s| s.said)
    };
    let with = |make: &dyn Fn(&Path)| {
        let host = Fake::new();
        host.put(&file(), "");
        fs::remove_file(host.at(&file())).unwrap();
        make(&host.at(&file()));
        said(&host)
    };
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    fs::write(&elsewhere, config().to_string()).unwrap();
    assert!(with(&|f| symlink(elsewhere.path(), f).unwrap()).contains("symbolic link"));
    let make = |kind| move |f: &Path| rustix::fs::mknodat(rustix::fs::CWD, f, kind, 0o600.into(), 0).unwrap();
    let pipe = make(rustix::fs::FileType::Fifo);
    let socket = make(rustix::fs::FileType::Socket);
    assert!(with(&pipe).contains("not a regular file"));
    assert!(with(&socket).contains("os error"));
    assert!(with(&|f| fs::create_dir(f).unwrap()).contains("not a regular file"));
    assert!(with(&|f| fs::File::create(f).unwrap().set_len(1 << 40).unwrap()).contains("longer than"));
    assert!(with(&|f| fs::write(f, config().to_string().replace(ID, POD)).unwrap()).starts_with("read"));
    if rustix::process::geteuid().is_root() {
        let others = |f: &Path| {
            fs::write(f, config().to_string()).unwrap();
            chown(f, Some(65534), None).unwrap();
        };
        assert!(with(&others).contains("belongs to user 65534"));
    }
}

#[test]
fn bad_json_is_nothing() {
    let deep = "{\"ID\":".repeat(100_000);
    for bad in [deep.as_str(), "[", "", "null", "[]", "{\"ID\":7}", "{\"ID\":\"\\ud800\"}", "\u{0}"] {
        let host = Fake::new();
        host.put(&file(), bad);
        let (found, said) = host.describe(&group(), None);
        let found = found.unwrap();
        assert_eq!((found.container.name, found.container.sources), (None, vec![Source::Path]), "{said:?}");
        // Whoever could not read it may be told at the socket.
        assert!(matches!(&found.daemons[..], [Daemon::Docker { .. }]));
    }
    let mut odd = config();
    odd["Name"] = json!(["x"]);
    odd["Config"] = json!({"Labels": {"a": 1, "b": {"c": 2}, "d": "e"}, "Image": null});
    odd["NetworkSettings"] = json!("none");
    odd["MountPoints"] = json!({"/x": 1, "/y": {"Source": "/a", "Destination": "/b", "RW": false}});
    let host = Fake::new();
    host.put(&file(), odd.to_string());
    let c = host.container(&group(), None);
    assert_eq!((c.name, c.image, c.labels), (None, None, vec![(b"d"[..].into(), b"e"[..].into())]));
    assert_eq!(c.mounts, [b"/a:/b:ro"[..].into()]);
}

#[test]
fn labels_are_within_limits_and_whole() {
    let host = Fake::new();
    let mut huge = config();
    let labels = huge["Config"]["Labels"].as_object_mut().unwrap();
    labels.insert("huge".into(), json!("x".repeat(1 << 20)));
    labels.insert("\u{1b}[2J\n".into(), json!("\u{0}\u{7}\u{202e}"));
    for i in 0..1000 {
        labels.insert(format!("n{i:04}"), json!("v".repeat(100)));
    }
    let text_of = huge.to_string();
    assert!((text_of.len() as u64) < LIMIT);
    host.put(&file(), text_of);
    let c = host.container(&group(), None);
    assert_eq!(text(&c.name), "web");
    assert!(
        c.labels.len() <= 256 && c.labels.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() <= 64 << 10
    );
    assert!(c.labels.iter().all(|(k, _)| **k != *b"huge"));
    assert!(c.labels.iter().any(|(k, v)| **k == *b"\x1b[2J\n" && **v == *"\u{0}\u{7}\u{202e}".as_bytes()));
}

#[test]
fn what_is_in_a_container_does_not_say_what_it_is() {
    let host = Fake::new();
    let shim = format!("containerd-shim-runc-v2 -namespace moby -id {ID}");
    host.put(&file(), config().to_string()).put(&format!("/evil/{ID}/config.json"), "{}");
    // The first process of the container calls itself a shim.
    host.process(9, 8, &group(), &shim, &format!("/evil/{ID}")).process(8, 1, "/", "sh", "/");
    let (found, said) = host.describe(&group(), Some(9));
    assert_eq!(text(&found.unwrap().container.name), "web");
    assert!(said.iter().all(|s| !s.source.contains("evil")), "{said:?}");
    // A container in another: its runtime is in that as well, and so are its files; ours have the same id.
    let inner = format!("/docker/{POD}/docker/{ID}");
    host.process(11, 10, &inner, "web", "/").process(
        10,
        8,
        &format!("/docker/{POD}"),
        &shim,
        &format!("/evil/{ID}"),
    );
    for pid in [Some(11), None] {
        let (found, said) = host.describe(&inner, pid);
        let c = found.unwrap().container;
        assert_eq!((c.name, text(&c.parent)), (None, POD));
        assert!(
            said.iter().all(|s| !s.source.starts_with("/evil") && !s.source.starts_with("/var")),
            "{said:?}"
        );
    }
}

#[test]
fn a_name_that_is_no_name_leads_nowhere() {
    let host = Fake::new();
    host.put("/run/runc/state.json", "{}").put("/etc/config.json", "{}");
    for group in ["/default/..", "/default/.", "/x/\u{0}", "/..", "//"] {
        assert_eq!(host.describe(group, Some(7)).0, None, "{group:?}");
    }
    // Processes and control groups that are gone, parents in a circle.
    host.process(5, 6, "/default/web", "web", "/").process(6, 5, "/", "sh", "/");
    assert_eq!(host.describe("/default/web", Some(5)).0, None);
    assert_eq!(host.container(&group(), Some(4_000_000)).sources, [Source::Path]);
}

#[test]
fn lists_of_podman_are_read_again_when_they_change() {
    let host = Fake::new();
    let (list, group) = (
        "/var/lib/containers/storage/overlay-containers/containers.json",
        format!("/libpod_parent/libpod-{ID}"),
    );
    let write = |name: &str| {
        let metadata = json!({"image-name": "shop/web:2", "name": name}).to_string();
        let all = json!([{"id": POD}, {"id": ID, "names": [name], "image": "11", "metadata": metadata, "created": "2024-05-06T07:08:09Z"}]);
        host.put(list, all.to_string());
    };
    host.put(
        "/var/lib/containers/storage/overlay-images/images.json",
        json!([{"id": "11", "digest": "sha256:22"}]).to_string(),
    );
    write("web");
    let (own, mut learned) = (Host::new(&host.proc()), Learned::default());
    let mut look = Look::new(&own, Instant::now() + Duration::from_secs(5));
    let mut known = || describe(&mut look, &mut learned, group.as_bytes(), &[]).unwrap().container;
    let c = known();
    assert_eq!((text(&c.name), text(&c.image), text(&c.image_digest)), ("web", "shop/web:2", "sha256:22"));
    write("longer");
    assert_eq!(text(&known().name), "longer");
    assert_eq!(text(&known().name), "longer");
    assert_eq!(look.said().iter().filter(|s| s.source == list && s.said.starts_with("read")).count(), 2);
}

/// A daemon at docker's place that does this with every connection.
fn daemon(host: &Fake, does: impl Fn(usize, std::os::unix::net::UnixStream) + Send + 'static) {
    fs::create_dir_all(host.at("/run")).unwrap();
    let listener = UnixListener::bind(host.at("/run/docker.sock")).unwrap();
    thread::spawn(move || {
        for (n, stream) in listener.incoming().flatten().enumerate() {
            does(n, stream);
        }
    });
}

fn asked(host: &Fake) -> (Result<Container, No>, Duration) {
    let docker = Daemon::Docker { socket: "/run/docker.sock".into(), uid: 0 };
    let own = Host::new(&host.proc());
    let begin = Instant::now();
    let c = Container { id: ID.as_bytes().into(), ..Container::default() };
    (docker.ask(&own, &c), begin.elapsed())
}

#[test]
fn a_daemon_that_misbehaves_takes_a_second_at_most() {
    let no = |does: fn(usize, std::os::unix::net::UnixStream)| {
        let host = Fake::new();
        daemon(&host, does);
        let (answer, took) = asked(&host);
        assert!(
            matches!(answer, Err(No::Answer(_))) && took < Duration::from_millis(1500),
            "{answer:?} {took:?}"
        );
    };
    // It says nothing, a byte now and then, nonsense, another's, nothing but a greeting.
    no(|_, stream| thread::sleep(Duration::from_secs(if stream.peer_addr().is_ok() { 3 } else { 0 })));
    no(|_, mut stream| {
        while stream.write_all(b"H").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    no(|_, mut stream| _ = stream.write_all(&[0xff; 5000]));
    no(|_, mut stream| _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n[{\"Id\":\"other\"}]"));
    no(|_, mut stream| _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n"));
    no(|_, mut stream| while stream.write_all(&[b' '; 65536]).is_ok() {});
    // Nobody is there, or it is none.
    let host = Fake::new();
    assert!(matches!(asked(&host).0, Err(No::Daemon(_))));
    host.put("/run/docker.sock", "");
    assert_eq!(asked(&host).0, Err(No::Daemon("not a socket".into())));
}

#[test]
fn a_daemon_that_fails_once_is_asked_again() {
    let host = Fake::new();
    daemon(&host, |n, mut stream| {
        let mut question = [0; 4096];
        let read = stream.read(&mut question).unwrap();
        assert!(question[..read].starts_with(b"GET /containers/json?all=1&filters=%7B%22id%22%3A%5B%22a1b2"));
        let body = json!([{"Id": ID, "Names": ["/web"], "Image": "shop/web:2", "Labels": {"team": "blue"}, "Created": 7}]).to_string();
        let answer =
            if n == 0 { "HTTP/1.0 500 No\r\n\r\n".into() } else { format!("HTTP/1.0 200 OK\r\n\r\n{body}") };
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let mut resolver = Resolver::new(&host.proc());
    let seen = resolver.by_files(group().as_bytes(), None).container();
    assert_eq!(seen.map(|c| c.sources), Some(vec![Source::Path]));
    assert!(resolver.ask(group().as_bytes(), None));
    assert!(!resolver.ask(group().as_bytes(), None));
    let (begin, mut got) = (Instant::now(), Vec::new());
    while got.len() < 2 && begin.elapsed() < Duration::from_secs(10) {
        got.extend(resolver.answers());
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(got.iter().map(|a| &*a.path).collect::<Vec<_>>(), [group().as_bytes(); 2]);
    assert_eq!(got.iter().map(|a| a.last).collect::<Vec<_>>(), [false, true]);
    let [Some(first), Some(second)] = &got.into_iter().map(|a| a.container).collect::<Vec<_>>()[..] else {
        panic!("two answers")
    };
    assert_eq!((first.name.as_deref(), text(&second.name), text(&second.image)), (None, "web", "shop/web:2"));
    assert_eq!(
        (second.started, &second.sources[..]),
        (Some(7_000_000_000), &[Source::Path, Source::Socket][..])
    );
}

#[test]
fn the_host_is_nobodys_without_a_question() {
    let mut resolver = Resolver::new(Path::new("/nowhere"));
    for group in
        ["/", "", "/init.scope", "/system.slice/cron.service", "/user.slice/user-0.slice/session-1.scope"]
    {
        assert_eq!(resolver.by_files(group.as_bytes(), Some(1)), Sight::Host);
        assert!(!resolver.ask(group.as_bytes(), Some(1)));
    }
    assert_eq!(resolver.answers().count(), 0);
    // What cannot be looked at is what its path says.
    assert_eq!(resolver.by_files(group().as_bytes(), Some(1)).container(), identify(group().as_bytes()));
    assert_eq!(resolver.by_files(b"/some", Some(1)), Sight::Gone);
}

#[test]
fn a_thousand_containers_take_no_second() {
    let host = Fake::new();
    let names: Vec<String> = (0..1000).map(|i| format!("{i:064x}")).collect();
    for name in &names {
        host.put(&file().replace(ID, name), config().to_string().replace(ID, name));
    }
    let mut resolver = Resolver::new(&host.proc());
    let begin = Instant::now();
    let all =
        names.iter().filter_map(|n| resolver.by_files(group().replace(ID, n).as_bytes(), None).container());
    assert_eq!(all.filter(|c| text(&c.name) == "web").count(), 1000);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[test]
fn those_without_a_process_are_what_files_keep() {
    let host = Fake::new();
    let other = |id: &str, began: &str| {
        let mut config = config();
        (config["ID"], config["Name"]) = (json!(id), json!(format!("/of-{}", &id[..1])));
        config["State"]["StartedAt"] = json!(began);
        config.to_string()
    };
    let (b, c) = ("b".repeat(64), "c".repeat(64));
    for (id, began) in
        [(ID, "0001-01-01T00:00:00Z"), (&b, "2024-05-06T07:08:09Z"), (&c, "2024-05-06T07:08:09Z")]
    {
        host.put(&format!("/srv/docker/containers/{id}/config.v2.json"), other(id, began));
    }
    // The list of podman, one of them with a bundle: it was started once.
    let storage = "/var/lib/containers/storage/overlay-containers";
    let (d, e) = ("d".repeat(64), "e".repeat(64));
    host.put(
        &format!("{storage}/containers.json"),
        json!([{"id": d, "names": ["d"]}, {"id": e, "names": ["e"]}, {"id": "../x"}]).to_string(),
    )
    .put(&format!("{storage}/{e}/userdata/config.json"), "{}")
    .put("/var/lib/lxc/f/config", "lxc.rootfs.path = dir:/srv/f\n")
    .put("/run/runc/g/state.json", json!({"id": "g", "config": {}}).to_string())
    // What is no container: no id, a pipe.
    .put("/srv/docker/containers/x/config.v2.json", "{}")
    .put(&format!("/srv/docker/containers/{}/config.v2.json", "9".repeat(64)), "[".repeat(1000));
    // Where docker keeps its own is said by its arguments; one of its containers runs.
    host.process(5, 1, "/system.slice/docker.service", "/usr/bin/dockerd --data-root /srv/docker", "/")
        .process(9, 1, &format!("/docker/{c}"), "web", "/");
    let all = resting(&host.proc());
    let told: Vec<String> =
        all.iter().map(|(c, state)| format!("{} {} {state}", c.runtime.name(), text(&c.name))).collect();
    let wanted = [
        "docker of-a created",
        "docker of-b exited",
        "podman d created",
        "podman e exited",
        "lxc f stopped",
        "oci g exited",
    ];
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(told), sorted(wanted.map(str::to_owned).to_vec()));
}
