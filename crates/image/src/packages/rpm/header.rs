//! An rpm header as the database keeps it (rpm documentation, "Package format: header structure"): the number of
//! entries, the size of the data, entries of tag, type, offset and count, the data; big-endian.

use plimsoll_facts::{Ecosystem, InstalledPackage, PackageLocation};

use super::Corrupt;
use crate::packages::bytes::{index, slice, u32_be};

/// In front of a header in a package file, and in some databases.
const MAGIC: &[u8] = &[0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
/// Bounds of rpm itself (`lib/header.c`, `hdrchkTags` and `hdrchkData`).
const MAX_ENTRIES: usize = 0xffff;
const MAX_DATA: usize = 256 << 20;
/// Bound of the files of one package.
const MAX_FILES: usize = 1_000_000;

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const VENDOR: u32 = 1011;
const ARCH: u32 = 1022;
const OLD_FILE_NAMES: u32 = 1027;
const SOURCE_RPM: u32 = 1044;
const DIR_INDEXES: u32 = 1116;
const BASE_NAMES: u32 = 1117;
const DIR_NAMES: u32 = 1118;
const MODULARITY_LABEL: u32 = 5096;

const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// What matters of a header.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    /// Version and release.
    pub(crate) version: String,
    pub(crate) epoch: u32,
    pub(crate) architecture: Option<String>,
    pub(crate) vendor: Option<String>,
    /// Name of the source rpm.
    pub(crate) source: Option<String>,
    pub(crate) module: Option<String>,
    /// Paths without leading slash.
    pub(crate) files: Vec<Vec<u8>>,
}

impl Header {
    /// Takes a header blob apart.
    ///
    /// # Errors
    /// When an entry that matters leads out of the blob, or name or version is missing.
    pub(crate) fn parse(blob: &[u8]) -> Result<Self, Corrupt> {
        let blob = blob.strip_prefix(MAGIC).unwrap_or(blob);
        let entries = Entries::of(blob)?;
        let text = |tag| entries.text(tag);
        let (version, release) = (text(VERSION)?, text(RELEASE)?);
        Ok(Self {
            name: text(NAME)?.ok_or(Corrupt("a header has no name"))?,
            version: match (version, release) {
                (Some(version), Some(release)) => format!("{version}-{release}"),
                _ => return Err(Corrupt("a header has no version")),
            },
            epoch: entries.numbers(EPOCH)?.first().copied().unwrap_or(0),
            architecture: text(ARCH)?,
            vendor: text(VENDOR)?,
            source: text(SOURCE_RPM)?,
            module: text(MODULARITY_LABEL)?,
            files: entries.files()?,
        })
    }

    /// The package as rpm names it.
    pub(crate) fn package(&self, path: &str, record: u64) -> InstalledPackage {
        let version = match self.epoch {
            0 => self.version.clone(),
            epoch => format!("{epoch}:{}", self.version),
        };
        let source = self.source.as_deref().and_then(split_source);
        InstalledPackage {
            ecosystem: Ecosystem::Rpm,
            name: self.name.clone(),
            version,
            source_name: Some(source.map_or_else(|| self.name.clone(), |(name, _)| name.to_owned())),
            source_version: Some(
                source.map_or_else(|| self.version.clone(), |(_, version)| version.to_owned()),
            ),
            architecture: self.architecture.clone(),
            vendor: self.vendor.clone().filter(|vendor| !matches!(vendor.as_str(), "" | "(none)")),
            module: self.module.clone(),
            location: PackageLocation { path: path.to_owned(), stanza: Some(record) },
            owned_by: None,
        }
    }
}

/// `perl-5.26.3-419.el8.src.rpm` is perl, 5.26.3-419.el8.
fn split_source(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let release = stem.rfind('-')?;
    let version = stem.get(..release)?.rfind('-')?;
    Some((stem.get(..version)?, stem.get(version + 1..)?))
}

/// The entries of a header and their data.
struct Entries<'a> {
    index: &'a [u8],
    data: &'a [u8],
}

/// One entry: its type, its data and all that follows it, how many values it has.
struct HeaderEntry<'a> {
    kind: u32,
    data: &'a [u8],
    count: usize,
}

