//! The merged view of an image, as those who read package databases and configuration need it, wherever it comes from.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use crate::error::{Result, not_a};
use crate::overlay::LayeredRoot;

/// The merged view of an image: layers in directories, or what was kept of archives.
pub trait Tree {
    /// Reads a whole regular file of at most `limit` bytes, following symbolic links.
    ///
    /// # Errors
    /// When it is not there, is not a regular file, is larger, or cannot be read.
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>>;

    /// Names of the entries of a directory, at most `limit`, following symbolic links, in no particular order.
    ///
    /// # Errors
    /// When it is not there, is not a directory, has more entries, or cannot be read.
    fn names(&self, dir: &Path, limit: usize) -> Result<Vec<OsString>>;

    /// When a file last changed, in seconds since the Unix epoch, following symbolic links.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    fn modified_at(&self, path: &Path) -> Result<i64>;

    /// The layer that exactly this path is in, 0 being the topmost: no symbolic link is followed.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    fn layer_of(&self, path: &Path) -> Result<usize>;

    /// The topmost layer that has exactly this directory, whose mode and owner it has.
    ///
    /// # Errors
    /// When it is not there, is no directory, or cannot be read.
    fn layer_of_directory(&self, path: &Path) -> Result<usize>;

    /// Whether exactly this path is a symbolic link.
    fn is_link(&self, path: &Path) -> bool;

    /// Shows the files of a directory that `wanted` names, one after the other, each at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Self::names`] and [`Self::read`], or what `each` answers.
    fn read_files(
        &self,
        dir: &Path,
        wanted: &dyn Fn(&[u8]) -> bool,
        limit: u64,
        each: &mut Each<'_>,
    ) -> Result<()> {
        for name in self.names(dir, MAX_NAMES)? {
            if wanted(name.as_bytes()) {
                let path = dir.join(&name);
                let bytes = self.read(&path, limit)?;
                each(&path, bytes)?;
            }
        }
        Ok(())
    }
}

/// Told a path and what is in that file.
pub type Each<'a> = dyn FnMut(&Path, Vec<u8>) -> Result<()> + 'a;

/// Bound of the entries of a directory.
const MAX_NAMES: usize = 200_000;

impl Tree for LayeredRoot {
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>> {
        Self::read(self, path, limit)
    }

    fn names(&self, dir: &Path, limit: usize) -> Result<Vec<OsString>> {
        Ok(self.open_dir(dir)?.entries(limit)?.into_iter().map(|entry| entry.name).collect())
    }

    fn modified_at(&self, path: &Path) -> Result<i64> {
        Ok(self.stat(path)?.stat.stx_mtime.tv_sec)
    }

    fn layer_of(&self, path: &Path) -> Result<usize> {
        Ok(self.locate(path)?.layer)
    }

    fn layer_of_directory(&self, path: &Path) -> Result<usize> {
        let located = self.locate(path)?;
        match FileType::from_raw_mode(located.stat.stx_mode.into()) {
            FileType::Directory => Ok(located.layer),
            _ => Err(not_a(path, "directory")),
        }
    }

    fn is_link(&self, path: &Path) -> bool {
        let located = self.locate(path);
        located.is_ok_and(|l| FileType::from_raw_mode(l.stat.stx_mode.into()) == FileType::Symlink)
    }

    fn read_files(
        &self,
        dir: &Path,
        wanted: &dyn Fn(&[u8]) -> bool,
        limit: u64,
        each: &mut Each<'_>,
    ) -> Result<()> {
        let open = self.open_dir(dir)?;
        for entry in open.entries(MAX_NAMES)? {
            if wanted(entry.name.as_bytes()) {
                let bytes = open.read_entry(&entry, limit)?;
                each(&dir.join(&entry.name), bytes)?;
            }
        }
        Ok(())
    }
}

/// A path of raw bytes, as layers and package databases write it.
pub(crate) fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// A path inside an image as it is shown: from the root, bytes that are not UTF-8 as U+FFFD.
pub(crate) fn shown(path: &[u8]) -> String {
    format!("/{}", String::from_utf8_lossy(path))
}

/// `None` where there is no such file.
pub(crate) fn present<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The first of these files that is there, with its path.
pub(crate) fn first_present(
    tree: &dyn Tree,
    paths: &[&str],
    limit: u64,
) -> Result<Option<(PathBuf, Vec<u8>)>> {
    for path in paths {
        if let Some(bytes) = present(tree.read(Path::new(path), limit))? {
            return Ok(Some((PathBuf::from(path), bytes)));
        }
    }
    Ok(None)
}
