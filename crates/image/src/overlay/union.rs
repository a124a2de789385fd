//! How the layers of a union file system say "deleted" and "nothing below this".
//!
//! Kernel: Documentation/filesystems/overlayfs.rst ("whiteouts and opaque directories", "redirect_dir",
//! "metadata only copy up", "permission model" for `userxattr`). fuse-overlayfs: its manual page and `main.c`.
//! Other kinds of marker in a layer are ordinary files to the union that mounts it, and are so here: an image that
//! contains `.wh.sudo` must not be able to hide `sudo` from an audit where the kernel still shows it.

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{self, AtFlags, FileType, Statx, StatxFlags};
use rustix::io::Errno;

/// Which union file system mounts the layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Union {
    /// None: one directory that is the whole view, such as `/proc/PID/root`.
    Plain,
    /// overlayfs with its marks in `trusted.overlay.*`.
    Overlay,
    /// overlayfs mounted with `userxattr` (rootless): marks in `user.overlay.*`.
    OverlayUser,
    /// fuse-overlayfs: all of the marks, and `.wh.` files.
    FuseOverlay,
}

/// Prefix of a file that deletes its namesake below (aufs, and the layer format of OCI).
pub(crate) const WHITEOUT_PREFIX: &[u8] = b".wh.";
const OPAQUE_FILE: &CStr = c".wh..wh..opq";

/// What a layer says about the directories below one of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DirMarks {
    /// Nothing of the layers below is visible.
    pub(crate) opaque: bool,
    /// Empty files in it may be whiteouts by extended attribute (Linux 6.7).
    pub(crate) xattr_whiteouts: bool,
    /// The layers below have it under another name.
    pub(crate) redirected: bool,
}

impl Union {
    /// The union behind a storage driver or snapshotter, where it keeps layers in directories.
    pub fn of_driver(name: &str, rootless: bool) -> Option<Self> {
        match name {
            "overlay2" | "overlay" | "overlayfs" if rootless => Some(Self::OverlayUser),
            "overlay2" | "overlay" | "overlayfs" => Some(Self::Overlay),
            "fuse-overlayfs" => Some(Self::FuseOverlay),
            // containerd's, which copies all layers into one directory.
            "native" => Some(Self::Plain),
            _ => None,
        }
    }

    /// Whether `.wh.NAME` files are marks.
    pub(crate) fn has_whiteout_files(self) -> bool {
        self == Self::FuseOverlay
    }

    /// The marks of a directory that is open for reading.
    pub(crate) fn dir_marks(self, dir: BorrowedFd<'_>) -> Result<DirMarks, Errno> {
        let names: &[&CStr] = match self {
            Self::Plain => return Ok(DirMarks::default()),
            Self::Overlay => &[c"trusted.overlay.opaque"],
            Self::OverlayUser => &[c"user.overlay.opaque"],
            Self::FuseOverlay => {
                &[c"trusted.overlay.opaque", c"user.fuseoverlayfs.opaque", c"user.overlay.opaque"]
            }
        };
        let mut marks = DirMarks::default();
        for name in names {
            match first_byte(dir, name)? {
                Some(b'y') => marks.opaque = true,
                Some(b'x') => marks.xattr_whiteouts = true,
                _ => {}
            }
        }
        if self.has_whiteout_files() && !marks.opaque {
            marks.opaque = exists(dir, OsStr::from_bytes(OPAQUE_FILE.to_bytes()))?;
        }
        marks.redirected = self.is_redirected(dir)?;
        Ok(marks)
    }

    /// Whether the layers below have this directory under another name (`redirect_dir`).
    pub(crate) fn is_redirected(self, dir: BorrowedFd<'_>) -> Result<bool, Errno> {
        let name = match self {
            Self::Overlay => c"trusted.overlay.redirect",
            Self::OverlayUser => c"user.overlay.redirect",
            Self::Plain | Self::FuseOverlay => return Ok(false),
        };
        Ok(first_byte(dir, name)?.is_some())
    }

