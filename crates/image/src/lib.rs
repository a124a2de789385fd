//! Reads images without running or exporting them: overlay directories in place first.
//!
//! Everything here is made by somebody else: every size, depth and number of entries is bounded, nothing panics, no
//! path leads out of the layers, and what could not be read is named.

pub mod accounts;
mod capabilities;
mod content;
mod error;
mod layered;
mod merged;
pub mod os_release;
mod owners;
mod secrets;
mod survey;
mod union;
mod walk;

pub use content::Reader;
pub use error::{Error, Result};
pub use layered::{LayeredDir, LayeredRoot, Located};
pub use merged::MergedEntry;
pub use union::Union;
pub use walk::Bounds;
