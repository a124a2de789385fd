//! A unix socket of the host, held open so that it stays the same one.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use plimsoll_rootdir::RootDir;
use rustix::fs::{self, AtFlags, FileType, OFlags, StatxFlags};

use crate::sockets::UnixListener;

/// A unix socket below the host's root.
#[derive(Debug)]
pub(super) struct SocketFile {
    fd: OwnedFd,
    device: (u32, u32),
    inode: u64,
}

impl SocketFile {
    /// Opens a path without connecting to it.
    ///
    /// # Errors
    /// A sentence that says what stands in the way.
    pub(super) fn open(root: &RootDir, path: &Path) -> Result<Self, String> {
        let fd = root.open_at(path, OFlags::PATH).map_err(|error| match error {
            error if error.is_not_found() => "there is no such socket: no engine runs, or it listens \
                elsewhere; name it with --host unix:///path/to/docker.sock"
                .to_owned(),
            plimsoll_rootdir::Error::Os { source, .. } => source.to_string(),
            other => other.to_string(),
        })?;
        let mask = StatxFlags::TYPE | StatxFlags::INO;
        let stat =
            fs::statx(&fd, "", AtFlags::EMPTY_PATH, mask).map_err(|e| io::Error::from(e).to_string())?;
        if FileType::from_raw_mode(stat.stx_mode.into()) != FileType::Socket {
            return Err("it is not a socket".to_owned());
        }
        Ok(Self { fd, device: (stat.stx_dev_major, stat.stx_dev_minor), inode: stat.stx_ino })
    }

    /// A path that leads to this socket whatever happens to its name.
    pub(super) fn address(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.fd.as_raw_fd()))
    }

    /// Whether both are the same file.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// The listener that is bound to this file; `None` where the kernel tells of none, or does not tell the file.
    pub(super) fn listener<'a>(&self, listeners: &'a [UnixListener]) -> Option<&'a UnixListener> {
        let (major, minor) = self.device;
        #[expect(clippy::cast_possible_truncation, reason = "the kernel tells the low 32 bits")]
        let file = (major, minor, self.inode as u32);
        listeners.iter().find(|listener| listener.file == Some(file))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener as Listener;

    use super::*;
    use crate::procs::Proc;
    use crate::sockets::unix_listeners;

    #[test]
    fn two_names_are_one_socket_and_its_listener_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        let _listener = Listener::bind(dir.path().join("docker.sock")).unwrap();
        symlink("/docker.sock", dir.path().join("other.sock")).unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        let socket = SocketFile::open(&root, Path::new("/docker.sock")).unwrap();
        assert!(socket.is(&SocketFile::open(&root, Path::new("/other.sock")).unwrap()));
        assert!(SocketFile::open(&root, Path::new("/file")).unwrap_err().contains("not a socket"));
        assert!(SocketFile::open(&root, Path::new("/none")).unwrap_err().contains("--host"));

        let listeners = unix_listeners(&Proc::open(&RootDir::open("/").unwrap()).unwrap()).unwrap();
        assert!(socket.listener(&listeners).unwrap().path.ends_with("/docker.sock"));
    }
}
