//! `sysreel export`: events for other programs.
//!
//! Enters: a reel. Leaves: a file or stream of one of the [`FORMATS`]. Never: a format's details; each has its own writer.

use std::io::{self, Write};

use super::cut::usage;
use super::input::Input;
use super::pick::Picker;
use super::table::Csv;
pub use super::table::Head;
use super::target::failed;
use super::window::Window;
use crate::batch::{Batch, Columns};
use crate::config::Place;
use crate::exit::Exit;
use crate::files::{self, Single};
use crate::message;
use crate::output::{Json, JsonOptions, Totals, render_end};

/// Which format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "named as the formats are")]
pub enum Format {
    Json,
    Csv,
}

/// What was typed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The reel.
    pub from: Place,
    /// Where to.
    pub to: Place,
    /// It may replace a file.
    pub force: bool,
    /// Which format.
    pub format: Format,
    /// Which fields.
    pub fields: Option<String>,
    /// The first line of CSV.
    pub head: Head,
    /// Which events.
    pub filter: String,
}

/// A format's writer.
trait Exporter {
    /// The columns that it reads.
    fn columns(&self) -> Columns;
    /// What comes first.
    fn head(&mut self, _out: &mut Vec<u8>) {}
    /// An event, or a loss.
    fn row(&mut self, batch: &Batch<'_>, row: usize, out: &mut Vec<u8>);
    /// What comes last.
    fn end(&mut self, _totals: &Totals, _out: &mut Vec<u8>) {}
}

impl Exporter for Json {
    fn columns(&self) -> Columns {
        Json::columns(self)
    }
    fn row(&mut self, batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
        self.render(batch, row, out);
    }
    fn end(&mut self, totals: &Totals, out: &mut Vec<u8>) {
        render_end(out, totals);
    }
}

impl Exporter for Csv {
    fn columns(&self) -> Columns {
        Csv::columns(self)
    }
    fn head(&mut self, out: &mut Vec<u8>) {
        Csv::head(self, out);
    }
    fn row(&mut self, batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
        Csv::row(self, batch, row, out);
    }
}

type Make = fn(&Options) -> Result<Box<dyn Exporter>, String>;

/// Every format with its writer. A new one is a row here and an option of the command line.
const FORMATS: &[(Format, Make)] = &[
    (Format::Json, |options| {
        let fields = options.fields.as_deref().map_or(Ok(JsonOptions::default()), JsonOptions::parse);
        Ok(Box::new(Json::new(fields?)))
    }),
    (Format::Csv, |options| Ok(Box::new(Csv::new(options.fields.as_deref(), options.head)?))),
];

/// Written at once when there is this much.
const ENOUGH: usize = 256 * 1024;

/// Exports.
pub fn run(options: &Options) -> Result<Exit, Exit> {
    let make = FORMATS.iter().find(|(format, _)| *format == options.format).map(|(_, make)| make);
    let mut exporter = make.map_or(Err("no such format".into()), |make| make(options)).map_err(usage)?;
    let mut input = Input::open(&options.from)?;
    let schema = input.schema().clone();
    let mut picker = Picker::new(&options.filter, Window::default(), &schema)?;
    let mut out = Out::create(options)?;
    exporter.head(&mut out.bytes);
    while let Some((block, rows)) = picker.next(&mut input, &schema, exporter.columns()) {
        let view = block.view(&schema);
        for row in rows.iter() {
            exporter.row(&view, row, &mut out.bytes);
            if out.bytes.len() >= ENOUGH {
                out.pass_on()?;
            }
        }
    }
    let lost = picker.lost.max(input.end.as_ref().map_or(0, |end| end.lost));
    let totals = Totals { produced: picker.seen.saturating_add(picker.lost), matched: picker.matched, lost };
    exporter.end(&totals, &mut out.bytes);
    out.complete()?;
    message::say(format!("{} events, {} exported, {lost} lost", picker.seen, picker.matched));
    Ok(input.close())
}

struct Out {
    name: String,
    to: Single,
    bytes: Vec<u8>,
}

impl Out {
    fn create(options: &Options) -> Result<Out, Exit> {
        let name = match &options.to {
            Place::Standard => "standard output".into(),
            Place::File(path) => message::name(path),
        };
        let to = files::create(&options.to, options.force).map_err(|e| failed(&name, &e))?;
        Ok(Out { name, to, bytes: Vec::with_capacity(ENOUGH + 4096) })
    }

    fn complete(mut self) -> Result<(), Exit> {
        self.pass_on()?;
        self.to.complete().map_err(|e| failed(&self.name, &e))
    }

    fn pass_on(&mut self) -> Result<(), Exit> {
        let written: io::Result<()> = self.to.write_all(&self.bytes).and_then(|()| self.to.flush());
        self.bytes.clear();
        written.map_err(|e| failed(&self.name, &e))
    }
}
