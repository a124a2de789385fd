//! Why a registry did not give what it was asked for.

use std::io;
use std::path::PathBuf;

/// Why a registry did not give what it was asked for. None of these may be taken for another: what is not reached is not
/// absent, and what is damaged is not unreachable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The registry knows no such thing.
    #[error("{what}: the registry does not have it")]
    NotFound {
        /// What was asked for, with its place.
        what: String,
    },
    /// The registry does not give it to us.
    #[error("{what}: {why}")]
    Unauthorized {
        /// What was asked for, with its place.
        what: String,
        /// Its answer, and what we had to show.
        why: String,
    },
    /// The registry could not be reached, failed, is overloaded, or is too slow.
    #[error("{what}: {why}")]
    Unavailable {
        /// What was asked for, with its place.
        what: String,
        /// What went wrong.
        why: String,
    },
    /// The answer is not what it should be: another digest, no such document, a redirect that is not followed.
    #[error("{what}: {why}")]
    Content {
        /// What was asked for, with its place.
        what: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// It is what it should be, and in a form that is not covered.
    #[error("{what}: {why}")]
    Unsupported {
        /// What was asked for, with its place.
        what: String,
        /// The form.
        why: String,
    },
    /// A file of the client's own configuration cannot be used.
    #[error("{}: {why}", path.display())]
    Configuration {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Result of asking a registry.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether there is no such thing, and the registry said so itself.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// What a [`Blob`](crate::Blob) failed with, out of the error of whoever read it.
    pub fn of_read(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}
