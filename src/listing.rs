//! `sysreel ps`, `lsof`, `netstat`: which processes there are, what they have open, which sockets.
//!
//! Enters: /proc, or reels and a time. Leaves: a table. Never: the probe; a second way of knowing: what is listed are the rows
//! of a snapshot, of the present or of a moment of the past ([`past`]), with the same filter and the same fields as events.

mod columns;
mod past;

use std::path::PathBuf;

use crate::batch::{Batch, Builder, Meta};
use crate::config::Place;
use crate::exit::Exit;
use crate::fields::Field;
use crate::filter::{Filter, Verdicts};
use crate::message;
use crate::output::{Json, JsonOptions, Template};
use crate::schema::{self, Arch, Schema};
use crate::source::flight::Looker;
use crate::source::live::plan::Snaplen;
use crate::source::live::{Clocks, boot_now};
use crate::state::{Snapshot, State};
use crate::users::Users;

use columns::{Columns, Table};

/// What is listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Processes.
    Ps,
    /// Descriptors.
    Lsof,
    /// Sockets.
    Netstat,
}

impl What {
    /// The subcommand.
    pub fn name(self) -> &'static str {
        match self {
            What::Ps => "ps",
            What::Lsof => "lsof",
            What::Netstat => "netstat",
        }
    }

    fn code(self) -> u16 {
        match self {
            What::Ps => schema::PROCESS,
            What::Lsof | What::Netstat => schema::DESCRIPTOR,
        }
    }
}

/// How a line looks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Form {
    /// Columns, these or those of the table; aligned or with a tab between them; with or without their names first.
    Text {
        /// Fields, with commas between them.
        fields: Option<String>,
        /// Filled up with blanks to one width.
        aligned: bool,
        /// The names of the columns first.
        head: bool,
    },
    /// One JSON object a line, of these fields or those of the table.
    Json(Option<String>),
    /// A template.
    Template(String),
}

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Which table.
    pub what: What,
    /// Reels; none: this host, now.
    pub from: Vec<Place>,
    /// As of this time; the end, if it is not said.
    pub at: Option<String>,
    /// How.
    pub form: Form,
    /// Which rows.
    pub filter: String,
    /// Where the process file system is.
    pub proc: PathBuf,
}

/// What makes lines.
enum Lines {
    Table(Table),
    Json(Json),
    Template(Template),
}

/// A table on its way.
struct Listing<'a> {
    options: &'a Options,
    filter: Filter,
    lines: Lines,
    out: Vec<u8>,
    rows: u64,
    shown: u64,
}

/// Written at once when there is this much.
const ENOUGH: usize = 256 * 1024;

/// Lists.
pub fn run(options: &Options) -> Exit {
    let done = if options.from.is_empty() { now(options) } else { past::run(options) };
    done.unwrap_or_else(|exit| exit)
}

fn usage(text: impl std::fmt::Display) -> Exit {
    message::say(text);
    Exit::Usage
}

/// This host as it is.
fn now(options: &Options) -> Result<Exit, Exit> {
    let uname = rustix::system::uname();
    let schema = Schema::native(Arch::NATIVE).on(&uname.nodename().to_string_lossy());
    let mut listing = Listing::new(options, &schema)?;
    let looker = Looker::new(&options.proc, &schema, Snaplen(0));
    let start = boot_now();
    let mut state = State::new(&schema, &options.proc, Users::host(&options.proc), boot_now);
    state.plan_scan();
    if state.planned() == 0 {
        message::say(format!("nothing can be read in {}", message::name(&options.proc)));
        return Err(Exit::Error);
    }
    while state.read_some(u64::MAX) {}
    let (boot, wall) = Clocks::default().pair();
    let meta = Meta { start_time: start, boot, wall, host: 0 };
    // What is open in the process that looks is what it looks with.
    listing.state(&mut state, &schema, meta, (boot_now(), looker.own().into_iter().collect()))?;
    listing.finish()
}

