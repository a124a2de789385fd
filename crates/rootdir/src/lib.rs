//! A directory below which everything is opened, and out of which no path ever leads.
//!
//! Collectors and image readers take a [`RootDir`] instead of path strings, so that the same code reads `/`, a
//! captured tree, or one layer of an image. Symbolic links are followed as if the directory were `/`
//! (`openat2(2)`, `RESOLVE_IN_ROOT`), magic links never (`RESOLVE_NO_MAGICLINKS`), and every read is bounded.

mod replace;

pub use replace::{replace, replace_private};

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;

/// A directory that is the root of every path given to it.
#[derive(Debug)]
pub struct RootDir {
    fd: OwnedFd,
    path: PathBuf,
}

/// Why something below a root could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error("{}: {source}", path.display())]
    Os {
        /// The path, below the root.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The file is larger than the caller is ready to read.
    #[error("{}: larger than {limit} bytes", path.display())]
    TooLarge {
        /// The path, below the root.
        path: PathBuf,
        /// The bound.
        limit: u64,
    },
    /// It is not what the caller can read.
    #[error("{}: not a {wanted}", path.display())]
    Kind {
        /// The path, below the root.
        path: PathBuf,
        /// What was wanted.
        wanted: &'static str,
    },
}

impl Error {
    /// Whether there is no such file.
    pub fn is_not_found(&self) -> bool {
        let Self::Os { source, .. } = self else { return false };
        matches!(Errno::from_io_error(source), Some(Errno::NOENT | Errno::NOTDIR))
    }
}

/// Result of reading below a root.
pub type Result<T> = std::result::Result<T, Error>;

/// One entry of a directory.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// Its kind as the directory tells it; `Unknown` on file systems that do not.
    pub kind: fs::FileType,
}

