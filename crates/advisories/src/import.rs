//! From published records to files: an archive of an ecosystem, a folder of records, or single ones.

mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::store::{About, ReleaseFile, ReleaseWriter, StoreError};
use crate::{Affected, Release, osv, red_hat};

/// How many skipped records are told one by one.
const TOLD: usize = 20;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source cannot be read.
    #[error("{}: {why}", path.display())]
    Source {
        /// What was to be imported.
        path: PathBuf,
        /// Why it cannot be.
        why: String,
    },
    /// There are no records in it.
    #[error("{}: no OSV record for a release that plimsoll matches{first}", path.display())]
    Nothing {
        /// What was to be imported.
        path: PathBuf,
        /// The first record that could not be read, if any, as `; the first problem: …`.
        first: String,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The files that were written.
    pub files: Vec<About>,
    /// Records that were read.
    pub records: u64,
    /// Records that were withdrawn by their publisher, and left out.
    pub withdrawn: u64,
    /// Entries of ecosystems that plimsoll does not match, and left out.
    pub foreign: u64,
    /// Records that were no records; the first of them by name, with the reason.
    pub skipped: Vec<String>,
    /// How many were skipped.
    pub skipped_count: u32,
}

/// Imports an archive (zip; tar, as it is or compressed), a folder or a single record into `folder`: records of OSV, and
/// Red Hat's VEX documents. An archive or a folder replaces the releases that it names; a single record is put beside
/// what is there. `now` is noted in the files; `progress` is told how many records were read, and of how many where
/// that is known.
///
/// # Errors
/// When the source cannot be read, holds no records, or a file cannot be written. What was there stays.
pub fn import(
    path: &Path,
    folder: &Path,
    now: i64,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<Imported, ImportError> {
    let failed = |why: String| ImportError::Source { path: path.to_owned(), why };
    let records = source::open(path).map_err(failed)?;
    let mut import = Import { label: path.display().to_string(), ..Import::default() };
    records
        .each(&mut |name, bytes, done, total| {
            import.record(name, bytes);
            progress(done, total);
        })
        .map_err(failed)?;
    if import.writers.is_empty() {
        let first = import
            .done
            .skipped
            .first()
            .map_or(String::new(), |first| format!("; the first problem: {first}"));
        return Err(ImportError::Nothing { path: path.to_owned(), first });
    }
    fs::create_dir_all(folder).map_err(|source| StoreError::Io { path: folder.to_owned(), source })?;
    import.write(folder, now, records.is_single())
}

#[derive(Default)]
struct Import {
    label: String,
    writers: BTreeMap<String, ReleaseWriter>,
    done: Imported,
}

impl Import {
    fn record(&mut self, name: &str, bytes: Result<&[u8], String>) {
        let record = bytes.and_then(|bytes| parse(bytes).map_err(|error| error.to_string()));
        let record = match record {
            Ok(record) => record,
            Err(why) => {
                self.done.skipped_count += 1;
                if self.done.skipped.len() < TOLD {
                    self.done.skipped.push(format!("{name}: {why}"));
                }
                return;
            }
        };
        self.done.records += 1;
        if record.withdrawn {
            self.done.withdrawn += 1;
            return;
        }
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        for (ecosystem, package, affected) in record.affected {
            let release = Release::new(&ecosystem);
            if release.order().is_none() || package.is_empty() {
                self.done.foreign += 1;
                continue;
            }
            let label = &self.label;
            let writer =
                self.writers.entry(ecosystem.clone()).or_insert_with(|| ReleaseWriter::new(&release, label));
            let number =
                *numbers.entry(ecosystem).or_insert_with(|| writer.advisory(record.advisory.clone()));
            writer.affected(&package, Affected { advisory: number, ..affected });
        }
    }

    fn write(mut self, folder: &Path, now: i64, merge: bool) -> Result<Imported, ImportError> {
        for mut writer in self.writers.into_values() {
            if merge {
                writer = merged(writer, folder)?;
            }
            writer.skipped(self.done.skipped_count, self.done.skipped.first().cloned());
            let path = writer.write(folder, now)?;
            self.done.files.push(ReleaseFile::open(&path)?.about().clone());
        }
        Ok(self.done)
    }
}

/// A record of OSV; what has no id of OSV's may be a document of CSAF.
fn parse(bytes: &[u8]) -> Result<osv::Record, osv::RecordError> {
    match osv::parse(bytes) {
        Err(osv::RecordError::NoId) => red_hat::parse(bytes).map_err(|error| match error {
            osv::RecordError::Shape(_) => osv::RecordError::NoId,
            other => other,
        }),
        other => other,
    }
}

/// The records of a writer put over those of the file that is there.
fn merged(writer: ReleaseWriter, folder: &Path) -> Result<ReleaseWriter, ImportError> {
    let path = folder.join(writer.release().file_name());
    if !path.exists() {
        return Ok(writer);
    }
    Ok(ReleaseFile::open(&path)?.with(writer)?)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn record(id: &str, package: &str, fixed: &str) -> String {
        format!(
            r#"{{"id": "{id}", "modified": "2025-01-01T00:00:00Z", "affected": [{{"package": {{"ecosystem": "Debian:12",
            "name": "{package}"}}, "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#
        )
    }

    fn zip(files: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
        for (name, text) in files {
            let (mut entry, config) = archive
                .new_file(name)
                .compression_method(rawzip::CompressionMethod::DEFLATE)
                .start()
                .unwrap();
            let encoder = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
            let mut writer = config.wrap(encoder);
            writer.write_all(text.as_bytes()).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap();
        bytes
    }

    fn ids(db: &Path, package: &str) -> Vec<String> {
        let file = ReleaseFile::open(&db.join("debian-12.advisories")).unwrap();
        let affected = file.package(package).unwrap();
        affected.map(|a| file.advisory(a.unwrap().advisory).unwrap().id).collect()
    }

    #[test]
    fn archive_then_single_record() {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("db");
        let archive = dir.path().join("all.zip");
        let (one, two) = (record("CVE-1", "runc", "1.1"), record("CVE-2", "runc", "1.2"));
        let withdrawn = r#"{"id": "CVE-9", "withdrawn": "2025-01-01T00:00:00Z"}"#;
        fs::write(
            &archive,
            zip(&[("1.json", &one), ("2.json", &two), ("3.json", "{"), ("9.json", withdrawn)]),
        )
        .unwrap();
        let imported = import(&archive, &db, 5, &|_, _| ()).unwrap();
        assert_eq!((imported.records, imported.withdrawn, imported.skipped_count), (3, 1, 1));
        assert!(imported.skipped[0].starts_with("3.json: "), "{:?}", imported.skipped);
        assert_eq!(ids(&db, "runc"), ["CVE-1", "CVE-2"]);

        let single = dir.path().join("CVE-2.json");
        fs::write(&single, record("CVE-2", "bash", "5")).unwrap();
        import(&single, &db, 6, &|_, _| ()).unwrap();
        assert_eq!(ids(&db, "runc"), ["CVE-1"]);
        assert_eq!(ids(&db, "bash"), ["CVE-2"]);
    }

    #[test]
    fn tar_archives_as_they_are_and_compressed() {
        let dir = tempfile::tempdir().unwrap();
        let mut tar = tar::Builder::new(Vec::new());
        for (name, text) in
            [("a/1.json", record("CVE-1", "runc", "1.1")), ("a/README", "no record".to_owned())]
        {
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            header.set_cksum();
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        let plain = tar.into_inner().unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&plain).unwrap();
        let zstd = ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
        for (number, bytes) in (1..).zip([plain.clone(), gzip.finish().unwrap(), zstd]) {
            let (source, db) = (dir.path().join("source"), dir.path().join("db"));
            fs::write(&source, &bytes).unwrap();
            let imported = import(&source, &db, number, &|_, _| ()).unwrap();
            assert_eq!((imported.records, imported.files[0].made_at), (1, number));
            fs::write(&source, &bytes[..bytes.len() / 3]).unwrap();
            assert!(import(&source, &db, 9, &|_, _| ()).is_err(), "{number}");
        }
    }

    #[test]
    fn a_broken_source_leaves_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("db");
        let folder = dir.path().join("records");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("1.json"), record("CVE-1", "runc", "1.1")).unwrap();
        import(&folder, &db, 5, &|_, _| ()).unwrap();
        for (name, bytes) in
            [("cut.zip", &zip(&[("1.json", "{}")])[..40]), ("no.zip", b"PK"), ("x.json", b"[]")]
        {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            assert!(import(&path, &db, 6, &|_, _| ()).is_err(), "{name}");
        }
        assert!(import(&dir.path().join("none"), &db, 6, &|_, _| ()).is_err());
        assert_eq!(ids(&db, "runc"), ["CVE-1"]);
    }
}
