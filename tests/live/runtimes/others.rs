//! Runtimes without a daemon: runc, lxc, systemd-nspawn; and a container of CRI-O's shape, made by conmon and runc.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sysreel::container::{Runtime, Source};

use super::lab::{Lab, lab, label, listed, text, unified};
use crate::live::rig::alone;

/// A name that no other run has at the same time.
pub(super) fn name(lab: &Lab, kind: &str) -> String {
    let unique = lab.dir.path().file_name().unwrap().to_str().unwrap().trim_start_matches("srl").to_owned();
    format!("sysreel-lab-{kind}-{unique}")
}

/// A bundle in a directory: the root file system of busybox, sleeping.
pub(super) fn bundle(lab: &Lab, dir: &str, group: &str, annotations: &Value) {
    fs::create_dir_all(lab.at(dir)).unwrap();
    let spaces = ["mount", "uts", "ipc", "pid", "network"].map(|n| json!({"type": n}));
    let config = json!({
        "ociVersion": "1.0.2",
        "root": {"path": lab.at("r"), "readonly": true},
        "process": {
            "terminal": false, "user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bin"], "args": ["/bin/sleep", "3600"],
            "capabilities": {"bounding": ["CAP_KILL"], "effective": [], "permitted": []},
        },
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/tmp", "type": "none", "source": lab.at("i"), "options": ["rbind", "ro"]},
        ],
        "annotations": annotations,
        "linux": {"cgroupsPath": group, "namespaces": spaces},
    });
    fs::write(lab.at(dir).join("config.json"), config.to_string()).unwrap();
}

#[test]
fn a_container_of_runc_is_known_by_its_state() {
    let _alone = alone!();
    let mut lab = lab!("runc", "busybox");
    let (alone, left) = (name(&lab, "runc"), name(&lab, "left"));
    let group = format!("/sysreel-lab/{alone}");
    bundle(&lab, "b", &group, &json!({"team": "blue"}));
    // With a runtime that waits for it.
    lab.daemon(&format!("runc --root {{}}/state run --bundle {{}}/b {alone}"));
    let known = lab.known(&group);
    assert_eq!((known.runtime, &*known.id, text(&known.name)), (Runtime::Oci, alone.as_bytes(), &*alone));
    assert_eq!((label(&known.labels, "team"), known.privileged), (Some("blue"), Some(false)));
    assert_eq!(known.mounts, [lab.text("{}/i:/tmp:rbind,ro").into_bytes().into()]);
    assert!(known.started.is_some() && known.sources.contains(&Source::Files), "{known:?}");
    // Left to itself: nobody above it says anything, its state does.
    let group = "/sysreel-lab/some/other";
    bundle(&lab, "c", group, &json!({"team": "red"}));
    lab.shell(&format!("runc run -d --bundle {{}}/c {left}"));
    let known = lab.known(group);
    assert_eq!(
        (known.runtime, &*known.id, label(&known.labels, "team")),
        (Runtime::Oci, left.as_bytes(), Some("red"))
    );
    lab.shell(&format!("runc delete -f {left}; runc --root {{}}/state delete -f {alone}"));
}

/// The uid of the pod.
pub(super) const POD: &str = "6f1d2c3b-4a59-4e68-8776-95a4b3c2d1e0";

