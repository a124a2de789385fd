//! Access to `/proc` and to the directory of one process.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use plimsoll_facts::Namespaces;
use plimsoll_rootdir::RootDir;
use rustix::fs::{self, AtFlags, Mode, OFlags, ResolveFlags, Statx, StatxFlags};
use rustix::io::Errno;

/// Most processes, threads or descriptors that are read of one directory.
pub(crate) const MAX_ENTRIES: usize = 262_144;

/// Why something about a process could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// No such process, or no such file in its directory.
    #[error("not there: the process has ended, or the kernel has no such file")]
    Gone,
    /// The kernel refused.
    #[error("permission denied: only root, with all capabilities, may read this of every process")]
    Denied,
    /// Bigger than anything that the kernel should write here.
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    /// More entries than are read.
    #[error("more than {0} entries")]
    TooMany(usize),
    /// Only a running kernel can answer this.
    #[error("cannot be asked of a captured tree")]
    Captured,
    /// Not in the form that proc(5) promises.
    #[error("not in the form that proc(5) describes")]
    Malformed,
    /// Any other answer of the kernel.
    #[error("{0}")]
    Os(Errno),
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::SRCH | Errno::NOTDIR => Self::Gone,
            Errno::ACCESS | Errno::PERM => Self::Denied,
            other => Self::Os(other),
        }
    }
}

/// The `/proc` below a root directory.
#[derive(Debug)]
pub(crate) struct Proc {
    fd: OwnedFd,
    live: bool,
}

impl Proc {
    /// Opens `/proc` below `root`.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn open(root: &RootDir) -> Result<Self, Error> {
        let fd = open(root, "proc", OFlags::RDONLY | OFlags::DIRECTORY)?;
        let live = fs::fstatfs(&fd).is_ok_and(|s| s.f_type == fs::PROC_SUPER_MAGIC);
        Ok(Self { fd, live })
    }

    /// Whether this is the kernel's own file system, not a copy of it.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Ids of all processes, ascending.
    ///
    /// # Errors
    /// When `/proc` cannot be listed.
    pub(crate) fn pids(&self) -> Result<Vec<u32>, Error> {
        // A descriptor of its own, so that each listing begins at the start.
        list_numbers(open(self.fd.as_fd(), ".", OFlags::RDONLY | OFlags::DIRECTORY)?.as_fd())
    }

    /// Reads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// When the kernel refuses, or the file is larger.
    pub(crate) fn read(&self, name: &str, limit: usize) -> Result<Vec<u8>, Error> {
        read(self.fd.as_fd(), name, limit)
    }

    /// The directory of one process. As long as it is held it means that very process: when the process ends,
    /// reads fail, even after its number has gone to another one.
    ///
    /// # Errors
    /// When there is no such process.
    pub(crate) fn pid(&self, pid: u32) -> Result<PidDir, Error> {
        let fd = open(self.fd.as_fd(), &pid.to_string(), OFlags::PATH | OFlags::DIRECTORY)?;
        Ok(PidDir { fd, live: self.live })
    }
}

/// `/proc/PID`, or `/proc/PID/task/TID`.
#[derive(Debug)]
pub(crate) struct PidDir {
    fd: OwnedFd,
    live: bool,
}

impl PidDir {
    /// The directory of one thread.
    ///
    /// # Errors
    /// When there is no such thread.
    pub(crate) fn thread(&self, tid: u32) -> Result<Self, Error> {
        let fd = open(self.fd.as_fd(), &format!("task/{tid}"), OFlags::PATH | OFlags::DIRECTORY)?;
        Ok(Self { fd, live: self.live })
    }

    /// A thread that still runs, where the first one has ended: its directory shows what the process has open.
    pub(crate) fn live_thread(&self) -> Option<Self> {
        let threads = self.numbers("task").ok().filter(|threads| threads.len() > 1)?;
        threads.into_iter().filter_map(|tid| self.thread(tid).ok()).find(|dir| dir.namespace("mnt").is_ok())
    }

    /// Reads a file of at most `limit` bytes.
    ///
    /// # Errors
    /// When the kernel refuses, or the file is larger.
    pub(crate) fn read(&self, name: &str, limit: usize) -> Result<Vec<u8>, Error> {
        read(self.fd.as_fd(), name, limit)
    }

    /// Reads a file of at most `limit` bytes as text; bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(crate) fn read_text(&self, name: &str, limit: usize) -> Result<String, Error> {
        let bytes = self.read(name, limit)?;
        Ok(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    /// The text of a link (`exe`, `ns/net`, `fd/3`); it is not followed.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn link(&self, name: &str) -> Result<String, Error> {
        if self.live {
            // The kernel's own directories hold no links before the last component.
            return read_link(&self.fd, name);
        }
        read_link(&open(self.fd.as_fd(), name, OFlags::PATH | OFlags::NOFOLLOW)?, "")
    }

