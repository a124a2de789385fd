//! Sockets that accept connections or datagrams, and the processes that hold them.

mod diag;

use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, OwnedFd};

use plimsoll_facts::Socket;
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::netlink;
use crate::procs::{self, Proc};
use diag::Diag;

/// Longest `/proc/net/unix` that is read.
const UNIX_LIMIT: usize = 16 * 1024 * 1024;
/// `__SO_ACCEPTCON` of `linux/net.h`, in the flags of `/proc/net/unix`.
const SO_ACCEPTCON: u32 = 0x1_0000;

/// Why sockets could not be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The kernel was built without it, or may not load the module.
    #[error("the kernel offers no socket diagnostics (CONFIG_INET_DIAG, CONFIG_UNIX_DIAG)")]
    NoDiagnostics,
    /// Entering another network namespace needs `CAP_SYS_ADMIN`.
    #[error("permission denied: only root may look into another network namespace")]
    Denied,
    /// Not in the form of sock_diag(7).
    #[error("the kernel's answer is not in the form that sock_diag(7) describes")]
    Malformed,
    /// More sockets than are read.
    #[error("more than {0} sockets")]
    TooMany(usize),
    /// The process whose namespace was asked for could not be read.
    #[error(transparent)]
    Process(#[from] procs::Error),
    /// Any other answer of the kernel.
    #[error("{0}")]
    Os(Errno),
}

impl From<netlink::Error> for Error {
    fn from(error: netlink::Error) -> Self {
        match error {
            netlink::Error::Unsupported => Self::NoDiagnostics,
            netlink::Error::Denied => Self::Denied,
            netlink::Error::Malformed => Self::Malformed,
            netlink::Error::TooMany(limit) => Self::TooMany(limit),
            netlink::Error::Changed => Self::Os(Errno::AGAIN),
            netlink::Error::Os(errno) => Self::Os(errno),
        }
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT => Self::NoDiagnostics,
            Errno::ACCESS | Errno::PERM => Self::Denied,
            other => Self::Os(other),
        }
    }
}

/// A unix socket that listens under a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UnixListener {
    /// The path as it was bound (perhaps relative, and in the mount namespace of the binder); abstract names
    /// begin with `@`.
    pub(crate) path: String,
    /// Inode of the socket, as in `/proc/PID/fd`.
    pub(crate) inode: u64,
    /// The file that the path named when it was bound: device (major, minor) and the low 32 bits of its inode.
    /// `None` for abstract names, and where only `/proc/net/unix` could be read.
    pub(crate) file: Option<(u32, u32, u32)>,
    /// Owner of the socket; 0 where only `/proc/net/unix` could be read.
    pub(crate) uid: u32,
}

/// Unix sockets that listen in the reader's network namespace.
///
/// The kernel's socket diagnostics are asked first: in `/proc/net/unix` a hostile name with a line break in it can
/// pass for another socket.
///
/// # Errors
/// When neither can be read.
pub(crate) fn unix_listeners(proc: &Proc) -> Result<Vec<UnixListener>, Error> {
    if proc.is_live()
        && let Ok(listeners) = Diag::open().and_then(|mut diag| diag.unix_listeners())
    {
        return Ok(listeners);
    }
    Ok(parse_proc_net_unix(&proc.read("net/unix", UNIX_LIMIT)?))
}

/// TCP sockets that listen, and UDP sockets without a fixed peer, in the reader's network namespace.
///
/// # Errors
/// When the kernel has no socket diagnostics, or `proc` is not a running kernel's.
pub(crate) fn inet_listeners(proc: &Proc) -> Result<Vec<Socket>, Error> {
    if !proc.is_live() {
        return Err(procs::Error::Captured.into());
    }
    Ok(Diag::open()?.inet_listeners()?)
}

/// What listens in one network namespace.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// As [`inet_listeners`].
    pub(crate) inet: Result<Vec<Socket>, Error>,
    /// As [`unix_listeners`].
    pub(crate) unix: Result<Vec<UnixListener>, Error>,
}

/// Acts in each of these network namespaces (`/proc/PID/ns/net`, opened when its turn comes), in their order.
///
/// A thread of its own enters one after the other and ends; the rest of the process stays where it is.
pub(crate) fn in_each<I, T: Send>(namespaces: I, act: impl Fn(u64) -> T + Sync) -> Vec<Result<T, Error>>
where
    I: IntoIterator<Item = (u64, Result<OwnedFd, procs::Error>)> + Send,
{
    let visit = |(inode, namespace): (u64, Result<OwnedFd, _>)| {
        enter(&namespace?)?;
        Ok(act(inode))
    };
    let all = || namespaces.into_iter().map(visit).collect();
    std::thread::scope(|scope| scope.spawn(all).join()).unwrap_or_default()
}

/// What listens in the network namespace of the calling thread.
pub(crate) fn listeners_here() -> Result<Listeners, Error> {
    let mut diag = Diag::open()?;
    Ok(Listeners {
        inet: diag.inet_listeners().map_err(Error::from),
        unix: diag.unix_listeners().map_err(Error::from),
    })
}

/// Acts in a network namespace, in a thread that ends with it.
///
/// # Errors
/// When the namespace cannot be entered.
pub(crate) fn inside<T: Send>(namespace: OwnedFd, act: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let visit = || enter(&namespace).map(|()| act());
    std::thread::scope(|scope| scope.spawn(visit).join()).unwrap_or(Err(Error::Malformed))
}

