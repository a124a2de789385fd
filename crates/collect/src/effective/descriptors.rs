//! Open descriptors, working directories and roots that lead out of a container, and the sockets that it holds.

use std::collections::{HashMap, HashSet};

use plimsoll_facts::{HostDescriptor, Mount};
use rustix::fs::{FileType, Statx, StatxFlags};

use super::devices::is_harmless;
use super::mounts::{self, HostView};
use crate::procs::{Error, PidDir, Row};

/// Most descriptors that are looked at in one container.
const MAX_DESCRIPTORS: usize = 65_536;
/// Most descriptors that are reported of one container.
const MAX_REPORTED: usize = 256;

/// Why the descriptors of a container could not be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// One process could not be read.
    #[error("process {pid}: {error}")]
    Process {
        /// Which.
        pid: u32,
        /// Why.
        error: Error,
    },
    /// The kernel does not tell the mount of a file.
    #[error("the kernel does not tell which mount a descriptor belongs to (Linux 5.8 does)")]
    NoMountId,
    /// Too many to look at.
    #[error("more than {MAX_DESCRIPTORS} open descriptors")]
    TooMany,
}

/// What the processes of one container hold open.
pub(super) struct Descriptors<'a> {
    /// Ids of the mounts of the container's first process, and its mount namespace.
    mounts: HashSet<u64>,
    namespace: u64,
    /// Ids of the mounts of other mount namespaces that its processes made for themselves.
    other: HashMap<u64, HashSet<u64>>,
    host: &'a HostView<'a>,
    /// Sockets whose holders are looked for.
    wanted: &'a HashSet<u64>,
    looked_at: usize,
    failure: Option<Failure>,
    found: Vec<HostDescriptor>,
    /// Holders of wanted sockets: inode → process.
    pub(super) holders: HashMap<u64, u32>,
}

impl<'a> Descriptors<'a> {
    /// `mounts` are those of the first process, `namespace` is the inode of its mount namespace.
    pub(super) fn new(
        mounts: &[Mount],
        namespace: u64,
        host: &'a HostView<'a>,
        wanted: &'a HashSet<u64>,
    ) -> Self {
        Self {
            mounts: ids(mounts),
            namespace,
            other: HashMap::new(),
            host,
            wanted,
            looked_at: 0,
            failure: None,
            found: Vec::new(),
            holders: HashMap::new(),
        }
    }

    /// Goes through one process; `dir` is the directory of a thread of it that still runs.
    pub(super) fn visit(&mut self, row: &Row, dir: &PidDir) {
        if self.failure.is_some() {
            return;
        }
        match self.process(row, dir) {
            Ok(()) | Err(Failure::Process { error: Error::Gone, .. }) => {}
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// What was found.
    ///
    /// # Errors
    /// The first failure: a list that misses a process must not look complete.
    pub(super) fn finish(self) -> Result<Vec<HostDescriptor>, Failure> {
        self.failure.map_or(Ok(self.found), Err)
    }

    fn process(&mut self, row: &Row, dir: &PidDir) -> Result<(), Failure> {
        let pid = row.pid;
        let failed = |error| Failure::Process { pid, error };
        let namespace = row.namespaces.as_ref().map_or(0, |n| n.mnt);
        // A process that joined the host's namespace, in contrast, has left the container.
        let of_host = self.host.namespaces.map_or(0, |n| n.mnt);
        if ![0, self.namespace, of_host].contains(&namespace) && !self.other.contains_key(&namespace) {
            let mounts = mounts::read(dir).map_err(|_| failed(Error::Malformed))?;
            self.other.insert(namespace, ids(&mounts));
        }
        self.link(row, dir, "cwd", None)?;
        self.link(row, dir, "root", None)?;
        let (directory, descriptors) = dir.numbered("fd").map_err(failed)?;
        for fd in descriptors {
            self.looked_at += 1;
            if self.looked_at > MAX_DESCRIPTORS {
                return Err(Failure::TooMany);
            }
            self.link(row, &directory, &fd.to_string(), Some(fd))?;
        }
        Ok(())
    }

    fn link(&mut self, row: &Row, dir: &PidDir, link: &str, fd: Option<u32>) -> Result<(), Failure> {
        let pid = row.pid;
        let stat = match dir.stat(link) {
            // Closed meanwhile.
            Err(Error::Gone) => return Ok(()),
            other => other.map_err(|error| Failure::Process { pid, error })?,
        };
        let kind = match FileType::from_raw_mode(stat.stx_mode.into()) {
            FileType::Socket => {
                if self.wanted.contains(&stat.stx_ino) {
                    self.holders.entry(stat.stx_ino).or_insert(pid);
                }
                return Ok(());
            }
            FileType::Directory => "directory",
            FileType::RegularFile => "file",
            FileType::CharacterDevice | FileType::BlockDevice if !harmless(&stat) => "device",
            _ => return Ok(()),
        };
        if stat.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
            return Err(Failure::NoMountId);
        }
        let id = stat.stx_mnt_id;
        let own = row.namespaces.as_ref().ok().and_then(|n| self.other.get(&n.mnt));
        // Files of the kernel's own (memfd, deleted shared memory) are on devices that nobody mounts.
        let on_host = self.host.mounts_device(stat.stx_dev_major, stat.stx_dev_minor);
        if self.mounts.contains(&id) || own.is_some_and(|own| own.contains(&id)) || !on_host {
            return Ok(());
        }
        let target = dir.link(link).unwrap_or_default();
        // A namespace (`net:[…]`) can be mounted as well, but is no file of the host.
        if !target.starts_with('/') || self.found.len() == MAX_REPORTED {
            return Ok(());
        }
        self.found.push(HostDescriptor {
            pid,
            fd: fd.unwrap_or_default(),
            link: if fd.is_some() { format!("fd/{link}") } else { link.to_owned() },
            target,
            kind: kind.to_owned(),
            reason: format!("its mount (id {id}) is not among the container's"),
        });
        Ok(())
    }
}

fn ids(mounts: &[Mount]) -> HashSet<u64> {
    mounts.iter().map(|mount| u64::from(mount.id)).collect()
}

fn harmless(stat: &Statx) -> bool {
    let character = FileType::from_raw_mode(stat.stx_mode.into()) == FileType::CharacterDevice;
    character && is_harmless(stat.stx_rdev_major, stat.stx_rdev_minor)
}
