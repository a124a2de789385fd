//! The distribution's package database, as far as an audit needs it: how many packages, when it last changed, and
//! which files are a package's.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::{Result, too_large};
use crate::layered::{LayeredDir, LayeredRoot};

const DPKG: &str = "var/lib/dpkg";
const APK: [&str; 2] = ["lib/apk/db", "usr/lib/apk/db"];
/// How the file lists of distroless images are named.
const SUMS: &[u8] = b".md5sums";
const RPM: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];

/// Bound of one database file, in bytes.
const MAX_FILE: u64 = 64 << 20;
/// Bound of the sum of all file lists, in bytes.
const MAX_LISTS: u64 = 256 << 20;
/// Bound of the files in one database directory.
const MAX_ENTRIES: usize = 200_000;

/// What an audit needs of a package database.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// Packages that are installed; `None` where no database was found or it could not be read.
    pub(crate) installed: Option<u32>,
    /// Latest change, in seconds since the Unix epoch.
    pub(crate) changed_at: Option<i64>,
    /// Hashes of the paths that packages list, without leading slash. `None`: not determined.
    files: Option<HashSet<u64>>,
    hasher: RandomState,
    /// What could not be read.
    pub(crate) gaps: Vec<String>,
}

/// What tells two databases apart without reading them: the directories that they consist of.
pub(crate) type Identity = Vec<Vec<(u64, u64)>>;

/// The identity of the package database of an image.
pub(crate) fn identity(root: &LayeredRoot) -> Identity {
    let inside = ["info", "status.d"].map(|name| Path::new(DPKG).join(name));
    let dirs = [DPKG].iter().chain(&APK).chain(&RPM).map(PathBuf::from).chain(inside);
    dirs.map(|dir| root.open_dir(&dir).and_then(|dir| dir.identity()).unwrap_or_default()).collect()
}

impl Owners {
    /// Reads the database of an image.
    pub(crate) fn of(root: &LayeredRoot) -> Self {
        let mut owners = Self::default();
        let read =
            owners.read_dpkg(root).and_then(|found| if found { Ok(true) } else { owners.read_apk(root) });
        match read {
            Ok(true) => {}
            Ok(false) => owners.note_rpm(root),
            Err(error) => owners.gaps.push(format!("package database: {error}")),
        }
        owners
    }

    /// Whether a package lists this path (without leading slash). `None`: not determined.
    pub(crate) fn owns(&self, path: &[u8]) -> Option<bool> {
        Some(self.files.as_ref()?.contains(&self.hasher.hash_one(path)))
    }

    fn read_dpkg(&mut self, root: &LayeredRoot) -> Result<bool> {
        let Some(dpkg) = present(root.open_dir(DPKG))? else { return Ok(false) };
        let status = present(dpkg.read(OsStr::new("status"), MAX_FILE))?;
        // Distroless images have one file a package instead.
        let parts = present(root.open_dir(Path::new(DPKG).join("status.d")))?;
        if status.is_none() && parts.is_none() {
            return Ok(false);
        }
        let mut installed = 0;
        if let Some(status) = status {
            installed += count_dpkg(&status);
            self.changed_at = Some(dpkg.modified_at(OsStr::new("status"))?);
        }
        for part in parts.as_ref().map(|parts| parts.entries(MAX_ENTRIES)).transpose()?.unwrap_or_default() {
            if let Some(parts) = parts.as_ref().filter(|_| !part.name.as_bytes().ends_with(SUMS)) {
                installed += count_dpkg(&parts.read(&part.name, MAX_FILE)?);
                self.changed_at = self.changed_at.max(Some(parts.modified_at(&part.name)?));
            }
        }
        self.installed = Some(installed);
        self.read_dpkg_lists(root, &dpkg)?;
        Ok(true)
    }