impl<'a> Entries<'a> {
    fn of(blob: &'a [u8]) -> Result<Self, Corrupt> {
        const SHORT: Corrupt = Corrupt("a header is cut off");
        let count = u32_be(blob, 0).map(index).ok_or(SHORT)?;
        let size = u32_be(blob, 4).map(index).ok_or(SHORT)?;
        if count == 0 || count > MAX_ENTRIES || size > MAX_DATA {
            return Err(Corrupt("a header has a size that rpm does not write"));
        }
        let entries = slice(blob, 8, count * 16).ok_or(SHORT)?;
        let data = slice(blob, 8 + count * 16, size).ok_or(SHORT)?;
        Ok(Self { index: entries, data })
    }

    fn find(&self, tag: u32) -> Result<Option<HeaderEntry<'a>>, Corrupt> {
        let entry = self.index.chunks_exact(16).find(|entry| u32_be(entry, 0) == Some(tag));
        let Some(entry) = entry else { return Ok(None) };
        let field = |at| u32_be(entry, at).map(index).ok_or(Corrupt("a header is cut off"));
        let data = self.data.get(field(8)?..).ok_or(Corrupt("a header entry leads out of its data"))?;
        Ok(Some(HeaderEntry { kind: u32_be(entry, 4).unwrap_or_default(), data, count: field(12)? }))
    }

    fn text(&self, tag: u32) -> Result<Option<String>, Corrupt> {
        let Some(HeaderEntry { kind, data, count }) = self.find(tag)? else { return Ok(None) };
        if !matches!(kind, STRING | STRING_ARRAY | I18N_STRING) || count == 0 {
            return Err(Corrupt("a header entry has another type than it must have"));
        }
        Ok(Some(String::from_utf8_lossy(terminated(data)?).into_owned()))
    }

    fn numbers(&self, tag: u32) -> Result<Vec<u32>, Corrupt> {
        let Some(HeaderEntry { kind, data, count }) = self.find(tag)? else { return Ok(Vec::new()) };
        if kind != INT32 {
            return Err(Corrupt("a header entry has another type than it must have"));
        }
        let data =
            slice(data, 0, count.saturating_mul(4)).ok_or(Corrupt("a header entry leads out of its data"))?;
        Ok(data.chunks_exact(4).filter_map(|number| u32_be(number, 0)).collect())
    }

    fn texts(&self, tag: u32) -> Result<Vec<&'a [u8]>, Corrupt> {
        let Some(HeaderEntry { kind, mut data, count }) = self.find(tag)? else { return Ok(Vec::new()) };
        if kind != STRING_ARRAY {
            return Err(Corrupt("a header entry has another type than it must have"));
        }
        if count > MAX_FILES {
            return Err(Corrupt("a package has more files than any package has"));
        }
        let mut texts = Vec::new();
        for _ in 0..count {
            let text = terminated(data)?;
            data = data.get(text.len() + 1..).unwrap_or_default();
            texts.push(text);
        }
        Ok(texts)
    }

    fn files(&self) -> Result<Vec<Vec<u8>>, Corrupt> {
        let relative = |path: Vec<u8>| match path.strip_prefix(b"/") {
            Some(rest) => rest.to_vec(),
            None => path,
        };
        let old = self.texts(OLD_FILE_NAMES)?;
        if !old.is_empty() {
            return Ok(old.into_iter().map(|path| relative(path.to_vec())).collect());
        }
        let (names, dirs, indexes) =
            (self.texts(BASE_NAMES)?, self.texts(DIR_NAMES)?, self.numbers(DIR_INDEXES)?);
        let path = |(name, dir): (&&[u8], &u32)| {
            let dir = dirs
                .get(index(*dir))
                .ok_or(Corrupt("a file is in a directory that the header does not have"))?;
            Ok(relative([*dir, *name].concat()))
        };
        names.iter().zip(&indexes).map(path).collect()
    }
}

/// The bytes up to a NUL.
fn terminated(data: &[u8]) -> Result<&[u8], Corrupt> {
    let end = data.iter().position(|byte| *byte == 0);
    data.get(..end.ok_or(Corrupt("a string in a header has no end"))?).ok_or(Corrupt("a header is cut off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_source_packages() {
        assert_eq!(split_source("perl-5.26.3-419.el8.src.rpm"), Some(("perl", "5.26.3-419.el8")));
        assert_eq!(split_source("a-b-c-1-2.nosrc.rpm"), Some(("a-b-c", "1-2")));
        for other in ["(none)", "", "perl.src.rpm", "a-1.src.rpm", "é-1.src.rpm"] {
            assert_eq!(split_source(other), None, "{other}");
        }
    }
}
