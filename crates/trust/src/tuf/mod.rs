//! Docker Content Trust (Notary v1, an early form of TUF): which digest the owner of a repository signed for a tag.
//!
//! [`Update::run`] asks a server through [`Fetch`] and believes what it shows, or tells why not; the time and what was
//! seen before come from the caller. Where the docker client accepts what its own design forbids, this is stricter:
//! members that stand twice, one key under two names, a releases role that does not verify or vanished, and targets
//! that went back.

mod chain;
mod document;
mod error;
mod fetch;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod json;
mod key;
mod repository;
mod role;
mod root;
mod state;
mod update;

pub use error::TufError;
pub use fetch::{Fetch, FetchError};
pub use repository::{Repository, SignedTag};
pub use role::Role;
pub use root::RootTrust;
pub use state::RepositoryState;
pub use update::Update;
