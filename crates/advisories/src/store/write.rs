//! Writes a file of advisories: beside the old one, synced, renamed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plimsoll_rootdir::replace;

use super::layout::Header;
use super::{About, StoreError};
use crate::{Advisory, Affected, Release};

/// Collects the advisories of one release.
#[derive(Debug)]
pub struct ReleaseWriter {
    release: Release,
    about: About,
    advisories: Vec<Advisory>,
    packages: BTreeMap<String, Vec<Affected>>,
}

impl ReleaseWriter {
    /// An empty release; `source` says where its records come from.
    pub fn new(release: &Release, source: &str) -> Self {
        let about = About { release: release.to_string(), source: source.to_owned(), ..About::default() };
        Self { release: release.clone(), about, advisories: Vec::new(), packages: BTreeMap::new() }
    }

    /// The release that it collects for.
    pub fn release(&self) -> &Release {
        &self.release
    }

    /// Whether it holds an advisory of this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.advisories.iter().any(|advisory| advisory.id == id)
    }

    /// Adds an advisory and returns its number.
    pub fn advisory(&mut self, advisory: Advisory) -> u32 {
        self.about.newest = self.about.newest.max(advisory.modified);
        self.advisories.push(advisory);
        u32::try_from(self.advisories.len() - 1).unwrap_or(u32::MAX)
    }

    /// Adds what an advisory says about a package.
    pub fn affected(&mut self, package: &str, affected: Affected) {
        match self.packages.get_mut(package) {
            Some(list) => list.push(affected),
            None => {
                self.packages.insert(package.to_owned(), vec![affected]);
            }
        }
    }

    /// Notes how many records of the source could not be read, with the first of them.
    pub fn skipped(&mut self, count: u32, first: Option<String>) {
        self.about.skipped = count;
        self.about.first_skipped = first;
    }

    /// Writes the file into a folder, whole or not at all, and returns its path.
    ///
    /// # Errors
    /// When it cannot be written, or is larger than the format can hold.
    pub fn write(mut self, folder: &Path, made_at: i64) -> Result<PathBuf, StoreError> {
        let path = folder.join(self.release.file_name());
        self.about.made_at = made_at;
        let too_large = |_| StoreError::TooLarge { path: path.clone() };
        self.about.advisories = u32::try_from(self.advisories.len()).map_err(too_large)?;
        self.about.packages = u32::try_from(self.packages.len()).map_err(too_large)?;
        let bytes = self.encode().ok_or_else(|| StoreError::TooLarge { path: path.clone() })?;
        replace(&path, |out| out.write_all(&bytes))
            .map_err(|source| StoreError::Io { path: path.clone(), source })?;
        Ok(path)
    }

    fn encode(&self) -> Option<Vec<u8>> {
        let about = serde_json::to_vec(&self.about).ok()?;
        let mut data = Data::default();
        let mut names = Vec::new();
        let mut packages = Vec::new();
        for (name, affected) in &self.packages {
            packages.extend(u32::try_from(names.len()).ok()?.to_le_bytes());
            packages.extend(u32::try_from(name.len()).ok()?.to_le_bytes());
            packages.extend(data.add(affected)?);
            names.extend(name.as_bytes());
        }
        let mut advisories = Vec::new();
        for advisory in &self.advisories {
            advisories.extend(data.add(advisory)?);
        }
        let mut header = Header {
            packages: self.about.packages,
            advisories: self.about.advisories,
            names: u32::try_from(names.len()).ok()?,
            about: u32::try_from(about.len()).ok()?,
            data: u32::try_from(data.bytes.len()).ok()?,
            checksum: 0,
        };
        let tables = [packages, advisories, names, about].concat();
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&header.to_bytes());
        hasher.update(&tables);
        header.checksum = hasher.finalize();
        Some([&header.to_bytes()[..], &tables, &data.bytes].concat())
    }
}

/// Blocks and records, one after the other.
#[derive(Default)]
struct Data {
    bytes: Vec<u8>,
}

impl Data {
    /// Appends a value; its offset, length and checksum.
    fn add(&mut self, value: &impl serde::Serialize) -> Option<[u8; 12]> {
        let encoded = postcard::to_stdvec(value).ok()?;
        let mut line = [0; 12];
        line[..4].copy_from_slice(&u32::try_from(self.bytes.len()).ok()?.to_le_bytes());
        line[4..8].copy_from_slice(&u32::try_from(encoded.len()).ok()?.to_le_bytes());
        line[8..].copy_from_slice(&crc32fast::hash(&encoded).to_le_bytes());
        self.bytes.extend(encoded);
        Some(line)
    }
}
