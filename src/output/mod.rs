//! Output: rows of a batch as lines of text, JSON, or a template of one's own.
//!
//! Enters: a [`Batch`] and the rows that a filter selected. Leaves: bytes, one line an event, at the end of a buffer of
//! the caller's. Never: a file or a terminal, a decision about which rows.

mod json;
mod template;
mod text;

pub use json::{Json, JsonOptions, Totals, render_end};
pub use template::Template;
pub use text::{Text, TextOptions, TimeStyle};

use crate::batch::{Batch, Columns};

/// How events are written.
#[derive(Debug)]
pub enum Format {
    /// Lines for people.
    Text(Text),
    /// One JSON object a line.
    Json(Json),
    /// The user's own.
    Template(Template),
}

impl Format {
    /// Lines for people.
    pub fn text(options: TextOptions) -> Format {
        Format::Text(Text::new(options))
    }

    /// One JSON object a line.
    pub fn json(options: JsonOptions) -> Format {
        Format::Json(Json::new(options))
    }

    /// The columns that a line needs.
    pub fn columns(&self) -> Columns {
        match self {
            Format::Text(_) => Columns::ALL.without(Columns::FDLIST),
            Format::Json(json) => json.columns(),
            Format::Template(template) => template.columns(),
        }
    }

    /// Appends the line of a row, with its line end.
    pub fn render(&mut self, batch: &Batch<'_>, row: usize, out: &mut Vec<u8>) {
        match self {
            Format::Text(text) => text.render(batch, row, out),
            Format::Json(json) => json.render(batch, row, out),
            Format::Template(template) => template.render(batch, row, out),
        }
    }
}

#[cfg(test)]
mod hostile;
