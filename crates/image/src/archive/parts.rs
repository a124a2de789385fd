//! Files of one container, asked for one by one: an engine that is far away sends what is needed and nothing else.

use std::hash::RandomState;
use std::io::Read;
use std::sync::Arc;

use plimsoll_facts::PackageInventory;

use super::ReadImage;
use super::layer::{Reading, split};
use super::stream::{Compression, unpack};
use super::wanted;
use crate::error::{Error, Result};
use crate::inventory::gap;

/// Bytes of all files together that may come by, whatever is kept of them.
const MAX_BYTES: u64 = 1 << 30;

/// What was fetched so far.
pub struct Parts {
    reading: Reading,
    hasher: RandomState,
    left: u64,
}

impl Default for Parts {
    fn default() -> Self {
        let hasher = RandomState::new();
        Self { reading: Reading::new(hasher.clone(), true), hasher, left: MAX_BYTES }
    }
}

impl Parts {
    /// The paths to ask for, without leading slash: of each group the first that is there.
    pub fn asked() -> impl Iterator<Item = &'static [&'static str]> {
        wanted::ASKED.iter().copied()
    }

    /// Adds what was answered for one path: a tar archive that begins with its last name (Engine API,
    /// `GET /containers/{id}/archive`).
    ///
    /// # Errors
    /// When the archive does not hold, ends early, or exceeds a bound.
    pub fn add(&mut self, path: &str, archive: impl Read) -> Result<()> {
        let failed = |cause| Error::Archive { what: format!("/{path}"), cause };
        let mut bounded = archive.take(self.left);
        let mut stream = unpack(&mut bounded, MAX_BYTES, Compression::None).map_err(failed)?;
        let (dir, _) = split(path.as_bytes());
        let read = self.reading.add(&mut stream, dir).and_then(|()| stream.drain());
        drop(stream);
        self.left = bounded.limit();
        if self.left == 0 {
            return Err(failed(crate::entry::too_large(MAX_BYTES)));
        }
        read.map_err(failed)
    }

    /// The packages. Those of programming languages were not looked for, which is a gap.
    pub fn inventory(self, source: &str) -> PackageInventory {
        let read = ReadImage::of(vec![Arc::new(self.reading.finish())], self.hasher, source);
        let mut inventory = read.inventory();
        inventory.gaps.push(gap("programs and libraries", NO_LANGUAGES));
        inventory
    }
}

const NO_LANGUAGES: &str = "only package databases were asked of the engine: for packages of programming languages, run \
    plimsoll on the engine's host, or scan what `docker save` writes";
