//! The connections as JSON, and the schema of that document.

use std::io::{self, Write};

use super::ConnectionReport;

/// Writes one JSON document on one line.
///
/// # Errors
/// What the writer answers.
pub fn write(report: &ConnectionReport, out: &mut dyn Write) -> io::Result<()> {
    crate::json::write_document(report, out)
}

/// The JSON Schema (2020-12) of the document that [`write()`] writes.
pub fn schema_json() -> String {
    let mut text = format!("{:#}", schemars::schema_for!(ConnectionReport).as_value());
    text.push('\n');
    text
}
