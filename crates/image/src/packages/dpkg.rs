//! dpkg's database: `status` (dpkg(1), deb822(5)), `status.d` of distroless images, lists of files and diversions.

use std::path::{Path, PathBuf};

use plimsoll_facts::{Ecosystem, InstalledPackage, PackageLocation};

use super::{Database, MAX_DATABASE, MAX_PACKAGES};
use crate::error::{Error, Result, too_large};
use crate::tree::{Tree, present};

const ROOT: &str = "var/lib/dpkg";
/// How the file lists of distroless images are named.
const SUMS: &[u8] = b".md5sums";
/// Bound of the sum of all file lists, in bytes.
const MAX_LISTS: u64 = 256 << 20;

pub(super) fn read(tree: &dyn Tree, database: &mut Database) -> Result<(), (PathBuf, Error)> {
    let status = Path::new(ROOT).join("status");
    let at = |path: &Path, error| (path.to_owned(), error);
    let found = read_status(tree, &status, database).map_err(|e| at(&status, e))?;
    let parts = Path::new(ROOT).join("status.d");
    let found_parts = read_parts(tree, &parts, database).map_err(|e| at(&parts, e))?;
    if found && database.owners.are_wanted() {
        let lists = Path::new(ROOT).join("info");
        read_lists(tree, &lists, b".list", database).map_err(|e| at(&lists, e))?;
        let diversions = Path::new(ROOT).join("diversions");
        read_diversions(tree, &diversions, database).map_err(|e| at(&diversions, e))?;
    }
    if found_parts && database.owners.are_wanted() {
        read_lists(tree, &parts, SUMS, database).map_err(|e| at(&parts, e))?;
    }
    Ok(())
}

fn read_status(tree: &dyn Tree, path: &Path, database: &mut Database) -> Result<bool> {
    let Some(status) = present(tree.read(path, MAX_DATABASE))? else { return Ok(false) };
    database.add(parse(&status, &shown(path))?, tree.modified_at(path)?);
    Ok(true)
}

/// One file a package, without `Status`: what is there is installed.
fn read_parts(tree: &dyn Tree, dir: &Path, database: &mut Database) -> Result<bool> {
    let mut found = false;
    let is_part = |name: &[u8]| !name.ends_with(SUMS);
    let read = tree.read_files(dir, &is_part, MAX_DATABASE, &mut |path, bytes| {
        found = true;
        database.add(parse(&bytes, &shown(path))?, tree.modified_at(path)?);
        Ok(())
    });
    present(read)?;
    Ok(found)
}

fn read_lists(tree: &dyn Tree, dir: &Path, suffix: &[u8], database: &mut Database) -> Result<()> {
    let mut total = 0;
    let is_list = |name: &[u8]| name.ends_with(suffix);
    let read = tree.read_files(dir, &is_list, MAX_DATABASE, &mut |path, text| {
        total += text.len() as u64;
        if total > MAX_LISTS {
            return Err(too_large(dir, MAX_LISTS));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let package = name.split(':').next().unwrap_or_default();
        database.owners.add(package, text.split(|b| *b == b'\n').map(listed_path));
        Ok(())
    });
    present(read).map(|_| ())
}

/// Three lines each: the path, where the package's own file was moved to, the package that moved it (dpkg-divert(1)).
fn read_diversions(tree: &dyn Tree, path: &Path, database: &mut Database) -> Result<()> {
    let Some(text) = present(tree.read(path, MAX_DATABASE))? else { return Ok(()) };
    let moved = text.split(|b| *b == b'\n').skip(1).step_by(3);
    database.owners.add("dpkg", moved.map(listed_path));
    Ok(())
}

/// A line of a file list without the leading slash, or of a list of MD5 sums without the sum.
fn listed_path(line: &[u8]) -> &[u8] {
    match line {
        [b'/', path @ ..] => path,
        _ if line.get(32..34) == Some(b"  ") => line.get(34..).unwrap_or_default(),
        _ => line,
    }
}

fn shown(path: &Path) -> String {
    format!("/{}", path.display())
}

/// The packages of a status file that are on the disk: also those that are only half installed, but not what is left
/// of a removed package (`deinstall ok config-files`).
///
/// # Errors
/// When it is not a status file, or has too many packages.
pub(crate) fn parse(status: &[u8], path: &str) -> Result<Vec<InstalledPackage>> {
    let mut packages = Vec::new();
    let mut stanza = Stanza::default();
    for (index, line) in status.split(|b| *b == b'\n').chain([b"".as_slice()]).enumerate() {
        if line.trim_ascii().is_empty() {
            packages.extend(std::mem::take(&mut stanza).package(path));
            if packages.len() > MAX_PACKAGES {
                return Err(too_large(path, MAX_PACKAGES as u64));
            }
        } else if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            stanza.field(line, index as u64 + 1);
        }
    }
    Ok(packages)
}