    /// Whether an entry that is there deletes its namesake below instead of being a file.
    pub(crate) fn is_whiteout(
        self,
        dir: BorrowedFd<'_>,
        marks: DirMarks,
        name: &OsStr,
        stat: &Statx,
    ) -> Result<bool, Errno> {
        if self == Self::Plain {
            return Ok(false);
        }
        match FileType::from_raw_mode(stat.stx_mode.into()) {
            FileType::CharacterDevice => Ok(stat.stx_rdev_major == 0 && stat.stx_rdev_minor == 0),
            FileType::RegularFile if marks.xattr_whiteouts && stat.stx_size == 0 => {
                let attribute = if self == Self::OverlayUser {
                    c"user.overlay.whiteout"
                } else {
                    c"trusted.overlay.whiteout"
                };
                Ok(entry_xattr(dir, name, attribute, &mut [0; 1])?.is_some())
            }
            _ => Ok(false),
        }
    }

    /// Whether the layer itself deletes `name` of the layers below by a `.wh.` file.
    pub(crate) fn has_whiteout_file(self, dir: BorrowedFd<'_>, name: &OsStr) -> Result<bool, Errno> {
        if !self.has_whiteout_files() {
            return Ok(false);
        }
        exists(dir, OsStr::from_bytes(&[WHITEOUT_PREFIX, name.as_bytes()].concat()))
    }

    /// Whether an open file holds metadata only, its data being in a layer below.
    pub(crate) fn is_metadata_only(self, file: BorrowedFd<'_>) -> Result<bool, Errno> {
        let name = match self {
            Self::Overlay => c"trusted.overlay.metacopy",
            Self::OverlayUser => c"user.overlay.metacopy",
            Self::Plain | Self::FuseOverlay => return Ok(false),
        };
        match fs::fgetxattr(file, name, &mut [0_u8; 0]) {
            Ok(_) => Ok(true),
            Err(errno) if has_none(errno) => Ok(false),
            Err(errno) => Err(errno),
        }
    }
}

/// An extended attribute of an entry that is not followed: its size, or `None` where there is none.
///
/// `getxattrat(2)` is too new to rely on; the way through `/proc/self/fd` names exactly one component below an open
/// directory, so nothing can be swapped on the way.
pub(crate) fn entry_xattr(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    attribute: &CStr,
    value: &mut [u8],
) -> Result<Option<usize>, Errno> {
    let mut path = format!("/proc/self/fd/{}/", dir.as_raw_fd()).into_bytes();
    path.extend_from_slice(name.as_bytes());
    match fs::lgetxattr(path.as_slice(), attribute, value) {
        Ok(size) => Ok(Some(size)),
        Err(errno) if has_none(errno) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn first_byte(fd: BorrowedFd<'_>, name: &CStr) -> Result<Option<u8>, Errno> {
    let mut value = [0_u8; 1];
    match fs::fgetxattr(fd, name, &mut value) {
        Ok(_) => Ok(Some(value[0])),
        // Longer than one byte: a redirect, or an opaque mark that overlayfs would not take either.
        Err(Errno::RANGE) => Ok(Some(0)),
        Err(errno) if has_none(errno) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn has_none(errno: Errno) -> bool {
    matches!(errno, Errno::NODATA | Errno::NOTSUP)
}

fn exists(dir: BorrowedFd<'_>, name: &OsStr) -> Result<bool, Errno> {
    Ok(stat_entry(dir, name)?.is_some())
}

/// `statx` of one entry, not followed; `None` where there is none.
pub(crate) fn stat_entry(dir: impl AsFd, name: &OsStr) -> Result<Option<Statx>, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
    match fs::statx(dir, name, flags, StatxFlags::BASIC_STATS) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Ok(None),
        Err(errno) => Err(errno),
    }
}
