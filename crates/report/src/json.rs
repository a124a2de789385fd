//! The audit as JSON, and the schema of that document.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::Audit;
use crate::escape;

/// Writes the audit as one JSON document on one line, without building it in memory.
///
/// # Errors
/// What the writer answers.
pub fn write(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    write_document(audit, out)
}

/// The JSON Schema (2020-12) of the document that [`write()`] writes.
pub fn schema_json() -> String {
    let mut text = format!("{:#}", schemars::schema_for!(Audit).as_value());
    text.push('\n');
    text
}

/// Writes any document so that it may also be looked at on a terminal: what would act there is written as
/// `\uXXXX`, which is the same text to every JSON parser.
pub(crate) fn write_document(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    document.serialize(&mut Serializer::with_formatter(&mut *out, Visible(CompactFormatter)))?;
    out.write_all(b"\n")
}

struct Visible(CompactFormatter);

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(|byte| byte < 0x7f) {
            return self.0.write_string_fragment(out, fragment);
        }
        let mut rest = fragment;
        while let Some(at) = rest.find(escape::acts_or_hides) {
            let (clean, hidden) = rest.split_at(at);
            out.write_all(clean.as_bytes())?;
            let mut characters = hidden.chars();
            if let Some(c) = characters.next() {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
            rest = characters.as_str();
        }
        self.0.write_string_fragment(out, rest)
    }
}
