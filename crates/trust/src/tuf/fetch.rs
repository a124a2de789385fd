//! Where files of metadata come from.

use plimsoll_registry::{Error, Notary};

/// Gives the files below `/v2/<gun>/_trust/tuf/` of one repository.
pub trait Fetch {
    /// The bytes of a file (`root.json`, `2.root.json`, `snapshot.<sha256>.json`), at most `limit` of them.
    ///
    /// # Errors
    /// When the server does not have it, or does not give it.
    fn fetch(&self, file: &str, limit: u64) -> Result<Vec<u8>, FetchError>;
}

/// Why a file was not fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The server says that it has no such file.
    #[error("not on the server")]
    NotFound,
    /// The server could not be reached: what was seen before may stand in for it.
    #[error("{0}")]
    Unavailable(String),
    /// The server was reached, and what it answers cannot be taken.
    #[error("{0}")]
    Answer(String),
}

impl Fetch for Notary {
    fn fetch(&self, file: &str, limit: u64) -> Result<Vec<u8>, FetchError> {
        self.file(file, limit).map_err(|error| match error {
            Error::NotFound { .. } => FetchError::NotFound,
            Error::Unavailable { why, .. } => FetchError::Unavailable(why),
            other => FetchError::Answer(other.to_string()),
        })
    }
}
