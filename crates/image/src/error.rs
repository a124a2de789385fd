//! Why something in an image could not be read.

use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Why something in an image could not be read, in one sentence with its cause: most become gaps, which are texts. Paths are paths inside the image, except that of a layer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A layer's directory could not be opened.
    #[error("layer {}: {cause}", layer.display())]
    Layer {
        /// Where the layer is on the host.
        layer: PathBuf,
        /// Why.
        cause: plimsoll_rootdir::Error,
    },
    /// The file is there and could not be read.
    #[error(transparent)]
    File(#[from] plimsoll_rootdir::Error),
    /// It is damaged, or not what its name says.
    #[error("{}: {what}", path.display())]
    Corrupt {
        /// What was to be read.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An archive could not be read.
    #[error("{what}: {cause}")]
    Archive {
        /// The archive, or what of it.
        what: String,
        /// Why.
        cause: std::io::Error,
    },
    /// An archive is compressed as a whole: it can be read as a stream only.
    #[error("{}: the archive as a whole is compressed", path.display())]
    Compressed {
        /// The archive.
        path: PathBuf,
    },
    /// A document of an archive is not what it should be.
    #[error("{what}")]
    Document {
        /// Which, and what is wrong with it.
        what: String,
    },
    /// A blob is not what its digest says.
    #[error("{digest}: the bytes have another digest")]
    Digest {
        /// What it should be.
        digest: String,
    },
    /// A link leads to a file that was not kept of an archive.
    #[error("{}: it is a link to {}, which is not kept of an archive", path.display(), target.display())]
    NotKept {
        /// What was to be read.
        path: PathBuf,
        /// Where the link leads.
        target: PathBuf,
    },
    /// There is no such file in the merged view.
    #[error("{}: not in the image", path.display())]
    NotFound {
        /// What was to be read.
        path: PathBuf,
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
}

/// Result of reading an image.
pub type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) fn os(path: impl AsRef<Path>, errno: Errno) -> Error {
    let path = path.as_ref().to_owned();
    plimsoll_rootdir::Error::Os { path, source: errno.into() }.into()
}

pub(crate) fn too_large(path: impl AsRef<Path>, limit: u64) -> Error {
    plimsoll_rootdir::Error::TooLarge { path: path.as_ref().to_owned(), limit }.into()
}

pub(crate) fn not_a(path: impl AsRef<Path>, wanted: &'static str) -> Error {
    plimsoll_rootdir::Error::Kind { path: path.as_ref().to_owned(), wanted }.into()
}
