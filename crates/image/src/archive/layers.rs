//! Images whose layers come one by one from elsewhere, such as a registry. How they come is not this crate's business:
//! it is given readers.

use std::hash::RandomState;
use std::io::{self, Read};
use std::sync::Arc;

use super::ReadImage;
use super::blobs::is_sum;
use super::documents::{MAX_LAYERS, diff_ids};
use super::layer::{self, Layer};
use super::stream::{Compression, HEAD, fill, unpack_hashed};
use crate::error::{Error, Result};
use crate::parallel;

/// A layer that comes from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerBlob {
    /// What it is called in errors, such as its digest.
    pub name: String,
    /// Its size as it comes, in bytes.
    pub size: u64,
}

/// Reads an image whose layers, lowest first, `open` opens by their number; several at the same time, each once and to its
/// end. `source` says where they come from. Nothing is written, and nothing of a layer counts before its unpacked bytes
/// have the digest that the image's configuration names. A reader that failed once must go on failing.
///
/// # Errors
/// When a reader fails, a layer is damaged, is not what the configuration names, or exceeds a bound.
pub fn read_layers<R: Read>(
    config: &[u8],
    layers: &[LayerBlob],
    source: &str,
    open: impl Fn(usize) -> io::Result<R> + Sync,
) -> Result<ReadImage> {
    let sums = diff_ids(config)?;
    if sums.len() != layers.len() || layers.len() > MAX_LAYERS {
        let what = format!(
            "the image has {} layers, and its configuration names {}; at most {MAX_LAYERS} are read",
            layers.len(),
            sums.len()
        );
        return Err(Error::Document { what });
    }
    let hasher = RandomState::new();
    let topmost_first: Vec<usize> = (0..layers.len()).rev().collect();
    let read = |index: usize| {
        let LayerBlob { name, size } = &layers[index];
        let failed = |cause| Error::Archive { what: format!("layer {name}"), cause };
        let mut stream = open(index).map_err(failed)?;
        let found = read_layer(&mut stream, *size, &hasher, index == 0);
        // What is wrong with the reader says more than what that made of the bytes.
        io::copy(&mut stream, &mut io::sink()).map_err(failed)?;
        let (layer, sum) = found.map_err(failed)?;
        match sums[index].strip_prefix("sha256:").filter(|named| is_sum(named)) {
            Some(named) if named == sum => Ok(Arc::new(layer)),
            Some(_) => Err(Error::Digest { digest: sums[index].clone() }),
            None => Err(Error::Document { what: format!("{:?} is not a SHA-256 digest", sums[index]) }),
        }
    };
    let found: Result<Vec<_>> = parallel::map(&topmost_first, read).into_iter().collect();
    Ok(ReadImage::of(found?, hasher, source))
}

/// Reads a layer, whole; also answers with the SHA-256 of what it unpacks to.
fn read_layer(
    stream: &mut impl Read,
    size: u64,
    hasher: &RandomState,
    is_lowest: bool,
) -> io::Result<(Layer, String)> {
    let mut head = [0; HEAD];
    let length = fill(stream, &mut head)?;
    let head = &head[..length];
    let mut unpacked = unpack_hashed(head.chain(stream), size, Compression::of(head))?;
    let layer = layer::read(&mut unpacked, hasher, is_lowest)?;
    unpacked.drain()?;
    Ok((layer, unpacked.into_inner().finish()?))
}