impl RootDir {
    /// Opens a directory as a root.
    ///
    /// # Errors
    /// When it cannot be opened or is not a directory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = fs::open(path, flags, Mode::empty()).map_err(|e| os(path, e))?;
        Ok(Self { fd, path: path.to_owned() })
    }

    /// Opens a directory below this root as a root of its own.
    ///
    /// # Errors
    /// When it cannot be opened or is not a directory.
    pub fn open_root(&self, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let fd = self.open_at(path, OFlags::PATH | OFlags::DIRECTORY)?;
        Ok(Self { fd, path: self.path.join(relative(path)) })
    }

    /// Opens the root directory of a process below this root's `/proc` as a root of its own: the one magic link that
    /// is followed, because it is asked for by name.
    ///
    /// # Errors
    /// When the process is gone, may not be looked into, or `/proc` is not mounted below this root.
    pub fn open_process_root(&self, pid: u32) -> Result<Self> {
        let path = PathBuf::from(format!("proc/{pid}"));
        let process = self.open_at(&path, OFlags::PATH | OFlags::DIRECTORY)?;
        // In a captured tree `root` is a link like any other.
        if fs::fstatfs(&process).map_err(|e| os(&path, e))?.f_type != fs::PROC_SUPER_MAGIC {
            return Err(Error::Kind { path, wanted: "directory of the proc file system" });
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = fs::openat(&process, "root", flags, Mode::empty()).map_err(|e| os(&path, e))?;
        Ok(Self { fd, path: self.path.join(path).join("root") })
    }

    /// Where this root is, for messages; nothing is opened by it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a path below the root with these flags (`O_CLOEXEC` is added).
    ///
    /// # Errors
    /// When the kernel refuses, which includes every attempt to leave the root by a magic link.
    pub fn open_at(&self, path: impl AsRef<Path>, flags: OFlags) -> Result<OwnedFd> {
        let path = path.as_ref();
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        loop {
            match fs::openat2(&self.fd, relative(path), flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
                // The kernel asks to try again when a rename raced with the look-up (openat2(2)).
                Err(Errno::AGAIN | Errno::INTR) => {}
                other => return other.map_err(|e| os(path, e)),
            }
        }
    }

    /// Opens a regular file (or a kernel file of `/proc` or `/sys`) for reading. Never blocks on a FIFO or device.
    ///
    /// # Errors
    /// When it cannot be opened or is not a regular file.
    pub fn open_file(&self, path: impl AsRef<Path>) -> Result<File> {
        let path = path.as_ref();
        let fd = self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        let stat = fs::fstat(&fd).map_err(|e| os(path, e))?;
        if fs::FileType::from_raw_mode(stat.st_mode) != fs::FileType::RegularFile {
            return Err(Error::Kind { path: path.to_owned(), wanted: "regular file" });
        }
        Ok(File::from(fd))
    }

    /// Reads a whole file of at most `limit` bytes.
    ///
    /// # Errors
    /// When it cannot be opened, read, or is larger.
    pub fn read(&self, path: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>> {
        let path = path.as_ref();
        read_at_most(self.open_file(path)?, path, limit)
    }

    /// Reads a whole file of at most `limit` bytes as text; bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_text(&self, path: impl AsRef<Path>, limit: u64) -> Result<String> {
        let bytes = self.read(path, limit)?;
        Ok(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    /// Lists a directory, at most `limit` entries, without `.` and `..`, in the file system's order.
    ///
    /// # Errors
    /// When it cannot be opened or read, or has more entries.
    pub fn read_dir(&self, path: impl AsRef<Path>, limit: usize) -> Result<Vec<Entry>> {
        let path = path.as_ref();
        let fd = self.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut entries = Vec::new();
        for entry in fs::Dir::new(fd).map_err(|e| os(path, e))? {
            let entry = entry.map_err(|e| os(path, e))?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            if entries.len() == limit {
                return Err(Error::TooLarge { path: path.to_owned(), limit: limit as u64 });
            }
            entries.push(Entry { name: name.to_owned(), kind: entry.file_type() });
        }
        Ok(entries)
    }

    /// The target of a symbolic link, magic links of `/proc` included; the link itself is not followed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_link(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        let path = path.as_ref();
        let fd = self.open_at(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        let target = fs::readlinkat(&fd, "", Vec::new()).map_err(|e| os(path, e))?;
        Ok(PathBuf::from(OsStr::from_bytes(target.to_bytes())))
    }

    /// `statx(2)` of a path; `follow` decides whether a final symbolic link is followed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn stat(&self, path: impl AsRef<Path>, follow: bool) -> Result<Statx> {
        let path = path.as_ref();
        let nofollow = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
        let fd = self.open_at(path, OFlags::PATH | nofollow)?;
        fs::statx(&fd, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS | StatxFlags::MNT_ID)
            .map_err(|e| os(path, e))
    }
}

impl AsFd for RootDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

const USUAL_SIZE: usize = 8192;

/// Reads the rest of an open file, at most `limit` bytes; `path` is for the error.
///
/// # Errors
/// When it cannot be read, or is larger.
pub fn read_at_most(file: File, path: &Path, limit: u64) -> Result<Vec<u8>> {
    // Most files that are read are small: room for them spares the reads by which a vector finds its size.
    let mut bytes = Vec::with_capacity(usize::try_from(limit).unwrap_or(usize::MAX).min(USUAL_SIZE));
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|source| Error::Os { path: path.to_owned(), source })?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// The path as it is given to the kernel: without the leading slash, `.` for the root itself.
fn relative(path: &Path) -> &Path {
    match path.strip_prefix("/") {
        Ok(rest) if rest.as_os_str().is_empty() => Path::new("."),
        Ok(rest) => rest,
        Err(_) => path,
    }
}

fn os(path: &Path, errno: Errno) -> Error {
    Error::Os { path: path.to_owned(), source: errno.into() }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_path_leads_out() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        let dir = tempfile::tempdir().unwrap();
        symlink(outside.path(), dir.path().join("out")).unwrap();
        symlink("../../../../../../etc", dir.path().join("up")).unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        fs::write(dir.path().join("etc/passwd"), "mine").unwrap();

        let root = RootDir::open(dir.path()).unwrap();
        assert!(root.read("out/secret", 10).unwrap_err().is_not_found());
        assert_eq!(root.read("up/passwd", 10).unwrap(), b"mine");
        assert_eq!(root.read("/../../etc/passwd", 10).unwrap(), b"mine");
    }

    #[test]
    fn only_regular_files_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        assert!(matches!(root.read("fifo", 10), Err(Error::Kind { .. })));
    }

    #[test]
    fn reads_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("f"), "12345").unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        assert!(matches!(root.read("f", 4), Err(Error::TooLarge { limit: 4, .. })));
        assert_eq!(root.read("f", 5).unwrap(), b"12345");
        assert!(matches!(root.read("/", 5), Err(Error::Kind { .. })));
    }
}
