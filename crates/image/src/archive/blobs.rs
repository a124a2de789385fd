//! The files that an archive or OCI layout consists of, by name.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use plimsoll_rootdir::RootDir;

use super::stream::{Compression, Window, sha256};
use super::tar::{self, Source, Type, padded};
use crate::entry::{Content, Region};
use crate::error::{Error, Result, too_large};

/// Bound of the files in an archive.
const MAX_FILES: usize = 100_000;
/// Links from one file of an archive to another; Docker before 25 writes one where images share a layer.
const MAX_LINKS: u32 = 8;

/// Where blobs are.
pub(super) enum Blobs {
    /// A directory (`oci-layout`).
    Directory(RootDir),
    /// Regions of a tar file.
    Archive { file: Arc<File>, index: Index },
    /// Documents that were kept of a stream; layers were read as they came by.
    Streamed(HashMap<Vec<u8>, Vec<u8>>),
}

/// One blob.
#[derive(Clone)]
pub(super) struct Blob {
    pub(super) file: Arc<File>,
    pub(super) start: u64,
    pub(super) size: u64,
}

impl Blobs {
    /// Opens a tar file: only its headers are read.
    pub(super) fn of_archive(path: &Path) -> Result<Self> {
        let failed = |cause| Error::Archive { what: path.display().to_string(), cause };
        let file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let whole: &dyn Content = &Region { file: &file, start: 0, size };
        let head = whole.bytes(0, usize::try_from(size.min(8)).unwrap_or_default()).map_err(failed)?;
        if Compression::of(&head) != Compression::None {
            return Err(Error::Compressed { path: path.to_owned() });
        }
        let index = Index::of(&mut Window::new(&file, 0, size)).map_err(failed)?;
        Ok(Self::Archive { file: Arc::new(file), index })
    }

    /// Whether there is a blob of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Streamed(documents) => documents.contains_key(name.as_bytes()),
            _ => self.open(name).is_ok(),
        }
    }

    /// Opens a blob.
    pub(super) fn open(&self, name: &str) -> Result<Blob> {
        match self {
            Self::Directory(dir) => {
                let file = dir.open_file(name)?;
                let failed = |cause| Error::Archive { what: name.to_owned(), cause };
                let size = file.metadata().map_err(failed)?.len();
                Ok(Blob { file: Arc::new(file), start: 0, size })
            }
            Self::Archive { file, index } => {
                let (start, size) =
                    index.find(name.as_bytes()).ok_or_else(|| Error::NotFound { path: name.into() })?;
                Ok(Blob { file: Arc::clone(file), start, size })
            }
            Self::Streamed(_) => Err(Error::NotFound { path: name.into() }),
        }
    }

    /// Reads a document of at most `limit` bytes.
    pub(super) fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        if let Self::Streamed(documents) = self {
            let document = documents.get(name.as_bytes());
            return document.cloned().ok_or_else(|| Error::NotFound { path: name.into() });
        }
        let blob = self.open(name)?;
        if blob.size > limit {
            return Err(too_large(name, limit));
        }
        let region: &dyn Content = &Region { file: &*blob.file, start: blob.start, size: blob.size };
        region.all(limit).map_err(|cause| Error::Archive { what: name.to_owned(), cause })
    }

    /// Reads a document by its digest, and checks it.
    pub(super) fn read_verified(&self, digest: &str, limit: u64) -> Result<Vec<u8>> {
        let (name, sum) = blob_name(digest)?;
        let bytes = self.read(&name, limit)?;
        if sha256(&bytes) != sum {
            return Err(Error::Digest { digest: digest.to_owned() });
        }
        Ok(bytes)
    }
}

/// The file of a digest in an OCI layout, and the sum itself (OCI image specification, "Digests").
pub(super) fn blob_name(digest: &str) -> Result<(String, &str)> {
    let sum = digest.strip_prefix("sha256:").filter(|sum| is_sum(sum));
    let sum = sum.ok_or_else(|| Error::Document { what: format!("{digest:?} is not a SHA-256 digest") })?;
    Ok((format!("blobs/sha256/{sum}"), sum))
}

pub(super) fn is_sum(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Where a link of an archive leads; those of Docker are `../ID/layer.tar`.
pub(super) fn target(path: &[u8], link: &[u8]) -> Vec<u8> {
    let dir = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    link.strip_prefix(b"../").map_or_else(|| [&path[..dir], link].concat(), <[u8]>::to_vec)
}

/// Where the files of a tar file are.
#[derive(Default)]
pub(super) struct Index {
    files: HashMap<Vec<u8>, (u64, u64)>,
    links: HashMap<Vec<u8>, Vec<u8>>,
}

impl Index {
    fn of(archive: &mut Window<'_>) -> io::Result<Self> {
        let mut index = Self::default();
        while let Some(header) = tar::next(archive)? {
            let path = header.path.strip_prefix(b"./").unwrap_or(&header.path).to_vec();
            match header.kind {
                Type::File => {
                    index.files.insert(path, (archive.position(), header.size));
                }
                Type::Symlink => {
                    index.links.insert(path.clone(), target(&path, &header.link));
                }
                _ => {}
            }
            archive.skip(padded(header.size))?;
            if index.files.len() + index.links.len() > MAX_FILES {
                return Err(io::Error::other(format!("more than {MAX_FILES} files; is it an image?")));
            }
        }
        Ok(index)
    }

    fn find(&self, name: &[u8]) -> Option<(u64, u64)> {
        let mut name = name;
        for _ in 0..MAX_LINKS {
            match self.files.get(name) {
                Some(place) => return Some(*place),
                None => name = self.links.get(name)?,
            }
        }
        None
    }
}