    fn read_dpkg_lists(&mut self, root: &LayeredRoot, dpkg: &LayeredDir<'_>) -> Result<()> {
        let mut files = HashSet::new();
        let (mut lists, mut total) = (0, 0);
        for (dir, suffix) in [("info", b".list".as_slice()), ("status.d", SUMS)] {
            let Some(dir) = present(root.open_dir(Path::new(DPKG).join(dir)))? else { continue };
            for list in dir.entries(MAX_ENTRIES)?.iter().filter(|e| e.name.as_bytes().ends_with(suffix)) {
                let text = dir.read(&list.name, MAX_FILE)?;
                lists += 1;
                total += text.len() as u64;
                if total > MAX_LISTS {
                    return Err(too_large(DPKG, MAX_LISTS));
                }
                files.extend(text.split(|b| *b == b'\n').map(|line| self.hasher.hash_one(listed_path(line))));
            }
        }
        // Every third line from the second is where the package's own file was moved to (dpkg-divert(1)).
        if let Some(text) = present(dpkg.read(OsStr::new("diversions"), MAX_FILE))? {
            let moved = text.split(|b| *b == b'\n').skip(1).step_by(3);
            files.extend(moved.map(|line| self.hasher.hash_one(listed_path(line))));
        }
        self.files = (lists > 0).then_some(files);
        Ok(())
    }

    fn read_apk(&mut self, root: &LayeredRoot) -> Result<bool> {
        for dir in APK {
            let Some(db) = present(root.open_dir(dir))? else { continue };
            let Some(text) = present(db.read(OsStr::new("installed"), MAX_FILE))? else { continue };
            self.changed_at = Some(db.modified_at(OsStr::new("installed"))?);
            let mut files = HashSet::new();
            let mut installed = 0;
            let mut dir = Vec::new();
            for line in text.split(|b| *b == b'\n') {
                match line.split_at_checked(2) {
                    Some((b"P:", _)) => installed += 1,
                    Some((b"F:", path)) => dir = path.to_vec(),
                    Some((b"R:", name)) => {
                        let path = if dir.is_empty() {
                            name.to_vec()
                        } else {
                            [&dir, b"/".as_slice(), name].concat()
                        };
                        files.insert(self.hasher.hash_one(path.as_slice()));
                    }
                    _ => {}
                }
            }
            self.installed = Some(installed);
            self.files = Some(files);
            return Ok(true);
        }
        Ok(false)
    }

    fn note_rpm(&mut self, root: &LayeredRoot) {
        if let Some(dir) = RPM
            .iter()
            .find(|dir| root.open_dir(dir).is_ok_and(|dir| !matches!(dir.entries(1_000).as_deref(), Ok([]))))
        {
            self.gaps.push(format!("package database: /{dir} is an rpm database, which is not read yet"));
        }
    }
}

/// `None` where there is no such file.
fn present<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A line of a file list without the leading slash, or of a list of MD5 sums without the sum.
fn listed_path(line: &[u8]) -> &[u8] {
    match line {
        [b'/', path @ ..] => path,
        _ if line.get(32..34) == Some(b"  ") => &line[34..],
        _ => line,
    }
}

/// Stanzas of dpkg's status that stand for an installed package. In `status.d` there is no `Status` field: all are.
fn count_dpkg(status: &[u8]) -> u32 {
    let mut count = 0;
    let (mut package, mut installed) = (false, true);
    for line in status.split(|b| *b == b'\n').chain([b"".as_slice()]) {
        if line.is_empty() {
            count += u32::from(package && installed);
            (package, installed) = (false, true);
        } else if line.starts_with(b"Package:") {
            package = true;
        } else if let Some(value) = line.strip_prefix(b"Status:") {
            installed =
                value.split(|b| *b == b' ').filter(|word| !word.is_empty()).nth(2) == Some(b"installed");
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_packages_are_not_counted() {
        let status = b"Package: a\nStatus: install ok installed\nDescription: x\n Package: no\n\n\
                       Package: b\nStatus: deinstall ok config-files\n\n\
                       Package: c\nStatus: hold ok installed\n\nPackage: d\nVersion: 1";
        assert_eq!(count_dpkg(status), 3);
        assert_eq!(count_dpkg(b""), 0);
        assert_eq!(count_dpkg(b"\n\n\nStatus: install ok installed\n"), 0);
    }

    #[test]
    fn lines_of_file_lists() {
        assert_eq!(listed_path(b"/usr/bin/su"), b"usr/bin/su");
        assert_eq!(listed_path(b"d41d8cd98f00b204e9800998ecf8427e  usr/bin/su"), b"usr/bin/su");
        assert_eq!(listed_path(b"/."), b".");
        assert_eq!(listed_path(b""), b"");
    }
}
