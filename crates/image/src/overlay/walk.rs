//! Walks the tree of one layer: every entry once, nothing followed, within bounds.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir, Statx, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use super::union::{Union, entry_xattr};
use crate::capabilities;
use crate::entry::{Attributes, Content, Entry, Kind, Region, push_component};

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

/// One entry that a walk meets.
struct Met<'a> {
    dir: BorrowedFd<'a>,
    dir_path: &'a [u8],
    name: &'a CStr,
    kind: Kind,
    attributes: Option<Attributes>,
    file: Option<File>,
}

impl Met<'_> {
    fn os_name(&self) -> &OsStr {
        OsStr::from_bytes(self.name.to_bytes())
    }

    fn file(&mut self) -> io::Result<&File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        Ok(self.file.insert(file))
    }

    fn open(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = fs::openat(self.dir, self.name, flags, Mode::empty())?;
        if FileType::from_raw_mode(fs::fstat(&fd)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("not a regular file any more"));
        }
        Ok(File::from(fd))
    }
}

impl Entry for Met<'_> {
    fn dir(&self) -> &[u8] {
        self.dir_path
    }

    fn name(&self) -> &[u8] {
        self.name.to_bytes()
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn attributes(&mut self) -> io::Result<Option<Attributes>> {
        if self.attributes.is_none() {
            self.attributes = stat(self.dir, self.name)?.map(|(_, attributes)| attributes);
        }
        Ok(self.attributes)
    }

    fn capability(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut value = [0_u8; capabilities::MAX_SIZE];
        let size = entry_xattr(self.dir, self.os_name(), c"security.capability", &mut value)?;
        Ok(size.and_then(|size| value.get(..size)).map(<[u8]>::to_vec))
    }

    fn head(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let region = Region { file: self.file()?, start: 0, size: length as u64 };
        let mut head = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match region.read_at(&mut head[filled..], filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        head.truncate(filled);
        Ok(head)
    }

    fn content(&mut self, _limit: u64) -> io::Result<Box<dyn Content + '_>> {
        let file = self.file()?;
        Ok(Box::new(Region { file, start: 0, size: file.metadata()?.len() }))
    }
}

/// Kind and attributes of an entry; `None` where it is gone, or is another mount's.
fn stat(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<Option<(FileType, Attributes)>> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
    let wanted = StatxFlags::TYPE | StatxFlags::MODE | StatxFlags::UID | StatxFlags::GID | StatxFlags::SIZE;
    let stat = match fs::statx(dir, name, flags, wanted) {
        Ok(stat) if is_mount_point(&stat) => return Ok(None),
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let attributes = Attributes {
        mode: u32::from(stat.stx_mode) & 0o7777,
        uid: stat.stx_uid,
        gid: stat.stx_gid,
        size: stat.stx_size,
    };
    Ok(Some((FileType::from_raw_mode(stat.stx_mode.into()), attributes)))
}

/// Walks the tree below `root` and shows each entry. Returns what was left out, and why.
pub(crate) fn walk(
    root: BorrowedFd<'_>,
    union: Union,
    bounds: Bounds,
    visitor: &mut dyn FnMut(&mut dyn Entry),
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
    visitor: &'a mut dyn FnMut(&mut dyn Entry),
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

    /// Shows an entry; returns its kind.
    fn entry(&mut self, dir: BorrowedFd<'_>, name: &CStr, kind: FileType) -> FileType {
        let (kind, attributes) = match kind {
            FileType::Unknown => match stat(dir, name) {
                Ok(Some((kind, attributes))) => (kind, Some(attributes)),
                Ok(None) => return FileType::Unknown,
                Err(error) => {
                    self.left_out.unreadable(&self.path, error);
                    return FileType::Unknown;
                }
            },
            kind => (kind, None),
        };
        let shown = match kind {
            FileType::Directory => Kind::Directory,
            FileType::RegularFile => Kind::File,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        };
        (self.visitor)(&mut Met { dir, dir_path: &self.path, name, kind: shown, attributes, file: None });
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
    fn unreadable(&mut self, path: &[u8], error: impl Into<io::Error>) {
        self.unreadable += 1;
        self.first_unreadable
            .get_or_insert_with(|| format!("/{}: {}", String::from_utf8_lossy(path), error.into()));
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
