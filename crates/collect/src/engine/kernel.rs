//! What the kernel tells of listening sockets and of the processes that hold them.

use std::collections::HashSet;

use plimsoll_facts::Socket;
use plimsoll_rootdir::RootDir;
use rustix::fs::OFlags;

use crate::procs::{self, Proc};
use crate::sockets::{self, Listeners, UnixListener};

/// The host's processes and sockets.
pub(super) struct Kernel {
    pub(super) proc: Proc,
    /// What listens in the collector's network namespace.
    listeners: Listeners,
    /// Number of that namespace.
    net: Option<u64>,
}

impl Kernel {
    /// Looks at the sockets that listen now.
    ///
    /// # Errors
    /// When there is no `/proc`.
    pub(super) fn look(root: &RootDir) -> Result<Self, procs::Error> {
        let proc = Proc::open(root)?;
        let listeners =
            Listeners { inet: sockets::inet_listeners(&proc), unix: sockets::unix_listeners(&proc) };
        let net = proc.pid(std::process::id()).and_then(|me| me.namespace("net")).ok();
        Ok(Self { proc, listeners, net })
    }

    /// What listens in the collector's network namespace.
    pub(super) fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// Unix sockets that listen there; none where they could not be listed.
    pub(super) fn unix(&self) -> &[UnixListener] {
        self.listeners.unix.as_deref().unwrap_or_default()
    }

    /// TCP sockets that listen there, and UDP sockets; none where they could not be listed.
    pub(super) fn inet(&self) -> &[Socket] {
        self.listeners.inet.as_deref().unwrap_or_default()
    }

    /// Whether a process sees the same network as the collector.
    pub(super) fn shares_network(&self, pid: u32) -> Option<bool> {
        let net = self.proc.pid(pid).and_then(|dir| dir.namespace("net")).ok()?;
        Some(self.net? == net)
    }

    /// What listens in the network namespace of a process that is in another one.
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    pub(super) fn elsewhere(&self, pid: u32) -> Result<Listeners, sockets::Error> {
        self.inside_network_of(pid, sockets::listeners_here)?
    }

    /// Does something, such as connecting to a port, in the network namespace of a process that is in another one.
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    pub(super) fn inside_network_of<T: Send>(
        &self,
        pid: u32,
        act: impl FnOnce() -> T + Send,
    ) -> Result<T, sockets::Error> {
        sockets::inside(self.proc.pid(pid).and_then(|dir| dir.follow("ns/net", OFlags::RDONLY))?, act)
    }

    /// The processes that hold a listening socket, ascending, and how many processes could not be looked into.
    pub(super) fn holders(&self, inode: u64) -> (Vec<u32>, usize) {
        let pids = self.proc.pids().unwrap_or_default();
        let mut holders = sockets::holders(&self.proc, pids, &HashSet::from([inode]));
        (holders.by_inode.remove(&inode).unwrap_or_default(), holders.unreadable.len())
    }

    /// Which of these sockets a process holds; `None` where its descriptors may not be read.
    pub(super) fn held_by(&self, pid: u32, inodes: HashSet<u64>) -> Option<HashSet<u64>> {
        let holders = sockets::holders(&self.proc, [pid], &inodes);
        (holders.unreadable.is_empty()).then(|| holders.by_inode.into_keys().collect())
    }

    /// How many docker-proxy processes a daemon has started.
    pub(super) fn proxies_of(&self, daemon: u32) -> Option<usize> {
        let is_proxy = |pid: &u32| {
            let exe = self.proc.pid(*pid).and_then(|dir| dir.link("exe")).unwrap_or_default();
            exe.trim_end_matches(" (deleted)").ends_with("docker-proxy")
        };
        let pids = self.proc.pids().ok()?.into_iter().filter(is_proxy);
        Some(
            pids.filter(|pid| self.proc.row(*pid).ok().flatten().is_some_and(|row| row.ppid == daemon))
                .count(),
        )
    }
}
