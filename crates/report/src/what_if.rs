//! What a change would open and close, for a terminal and as JSON.

use std::io::{self, Write};

use plimsoll_facts::AttackPath;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::layout::{self, BOLD, DIM, GOOD, PLAIN, Page, TerminalOptions, span};
use crate::words;

/// Version of the document that this build writes.
pub const WHAT_IF_SCHEMA: &str = "plimsoll.what-if/1";

/// What changes would open and close for one container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WhatIf {
    /// Always [`WHAT_IF_SCHEMA`].
    pub schema: String,
    /// The container's name.
    pub container: String,
    /// The changes.
    pub changes: Vec<String>,
    /// What could be done before and not after.
    pub closed: Vec<Turn>,
    /// What could not be done before and can be after.
    pub opened: Vec<Turn>,
    /// Attack paths that end.
    pub cut: Vec<AttackPath>,
    /// Attack paths through the container that stay.
    pub left: Vec<AttackPath>,
}

/// Something that opens or closes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Turn {
    /// What can or could be done.
    pub what: String,
    /// What shows it, or stops it.
    pub reasons: Vec<String>,
}

impl From<(String, Vec<String>)> for Turn {
    fn from((what, reasons): (String, Vec<String>)) -> Self {
        Self { what, reasons }
    }
}

/// Writes it as JSON.
///
/// # Errors
/// What the writer answers.
pub fn json(what_if: &WhatIf, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, what_if)?;
    out.write_all(b"\n")
}

/// Writes it for a terminal.
///
/// # Errors
/// What the writer answers.
pub fn terminal(what_if: &WhatIf, options: &TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options);
    page.paragraph(&[
        span(&what_if.container, BOLD),
        span(" with ", DIM),
        span(&what_if.changes.join(", "), BOLD),
    ])?;
    turns(&mut page, "Closed", "closed", GOOD, &what_if.closed)?;
    turns(&mut page, "Opened", "opened", layout::BAD, &what_if.opened)?;
    if what_if.closed.is_empty() && what_if.opened.is_empty() {
        page.blank()?;
        page.paragraph(&[span("Nothing that plimsoll looks at opens or closes.", PLAIN)])?;
    }
    page.heading("Attack paths", &format!("{} cut, {} left", what_if.cut.len(), what_if.left.len()))?;
    for (label, style, paths) in [("cut", GOOD, &what_if.cut), ("left", layout::BAD, &what_if.left)] {
        for path in paths {
            let last = path.steps.last().map_or("", |step| step.what.as_str());
            let text = format!("{}: {last}", words::route(path));
            page.labelled(label, style, &[span(&text, PLAIN)])?;
        }
    }
    Ok(())
}

fn turns(
    page: &mut Page<'_>,
    title: &str,
    label: &str,
    style: anstyle::Style,
    turns: &[Turn],
) -> io::Result<()> {
    if turns.is_empty() {
        return Ok(());
    }
    page.heading(title, &turns.len().to_string())?;
    for turn in turns {
        page.labelled(label, style, &[span(&turn.what, PLAIN)])?;
        if !turn.reasons.is_empty() {
            page.beside(&[span(&turn.reasons.join("; "), DIM)])?;
        }
    }
    Ok(())
}
