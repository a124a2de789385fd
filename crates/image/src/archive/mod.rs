//! Images in archives: docker-archive (`docker save`) and OCI layouts, as a directory or a tar file.
//!
//! Nothing is unpacked to disk. Each layer is read once, several at the same time; what is not wanted streams by, or,
//! where a layer is not compressed, is not read at all. The blobs of an OCI layout are verified against their digests.
//! A docker-archive does not say what its layer files must be, so they are taken as they are. Layers that come from
//! elsewhere, such as a registry, are verified against the image's configuration.

mod blobs;
mod documents;
mod layer;
mod layers;
mod parts;
mod squashed;
mod stream;
mod streamed;
mod tar;
mod wanted;

use std::hash::RandomState;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use plimsoll_facts::{ImageContent, PackageInventory};
use plimsoll_rootdir::RootDir;

use blobs::{Blob, Blobs};
pub use documents::ArchiveImage;
use documents::LayerName;
use layer::Layer;
pub use layers::{LayerBlob, read_layers};
pub use parts::Parts;
use squashed::Squashed;
use stream::{Compression, Hashed, Window, unpack};
pub(crate) use stream::{sha256, unpack_zstd};
pub use streamed::read_stream;

use crate::content;
use crate::entry::{Content, Region};
use crate::error::{Error, Result};
use crate::inventory;
use crate::packages::Database;
use crate::parallel;
use crate::survey::Survey;

/// An archive, opened; nothing but headers and documents was read.
pub struct Archive {
    blobs: Blobs,
    source: &'static str,
    images: Vec<ArchiveImage>,
}

/// What was read of one image of an archive.
pub struct ReadImage {
    squashed: Squashed,
    database: Database,
    surveys: Vec<Arc<Survey>>,
    source: String,
}

impl Archive {
    /// Whether a directory is an OCI layout.
    pub fn is_layout(dir: &Path) -> bool {
        dir.join("oci-layout").is_file() && dir.join("index.json").is_file()
    }

    /// Opens a docker-archive or an OCI archive (a file), or an OCI layout (a directory).
    ///
    /// # Errors
    /// When it is neither, is damaged, or a document in it is not what its digest says; [`Error::Compressed`] where
    /// [`read_stream`] can read it.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            let blobs = Blobs::Directory(RootDir::open(path)?);
            let images = documents::oci(&blobs)?;
            return Self::with(blobs, "OCI layout", images);
        }
        let blobs = Blobs::of_archive(path)?;
        match documents::docker(&blobs)? {
            Some(images) => Self::with(blobs, "docker-archive", images),
            None => {
                let images = documents::oci(&blobs)?;
                Self::with(blobs, "OCI archive", images)
            }
        }
    }

    /// The images behind one digest in a directory of blobs that has no index of its own, such as containerd's.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn of_store(dir: RootDir, digest: &str) -> Result<Self> {
        let blobs = Blobs::Directory(dir);
        let images = documents::stored(&blobs, digest)?;
        Self::with(blobs, "blob store of containerd", images)
    }

    fn with(blobs: Blobs, source: &'static str, images: Vec<ArchiveImage>) -> Result<Self> {
        if images.is_empty() {
            return Err(Error::Document { what: format!("the {source} holds no image") });
        }
        Ok(Self { blobs, source, images })
    }

    /// The images in it.
    pub fn images(&self) -> &[ArchiveImage] {
        &self.images
    }

    /// Reads all layers of an image, each once.
    ///
    /// # Errors
    /// When a layer is missing, damaged, not what its digest says, or exceeds a bound.
    pub fn read(&self, image: &ArchiveImage) -> Result<ReadImage> {
        let hasher = RandomState::new();
        let layers = self.read_layers(&image.layers, &hasher)?;
        Ok(ReadImage::of(layers, hasher, self.source))
    }

    /// Reads layers, named lowest first, and answers with them topmost first.
    fn read_layers(&self, names: &[LayerName], hasher: &RandomState) -> Result<Vec<Arc<Layer>>> {
        let indexes: Vec<usize> = (0..names.len()).rev().collect();
        let read = |index: usize| self.read_layer(&names[index], hasher, index == 0).map(Arc::new);
        parallel::map(&indexes, read).into_iter().collect()
    }

    fn read_layer(&self, name: &LayerName, hasher: &RandomState, is_lowest: bool) -> Result<Layer> {
        let failed = |cause| Error::Archive { what: format!("layer {}", name.name), cause };
        let Blob { file, start, size } = self.blobs.open(&name.name)?;
        let region: &dyn Content = &Region { file: &*file, start, size };
        let head = region.bytes(0, usize::try_from(size.min(8)).unwrap_or_default()).map_err(failed)?;
        let compression = Compression::of(&head);
        let mut window = Window::new(&file, start, size);
        match &name.sum {
            None if compression == Compression::None => {
                layer::read(&mut window, hasher, is_lowest).map_err(failed)
            }
            None => layer_of(window, size, compression, hasher, is_lowest).map_err(failed),
            Some(sum) => {
                let mut hashed = Hashed::new(window);
                let read = layer_of(&mut hashed, size, compression, hasher, is_lowest);
                // A wrong sum says more than what was found wrong in the bytes.
                if hashed.finish().map_err(failed)? != *sum {
                    return Err(Error::Digest { digest: format!("sha256:{sum}") });
                }
                read.map_err(failed)
            }
        }
    }
}

/// Reads a stream as a layer, whole.
fn layer_of(
    stream: impl Read,
    size: u64,
    compression: Compression,
    hasher: &RandomState,
    is_lowest: bool,
) -> io::Result<Layer> {
    let mut stream = unpack(stream, size, compression)?;
    let layer = layer::read(&mut stream, hasher, is_lowest)?;
    stream.drain()?;
    Ok(layer)
}

/// Reads bytes as the archive of one layer, compressed or not.
#[cfg(any(fuzzing, test))]
pub(crate) fn read_bytes(bytes: &[u8]) -> io::Result<PackageInventory> {
    let hasher = RandomState::new();
    let layer = layer_of(bytes, bytes.len() as u64, Compression::of(bytes), &hasher, false)?;
    Ok(ReadImage::of(vec![Arc::new(layer)], hasher, "bytes").inventory())
}

impl ReadImage {
    /// Puts layers together, topmost first.
    fn of(layers: Vec<Arc<Layer>>, hasher: RandomState, source: &str) -> Self {
        let squashed = Squashed::new(layers, hasher);
        let surveys = squashed.surveys();
        let database = Database::read(&squashed);
        Self { squashed, database, surveys, source: source.to_owned() }
    }

    /// What an audit asks of the image; `user` is its `User`.
    pub fn content(&self, user: &str) -> ImageContent {
        content::content(&self.squashed, &self.database, &self.surveys, &self.source, user)
    }

    /// Its packages.
    pub fn inventory(&self) -> PackageInventory {
        inventory::inventory(&self.squashed, &self.database, &self.surveys, &self.source)
    }
}
