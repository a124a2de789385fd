//! The merged view of a stack of layers, read in userspace.
//!
//! Each step opens exactly one component below an open directory and follows nothing, so no path can leave the
//! layers; symbolic links are resolved here, against the merged view, because the target of a link in one layer is
//! often in another (`/etc/os-release`).

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use plimsoll_rootdir::{RootDir, read_at_most};
use rustix::fs::{self, FileType, Mode, OFlags, Statx};

use super::merged::{Leaf, MergedDir, MergedEntry, Node};
use super::union::Union;
use crate::error::{Error, Result, not_a, os};

/// Symbolic links that one path may take, as in Linux (path_resolution(7)).
const MAX_LINKS: u32 = 40;
/// Components that one path may have, those of its links included.
const MAX_COMPONENTS: u32 = 2048;

/// The merged view of a stack of layers.
#[derive(Debug)]
pub struct LayeredRoot {
    layers: Vec<RootDir>,
    root: MergedDir,
    union: Union,
}

/// Where a path is in the merged view.
#[derive(Clone, Copy, Debug)]
pub struct Located {
    /// The layer that it is in, 0 being the topmost; of a directory, the topmost that has it.
    pub layer: usize,
    /// `statx(2)` of it.
    pub stat: Statx,
}

impl LayeredRoot {
    /// A stack of layers, topmost first.
    ///
    /// # Errors
    /// When a layer cannot be opened for listing.
    pub fn new(layers: Vec<RootDir>, union: Union) -> Result<Self> {
        let mut roots = Vec::with_capacity(layers.len());
        for layer in &layers {
            let fd = layer.open_at("/", OFlags::RDONLY | OFlags::DIRECTORY);
            roots.push(fd.map_err(|cause| Error::Layer { layer: layer.path().to_owned(), cause })?);
        }
        let root = MergedDir::of_roots(union, roots.into_iter()).map_err(|errno| os("/", errno))?;
        Ok(Self { layers, root, union })
    }

    /// Opens a stack of directories below a host's root, topmost first.
    ///
    /// # Errors
    /// When one of them cannot be opened.
    pub fn open(host: &RootDir, dirs: &[impl AsRef<Path>], union: Union) -> Result<Self> {
        let open =
            |dir: &Path| host.open_root(dir).map_err(|cause| Error::Layer { layer: dir.to_owned(), cause });
        Self::new(dirs.iter().map(|dir| open(dir.as_ref())).collect::<Result<_>>()?, union)
    }

    /// The layers, topmost first.
    pub fn layers(&self) -> &[RootDir] {
        &self.layers
    }

    /// One layer as a stack of its own.
    pub(crate) fn layer(&self, index: usize) -> Option<Self> {
        let layer = self.layers.get(index)?.open_root("/").ok()?;
        Self::new(vec![layer], self.union).ok()
    }

    /// The union file system whose marks are honoured.
    pub fn union(&self) -> Union {
        self.union
    }

    /// Where a path is; a final symbolic link is followed.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn stat(&self, path: impl AsRef<Path>) -> Result<Located> {
        let path = path.as_ref();
        self.resolve(path, true)?.located(path)
    }

    /// Where exactly this path is: no symbolic link is followed, not even on the way.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn locate(&self, path: impl AsRef<Path>) -> Result<Located> {
        let path = path.as_ref();
        let mut dir = self.root.clone();
        let mut components = path.components().filter(|c| !matches!(c, Component::RootDir)).peekable();
        while let Some(component) = components.next() {
            match dir.entry(self.union, component.as_os_str(), path)? {
                Some(node) if components.peek().is_none() => return node.located(path),
                Some(Node::Directory(below)) => dir = below,
                _ => return Err(Error::NotFound { path: path.to_owned() }),
            }
        }
        Err(not_a(path, "path below the root"))
    }

    /// Reads a whole regular file of at most `limit` bytes, following symbolic links.
    ///
    /// # Errors
    /// When it is not there, is not a regular file, is larger, or cannot be read.
    pub fn read(&self, path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>> {
        let path = path.as_ref();
        Ok(read_at_most(self.open_file(path)?, path, limit)?)
    }

    /// Reads as [`Self::read`]; bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_text(&self, path: impl AsRef<Path>, limit: u64) -> Result<String> {
        let bytes = self.read(path, limit)?;
        Ok(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    /// Opens a regular file for reading, following symbolic links.
    ///
    /// # Errors
    /// When it is not there, is not a regular file, or cannot be opened.
    pub fn open_file(&self, path: impl AsRef<Path>) -> Result<File> {
        let path = path.as_ref();
        match self.resolve(path, true)? {
            Node::Other(leaf) => self.open_in(leaf.parent.as_fd(), &leaf.name, path),
            Node::Directory(_) => Err(not_a(path, "regular file")),
        }
    }

    fn open_in(&self, dir: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<File> {
        let file = open_regular(dir, name, path)?;
        if self.union.is_metadata_only(file.as_fd()).map_err(|errno| os(path, errno))? {
            return Err(Error::NotCovered { path: path.to_owned(), feature: "metacopy" });
        }
        Ok(File::from(file))
    }

    /// Opens a directory of the merged view, following symbolic links.
    ///
    /// # Errors
    /// When it is not there, is not a directory, or cannot be read.
    pub fn open_dir(&self, path: impl AsRef<Path>) -> Result<LayeredDir<'_>> {
        let path = path.as_ref().to_owned();
        match self.resolve(&path, true)? {
            Node::Directory(dir) => Ok(LayeredDir { root: self, dir, path }),
            Node::Other(_) => Err(not_a(path, "directory")),
        }
    }

    /// Walks a path in the merged view, resolving symbolic links as if the merged root were `/`.
    fn resolve(&self, path: &Path, follow_last: bool) -> Result<Node> {
        let not_found = || Error::NotFound { path: path.to_owned() };
        let too_long = || Error::Loop { path: path.to_owned() };
        let mut pending: VecDeque<OsString> = components_of(path).map(OsStr::to_owned).collect();
        let mut above: Vec<MergedDir> = Vec::new();
        let mut current = self.root.clone();
        let (mut links, mut steps) = (0, 0);
        while let Some(name) = pending.pop_front() {
            steps += 1;
            if steps > MAX_COMPONENTS {
                return Err(too_long());
            }
            if name == ".." {
                current = above.pop().unwrap_or(current);
                continue;
            }
            match current.entry(self.union, &name, path)?.ok_or_else(not_found)? {
                Node::Directory(below) => above.push(std::mem::replace(&mut current, below)),
                Node::Other(leaf) if leaf.is_symlink() && (follow_last || !pending.is_empty()) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(too_long());
                    }
                    let target = leaf.target(path)?;
                    if target.is_absolute() {
                        above.clear();
                        current = self.root.clone();
                    }
                    let mut rest = std::mem::take(&mut pending);
                    pending.extend(components_of(&target).map(OsStr::to_owned));
                    pending.append(&mut rest);
                }
                Node::Other(leaf) if pending.is_empty() => return Ok(Node::Other(leaf)),
                Node::Other(_) => return Err(not_found()),
            }
        }
        Ok(Node::Directory(current))
    }
}

