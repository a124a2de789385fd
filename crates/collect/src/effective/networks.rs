//! What listens in each network namespace that matters: asked once a namespace, not once a container.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::fd::OwnedFd;

use plimsoll_facts::{Fact, NetNamespace, Socket};
use rustix::fs::{self, OFlags};

use crate::gaps::Gaps;
use crate::net_namespace::{self, Seen, Visits};
use crate::procs::{self, Processes, Row};
use crate::sockets::{self, Listeners, UnixListener};

/// Listening sockets by network namespace, and what else was seen there.
pub(super) struct Networks {
    listeners: BTreeMap<u64, Result<Listeners, sockets::Error>>,
    seen: Vec<Seen>,
}

/// Holders of sockets: inode → processes.
pub(super) type Holders = HashMap<u64, Vec<u32>>;

/// Most network namespaces that others are tied to.
const MAX_ROUTERS: usize = 64;

impl Networks {
    /// Asks in the namespace `host` and in those of these processes; `routers` are processes in whose namespaces others
    /// may have the other ends of their interfaces.
    pub(super) fn read<'a>(
        processes: &'a Processes,
        host: u64,
        rows: impl IntoIterator<Item = &'a Row>,
        routers: impl IntoIterator<Item = &'a Row>,
        mut visits: Visits<'_>,
    ) -> Self {
        let me = processes.get(std::process::id());
        let mine = me.and_then(namespace_of).unwrap_or_default();
        let mut elsewhere: BTreeMap<u64, &Row> = rows.into_iter().filter_map(in_namespace).collect();
        let mut routers: BTreeMap<u64, &Row> = routers.into_iter().filter_map(in_namespace).collect();
        if let Some(row) = processes.rows().iter().find(|row| namespace_of(row) == Some(host)) {
            routers.insert(host, row);
        }
        elsewhere.extend(routers.iter().map(|(inode, row)| (*inode, *row)));
        elsewhere.remove(&mine);
        let opened = routers.into_iter().take(MAX_ROUTERS);
        visits.routers =
            opened.filter_map(|(inode, row)| Some((inode, open(processes, inode, row).ok()?))).collect();

        let inodes: Vec<u64> = elsewhere.keys().copied().collect();
        let namespaces = elsewhere.into_iter().map(|(inode, row)| (inode, open(processes, inode, row)));
        let look = |inode| (sockets::listeners_here(), net_namespace::look(&visits, inode));
        let found = sockets::in_each(namespaces, look);
        let mut networks = Self { listeners: BTreeMap::new(), seen: Vec::new() };
        for (inode, found) in inodes.into_iter().zip(found) {
            let listeners = found.and_then(|(listeners, seen)| {
                networks.seen.push(seen);
                listeners
            });
            networks.listeners.insert(inode, listeners);
        }
        if processes.proc.is_live() && mine != 0 {
            let inet = sockets::inet_listeners(&processes.proc);
            let unix = sockets::unix_listeners(&processes.proc);
            networks.listeners.insert(mine, Ok(Listeners { inet, unix }));
            networks.seen.push(net_namespace::look(&visits, mine));
        }
        networks
    }

    /// Everything about each namespace that was visited, by their inodes.
    pub(super) fn namespaces(
        &mut self,
        holders: &Holders,
        processes: &Processes,
        gaps: &mut Gaps,
    ) -> Vec<NetNamespace> {
        let seen = std::mem::take(&mut self.seen);
        let listeners = |inode| match self.inet(inode, holders, processes) {
            Ok(sockets) => Fact::known(sockets, "NETLINK_SOCK_DIAG"),
            Err(error) => Fact::unreadable("NETLINK_SOCK_DIAG", error.to_string()),
        };
        let mut namespaces = net_namespace::finish(seen, listeners, processes, gaps);
        namespaces.sort_by_key(|namespace| namespace.inode);
        namespaces
    }

    /// Inodes of all sockets that were found.
    pub(super) fn inodes(&self) -> HashSet<u64> {
        let known = || self.listeners.values().flatten();
        let inet = known().flat_map(|l| l.inet.iter().flatten()).map(|socket| socket.inode);
        inet.chain(self.unix().map(|(_, listener)| listener.inode)).collect()
    }

    /// Unix sockets with the network namespace that they are in.
    pub(super) fn unix(&self) -> impl Iterator<Item = (u64, &UnixListener)> {
        self.listeners.iter().flat_map(|(network, listeners)| {
            let listeners = listeners.as_ref().ok().and_then(|l| l.unix.as_ref().ok());
            listeners.into_iter().flatten().map(|listener| (*network, listener))
        })
    }

    /// Why unix sockets could not be listed in one of the namespaces.
    pub(super) fn unix_failure(&self, network: u64) -> Option<sockets::Error> {
        match self.listeners.get(&network) {
            Some(Ok(listeners)) => listeners.unix.as_ref().err().copied(),
            Some(Err(error)) => Some(*error),
            None => Some(procs::Error::Gone.into()),
        }
    }

    /// TCP and UDP sockets in one namespace, with the processes that hold them.
    ///
    /// # Errors
    /// When the namespace could not be looked into.
    pub(super) fn inet(
        &self,
        network: u64,
        holders: &Holders,
        processes: &Processes,
    ) -> Result<Vec<Socket>, sockets::Error> {
        let listeners = self.listeners.get(&network).ok_or(procs::Error::Gone)?;
        let sockets = listeners.as_ref().map_err(|e| *e)?.inet.as_ref().map_err(|e| *e)?;
        let with_holder = |socket: &Socket| {
            let pid = holders.get(&socket.inode).and_then(|pids| holder(pids));
            let row = pid.and_then(|pid| processes.get(pid));
            Socket { pid, process: row.map(|row| row.name.clone()), ..socket.clone() }
        };
        Ok(sockets.iter().map(with_holder).collect())
    }
}

/// The first of several holders; process 1 may have made the socket for the one that uses it (socket activation).
fn holder(pids: &[u32]) -> Option<u32> {
    pids.iter().copied().filter(|pid| *pid != 1).min().or(pids.first().copied())
}

fn namespace_of(row: &Row) -> Option<u64> {
    row.namespaces.as_ref().ok().map(|n| n.net).filter(|inode| *inode != 0)
}

fn in_namespace(row: &Row) -> Option<(u64, &Row)> {
    Some((namespace_of(row)?, row))
}

fn open(processes: &Processes, inode: u64, row: &Row) -> Result<OwnedFd, procs::Error> {
    let namespace = processes.open_live(row)?.follow("ns/net", OFlags::RDONLY)?;
    // It may have gone to another namespace.
    let same = fs::fstat(&namespace)?.st_ino == inode;
    if same { Ok(namespace) } else { Err(procs::Error::Gone) }
}
