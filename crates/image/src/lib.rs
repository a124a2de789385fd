//! Reads images without running or exporting them: overlay directories in place first.
//!
//! Everything here is made by somebody else: every size, depth and number of entries is bounded, nothing panics, no
//! path leads out of the layers, and what could not be read is named.

pub mod accounts;
mod archive;
mod capabilities;
mod containerd;
mod content;
mod development;
mod entry;
mod error;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod go_build;
mod inventory;
mod language;
mod leftovers;
mod login;
pub mod os_release;
mod overlay;
mod packages;
mod parallel;
mod paths;
mod reader;
mod repositories;
mod sbom;
mod secrets;
mod sudoers;
mod survey;
mod tree;
pub mod vendor;

pub use archive::{Archive, ArchiveImage, LayerBlob, Parts, ReadImage, read_layers, read_stream};
pub use containerd::Containerd;
pub use error::{Error, Result};
pub use overlay::union::Union;
pub use overlay::walk::Bounds;
pub use overlay::{LayeredDir, LayeredRoot, Located, MergedEntry};
pub use packages::{EachFile, installed, rpm_files};
pub use reader::{FileOwners, Reader};
pub use sbom::{LARGEST_SBOM, SbomError, read_sbom};
pub use tree::{Each, Tree};
