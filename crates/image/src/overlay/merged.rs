//! One directory of the merged view: its parts in the layers, topmost first.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, Statx, StatxFlags};
use rustix::io::Errno;

use super::layered::Located;
use super::union::{DirMarks, Union, WHITEOUT_PREFIX, stat_entry};
use crate::error::{Error, Result, os, too_large};

/// A directory of the merged view.
#[derive(Clone, Debug)]
pub(crate) struct MergedDir {
    parts: Vec<Part>,
}

/// The directory as one layer has it.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) layer: usize,
    pub(crate) fd: Arc<OwnedFd>,
    marks: DirMarks,
}

/// What a name stands for in the merged view.
pub(crate) enum Node {
    /// A directory.
    Directory(MergedDir),
    /// Anything else: it is in one layer only.
    Other(Box<Leaf>),
}

/// An entry that is not a directory.
pub(crate) struct Leaf {
    pub(crate) layer: usize,
    pub(crate) parent: Arc<OwnedFd>,
    pub(crate) name: OsString,
    pub(crate) stat: Statx,
}

/// One entry of a directory of the merged view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedEntry {
    /// Its name.
    pub name: OsString,
    /// Its kind as the directory tells it; `Unknown` on file systems that do not.
    pub kind: FileType,
    /// The layer that it is in, 0 being the topmost.
    pub layer: usize,
}

impl MergedDir {
    /// The roots of all layers, topmost first.
    pub(crate) fn of_roots(union: Union, roots: impl Iterator<Item = OwnedFd>) -> Result<Self, Errno> {
        let mut parts = Vec::new();
        for (layer, fd) in roots.enumerate() {
            let marks = union.dir_marks(fd.as_fd())?;
            parts.push(Part { layer, fd: Arc::new(fd), marks });
        }
        Ok(Self { parts })
    }

    /// The parts, topmost first.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Where the directory is, by its topmost part.
    pub(crate) fn located(&self, path: &Path) -> Result<Located> {
        let top = self.parts.first().ok_or_else(|| Error::NotFound { path: path.to_owned() })?;
        let stat = fs::statx(&top.fd, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS);
        Ok(Located { layer: top.layer, stat: stat.map_err(|errno| os(path, errno))? })
    }

    /// What `name` stands for here, or `None`. Symbolic links are not followed.
    pub(crate) fn entry(&self, union: Union, name: &OsStr, path: &Path) -> Result<Option<Node>> {
        if union.has_whiteout_files() && name.as_bytes().starts_with(WHITEOUT_PREFIX) {
            return Ok(None);
        }
        let failed = |errno| os(path, errno);
        let mut parts = Vec::new();
        for part in &self.parts {
            if let Some(stat) = stat_entry(&part.fd, name).map_err(failed)? {
                if FileType::from_raw_mode(stat.stx_mode.into()) != FileType::Directory {
                    if parts.is_empty()
                        && !union.is_whiteout(part.fd.as_fd(), part.marks, name, &stat).map_err(failed)?
                    {
                        return Ok(Some(Node::Other(Box::new(part.leaf(name, stat)))));
                    }
                    break;
                }
                let below = part.subdirectory(union, name).map_err(failed)?;
                let marks = below.marks;
                parts.push(below);
                if marks.redirected {
                    return Err(Error::NotCovered { path: path.to_owned(), feature: "redirect_dir" });
                }
                if marks.opaque {
                    break;
                }
            }
            if union.has_whiteout_file(part.fd.as_fd(), name).map_err(failed)? {
                break;
            }
        }
        Ok((!parts.is_empty()).then_some(Node::Directory(Self { parts })))
    }

    /// Lists the directory in no particular order.
    pub(crate) fn list(&self, union: Union, limit: usize, path: &Path) -> Result<Vec<MergedEntry>> {
        let failed = |errno| os(path, errno);
        let mut entries = Vec::new();
        let mut decided: HashSet<OsString> = HashSet::new();
        for part in &self.parts {
            let mut deleted = Vec::new();
            let fd = fs::openat(
                &part.fd,
                ".",
                OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            );
            for entry in fs::Dir::new(fd.map_err(failed)?).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let name = OsStr::from_bytes(entry.file_name().to_bytes());
                if name == "." || name == ".." {
                    continue;
                }
                if union.has_whiteout_files()
                    && let Some(hidden) = name.as_bytes().strip_prefix(WHITEOUT_PREFIX)
                {
                    deleted.push(OsStr::from_bytes(hidden).to_owned());
                } else if decided.insert(name.to_owned())
                    && !part.deletes(union, name, entry.file_type()).map_err(failed)?
                {
                    entries.push(MergedEntry {
                        name: name.to_owned(),
                        kind: entry.file_type(),
                        layer: part.layer,
                    });
                }
                if decided.len() + deleted.len() > limit {
                    return Err(too_large(path, limit as u64));
                }
            }
            decided.extend(deleted);
        }
        Ok(entries)
    }
}

impl Part {
    fn leaf(&self, name: &OsStr, stat: Statx) -> Leaf {
        Leaf { layer: self.layer, parent: Arc::clone(&self.fd), name: name.to_owned(), stat }
    }

    fn subdirectory(&self, union: Union, name: &OsStr) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = fs::openat(&self.fd, name, flags, Mode::empty())?;
        let marks = union.dir_marks(fd.as_fd())?;
        Ok(Self { layer: self.layer, fd: Arc::new(fd), marks })
    }

    /// Whether a listed entry is a whiteout.
    fn deletes(&self, union: Union, name: &OsStr, kind: FileType) -> Result<bool, Errno> {
        let candidate = match kind {
            FileType::CharacterDevice | FileType::Unknown => true,
            FileType::RegularFile => self.marks.xattr_whiteouts,
            _ => false,
        };
        if !candidate {
            return Ok(false);
        }
        let Some(stat) = stat_entry(&self.fd, name)? else { return Ok(true) };
        union.is_whiteout(self.fd.as_fd(), self.marks, name, &stat)
    }
}
