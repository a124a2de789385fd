//! Why something in an image could not be read.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Why something in an image could not be read. Paths are paths inside the image.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A layer's directory could not be opened.
    #[error("layer {}", layer.display())]
    Layer {
        /// Where the layer is on the host.
        layer: PathBuf,
        /// Why.
        source: plimsoll_rootdir::Error,
    },
    /// The kernel refused.
    #[error("{}", path.display())]
    Os {
        /// What was to be read.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// There is no such file in the merged view.
    #[error("{}: not in the image", path.display())]
    NotFound {
        /// What was to be read.
        path: PathBuf,
    },
    /// It is larger than the caller is ready to read.
    #[error("{}: larger than the bound of {limit}", path.display())]
    TooLarge {
        /// What was to be read.
        path: PathBuf,
        /// The bound, in bytes or entries.
        limit: u64,
    },
    /// It is not what the caller can read.
    #[error("{}: not a {wanted}", path.display())]
    Kind {
        /// What was to be read.
        path: PathBuf,
        /// What was wanted.
        wanted: &'static str,
    },
    /// Symbolic links lead in a circle, or on and on.
    #[error("{}: too many symbolic links or path components", path.display())]
    Loop {
        /// What was to be read.
        path: PathBuf,
    },
    /// The layers use a feature of overlayfs that this reader does not follow.
    #[error("{}: the layer uses overlayfs {feature}, which is not covered", path.display())]
    NotCovered {
        /// What was to be read.
        path: PathBuf,
        /// The feature.
        feature: &'static str,
    },
}

impl Error {
    /// Whether there is no such file (as opposed to one that could not be read).
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// The error and its causes in one sentence.
    pub fn sentence(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }
}

/// Result of reading an image.
pub type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) fn os(path: impl AsRef<Path>, errno: Errno) -> Error {
    Error::Os { path: path.as_ref().to_owned(), source: errno.into() }
}
