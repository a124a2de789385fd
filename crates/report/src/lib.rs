//! Findings as terminal text, JSON, SARIF, JUnit, HTML and Markdown.
//!
//! Every format is written from an [`Audit`], to a `Write` that the caller opens; a closed pipe is the
//! caller's to handle.

mod audit;
pub mod escape;
mod group;
mod hints;
pub mod json;
mod layout;
pub mod terminal;
mod words;

pub use audit::*;
pub use layout::TerminalOptions;
