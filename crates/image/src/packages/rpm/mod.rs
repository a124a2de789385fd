//! rpm's database, whichever of its three formats: SQLite (Fedora 33, RHEL 9), ndb (SUSE), Berkeley DB (RHEL up to 8).
//!
//! All hold one header blob a package. The readers here are small and read-only, and take the whole file as bytes: C
//! libraries made for trusted files are no choice for files that an image brings.

mod bdb;
mod header;
mod ndb;
mod sqlite;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use plimsoll_facts::InstalledPackage;

use super::{Database, MAX_DATABASE, MAX_PACKAGES};
use crate::error::{Error, Result, too_large};
use crate::tree::{Tree, present};

pub(crate) use header::Header;

/// Directories that hold the database: the usual one, SUSE's and newer Fedora's, ostree's.
pub(crate) const DIRS: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];
/// List of packages that distroless images of CBL-Mariner have instead.
pub(crate) const MANIFEST: &str = "var/lib/rpmmanifest/container-manifest-2";

/// Why a database could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt(pub(crate) &'static str);

/// Told each header blob of a database.
pub(crate) type EachBlob<'a> = dyn FnMut(&[u8]) -> Result<(), Corrupt> + 'a;

/// The formats, by file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Sqlite,
    Ndb,
    Bdb,
}

impl Format {
    /// Newest first: a system that was converted may still have the old file.
    const ALL: [(Self, &'static str); 3] =
        [(Self::Sqlite, "rpmdb.sqlite"), (Self::Ndb, "Packages.db"), (Self::Bdb, "Packages")];
}

pub(super) fn read(tree: &dyn Tree, database: &mut Database) -> Result<(), (PathBuf, Error)> {
    for dir in DIRS {
        for (path, format) in files(tree, dir) {
            if read_one(tree, &path, format, database).map_err(|error| (path.clone(), error))? {
                break;
            }
        }
    }
    let manifest = PathBuf::from(MANIFEST);
    read_manifest(tree, &manifest, database).map_err(|error| (manifest, error))
}

/// The files that a directory may hold a database in, newest format first.
fn files(tree: &dyn Tree, dir: &'static str) -> impl Iterator<Item = (PathBuf, Format)> {
    // `/var/lib/rpm` is a link to one of the others on newer systems.
    let formats = if tree.is_link(Path::new(dir)) { &[] } else { Format::ALL.as_slice() };
    formats.iter().map(move |(format, name)| (Path::new(dir).join(name), *format))
}

fn read_one(tree: &dyn Tree, path: &Path, format: Format, database: &mut Database) -> Result<bool> {
    let Some(headers) = load(tree, path, format)? else { return Ok(false) };
    let shown = format!("/{}", path.display());
    let mut packages = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        database.owners.add(&header.name, header.files.iter().map(Vec::as_slice));
        // Imported keys are kept as packages; no advisory is about them.
        if header.name != "gpg-pubkey" {
            packages.push(header.package(&shown, index as u64 + 1));
        }
    }
    database.add(packages, tree.modified_at(path)?);
    Ok(true)
}

/// The headers of the database in this file; nothing where there is none.
fn load(tree: &dyn Tree, path: &Path, format: Format) -> Result<Option<Vec<Header>>> {
    let Some(bytes) = present(tree.read(path, MAX_DATABASE))?.filter(|bytes| !bytes.is_empty()) else {
        return Ok(None);
    };
    let log = if format == Format::Sqlite {
        present(tree.read(&path.with_file_name("rpmdb.sqlite-wal"), MAX_DATABASE))?.unwrap_or_default()
    } else {
        Vec::new()
    };
    let headers = headers(format, &bytes, &log)
        .map_err(|Corrupt(what)| Error::Corrupt { path: path.to_owned(), what })?;
    if headers.len() > MAX_PACKAGES {
        return Err(too_large(path, MAX_PACKAGES as u64));
    }
    Ok(Some(headers))
}

/// Told a file of a package, by a path without leading slash, and how to describe the package.
pub type EachFile<'a> = dyn FnMut(&dyn Fn() -> InstalledPackage, &[u8]) + 'a;

/// Calls `each` with every file of every package in the first rpm database of a tree. Answers where that is, if anywhere.
///
/// # Errors
/// When the database cannot be read.
pub fn rpm_files(tree: &dyn Tree, each: &mut EachFile<'_>) -> Result<Option<PathBuf>> {
    for (path, format) in DIRS.into_iter().flat_map(|dir| files(tree, dir)) {
        let Some(headers) = load(tree, &path, format)? else { continue };
        let path = Path::new("/").join(path);
        for (record, header) in (1..).zip(&headers) {
            let package = || header.package(&path.display().to_string(), record);
            header.files.iter().for_each(|file| each(&package, file));
        }
        return Ok(Some(path));
    }
    Ok(None)
}

/// The headers of a database.
///
/// # Errors
/// When any part of it does not hold: a package that is silently left out would be a vulnerability that is not seen.
pub(crate) fn headers(format: Format, bytes: &[u8], log: &[u8]) -> Result<Vec<Header>, Corrupt> {
    let mut headers = Vec::new();
    let mut each = |blob: &[u8]| {
        if headers.len() > MAX_PACKAGES {
            return Err(Corrupt("it holds more packages than any system has"));
        }
        headers.push(Header::parse(blob)?);
        Ok(())
    };
    match format {
        Format::Sqlite => sqlite::each_blob(bytes, log, &mut each)?,
        Format::Ndb => ndb::each_blob(bytes, &mut each)?,
        Format::Bdb => bdb::each_blob(bytes, &mut each)?,
    }
    Ok(headers)
}

/// One line a package, made by `rpm -qa --qf '%{NAME}\t%{VERSION}-%{RELEASE}\t%{INSTALLTIME}\t%{BUILDTIME}\t%{VENDOR}\t
/// %{EPOCH}\t%{SIZE}\t%{ARCH}\t%{EPOCHNUM}\t%{SOURCERPM}\n'`.
fn read_manifest(tree: &dyn Tree, path: &Path, database: &mut Database) -> Result<()> {
    let Some(text) = present(tree.read(path, MAX_DATABASE))? else { return Ok(()) };
    let shown = format!("/{}", path.display());
    let mut packages: Vec<InstalledPackage> = Vec::new();
    for (index, line) in String::from_utf8_lossy(&text).lines().enumerate() {
        let fields: Vec<_> = line.split('\t').collect();
        let [name, version, _, _, vendor, _, _, architecture, epoch, source, ..] = fields[..] else {
            return Err(Error::Corrupt {
                path: path.to_owned(),
                what: "a line has fewer fields than rpm writes",
            });
        };
        let header = Header {
            name: name.to_owned(),
            version: version.to_owned(),
            epoch: epoch.parse().unwrap_or(0),
            architecture: Some(architecture.to_owned()),
            vendor: Some(vendor.to_owned()),
            source: Some(source.to_owned()),
            ..Header::default()
        };
        packages.push(header.package(&shown, index as u64 + 1));
    }
    database.add(packages, tree.modified_at(path)?);
    Ok(())
}
