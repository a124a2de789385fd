//! The mounts of one process, and the host's mounts that they are compared with.

use std::collections::{HashMap, HashSet};

use plimsoll_facts::{Fact, Mount, Namespaces};

use super::mount_tree::{MountTree, below, join};
use crate::mountinfo;
use crate::procs::{self, PidDir};

/// Longest mountinfo that is read.
const LIMIT: usize = 16 * 1024 * 1024;

/// Why mounts could not be told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    /// The file could not be read.
    #[error(transparent)]
    Read(#[from] procs::Error),
    /// It could not be understood.
    #[error(transparent)]
    Parse(#[from] mountinfo::Error),
}

/// Mounts as a process sees them.
///
/// # Errors
/// When they cannot be read or understood.
pub(super) fn read(dir: &PidDir) -> Result<Vec<Mount>, Error> {
    Ok(mountinfo::parse(&dir.read("mountinfo", LIMIT)?)?)
}

/// The host, as far as containers are compared with it.
pub(super) struct HostView<'a> {
    /// Its own namespaces, where they are known.
    pub(super) namespaces: Option<Namespaces>,
    /// Its mounts.
    pub(super) mounts: &'a Fact<Vec<Mount>>,
    tree: MountTree<'a>,
    by_device: HashMap<&'a str, Vec<&'a Mount>>,
    devices: HashSet<(u32, u32)>,
}

impl<'a> HostView<'a> {
    pub(super) fn new(mounts: &'a Fact<Vec<Mount>>, namespaces: Option<Namespaces>) -> Self {
        let all = mounts.value().map_or(&[][..], Vec::as_slice);
        let mut by_device: HashMap<&str, Vec<&Mount>> = HashMap::new();
        for mount in all {
            by_device.entry(&mount.device).or_default().push(mount);
        }
        let devices = by_device.keys().filter_map(|device| {
            let (major, minor) = device.split_once(':')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        Self { namespaces, mounts, tree: MountTree::new(all), devices: devices.collect(), by_device }
    }

    /// Whether a file system on this device is mounted on the host.
    pub(super) fn mounts_device(&self, major: u32, minor: u32) -> bool {
        self.devices.contains(&(major, minor))
    }

    /// The path on the host of a path inside a file system. Where several mounts lead there, one that is not covered
    /// by another mount, and of these the one that shows most of the file system.
    pub(super) fn path_of(&self, device: &str, path: &str) -> Option<String> {
        let mounts = self.by_device.get(device)?;
        let found = mounts.iter().filter_map(|mount| {
            let on_host = join(&mount.target, below(path, &mount.root)?);
            let covered = self.tree.at(&on_host).is_none_or(|shown| shown.id != mount.id);
            Some((covered, mount.root.len(), on_host))
        });
        found.min().map(|(_, _, path)| path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From a Debian 12 host with Docker 20.10 and a volume made with `o=bind,device=/etc`.
    const HOST: &[u8] = b"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        22 27 0:21 / /proc rw,relatime - proc proc rw\n\
        42 27 254:0 /var/lib/docker /var/lib/docker rw,relatime shared:1 - ext4 /dev/vda rw\n\
        43 42 254:0 /etc /var/lib/docker/volumes/v/_data rw,relatime shared:9 - ext4 /dev/vda rw\n\
        44 27 8:1 / /srv rw - ext4 /dev/sda1 rw\n\
        45 44 8:2 / /srv rw - ext4 /dev/sda2 rw\n";

    #[test]
    fn the_path_on_the_host() {
        let mounts = Fact::known(mountinfo::parse(HOST).unwrap(), "mountinfo");
        let host = HostView::new(&mounts, None);
        let path = |device, root| host.path_of(device, root).unwrap();
        assert_eq!(path("254:0", "/etc"), "/etc");
        assert_eq!(path("254:0", "/"), "/");
        // Below the mount that covers the directory, only that mount shows it.
        assert_eq!(path("254:0", "/var/lib/docker/volumes/w/_data"), "/var/lib/docker/volumes/w/_data");
        assert_eq!(path("8:1", "/x"), "/srv/x");
        assert_eq!(host.path_of("8:3", "/"), None);
        assert!(host.mounts_device(254, 0) && !host.mounts_device(8, 3));
    }
}