    /// Inode numbers of all namespaces.
    ///
    /// # Errors
    /// When the kernel refuses, or the process has ended.
    pub(crate) fn namespaces(&self) -> Result<Namespaces, Error> {
        let inode = |kind: &str| match self.link(&format!("ns/{kind}")) {
            Ok(link) => namespace_inode(&link).ok_or(Error::Malformed),
            // This kernel is older than the namespace (time: Linux 5.6).
            Err(Error::Gone) => Ok(0),
            Err(error) => Err(error),
        };
        let mnt = inode("mnt")?;
        if mnt == 0 {
            return Err(Error::Gone);
        }
        Ok(Namespaces {
            mnt,
            cgroup: inode("cgroup")?,
            ipc: inode("ipc")?,
            net: inode("net")?,
            pid: inode("pid")?,
            time: inode("time")?,
            user: inode("user")?,
            uts: inode("uts")?,
        })
    }

    /// Inode number of one namespace.
    ///
    /// # Errors
    /// When the kernel refuses, or has no such namespace.
    pub(crate) fn namespace(&self, kind: &str) -> Result<u64, Error> {
        namespace_inode(&self.link(&format!("ns/{kind}"))?).ok_or(Error::Malformed)
    }

    /// Inode number of one namespace of one thread.
    ///
    /// # Errors
    /// When the kernel refuses, or there is no such thread or namespace.
    pub(crate) fn thread_namespace(&self, tid: u32, kind: &str) -> Result<u64, Error> {
        namespace_inode(&self.link(&format!("task/{tid}/ns/{kind}"))?).ok_or(Error::Malformed)
    }

    /// Numbers in a directory (`task`, `fd`), ascending.
    ///
    /// # Errors
    /// When it cannot be listed or has more than [`MAX_ENTRIES`].
    pub(crate) fn numbers(&self, name: &str) -> Result<Vec<u32>, Error> {
        Ok(self.numbered(name)?.1)
    }

    /// A directory (`task`, `fd`) and the numbers in it, ascending.
    ///
    /// # Errors
    /// When it cannot be listed or has more than [`MAX_ENTRIES`].
    pub(crate) fn numbered(&self, name: &str) -> Result<(Self, Vec<u32>), Error> {
        let fd = open(self.fd.as_fd(), name, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let numbers = list_numbers(fd.as_fd())?;
        Ok((Self { fd, live: self.live }, numbers))
    }

    /// Opens what a magic link leads to (`exe`, `root`, `ns/net`): on purpose, and therefore out of every root.
    ///
    /// # Errors
    /// When the kernel refuses, or this is not a running kernel's file system.
    pub(crate) fn follow(&self, name: &str, flags: OFlags) -> Result<OwnedFd, Error> {
        if !self.live {
            return Err(Error::Captured);
        }
        Ok(fs::openat(&self.fd, name, flags | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// What a magic link leads to, without asking the file system behind it (a FUSE server could keep us waiting).
    ///
    /// # Errors
    /// When the kernel refuses, or this is not a running kernel's file system.
    pub(crate) fn stat(&self, name: &str) -> Result<Statx, Error> {
        if !self.live {
            return Err(Error::Captured);
        }
        let mask = StatxFlags::TYPE | StatxFlags::INO | StatxFlags::MNT_ID;
        Ok(fs::statx(&self.fd, name, AtFlags::STATX_DONT_SYNC, mask)?)
    }

    /// The bytes of the program that runs, even where its file was deleted or replaced.
    ///
    /// # Errors
    /// When the kernel refuses, or this is not a running kernel's file system.
    pub(crate) fn program(&self) -> io::Result<File> {
        match self.follow("exe", OFlags::RDONLY) {
            Ok(fd) => Ok(File::from(fd)),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

fn open(dir: impl AsFd, name: &str, flags: OFlags) -> Result<OwnedFd, Error> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    loop {
        match fs::openat2(&dir, name, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}

fn read(dir: impl AsFd, name: &str, limit: usize) -> Result<Vec<u8>, Error> {
    let fd = open(dir, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
    let mut bytes = vec![0; 4096.min(limit + 1)];
    let mut filled = 0;
    loop {
        if filled == bytes.len() {
            if filled > limit {
                return Err(Error::TooLarge(limit));
            }
            bytes.resize((filled * 2).min(limit + 1), 0);
        }
        match rustix::io::read(&fd, bytes.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn list_numbers(dir: BorrowedFd<'_>) -> Result<Vec<u32>, Error> {
    let mut numbers = Vec::new();
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut entries = fs::RawDir::new(dir, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let number = entry.file_name().to_str().ok().and_then(|name| name.parse().ok());
        let Some(number) = number else { continue };
        if numbers.len() == MAX_ENTRIES {
            return Err(Error::TooMany(MAX_ENTRIES));
        }
        numbers.push(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn read_link(dir: impl AsFd, name: &str) -> Result<String, Error> {
    let mut buffer = [MaybeUninit::uninit(); 256];
    let (target, rest) = fs::readlinkat_raw(&dir, name, &mut buffer)?;
    let bytes = match rest.is_empty() {
        false => target.to_vec(),
        true => fs::readlinkat(&dir, name, Vec::new())?.into_bytes(),
    };
    Ok(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}

/// The number in `net:[4026531840]`.
fn namespace_inode(link: &str) -> Option<u64> {
    link.split_once(":[")?.1.strip_suffix(']')?.parse().ok()
}
