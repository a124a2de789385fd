//! What listens in each network namespace that matters: asked once a namespace, not once a container.

use std::collections::{BTreeMap, HashMap, HashSet};

use plimsoll_facts::Socket;
use rustix::fs::{self, OFlags};

use crate::procs::{self, Processes, Row};
use crate::sockets::{self, Listeners, UnixListener};

/// Listening sockets by network namespace.
pub(super) struct Networks {
    listeners: BTreeMap<u64, Result<Listeners, sockets::Error>>,
}

/// Holders of sockets: inode → processes.
pub(super) type Holders = HashMap<u64, Vec<u32>>;

impl Networks {
    /// Asks in the namespace `host` and in those of these processes.
    pub(super) fn read<'a>(
        processes: &'a Processes,
        host: u64,
        rows: impl IntoIterator<Item = &'a Row>,
    ) -> Self {
        let me = processes.get(std::process::id()).and_then(namespace_of).unwrap_or_default();
        let mut visits: BTreeMap<u64, &Row> =
            rows.into_iter().filter_map(|r| Some((namespace_of(r)?, r))).collect();
        if host != me && !visits.contains_key(&host) {
            visits.extend(
                processes.rows().iter().find(|r| namespace_of(r) == Some(host)).map(|row| (host, row)),
            );
        }
        visits.remove(&me);
        let (inodes, rows): (Vec<u64>, Vec<&Row>) = visits.into_iter().unzip();
        let opened = inodes.iter().zip(rows).map(|(inode, row)| {
            let namespace = processes.open_live(row)?.follow("ns/net", OFlags::RDONLY)?;
            // It may have gone to another namespace.
            let same = fs::fstat(&namespace)?.st_ino == *inode;
            if same { Ok(namespace) } else { Err(procs::Error::Gone) }
        });
        let mut listeners: BTreeMap<u64, _> =
            inodes.iter().copied().zip(sockets::listeners_in(opened)).collect();
        if processes.proc.is_live() && me != 0 {
            let inet = sockets::inet_listeners(&processes.proc);
            let unix = sockets::unix_listeners(&processes.proc);
            listeners.insert(me, Ok(Listeners { inet, unix }));
        }
        Self { listeners }
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
