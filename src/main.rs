//! The program.

use std::process::ExitCode;

use sysreel::cli::{self, Action};
use sysreel::config::{Config, Source, Surroundings};
use sysreel::exit::Exit;
use sysreel::schema::{Arch, Schema};
use sysreel::{catalogue, doctor, manual, message, run};

fn main() -> ExitCode {
    // Before anything else: this may be the process that becomes the traced command.
    if let Some(exit) = run::stub(std::env::args_os()) {
        return exit.into();
    }
    let exit = match cli::parse(std::env::args_os(), &Surroundings::look()) {
        Ok(action) => act(action),
        Err(stop) if stop.exit == Exit::Ok => print(&stop.text),
        Err(stop) => {
            message::say(&stop.text);
            stop.exit
        }
    };
    exit.into()
}

fn act(action: Action) -> Exit {
    match action {
        Action::Listing(options) => sysreel::listing::run(&options),
        Action::Tool(tool) => sysreel::tools::run(&tool),
        Action::Fields { class, json } => list(catalogue::fields(class.as_deref(), json)),
        Action::Calls { name, json } => {
            list(catalogue::calls(&Schema::native(Arch::NATIVE), name.as_deref(), json))
        }
        Action::Completions(shell) => print(&manual::completions(shell)),
        Action::Generate(dir) => match manual::generate(&dir) {
            Ok(_) => Exit::Ok,
            Err(error) => failed(error),
        },
        Action::Doctor => doctor::run(),
        Action::Capture(config) => capture(&config),
        Action::Stuck(config) => stuck(&config),
    }
}

fn capture(config: &Config) -> Exit {
    match &config.source {
        Source::Live(live) => sysreel::capture::run(config, live),
        Source::Reel(from) => sysreel::reread::run(config, from),
    }
}

fn stuck(config: &Config) -> Exit {
    match &config.source {
        Source::Live(live) => sysreel::stuck::run(config, live),
        Source::Reel(_) => Exit::Usage,
    }
}

fn list(listing: Result<String, String>) -> Exit {
    match listing {
        Ok(text) => print(&text),
        Err(text) => {
            message::say(text);
            Exit::Usage
        }
    }
}

fn print(text: &str) -> Exit {
    message::listing(text).map_or_else(failed, |()| Exit::Ok)
}

fn failed(error: impl std::fmt::Display) -> Exit {
    message::say(error);
    Exit::Error
}
