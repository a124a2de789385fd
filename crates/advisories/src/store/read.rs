//! Reads a file of advisories.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::layout::{ADVISORY, FORMAT, HEADER, Header, PACKAGE, u32_at};
use super::map::Map;
use super::{About, ReleaseWriter, StoreError};
use crate::advisory::{Advisory, AdvisoryNames, Affected};

/// The advisories of one release, mapped.
#[derive(Debug)]
pub struct ReleaseFile {
    path: PathBuf,
    map: Map,
    header: Header,
    about: About,
}

impl ReleaseFile {
    /// Opens a file and checks its header and tables.
    ///
    /// # Errors
    /// When it cannot be read, is of another format, or damaged.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let map = Map::open(path).map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
        let damaged = |what| StoreError::Damaged { path: path.to_owned(), what };
        let (format, header) = Header::parse(&map).ok_or_else(|| damaged("it does not begin as one"))?;
        if format != FORMAT {
            return Err(StoreError::Version { path: path.to_owned(), found: format, expected: FORMAT });
        }
        let sections = sections(header).ok_or_else(|| damaged("its lengths are impossible"))?;
        if map.len() != sections.end {
            return Err(damaged("it is cut off, or something was added"));
        }
        // No fuzzer finds a checksum.
        if !cfg!(fuzzing) && checksum(&map, header, sections.data) != Some(header.checksum) {
            return Err(damaged("its tables do not match their checksum"));
        }
        let about = map.get(sections.about..sections.data).unwrap_or_default();
        let about = serde_json::from_slice(about)
            .map_err(|_| damaged("what it says about itself is not readable"))?;
        Ok(Self { path: path.to_owned(), map, header, about })
    }

    /// What the file says about itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// What all advisories say about a package; empty where none names it.
    ///
    /// # Errors
    /// When its block is damaged.
    pub fn package(&self, name: &str) -> Result<Statements<'_>, StoreError> {
        let (mut low, mut high) = (0, self.header.packages as usize);
        while low < high {
            let middle = low + (high - low) / 2;
            let line = HEADER + middle * PACKAGE;
            match self.name_at(line).ok_or_else(|| self.damaged("a package's name"))?.cmp(name.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.statements(line + 8),
            }
        }
        Ok(Statements { file: self, left: 0, rest: &[] })
    }

    fn statements(&self, line: usize) -> Result<Statements<'_>, StoreError> {
        let block = self.block(line).and_then(|block| postcard::take_from_bytes(block).ok());
        let (left, rest) = block.ok_or_else(|| self.damaged(Statements::WHAT))?;
        Ok(Statements { file: self, left, rest })
    }

    /// An advisory by its number in this file.
    ///
    /// # Errors
    /// When there is none of this number, or its record is damaged.
    pub fn advisory(&self, number: u32) -> Result<Advisory, StoreError> {
        self.record(number)
    }

    /// The names of an advisory by its number in this file.
    ///
    /// # Errors
    /// As for [`Self::advisory`].
    pub fn names(&self, number: u32) -> Result<AdvisoryNames<'_>, StoreError> {
        self.record(number)
    }

    /// The record of an advisory, or its first fields.
    fn record<'a, T: Deserialize<'a>>(&'a self, number: u32) -> Result<T, StoreError> {
        if number >= self.header.advisories {
            return Err(self.damaged("a reference to an advisory"));
        }
        self.decode(self.advisories() + number as usize * ADVISORY, "an advisory")
    }

    /// Everything in this file that `newer` does not say anew, put beside it.
    ///
    /// # Errors
    /// When something in the file is damaged.
    pub(crate) fn with(&self, mut newer: ReleaseWriter) -> Result<ReleaseWriter, StoreError> {
        let mut numbers = HashMap::new();
        for number in 0..self.header.advisories {
            let advisory = self.advisory(number)?;
            if !newer.has(&advisory.id) {
                numbers.insert(number, newer.advisory(advisory));
            }
        }
        for line in (0..self.header.packages as usize).map(|i| HEADER + i * PACKAGE) {
            let name = self.name_at(line).and_then(|name| std::str::from_utf8(name).ok());
            let name = name.ok_or_else(|| self.damaged("a package's name"))?;
            let affected: Vec<Affected> = self.decode(line + 8, Statements::WHAT)?;
            for affected in affected {
                if let Some(number) = numbers.get(&affected.advisory) {
                    newer.affected(name, Affected { advisory: *number, ..affected });
                }
            }
        }
        Ok(newer)
    }

    fn advisories(&self) -> usize {
        HEADER + self.header.packages as usize * PACKAGE
    }

    fn name_at(&self, line: usize) -> Option<&[u8]> {
        let names = self.advisories() + self.header.advisories as usize * ADVISORY;
        let start = names + u32_at(&self.map, line)? as usize;
        self.map.get(start..start + u32_at(&self.map, line + 4)? as usize)
    }

    /// What an offset, a length and a checksum at `line` point to.
    fn block(&self, line: usize) -> Option<&[u8]> {
        let data = self.map.len() - self.header.data as usize;
        let start = data + u32_at(&self.map, line)? as usize;
        let bytes = self.map.get(start..start + u32_at(&self.map, line + 4)? as usize)?;
        (crc32fast::hash(bytes) == u32_at(&self.map, line + 8)? || cfg!(fuzzing)).then_some(bytes)
    }

    fn decode<'a, T: Deserialize<'a>>(&'a self, line: usize, what: &'static str) -> Result<T, StoreError> {
        let decoded = self.block(line).and_then(|block| postcard::from_bytes(block).ok());
        decoded.ok_or_else(|| self.damaged(what))
    }

    fn damaged(&self, what: &'static str) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), what }
    }
}

/// What each advisory says about a package, decoded one after the other.
#[derive(Debug)]
pub struct Statements<'a> {
    file: &'a ReleaseFile,
    left: usize,
    rest: &'a [u8],
}

impl Statements<'_> {
    const WHAT: &'static str = "what it says about a package";
}

impl<'a> Iterator for Statements<'a> {
    type Item = Result<Affected<&'a str>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let Ok((affected, rest)) = postcard::take_from_bytes(self.rest) else {
            self.left = 0;
            return Some(Err(self.file.damaged(Self::WHAT)));
        };
        self.rest = rest;
        Some(Ok(affected))
    }
}

struct Sections {
    about: usize,
    data: usize,
    end: usize,
}

fn sections(header: Header) -> Option<Sections> {
    let tables = (header.packages as usize)
        .checked_mul(PACKAGE)?
        .checked_add((header.advisories as usize).checked_mul(ADVISORY)?)?
        .checked_add(HEADER)?;
    let about = tables.checked_add(header.names as usize)?;
    let data = about.checked_add(header.about as usize)?;
    Some(Sections { about, data, end: data.checked_add(header.data as usize)? })
}

/// CRC-32 of everything before the data, with the header's own checksum as 0.
fn checksum(bytes: &[u8], header: Header, data: usize) -> Option<u32> {
    let mut hasher = crc32fast::Hasher::new();
    // The whole header as it should be, so that bytes that mean nothing are checked as well.
    if bytes.get(..HEADER)? != header.to_bytes() {
        return None;
    }
    hasher.update(&Header { checksum: 0, ..header }.to_bytes());
    hasher.update(bytes.get(HEADER..data)?);
    Some(hasher.finalize())
}