/// A directory of the merged view, open: its entries are reached without resolving the way to it again.
#[derive(Debug)]
pub struct LayeredDir<'a> {
    root: &'a LayeredRoot,
    dir: MergedDir,
    path: PathBuf,
}

impl LayeredDir<'_> {
    /// Its entries in no particular order, at most `limit`.
    ///
    /// # Errors
    /// When it has more, or cannot be read.
    pub fn entries(&self, limit: usize) -> Result<Vec<MergedEntry>> {
        self.dir.list(self.root.union, limit, &self.path)
    }

    /// Reads one of its regular files, following symbolic links, at most `limit` bytes.
    ///
    /// # Errors
    /// When it is not there, is not a regular file, is larger, or cannot be read.
    pub fn read(&self, name: &OsStr, limit: u64) -> Result<Vec<u8>> {
        let path = self.path.join(name);
        match self.dir.entry(self.root.union, name, &path)? {
            Some(Node::Other(leaf)) if !leaf.is_symlink() => {
                Ok(read_at_most(self.root.open_in(leaf.parent.as_fd(), &leaf.name, &path)?, &path, limit)?)
            }
            _ => self.root.read(&path, limit),
        }
    }

    /// Reads as [`Self::read`] an entry that was listed: it is known already which layer has it.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_entry(&self, entry: &MergedEntry, limit: u64) -> Result<Vec<u8>> {
        let part = self.dir.parts().iter().find(|part| part.layer == entry.layer);
        match part.filter(|_| entry.kind == FileType::RegularFile) {
            Some(part) => {
                let path = self.path.join(&entry.name);
                Ok(read_at_most(self.root.open_in(part.fd.as_fd(), &entry.name, &path)?, &path, limit)?)
            }
            None => self.read(&entry.name, limit),
        }
    }

    /// When one of its entries last changed, in seconds since the Unix epoch; a symbolic link itself.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub fn modified_at(&self, name: &OsStr) -> Result<i64> {
        let path = self.path.join(name);
        let node = self.dir.entry(self.root.union, name, &path)?;
        let node = node.ok_or_else(|| Error::NotFound { path: path.clone() })?;
        Ok(node.located(&path)?.stat.stx_mtime.tv_sec)
    }

    /// The identity of its part in each layer, topmost first: two images in which this is equal have the same
    /// directory.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn identity(&self) -> Result<Vec<(u64, u64)>> {
        let identity = |stat: fs::Stat| (stat.st_dev, stat.st_ino);
        let parts = self.dir.parts().iter();
        parts.map(|part| fs::fstat(&part.fd).map(identity).map_err(|errno| os(&self.path, errno))).collect()
    }
}

impl Node {
    fn located(&self, path: &Path) -> Result<Located> {
        match self {
            Self::Directory(dir) => dir.located(path),
            Self::Other(leaf) => Ok(Located { layer: leaf.layer, stat: leaf.stat }),
        }
    }
}

impl Leaf {
    fn is_symlink(&self) -> bool {
        FileType::from_raw_mode(self.stat.stx_mode.into()) == FileType::Symlink
    }

    fn target(&self, path: &Path) -> Result<PathBuf> {
        let target = fs::readlinkat(&self.parent, &self.name, Vec::new()).map_err(|errno| os(path, errno))?;
        Ok(PathBuf::from(OsStr::from_bytes(target.to_bytes())))
    }
}

/// Opens one entry of a directory for reading if it is a regular file; never waits for a FIFO or device.
pub(crate) fn open_regular(dir: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let fd = fs::openat(dir, name, flags, Mode::empty()).map_err(|errno| os(path, errno))?;
    let stat = fs::fstat(&fd).map_err(|errno| os(path, errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(not_a(path, "regular file"));
    }
    Ok(fd)
}

fn components_of(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        Component::ParentDir => Some(OsStr::new("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}
