//! One compact file a release: written once and whole, then only mapped and read.
//!
//! ```text
//! header     magic, version, counts, lengths, checksum of everything but the blocks
//! packages   sorted by name: name offset and length, block offset, length and checksum      20 bytes each
//! advisories offset and length of each record                                                8 bytes each
//! names      package names, one after the other
//! about      JSON: release, source, when it was made, the newest record
//! blocks     per package: what each advisory says about it (postcard)
//! records    per advisory: id, names, severity, summary (postcard)
//! ```
//!
//! Opening checks the header and its tables; a block or record is checked when it is read. Readers hold no lock:
//! a new file replaces the old one by rename, and whoever has the old one mapped goes on reading it.

mod layout;
mod map;
mod read;
mod write;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub(crate) use map::Map;
pub use read::{ReleaseFile, Statements};
pub use write::ReleaseWriter;

/// Why a file of advisories cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It is not such a file, or was damaged.
    #[error("{} is damaged: {what}; `plimsoll db update` or `plimsoll db import` makes it anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it does not fit.
        what: &'static str,
    },
    /// It was written by another version of plimsoll.
    #[error("{} has format {found}, and this plimsoll reads {expected}; `plimsoll db update` makes it anew", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format of this build.
        expected: u32,
    },
    /// More than the format can hold.
    #[error("{}: more than the format can hold", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

impl StoreError {
    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::Damaged { path, .. }
            | Self::Version { path, .. }
            | Self::TooLarge { path } => path,
        }
    }
}

/// What a file says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// OSV's name of the release.
    pub release: String,
    /// Where the records came from.
    pub source: String,
    /// When the file was made, in seconds since the Unix epoch.
    pub made_at: i64,
    /// When the newest record in it was changed, in seconds since the Unix epoch.
    pub newest: i64,
    /// Number of advisories.
    pub advisories: u32,
    /// Number of packages.
    pub packages: u32,
    /// Records of the source that were no records, with the first of them and why.
    pub skipped: u32,
    /// The first record that was skipped, and why.
    pub first_skipped: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Advisory, Affected, Range, RangeEnd, Release};

    fn sample() -> ReleaseWriter {
        let mut writer = ReleaseWriter::new(&Release::new("Debian:12"), "test");
        for (id, package, fixed) in
            [("CVE-1", "runc", "1.1"), ("CVE-2", "runc", "1.2"), ("CVE-3", "bash", "5")]
        {
            let advisory = Advisory { id: id.into(), modified: 7, ..Advisory::default() };
            let range = Range { introduced: "0".into(), end: RangeEnd::Fixed(fixed.into()) };
            let number = writer.advisory(advisory);
            writer
                .affected(package, Affected { advisory: number, ranges: vec![range], ..Affected::default() });
        }
        writer
    }

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = sample().write(dir.path(), 99).unwrap();
        let file = ReleaseFile::open(&path).unwrap();
        assert_eq!(
            (file.about().release.as_str(), file.about().advisories, file.about().packages),
            ("Debian:12", 3, 2)
        );
        let runc = file.package("runc").unwrap();
        let ids: Vec<_> = runc.map(|a| file.advisory(a.unwrap().advisory).unwrap().id).collect();
        assert_eq!(ids, ["CVE-1", "CVE-2"]);
        assert_eq!(file.package("run").unwrap().count(), 0);
        assert_eq!(file.package("runcc").unwrap().count(), 0);
    }

    #[test]
    fn damage_is_found_wherever_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = sample().write(dir.path(), 99).unwrap();
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            fs::write(&path, &bytes).unwrap();
            let seen = ReleaseFile::open(&path).and_then(|file| {
                for package in ["runc", "bash"] {
                    for affected in file.package(package)? {
                        file.advisory(affected?.advisory)?;
                    }
                }
                Ok(())
            });
            assert!(seen.is_err(), "byte {at} of {}", whole.len());
        }
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(ReleaseFile::open(&path).is_err(), "cut to {length}");
        }
    }

    #[test]
    fn readers_of_the_old_file_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = sample().write(dir.path(), 1).unwrap();
        let old = ReleaseFile::open(&path).unwrap();
        ReleaseWriter::new(&Release::new("Debian:12"), "empty").write(dir.path(), 2).unwrap();
        assert_eq!(old.package("runc").unwrap().count(), 2);
        assert!(ReleaseFile::open(&path).unwrap().package("runc").unwrap().next().is_none());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
