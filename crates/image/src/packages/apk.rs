//! apk's database of installed packages: stanzas of one-letter fields (apk-package(5), `installed` database).

use std::path::{Path, PathBuf};

use plimsoll_facts::{Ecosystem, InstalledPackage, PackageLocation};

use super::{Database, MAX_DATABASE, MAX_PACKAGES};
use crate::error::{Error, Result, too_large};
use crate::tree::{Tree, present};

/// The second is where systems with a merged `/usr` have it.
const PATHS: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

pub(super) fn read(tree: &dyn Tree, database: &mut Database) -> Result<(), (PathBuf, Error)> {
    // Where `/lib` is a link, both paths are the same file.
    let same = tree.is_link(Path::new("lib"));
    for path in PATHS.iter().skip(usize::from(same)).map(Path::new) {
        read_one(tree, path, database).map_err(|error| (path.to_owned(), error))?;
    }
    Ok(())
}

fn read_one(tree: &dyn Tree, path: &Path, database: &mut Database) -> Result<()> {
    let Some(text) = present(tree.read(path, MAX_DATABASE))? else { return Ok(()) };
    let packages = parse(&text, &format!("/{}", path.display()))?;
    database.add(packages.iter().map(|(package, _)| package.clone()).collect(), tree.modified_at(path)?);
    for (package, files) in &packages {
        database.owners.add(&package.name, files.iter().map(Vec::as_slice));
    }
    Ok(())
}

/// The packages of an `installed` database with the files of each.
///
/// # Errors
/// When it has too many packages.
pub(crate) fn parse(text: &[u8], path: &str) -> Result<Vec<(InstalledPackage, Vec<Vec<u8>>)>> {
    let mut packages = Vec::new();
    let mut stanza = Stanza::default();
    for (index, line) in text.split(|b| *b == b'\n').chain([b"".as_slice()]).enumerate() {
        if line.is_empty() {
            packages.extend(std::mem::take(&mut stanza).package(path));
            if packages.len() > MAX_PACKAGES {
                return Err(too_large(path, MAX_PACKAGES as u64));
            }
        } else {
            stanza.field(line, index as u64 + 1);
        }
    }
    Ok(packages)
}

#[derive(Default)]
struct Stanza {
    package: InstalledPackage,
    directory: Vec<u8>,
    files: Vec<Vec<u8>>,
}

impl Stanza {
    fn field(&mut self, line: &[u8], number: u64) {
        let Some((&[letter, b':'], value)) = line.split_first_chunk::<2>() else { return };
        let text = || String::from_utf8_lossy(value).into_owned();
        match letter {
            b'P' => {
                self.package.name = text();
                self.package.location.stanza = Some(number);
            }
            b'V' => self.package.version = text(),
            b'A' => self.package.architecture = Some(text()),
            b'o' => self.package.source_name = Some(text()),
            b'm' => self.package.vendor = Some(text()),
            b'F' => self.directory = value.to_vec(),
            b'R' if self.directory.is_empty() => self.files.push(value.to_vec()),
            b'R' => self.files.push([&self.directory, b"/".as_slice(), value].concat()),
            _ => {}
        }
    }

    fn package(self, path: &str) -> Option<(InstalledPackage, Vec<Vec<u8>>)> {
        let package = self.package;
        if package.name.is_empty() || package.version.is_empty() {
            return None;
        }
        let package = InstalledPackage {
            ecosystem: Ecosystem::Apk,
            source_name: package.source_name.or_else(|| Some(package.name.clone())),
            source_version: Some(package.version.clone()),
            location: PackageLocation { path: path.to_owned(), ..package.location },
            ..package
        };
        Some((package, self.files))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // From Alpine 3.20's database, shortened.
    const INSTALLED: &[u8] = b"C:Q1abc=\nP:libcrypto3\nV:3.3.2-r0\nA:x86_64\no:openssl\nm:Ariadne <a@b>\nF:etc\nF:etc/ssl\nR:openssl.cnf\na:0:0:644\nZ:Q1=\nF:\nR:top\n\nP:musl\nV:1.2.5-r0\n\nP:broken\n\n";

    #[test]
    fn origins_and_files() {
        let packages = parse(INSTALLED, "/lib/apk/db/installed").unwrap();
        assert_eq!(packages.len(), 2);
        let (crypto, files) = &packages[0];
        assert_eq!((crypto.source_name.as_deref(), crypto.version.as_str()), (Some("openssl"), "3.3.2-r0"));
        assert_eq!(crypto.location.stanza, Some(2));
        assert_eq!(files, &[b"etc/ssl/openssl.cnf".to_vec(), b"top".to_vec()]);
        assert_eq!(packages[1].0.source_name.as_deref(), Some("musl"));
        assert_eq!(parse(b"P\nP:\nV:\n\nV:1\n:\n\xff", "/").unwrap(), []);
    }
}
