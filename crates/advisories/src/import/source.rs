//! Where records come from: a zip or tar archive, a folder, one file. Untrusted: every size and count is bounded.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::{DeflateDecoder, MultiGzDecoder};
use rawzip::{CompressionMethod, ZipArchive, ZipSliceArchive};
use ruzstd::decoding::StreamingDecoder;

use crate::osv::LARGEST_RECORD;
use crate::store::Map;

/// More records than any ecosystem publishes.
const MAX_RECORDS: u64 = 5_000_000;
/// Bytes of a tar archive that are read: Red Hat's documents have some 30 GB.
const MAX_TAR: u64 = 256 << 30;
/// First bytes of compressed files (RFC 1952, RFC 8878), and the mark of a tar archive with its place (POSIX ustar).
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const TAR: (usize, &[u8]) = (257, b"ustar");
const TAR_BLOCK: usize = 512;
/// Depth of folders in folders.
const MAX_DEPTH: usize = 8;

/// A source of records.
pub(super) enum Source {
    Zip(ZipSliceArchive<Map>),
    Tar(Map),
    Files { files: Vec<PathBuf>, single: bool },
}

/// Told of each record: its name, its bytes or why they cannot be read, its number, and how many there are, if known.
pub(super) type Sink<'s> = dyn FnMut(&str, Result<&[u8], String>, u64, Option<u64>) + 's;

/// Opens a source by what it is, not by its name.
pub(super) fn open(path: &Path) -> Result<Source, String> {
    let kind = fs::metadata(path).map_err(|error| error.to_string())?;
    if kind.is_dir() {
        let mut files = Vec::new();
        find(path, MAX_DEPTH, &mut files)?;
        files.sort();
        return Ok(Source::Files { files, single: false });
    }
    let map = Map::open(path).map_err(|error| error.to_string())?;
    if map.starts_with(b"PK") {
        let archive =
            ZipArchive::from_slice(map).map_err(|error| format!("no whole zip archive: {error}"))?;
        return Ok(Source::Zip(archive));
    }
    let is_tar = map.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1));
    if is_tar || map.starts_with(GZIP) || map.starts_with(ZSTD) {
        return Ok(Source::Tar(map));
    }
    Ok(Source::Files { files: vec![path.to_owned()], single: true })
}

/// Files that end in `.json`; symbolic links are not followed.
fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error: io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        if kind.is_dir() && depth > 0 {
            find(&path, depth - 1, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
        if files.len() as u64 > MAX_RECORDS {
            return Err(format!("more than {MAX_RECORDS} records"));
        }
    }
    Ok(())
}

impl Source {
    /// Whether it is a single record, to be put beside what is there.
    pub(super) fn is_single(&self) -> bool {
        matches!(self, Self::Files { single: true, .. })
    }

    /// Reads each record in turn. An entry that cannot be read is told and the rest goes on; an archive whose
    /// directory is damaged is an error, since no one knows what is missing.
    pub(super) fn each(&self, sink: &mut Sink<'_>) -> Result<(), String> {
        match self {
            Self::Zip(archive) => each_entry(archive, sink),
            Self::Tar(map) => each_member(map, sink),
            Self::Files { files, .. } => {
                let total = files.len() as u64;
                for (number, path) in (1..).zip(files) {
                    let bytes = read_file(path);
                    let bytes = bytes.as_deref().map_err(Clone::clone);
                    sink(&path.display().to_string(), bytes, number, Some(total));
                }
                Ok(())
            }
        }
    }
}

/// The files of a tar archive that end in `.json`, as a stream.
fn each_member(map: &[u8], sink: &mut Sink<'_>) -> Result<(), String> {
    let damaged = |error: io::Error| format!("the archive is damaged: {error}");
    let stream: Box<dyn Read + '_> = if map.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(map))
    } else if map.starts_with(ZSTD) {
        Box::new(StreamingDecoder::new(map).map_err(|error| format!("the archive is damaged: {error}"))?)
    } else {
        Box::new(map)
    };
    let mut archive = tar::Archive::new(Watched { stream: stream.take(MAX_TAR), zeros: 0 });
    let mut number = 0;
    let mut bytes = Vec::new();
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() || !name.ends_with(".json") {
            continue;
        }
        number += 1;
        if number > MAX_RECORDS {
            return Err(format!("more than {MAX_RECORDS} records"));
        }
        bytes.clear();
        let read = limited(&mut entry, &mut bytes).map_err(|error| error.to_string());
        sink(&name, read.map(|()| bytes.as_slice()), number, None);
    }
    // An archive ends with blocks of zeros: without them, no one knows what is missing.
    if archive.into_inner().zeros < TAR_BLOCK {
        return Err("the archive is damaged: it is cut off".to_owned());
    }
    Ok(())
}

/// Counts the zeros that were read last.
struct Watched<R> {
    stream: R,
    zeros: usize,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        let read = buffer.get(..length).unwrap_or_default();
        let zeros = read.iter().rev().take_while(|byte| **byte == 0).count();
        self.zeros = if zeros == length { self.zeros.saturating_add(zeros) } else { zeros };
        Ok(length)
    }
}

fn each_entry(archive: &ZipSliceArchive<Map>, sink: &mut Sink<'_>) -> Result<(), String> {
    let damaged = |error: rawzip::Error| format!("the archive is damaged: {error}");
    let total = archive.entries_hint();
    if total > MAX_RECORDS {
        return Err(format!("more than {MAX_RECORDS} records"));
    }
    let mut entries = archive.entries();
    let mut number = 0;
    let mut bytes = Vec::new();
    while let Some(entry) = entries.next_entry().map_err(damaged)? {
        number += 1;
        if number > total {
            return Err("the archive has more entries than it says".to_owned());
        }
        if entry.is_dir() {
            continue;
        }
        let name = String::from_utf8_lossy(entry.file_path().as_ref()).into_owned();
        let inflated = match entry.flags().is_encrypted() {
            true => Err("it is encrypted".to_owned()),
            false => archive
                .get_entry(entry.wayfinder())
                .map_err(|error| error.to_string())
                .and_then(|data| inflate(&data, entry.compression_method(), &mut bytes)),
        };
        sink(&name, inflated.map(|()| bytes.as_slice()), number, Some(total));
    }
    if number < total { Err("the archive has fewer entries than it says".to_owned()) } else { Ok(()) }
}

/// Inflates an entry into `bytes` and checks its size and CRC.
fn inflate(
    entry: &rawzip::ZipSliceEntry<'_>,
    method: CompressionMethod,
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    bytes.clear();
    let read = match method {
        CompressionMethod::STORE => limited(entry.verifying_reader(entry.data()), bytes),
        CompressionMethod::DEFLATE => {
            limited(entry.verifying_reader(DeflateDecoder::new(entry.data())), bytes)
        }
        other => return Err(format!("compressed in a way that is not read ({other:?})")),
    };
    read.map_err(|error| error.to_string())
}

fn limited(reader: impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    reader.take(LARGEST_RECORD as u64 + 1).read_to_end(bytes)?;
    if bytes.len() > LARGEST_RECORD {
        return Err(io::Error::other(format!("larger than {LARGEST_RECORD} bytes")));
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| limited(file, &mut bytes)).map_err(|error| error.to_string())?;
    Ok(bytes)
}
