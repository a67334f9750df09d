//! Where the rows of a capture go, and whether there is room for more.
//!
//! Enters: a configuration; then questions. Leaves: the columns that will be read, answers. Never: a wait that somebody else
//! could prolong.

use std::os::unix::fs::FileTypeExt;
use std::time::Duration;

use crate::batch::Columns;
use crate::config::{Form, Place, Sink, Stream};
use crate::message;
use crate::outlet::Patience;
use crate::output;
use crate::recorder::Recorder;
use crate::sink::Printer;

/// Where rows go.
pub(super) enum Out {
    Nothing,
    Print(Printer),
    Reel(Recorder),
}

impl Out {
    /// True if nothing can or should go there any more.
    pub fn is_closed(&self) -> bool {
        match self {
            Out::Nothing => false,
            Out::Print(p) => p.is_closed(),
            Out::Reel(r) => r.is_closed(),
        }
    }

    /// True if what went there is on its way. Otherwise nothing more should be read: the rings fill, and the probe drops
    /// and counts.
    pub fn has_room(&mut self) -> bool {
        match self {
            Out::Nothing => true,
            Out::Print(p) => p.has_room(),
            Out::Reel(r) => r.has_room(),
        }
    }

    /// Does nothing for so long; ends early only if there was no room, and now there is some.
    pub fn rest(&mut self, most: Duration) {
        if self.has_room() {
            return std::thread::sleep(most);
        }
        match self {
            Out::Nothing => {}
            Out::Print(p) => p.giver().rest(most),
            Out::Reel(r) => r.giver().rest(most),
        }
    }

    /// True if the output is to be given up.
    pub fn is_stuck(&mut self, patience: &mut Patience) -> bool {
        match self {
            Out::Nothing => false,
            Out::Print(p) => p.giver().is_stuck(patience),
            Out::Reel(r) => r.giver().is_stuck(patience),
        }
    }
}

/// Columns that the sink will read.
pub(super) fn printed(sink: &Sink) -> Columns {
    match sink {
        Sink::Nothing => Columns::NOTHING,
        Sink::Print { form: Form::Template(t), .. } => {
            output::Template::parse(t).map_or(Columns::ALL, |t| t.columns())
        }
        Sink::Print { .. } | Sink::Reel { .. } => Columns::ALL,
    }
}

/// True if paths are asked for as they were given.
pub(super) fn prints_given(sink: &Sink) -> bool {
    match sink {
        Sink::Print { form: Form::Template(t), .. } => t.contains("fd.nameraw"),
        Sink::Print { .. } | Sink::Nothing => false,
        Sink::Reel { .. } => true,
    }
}

/// True if the output is a named pipe: the kernel opens one for writing when somebody reads it (fifo(7)).
pub(super) fn waits_for_reader(sink: &Sink) -> bool {
    match sink {
        Sink::Print { to: Stream::File(path), .. } | Sink::Reel { to: Place::File(path), .. } => {
            std::fs::metadata(path).is_ok_and(|m| m.file_type().is_fifo())
        }
        Sink::Nothing | Sink::Print { .. } | Sink::Reel { .. } => false,
    }
}

/// A place as a message names it.
pub(super) fn place_name(place: &Place) -> String {
    match place {
        Place::Standard => "standard output".into(),
        Place::File(path) => message::name(path),
    }
}
