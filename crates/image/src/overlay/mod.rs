//! Layers that are directories, read in place: the merged view that a union file system would give, and the tree of
//! each layer.

mod layered;
mod merged;
pub(crate) mod union;
pub(crate) mod walk;

pub use layered::{LayeredDir, LayeredRoot, Located};
pub use merged::MergedEntry;
