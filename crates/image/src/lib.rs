//! Reads images without running or exporting them: overlay directories in place first.
//!
//! Everything here is made by somebody else: every size, depth and number of entries is bounded, nothing panics, no
//! path leads out of the layers, and what could not be read is named.

pub mod accounts;
mod capabilities;
mod content;
mod entry;
mod error;
mod inventory;
mod language;
mod layered;
mod merged;
pub mod os_release;
mod packages;
mod reader;
mod repositories;
mod secrets;
mod survey;
mod tree;
mod union;
pub mod vendor;
mod walk;

pub use error::{Error, Result};
pub use layered::{LayeredDir, LayeredRoot, Located};
pub use merged::MergedEntry;
pub use reader::Reader;
pub use tree::{Each, Tree};
pub use union::Union;
pub use walk::Bounds;
