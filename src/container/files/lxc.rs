//! lxc, lxd, incus: `LXCPATH/NAME/config`. A container is called by the monitor's arguments; its image is its root file system.

use std::path::Path;

use super::super::host::{LIMIT, Look, path};
use super::super::json::bytes;
use super::super::{Container, Runtime, Source};
use super::{Answer, Ask, Kind, Learned, learn};

pub(super) fn read(look: &mut Look, learned: &mut Learned, ask: &Ask) -> Answer {
    let watcher = ask.watcher?;
    let Kind::Lxc { path: root } = &watcher.kind else { return None };
    // Below the monitor are its hooks as well; those have no container's control group.
    super::identify(ask.path).filter(|c| c.runtime == Runtime::Lxc)?;
    let name = &watcher.id;
    learn(&mut learned.lxc, (root.clone(), watcher.uid));
    let mut c = Container {
        runtime: Runtime::Lxc,
        id: name.as_slice().into(),
        name: Some(name.as_slice().into()),
        sources: vec![Source::Process],
        ..Container::default()
    };
    if let Some(said) = one(look, root, watcher.uid, name) {
        (c.image, c.started) = (said.image, said.started);
        c.sources.extend(said.sources);
    }
    Some((c, Vec::new()))
}

/// What the configuration of one container says.
pub(super) fn one(look: &mut Look, root: &Path, uid: u32, name: &[u8]) -> Option<Container> {
    let proper = !name.contains(&b'/') && name != b"..";
    let file = root.join(path(name)).join("config");
    let (text, stamp) = proper.then(|| look.file(&file, uid, LIMIT)).flatten()?;
    Some(Container {
        runtime: Runtime::Lxc,
        id: name.into(),
        name: Some(name.into()),
        image: image(&text).and_then(|i| bytes(&serde_json::Value::String(i), &[])),
        started: stamp.changed,
        sources: vec![Source::Files],
        ..Container::default()
    })
}

/// `lxc.rootfs.path = TYPE:PATH`; older: `lxc.rootfs = PATH`.
fn image(config: &[u8]) -> Option<String> {
    let config = String::from_utf8_lossy(config);
    let value = |line: &str| -> Option<String> {
        let (key, value) = line.split_once('=')?;
        let value = value.trim();
        let kind = value.split_once(':').filter(|(kind, _)| kind.bytes().all(|b| b.is_ascii_lowercase()));
        matches!(key.trim(), "lxc.rootfs.path" | "lxc.rootfs")
            .then(|| kind.map_or(value, |(_, path)| path).to_owned())
    };
    config.lines().rev().find_map(value)
}

#[cfg(test)]
mod tests {
    use super::image;

    #[test]
    fn the_root_file_system_is_the_image() {
        let of = |text: &str| image(text.as_bytes());
        assert_eq!(
            of("# x\nlxc.rootfs.path = dir:/srv/web\nlxc.uts.name = web\n").as_deref(),
            Some("/srv/web")
        );
        assert_eq!(of("lxc.rootfs = /srv/a:b").as_deref(), Some("/srv/a:b"));
        assert_eq!(of("lxc.net.0.type = empty\n="), None);
    }
}