/// The fields of one stanza that matter; names are without regard to case (deb822(5)).
#[derive(Default)]
struct Stanza {
    line: u64,
    name: Option<String>,
    version: Option<String>,
    status: Option<String>,
    source: Option<String>,
    architecture: Option<String>,
    maintainer: Option<String>,
}

impl Stanza {
    fn field(&mut self, line: &[u8], number: u64) {
        let Some(colon) = line.iter().position(|b| *b == b':') else { return };
        let (name, value) = line.split_at(colon);
        let slot = match name.to_ascii_lowercase().as_slice() {
            b"package" => {
                self.line = number;
                &mut self.name
            }
            b"version" => &mut self.version,
            b"status" => &mut self.status,
            b"source" => &mut self.source,
            b"architecture" => &mut self.architecture,
            b"maintainer" => &mut self.maintainer,
            _ => return,
        };
        *slot = Some(String::from_utf8_lossy(value.get(1..).unwrap_or_default().trim_ascii()).into_owned());
    }

    fn package(self, path: &str) -> Option<InstalledPackage> {
        let state = self.status.as_ref().map(|status| status.split_whitespace().nth(2).unwrap_or_default());
        if matches!(state, Some("config-files" | "not-installed" | "")) {
            return None;
        }
        let (name, version) = (self.name.filter(|name| !name.is_empty())?, self.version?);
        let (source_name, source_version) = match self.source.as_deref().map(|source| source.split_once(' '))
        {
            Some(Some((source, version))) => {
                (source.to_owned(), version.trim_matches(['(', ')', ' ']).to_owned())
            }
            Some(None) => (self.source.clone().unwrap_or_default(), version.clone()),
            None => (name.clone(), version.clone()),
        };
        Some(InstalledPackage {
            ecosystem: Ecosystem::Dpkg,
            name,
            version,
            source_name: Some(source_name),
            source_version: Some(source_version),
            architecture: self.architecture,
            vendor: self.maintainer,
            location: PackageLocation { path: path.to_owned(), stanza: Some(self.line) },
            ..InstalledPackage::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // From the status file of Debian 12, shortened; `c` and `e` are made up.
    const STATUS: &str = "Package: libperl5.36
Status: install ok installed
Maintainer: Niko Tyni <ntyni@debian.org>
Architecture: amd64
Multi-Arch: same
Source: perl
Version: 5.36.0-7+deb12u2
Description: shared Perl library
 Package: not-a-field

Package: libldb2
Status: install ok installed
Architecture: amd64
Source: samba (2:4.17.12+dfsg-0+deb12u1)
Version: 2:2.6.2+samba4.17.12+dfsg-0+deb12u1

Package: c
Status: deinstall ok config-files
Version: 1

Package: d
Status: hold ok half-configured
version: 2

Package: e
Status: install ok not-installed
Version: 3
";

    #[test]
    fn sources_versions_and_states() {
        let packages = parse(STATUS.as_bytes(), "/s").unwrap();
        let short: Vec<_> = packages
            .iter()
            .map(|p| {
                (p.name.as_str(), p.source_name.as_deref().unwrap(), p.source_version.as_deref().unwrap())
            })
            .collect();
        assert_eq!(
            short,
            [
                ("libperl5.36", "perl", "5.36.0-7+deb12u2"),
                ("libldb2", "samba", "2:4.17.12+dfsg-0+deb12u1"),
                ("d", "d", "2"),
            ]
        );
        assert_eq!(packages[1].version, "2:2.6.2+samba4.17.12+dfsg-0+deb12u1");
        assert_eq!(packages[1].location, PackageLocation { path: "/s".to_owned(), stanza: Some(11) });
        assert_eq!(packages[0].vendor.as_deref(), Some("Niko Tyni <ntyni@debian.org>"));
    }

    #[test]
    fn whatever_the_bytes_are() {
        for text in [
            b"".as_slice(),
            b"\n\n\n",
            b"Package:",
            b"Package: \nVersion: 1",
            b"\xff\xfe: \xff\n:\n",
            b"Status: install ok installed",
        ] {
            assert_eq!(parse(text, "/s").unwrap(), []);
        }
        // Distroless: no Status.
        assert_eq!(parse(b"Package: tzdata\nVersion: \xff", "/s").unwrap()[0].version, "\u{fffd}");
        // Windows line ends separate stanzas as well.
        assert_eq!(
            parse(b"Package: a\r\nVersion: 1\r\n\r\nPackage: b\r\nVersion: 2\r\n", "/s").unwrap().len(),
            2
        );
        let many = "Package: a\nVersion: 1\n\n".repeat(MAX_PACKAGES + 1);
        assert!(parse(many.as_bytes(), "/s").is_err());
    }

    #[test]
    fn lines_of_file_lists() {
        assert_eq!(listed_path(b"/usr/bin/su"), b"usr/bin/su");
        assert_eq!(listed_path(b"d41d8cd98f00b204e9800998ecf8427e  usr/bin/su"), b"usr/bin/su");
        assert_eq!(listed_path(b"/."), b".");
        assert_eq!(listed_path(b""), b"");
    }
}
