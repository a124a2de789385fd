//! Walks the tree of one layer: every entry once, nothing followed, within bounds.

use std::ffi::{CStr, OsStr};
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir, Statx, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use crate::union::Union;

/// How far a walk goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Entries of one layer.
    pub entries: u64,
    /// Directories below each other; each level holds one descriptor.
    pub depth: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { entries: 1_000_000, depth: 128 }
    }
}

/// One entry that a walk meets. Directories are walked, not shown.
pub(crate) struct Visit<'a> {
    /// The directory that it is in, open.
    pub(crate) dir: BorrowedFd<'a>,
    /// Path of that directory from the layer's root, without a leading slash; empty for the root.
    pub(crate) dir_path: &'a [u8],
    /// Its name.
    pub(crate) name: &'a CStr,
    /// A regular file's mode, owner and size; `None` for every other kind of entry.
    pub(crate) file: Option<&'a Statx>,
}

impl Visit<'_> {
    /// Path from the layer's root, without a leading slash.
    pub(crate) fn path(&self) -> Vec<u8> {
        let mut path = self.dir_path.to_vec();
        push_component(&mut path, self.name.to_bytes());
        path
    }

    /// Its name.
    pub(crate) fn os_name(&self) -> &OsStr {
        OsStr::from_bytes(self.name.to_bytes())
    }
}

/// Walks the tree below `root` and shows each entry that is not a directory. Returns what was left out, and why.
pub(crate) fn walk(
    root: BorrowedFd<'_>,
    union: Union,
    bounds: Bounds,
    visitor: &mut dyn FnMut(&Visit<'_>),
) -> Vec<String> {
    let mut walker = Walker {
        union,
        bounds,
        entries: 0,
        path: Vec::new(),
        buffer: vec![MaybeUninit::uninit(); 32 * 1024],
        left_out: LeftOut::default(),
        visitor,
    };
    match fs::openat(root, ".", DIRECTORY, Mode::empty()) {
        Ok(fd) => walker.directory(&fd, 0),
        Err(errno) => walker.left_out.unreadable(b"", errno),
    }
    walker.left_out.sentences(bounds)
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

struct Walker<'a> {
    union: Union,
    bounds: Bounds,
    entries: u64,
    path: Vec<u8>,
    buffer: Vec<MaybeUninit<u8>>,
    left_out: LeftOut,
    visitor: &'a mut dyn FnMut(&Visit<'_>),
}

impl Walker<'_> {
    fn directory(&mut self, fd: &OwnedFd, depth: usize) {
        let mut subdirectories = Vec::new();
        let mut buffer = mem::take(&mut self.buffer);
        let mut entries = RawDir::new(fd, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(errno) => {
                    self.left_out.unreadable(&self.path, errno);
                    break;
                }
            };
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            self.entries += 1;
            if self.entries > self.bounds.entries {
                self.left_out.entries = true;
                break;
            }
            if self.entry(fd.as_fd(), name, entry.file_type()) == FileType::Directory {
                subdirectories.extend_from_slice(name.to_bytes_with_nul());
            }
        }
        self.buffer = buffer;
        self.below(fd, &subdirectories, depth);
    }

    /// Shows an entry that is not a directory; returns its kind.
    fn entry(&mut self, dir: BorrowedFd<'_>, name: &CStr, kind: FileType) -> FileType {
        let mut kind = kind;
        let mut file = None;
        if matches!(kind, FileType::RegularFile | FileType::Unknown) {
            let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
            let wanted =
                StatxFlags::TYPE | StatxFlags::MODE | StatxFlags::UID | StatxFlags::GID | StatxFlags::SIZE;
            match fs::statx(dir, name, flags, wanted) {
                Ok(stat) if is_mount_point(&stat) => return FileType::Unknown,
                Ok(stat) => {
                    kind = FileType::from_raw_mode(stat.stx_mode.into());
                    file = Some(stat);
                }
                // Deleted meanwhile: it is not in the image any more.
                Err(Errno::NOENT) => return FileType::Unknown,
                Err(errno) => {
                    self.left_out.unreadable(&self.path, errno);
                    return FileType::Unknown;
                }
            }
        }
        if kind != FileType::Directory {
            let file = file.as_ref().filter(|_| kind == FileType::RegularFile);
            (self.visitor)(&Visit { dir, dir_path: &self.path, name, file });
        }
        kind
    }

    fn below(&mut self, fd: &OwnedFd, subdirectories: &[u8], depth: usize) {
        for name in subdirectories.split_inclusive(|byte| *byte == 0) {
            if self.left_out.entries {
                return;
            }
            let Ok(name) = CStr::from_bytes_with_nul(name) else { continue };
            let length = self.path.len();
            push_component(&mut self.path, name.to_bytes());
            if depth + 1 >= self.bounds.depth {
                self.left_out.deep = true;
            } else {
                match self.open(fd.as_fd(), name) {
                    Ok(Some(below)) => self.directory(&below, depth + 1),
                    Ok(None) => {}
                    Err(errno) => self.left_out.unreadable(&self.path, errno),
                }
            }
            self.path.truncate(length);
        }
    }

    /// Opens a directory of the walk; `None` where it is gone, or belongs to another file system's mount.
    fn open(&mut self, dir: BorrowedFd<'_>, name: &CStr) -> Result<Option<OwnedFd>, Errno> {
        let fd = match fs::openat(dir, name, DIRECTORY, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(errno),
        };
        if self.union == Union::Plain {
            let stat = fs::statx(&fd, "", AtFlags::EMPTY_PATH, StatxFlags::TYPE)?;
            return Ok((!is_mount_point(&stat)).then_some(fd));
        }
        if self.union.is_redirected(fd.as_fd())? {
            self.left_out.redirected += 1;
        }
        Ok(Some(fd))
    }
}

/// What a walk did not see.
#[derive(Default)]
struct LeftOut {
    entries: bool,
    deep: bool,
    redirected: u64,
    unreadable: u64,
    first_unreadable: Option<String>,
}

impl LeftOut {
    fn unreadable(&mut self, path: &[u8], errno: Errno) {
        self.unreadable += 1;
        self.first_unreadable.get_or_insert_with(|| {
            format!("/{}: {}", String::from_utf8_lossy(path), std::io::Error::from(errno))
        });
    }

    fn sentences(self, bounds: Bounds) -> Vec<String> {
        let mut sentences = Vec::new();
        if self.entries {
            sentences.push(format!("more than {} files: the rest was not looked at", bounds.entries));
        }
        if self.deep {
            sentences.push(format!("directories nested deeper than {} were not looked at", bounds.depth));
        }
        if self.redirected > 0 {
            sentences.push(format!("{} directories use redirect_dir, which is not covered", self.redirected));
        }
        if let Some(first) = self.first_unreadable {
            sentences
                .push(format!("{} directories or files could not be read, first {first}", self.unreadable));
        }
        sentences
    }
}

fn is_mount_point(stat: &Statx) -> bool {
    stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
}

fn push_component(path: &mut Vec<u8>, name: &[u8]) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}
