//! systemd-nspawn: it keeps no file; its arguments tell the name and the image.

use super::super::host::Look;
use super::super::{Container, Runtime, Source};
use super::{Answer, Ask, Kind, Learned};

pub(super) fn read(_: &mut Look, _: &mut Learned, ask: &Ask) -> Answer {
    let watcher = ask.watcher?;
    let Kind::Nspawn { image } = &watcher.kind else { return None };
    let told = super::identify(ask.path).filter(|c| c.runtime == Runtime::Nspawn);
    // With a unit of its own choice the container is what is below `payload`.
    let payload = ask.path.split(|b| *b == b'/').any(|p| p == b"payload");
    if told.is_none() && !payload {
        return None;
    }
    let name = told.map_or_else(|| watcher.id.as_slice().into(), |c| c.id);
    Some((
        Container {
            runtime: Runtime::Nspawn,
            id: name.clone(),
            name: Some(name),
            image: image.as_deref().filter(|i| i.len() <= 4096).map(Into::into),
            sources: vec![Source::Process],
            ..Container::default()
        },
        Vec::new(),
    ))
}