impl<'a> Listing<'a> {
    fn new(options: &'a Options, schema: &Schema) -> Result<Listing<'a>, Exit> {
        let filter = Filter::parse(&options.filter, schema).map_err(|errors| {
            message::raw(&errors.render(&options.filter));
            Exit::Usage
        })?;
        let of_files = options.what != What::Ps;
        if let Some(field) = filter.uses().find(|field| !is_of_table(field, of_files)) {
            return Err(usage(refusal(field, options.what)));
        }
        let several = schema.hosts().len() > 1;
        let standard = columns::standard(options.what, several);
        let lines = match &options.form {
            Form::Template(template) => Lines::Template(Template::parse(template).map_err(usage)?),
            Form::Json(fields) => {
                let fields = fields.clone().unwrap_or_else(|| columns::names(&standard, options.what));
                Lines::Json(Json::new(JsonOptions::parse(&fields).map_err(usage)?))
            }
            Form::Text { fields, aligned, head } => {
                let columns = match fields {
                    Some(fields) => Columns::parse(fields).map_err(usage)?,
                    None => standard,
                };
                Lines::Table(Table::new(columns, *aligned, *head))
            }
        };
        Ok(Listing { options, filter, lines, out: Vec::new(), rows: 0, shown: 0 })
    }

    /// Adds what a state has.
    fn state(
        &mut self,
        state: &mut State<'_>,
        schema: &Schema,
        meta: Meta,
        (since, without): (u64, Vec<u32>),
    ) -> Result<(), Exit> {
        let snapshot = Snapshot::new(1, since, without);
        let of_processes = self.options.what == What::Ps;
        let mut snapshot = if of_processes { snapshot.of_processes() } else { snapshot.with_places() };
        let mut builder = Builder::new();
        // Entities of a state remember blocks by their numbers.
        let mut generation = 1;
        while !snapshot.is_over() {
            generation += 1;
            builder.reset(generation);
            builder.set_meta(meta);
            state.snapshot(&mut snapshot, u64::MAX, &mut builder);
            self.block(&builder.view(schema))?;
        }
        Ok(())
    }

    fn block(&mut self, batch: &Batch) -> Result<(), Exit> {
        let mut selection = crate::batch::Bitmap::default();
        let all = self.filter.is_everything();
        selection.reset(batch.rows, all);
        if !all {
            self.filter.select(&mut Verdicts::default(), batch, 0..batch.rows, &mut selection);
        }
        for row in 0..batch.rows {
            if batch.call.get(row) != Some(&self.options.what.code())
                || (self.options.what == What::Netstat
                    && !batch.file_of(row).is_some_and(|f| f.kind.is_socket()))
            {
                continue;
            }
            self.rows += 1;
            if !selection.get(row) {
                continue;
            }
            self.shown += 1;
            match &mut self.lines {
                Lines::Table(table) => table.row(batch, row, &mut self.out),
                Lines::Json(json) => json.render(batch, row, &mut self.out),
                Lines::Template(template) => template.render(batch, row, &mut self.out),
            }
            if self.out.len() >= ENOUGH {
                self.write()?;
            }
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Exit> {
        let text = String::from_utf8_lossy(&self.out);
        let done = message::listing(&text);
        self.out.clear();
        done.map_err(|e| {
            message::say(format!("cannot write: {e}"));
            Exit::Error
        })
    }

    fn finish(mut self) -> Result<Exit, Exit> {
        if let Lines::Table(table) = &mut self.lines {
            table.finish(&mut self.out);
        }
        self.write()?;
        let what = match self.options.what {
            What::Ps => "processes",
            What::Lsof => "open files",
            What::Netstat => "sockets",
        };
        message::say(format!("{} {what}, {} shown", self.rows, self.shown));
        Ok(Exit::Ok)
    }
}

/// True if rows of the table have this field.
fn is_of_table(field: &Field, of_files: bool) -> bool {
    field.is_of_things() && (of_files || !field.name.starts_with("fd."))
}

fn refusal(field: &Field, what: What) -> String {
    let name = field.name;
    if field.is_of_things() {
        return format!(
            "{name} is asked of a descriptor, and `sysreel ps` lists processes: `sysreel lsof` has it"
        );
    }
    format!(
        "{name} is asked of events, and `sysreel {}` lists what there is: only fields of processes, users{} can be asked",
        what.name(),
        if what == What::Ps { "" } else { " and files" }
    )
}