/// Starts a container of a pod as CRI-O does; its id and that of its sandbox.
pub(super) fn crio(lab: &mut Lab) -> (String, String) {
    let (sandbox, uid) = ("5".repeat(64), POD);
    let id = format!("{:0>64}", name(lab, "").bytes().map(|b| format!("{b:02x}")).collect::<String>());
    let id = id[id.len() - 64..].to_owned();
    let group = format!("/kubepods/besteffort/pod{uid}/crio-{id}");
    let crio = |name: &str| format!("io.kubernetes.cri-o.{name}");
    let common = json!({
        crio("SandboxID"): sandbox, crio("KubeName"): "web-7d4", crio("Namespace"): "shop",
        "io.kubernetes.pod.name": "web-7d4", "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.uid": uid,
        crio("Created"): "2024-05-06T07:08:09.123456789Z",
    });
    let with = |more: Value| -> Value {
        let mut all = common.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let own = with(json!({
        crio("ContainerID"): id, crio("ContainerType"): "container", crio("Name"): "k8s_web_web-7d4_shop_0",
        "io.kubernetes.container.name": "web", crio("Image"): "sha256:aa", crio("ImageName"): "quay.io/web:2",
        crio("ImageRef"): "quay.io/web@sha256:bb", crio("Labels"): "{\"io.kubernetes.container.name\":\"web\",\"own\":\"yes\"}",
    }));
    let its = with(json!({
        crio("ContainerID"): sandbox, crio("ContainerType"): "sandbox", crio("Name"): "k8s_POD_web-7d4_shop_0",
        crio("Labels"): "{\"app\":\"web\",\"io.kubernetes.pod.name\":\"web-7d4\"}", crio("IP.0"): "10.85.0.7",
    }));
    bundle(lab, &format!("s/overlay-containers/{id}/userdata"), &group, &own);
    bundle(lab, &format!("s/overlay-containers/{sandbox}/userdata"), "/none", &its);
    lab.daemon(&format!(
        "conmon --sync -c {id} -u {id} -n k8s_web_web-7d4_shop_{uid}_0 -r /usr/sbin/runc -b {{}}/s/overlay-containers/{id}/userdata \
         -p {{}}/pid --exit-dir {{}} -l k8s-file:{{}}/ctr.log --full-attach --socket-dir-path {{}} --runtime-arg --root={{}}/state"
    ));
    lab.until("conmon", || lab.try_shell(&format!("runc --root {{}}/state start {id}")).0.then_some(()));
    (id, sandbox)
}

#[test]
fn a_container_of_the_shape_of_cri_o_is_what_its_annotations_say() {
    let _alone = alone!();
    let mut lab = lab!("runc", "conmon", "busybox");
    let (id, sandbox) = crio(&mut lab);
    let uid = POD;
    let known = lab.known(&format!("crio-{id}"));
    assert_eq!((known.runtime, &*known.id, text(&known.name)), (Runtime::Crio, id.as_bytes(), "web"));
    assert_eq!((text(&known.image), label(&known.labels, "own")), ("quay.io/web:2", Some("yes")));
    assert_eq!((text(&known.image_id), known.started), ("sha256:bb", Some(1_714_979_289_123_456_789)));
    let pod = known.pod.as_ref().unwrap();
    assert_eq!((text(&pod.name), text(&pod.namespace), text(&pod.uid)), ("web-7d4", "shop", uid));
    assert_eq!((text(&pod.ip), text(&pod.sandbox), pod.qos), ("10.85.0.7", &*sandbox, Some("besteffort")));
    assert_eq!((label(&pod.labels, "app"), pod.labels.len()), (Some("web"), 1));
    lab.shell(&format!("runc --root {{}}/state delete -f {id}"));
}

/// Configures a container of lxc.
pub(super) fn lxc(lab: &Lab, name: &str) {
    fs::create_dir_all(lab.at("l").join(name)).unwrap();
    let config = lab.text(
        "lxc.rootfs.path = dir:{}/r\nlxc.net.0.type = empty\nlxc.uts.name = web\nlxc.apparmor.profile = unconfined\n",
    );
    fs::write(lab.at("l").join(name).join("config"), config).unwrap();
}

pub(super) fn start_lxc(lab: &Lab, name: &str) {
    lab.shell(&format!(
        "lxc-start -P {{}}/l -n {name} -d -o {{}}/lxc.log -- /bin/sleep 3600 || (cat {{}}/lxc.log; false)"
    ));
}

#[test]
fn a_container_of_lxc_is_known_by_its_monitor() {
    let _alone = alone!();
    let lab = lab!("lxc-start", "lxc-stop", "busybox");
    let name = name(&lab, "lxc");
    lxc(&lab, &name);
    start_lxc(&lab, &name);
    let known = lab.known(&format!("lxc.payload.{name}"));
    assert_eq!((known.runtime, &*known.id, text(&known.name)), (Runtime::Lxc, name.as_bytes(), &*name));
    assert_eq!(text(&known.image), lab.text("{}/r"));
    assert!(known.sources.contains(&Source::Files), "{known:?}");
    // Another of the same place that does not run.
    lxc(&lab, &format!("{name}-other"));
    let line = listed(&["--all"], &format!("{name}-other"));
    assert!(line.contains("\"state\":\"stopped\"") && line.contains(&lab.text("{}/r")), "{line}");
    lab.shell(&format!("lxc-stop -P {{}}/l -n {name} -k"));
}

/// Starts a container of nspawn; its pid.
pub(super) fn nspawn(lab: &mut Lab, name: &str) -> u32 {
    fs::write(lab.at("r/etc/os-release"), "ID=lab\n").unwrap();
    fs::create_dir_all(lab.at("r/usr")).unwrap();
    let scope = unified().join("machine.slice").join(format!("machine-{}.scope", name.replace('-', "\\x2d")));
    fs::create_dir_all(&scope).unwrap();
    let procs = scope.join("cgroup.procs");
    // As systemd-run would: into a scope of its own first.
    lab.daemon(&format!(
        "sh -c 'echo $$ > '\"'\"'{}'\"'\"'; exec systemd-nspawn -q --register=no --keep-unit -M {name} -D {{}}/r /bin/sleep 3600'",
        procs.display()
    ))
}

#[test]
fn a_container_of_nspawn_is_known_by_its_path_and_arguments() {
    let _alone = alone!();
    let mut lab = lab!("systemd-nspawn", "busybox");
    let name = name(&lab, "ns");
    let child = nspawn(&mut lab, &name);
    let known = lab.known(&format!("machine-{}.scope/payload", name.replace('-', "\\x2d")));
    assert_eq!((known.runtime, &*known.id, text(&known.name)), (Runtime::Nspawn, name.as_bytes(), &*name));
    assert_eq!(text(&known.image), lab.text("{}/r"));
    assert_eq!(known.sources, [Source::Path, Source::Process]);
    let _ = Command::new("kill").arg(child.to_string()).stderr(Stdio::null()).status();
}
