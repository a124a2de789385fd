//! Archives that can be read only once, in order: what an engine sends, standard input, an archive that is compressed as a
//! whole. Which of its files are layers, and in which order, stands at the end; so every file that can be a layer is read as
//! one when it comes by, and put together afterwards.

use std::collections::HashMap;
use std::hash::RandomState;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use super::blobs::{Blobs, target};
use super::documents::{self, ArchiveImage, MAX_DOCUMENT};
use super::layer::Layer;
use super::stream::{Compression, HEAD, Hashed, fill, unpack};
use super::tar::{self, Source, Type, padded};
use super::{ReadImage, layer_of};
use crate::error::{Error, Result};

/// Bound of the files of an archive.
const MAX_FILES: usize = 100_000;
/// Bound of all documents together, in bytes.
const MAX_DOCUMENTS: usize = 64 << 20;
/// Links from one file of an archive to another.
const MAX_LINKS: u32 = 8;
/// Directory of the files that are named by their digest.
const BLOBS: &[u8] = b"blobs/sha256/";

/// Reads every image of a docker-archive or OCI archive that comes as a stream, compressed as a whole or not. Nothing is
/// written; what is kept is what [`crate::Archive::read`] keeps.
///
/// # Errors
/// When it is neither, is damaged, or a blob is not what its digest says.
pub fn read_stream(stream: impl Read) -> Result<Vec<(ArchiveImage, ReadImage)>> {
    let failed = |cause| Error::Archive { what: "the archive".to_owned(), cause };
    let mut stream = BufReader::new(stream);
    let compression = Compression::of(stream.fill_buf().map_err(failed)?);
    // How long a stream is, is not known; what it unpacks to is bounded all the same.
    let mut source = unpack(stream, u64::MAX, compression).map_err(failed)?;
    let mut found = Found::default();
    while let Some(header) = tar::next(&mut source).map_err(failed)? {
        let path = header.path.strip_prefix(b"./").unwrap_or(&header.path).to_vec();
        match header.kind {
            Type::File => found.file(&mut source, path, header.size)?,
            Type::Symlink => {
                found.links.insert(path.clone(), target(&path, &header.link));
            }
            _ => {}
        }
        if found.layers.len() + found.documents.len() + found.links.len() > MAX_FILES {
            return Err(failed(io::Error::other(format!("more than {MAX_FILES} files; is it an image?"))));
        }
    }
    found.images()
}

/// What came by.
#[derive(Default)]
struct Found {
    documents: HashMap<Vec<u8>, Vec<u8>>,
    document_bytes: usize,
    /// What could not be read as a layer is an error only where an image has it as one.
    layers: HashMap<Vec<u8>, Result<Arc<Layer>>>,
    links: HashMap<Vec<u8>, Vec<u8>>,
    hasher: RandomState,
}

impl Found {
    /// Reads one file: a document if it begins like JSON, else a layer if its name can be one's.
    fn file(&mut self, source: &mut dyn Source, path: Vec<u8>, size: u64) -> Result<()> {
        let what = String::from_utf8_lossy(&path).into_owned();
        let failed = |cause| Error::Archive { what, cause };
        let mut body = Body { source, left: size };
        let mut head = [0; HEAD];
        let result =
            fill(&mut body, &mut head).and_then(|length| self.take(&mut body, &head[..length], path, size));
        let left = body.left;
        result.and_then(|()| source.skip(left.saturating_add(padded(size) - size))).map_err(failed)
    }

    fn take(&mut self, body: &mut Body<'_>, head: &[u8], path: Vec<u8>, size: u64) -> io::Result<()> {
        if matches!(head.first(), Some(b'{' | b'[')) {
            if size <= MAX_DOCUMENT && self.document_bytes < MAX_DOCUMENTS {
                let mut document = head.to_vec();
                body.read_to_end(&mut document)?;
                self.document_bytes += document.len();
                self.documents.insert(path, document);
            }
        } else if path.ends_with(b"/layer.tar") || path.starts_with(BLOBS) {
            let layer = self.layer(body, head, &path, size);
            self.layers.insert(path, layer);
        }
        Ok(())
    }

    fn layer(&self, body: &mut Body<'_>, head: &[u8], path: &[u8], size: u64) -> Result<Arc<Layer>> {
        let what = String::from_utf8_lossy(path);
        let failed = |cause| Error::Archive { what: format!("layer {what}"), cause };
        let mut whole = head.chain(body);
        let compression = Compression::of(head);
        let Some(sum) = path.strip_prefix(BLOBS).and_then(|sum| str::from_utf8(sum).ok()) else {
            return layer_of(whole, size, compression, &self.hasher, false).map(Arc::new).map_err(failed);
        };
        let mut hashed = Hashed::new(&mut whole);
        let layer = layer_of(&mut hashed, size, compression, &self.hasher, false);
        if hashed.finish().map_err(failed)? != sum {
            return Err(Error::Digest { digest: format!("sha256:{sum}") });
        }
        layer.map(Arc::new).map_err(failed)
    }

    /// The layer of this name, links followed.
    fn find(&self, name: &str) -> Result<Arc<Layer>> {
        let not_found = || Error::NotFound { path: name.into() };
        let mut path = name.as_bytes();
        for _ in 0..MAX_LINKS {
            match self.layers.get(path) {
                Some(Ok(layer)) => return Ok(Arc::clone(layer)),
                Some(Err(error)) => return Err(Error::Document { what: error.to_string() }),
                None => path = self.links.get(path).ok_or_else(not_found)?,
            }
        }
        Err(not_found())
    }

    fn images(mut self) -> Result<Vec<(ArchiveImage, ReadImage)>> {
        let blobs = Blobs::Streamed(std::mem::take(&mut self.documents));
        let (source, images) = match documents::docker(&blobs)? {
            Some(images) => ("docker-archive stream", images),
            None => ("OCI archive stream", documents::oci(&blobs)?),
        };
        if images.is_empty() {
            return Err(Error::Document { what: format!("the {source} holds no image") });
        }
        let put_together = |image: ArchiveImage| {
            let layers = image.layers.iter().rev().map(|layer| self.find(&layer.name));
            let read = ReadImage::of(layers.collect::<Result<_>>()?, self.hasher.clone(), source);
            Ok((image, read))
        };
        images.into_iter().map(put_together).collect()
    }
}

/// The content of one file of a stream.
struct Body<'a> {
    source: &'a mut dyn Source,
    left: u64,
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if length == 0 {
            return Ok(0);
        }
        let read = self.source.read(&mut buffer[..length])?;
        self.left -= read as u64;
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
    }
}
