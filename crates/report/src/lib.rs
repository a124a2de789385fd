//! Findings as terminal text, JSON, SARIF, JUnit, HTML and Markdown.
//!
//! Every format is written from an [`Audit`], to a `Write` that the caller opens; a closed pipe is the
//! caller's to handle.

mod audit;
mod blindness;
mod cis;
pub mod connections;
pub mod escape;
pub mod explain;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod group;
pub mod harden;
mod hints;
mod holders;
pub mod html;
pub mod json;
pub mod junit;
mod layout;
pub mod markdown;
mod pages;
mod paths;
pub mod sarif;
pub mod sbom;
pub mod scan;
pub mod terminal;
pub mod verify;
pub mod what_if;
mod words;

pub use audit::*;
pub use cis::{Benchmark, CisControl, CisStatus, CisView};
pub use layout::TerminalOptions;
pub use pages::{Page, rules_markdown};