/// Moves the calling thread into a network namespace.
fn enter(namespace: &OwnedFd) -> Result<(), Error> {
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}

/// Who holds which socket.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    /// Socket inode → processes, ascending. A socket that was inherited or passed has several.
    pub(crate) by_inode: HashMap<u64, Vec<u32>>,
    /// Processes whose descriptors could not be read.
    pub(crate) unreadable: Vec<u32>,
}

/// Looks for the holders of these sockets in the open descriptors of these processes.
pub(crate) fn holders(proc: &Proc, pids: impl IntoIterator<Item = u32>, wanted: &HashSet<u64>) -> Holders {
    let mut holders = Holders::default();
    if wanted.is_empty() {
        return holders;
    }
    for pid in pids {
        let Ok(dir) = proc.pid(pid) else { continue };
        let listed = match dir.numbered("fd") {
            // Its first thread has ended, while others go on.
            Ok((_, none)) if none.is_empty() => dir.live_thread().unwrap_or(dir).numbered("fd"),
            listed => listed,
        };
        let (directory, descriptors) = match listed {
            Ok(listed) => listed,
            Err(procs::Error::Gone) => continue,
            Err(_) => {
                holders.unreadable.push(pid);
                continue;
            }
        };
        for descriptor in descriptors {
            let Ok(link) = directory.link(&descriptor.to_string()) else { continue };
            let Some(inode) = socket_inode(&link).filter(|inode| wanted.contains(inode)) else { continue };
            let pids = holders.by_inode.entry(inode).or_default();
            if pids.last() != Some(&pid) {
                pids.push(pid);
            }
        }
    }
    holders
}

/// The number in `socket:[12345]`.
fn socket_inode(link: &str) -> Option<u64> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// Reads a datagram as each answer of sock_diag.
#[cfg(any(fuzzing, test))]
pub(crate) fn parse_datagram(bytes: &[u8]) {
    diag::parse_datagram(bytes);
}

/// Reads `/proc/net/unix`.
#[cfg(any(fuzzing, test))]
pub(crate) fn parse_file(bytes: &[u8]) {
    let _ = parse_proc_net_unix(bytes);
}

/// Lines that are not in the kernel's form are passed over: a name may contain a line break.
fn parse_proc_net_unix(bytes: &[u8]) -> Vec<UnixListener> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().skip(1).filter_map(proc_net_unix_line).collect()
}

fn proc_net_unix_line(line: &str) -> Option<UnixListener> {
    // Num: RefCount Protocol Flags Type St Inode Path
    let mut rest = line;
    let mut field = || {
        let (field, tail) = rest.trim_start().split_once(' ')?;
        rest = tail;
        Some(field)
    };
    let (_number, _count, _protocol) = (field()?, field()?, field()?);
    let flags = u32::from_str_radix(field()?, 16).ok()?;
    let (_type, _state) = (field()?, field()?);
    let inode = field()?.parse().ok()?;
    let listens = flags & SO_ACCEPTCON != 0 && !rest.is_empty();
    listens.then(|| UnixListener { path: rest.to_owned(), inode, ..UnixListener::default() })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use plimsoll_rootdir::RootDir;
    use rustix::fs::OFlags;

    #[test]
    fn proc_net_unix_of_a_real_host() {
        let text = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000041e8f38c: 00000002 00000000 00010000 0001 01  4388 /var/run/docker.sock\n\
            0000000045307fdf: 00000003 00000000 00000000 0001 03  4408\n\
            00000000b4ca913f: 00000002 00000000 00010000 0001 01 43970 @/containerd-shim/a b.sock@\n\
            00000000b4ca9140: 00000002 00000000 00010000 0001 01 43971\n\
            damaged: 0 0 00010000\n";
        let found: Vec<_> = parse_proc_net_unix(text).into_iter().map(|l| (l.inode, l.path)).collect();
        let expected =
            [(4388, "/var/run/docker.sock".to_owned()), (43970, "@/containerd-shim/a b.sock@".to_owned())];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_holder_of_a_socket_is_found() {
        let proc = Proc::open(&RootDir::open("/").unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sockets = inet_listeners(&proc).unwrap();
        let inode = sockets.iter().find(|s| s.port == port).unwrap().inode;
        let me = std::process::id();
        let holders = holders(&proc, [me, me], &HashSet::from([inode]));
        assert_eq!(holders.by_inode[&inode], [me]);
    }

    #[test]
    fn a_namespace_is_entered_and_left() {
        let proc = Proc::open(&RootDir::open("/").unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let me = proc.pid(std::process::id()).unwrap();
        let namespaces = [(1, me.follow("ns/net", OFlags::RDONLY)), (2, Err(procs::Error::Gone))];
        let found = in_each(namespaces, |inode| (inode, listeners_here().unwrap().inet.unwrap()));
        match &found[0] {
            Ok((inode, sockets)) => assert!(*inode == 1 && sockets.iter().any(|s| s.port == port)),
            Err(error) => assert_eq!(*error, Error::Denied),
        }
        assert_eq!(found[1].as_ref().unwrap_err(), &Error::Process(procs::Error::Gone));
    }
}
