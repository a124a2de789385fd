//! Sockets of engines and runtimes that a container can connect to.
//!
//! What counts is the socket's place on its file system, not its name: a parent directory that is mounted, or another
//! name for the file, leads to the same socket. A read-only mount does not stop anybody from connecting.

use std::collections::HashMap;
use std::os::fd::AsRawFd;

use plimsoll_facts::{EngineSocketMount, Fact, Mount};
use plimsoll_rootdir::RootDir;
use rustix::fs::{self, AtFlags, OFlags, StatxFlags};

use super::container::Context;
use super::mount_tree::{MountTree, below, join};
use super::mounts;
use super::networks::{Holders, Networks};
use crate::procs::{self, Row};
use crate::sockets::UnixListener;

/// Programs whose sockets hand out control over containers, and with it over the host.
const PROGRAMS: [&str; 7] =
    ["dockerd", "containerd", "podman", "crio", "buildkitd", "cri-dockerd", "rootlesskit"];
/// Names of such sockets: somebody else may listen in their place until they are first used (socket activation).
const NAMES: [&str; 7] = [
    "docker.sock",
    "containerd.sock",
    "containerd.sock.ttrpc",
    "podman.sock",
    "crio.sock",
    "buildkitd.sock",
    "cri-dockerd.sock",
];
/// Most sockets of shims that are reported of one container: there is one for each container of the host, and they must
/// not hide an engine's.
const MAX_SHIMS: usize = 16;

/// A listening socket of an engine, and where it can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EngineSocket {
    /// Its path on the host, or its abstract name.
    host: String,
    /// The program that listens.
    program: String,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// In a file system: device as `major:minor`, path inside it, and the mount namespace of the listener.
    File { device: String, path: String, namespace: u64 },
    /// In a network namespace (abstract names, unix(7)).
    Network(u64),
}

/// Whether a socket is an engine's, by who holds it or how it is called.
fn is_engine(listener: &UnixListener, holders: &[&Row], endpoints: &[String]) -> bool {
    let name = listener.path.rsplit('/').next().unwrap_or_default();
    endpoints.contains(&listener.path)
        || NAMES.contains(&name)
        || holders.iter().any(|row| is_engine_program(row))
}

/// Whether a process runs an engine or a shim.
pub(super) fn is_engine_program(row: &Row) -> bool {
    let name = program(row);
    PROGRAMS.contains(&name) || name.starts_with("containerd-shim")
}

fn program(row: &Row) -> &str {
    let exe = row.exe.as_deref().unwrap_or(&row.name);
    let exe = exe.strip_suffix(" (deleted)").unwrap_or(exe);
    exe.rsplit('/').next().unwrap_or_default()
}

/// Finds the sockets of all engines, wherever they listen. `blind` is the number of processes whose open descriptors
/// could not be read.
pub(super) fn all(
    context: &Context<'_>,
    networks: &Networks,
    holders: &Holders,
    host_network: u64,
    endpoints: &[String],
    blind: usize,
) -> Fact<Vec<EngineSocket>> {
    const SOURCE: &str = "listening unix sockets";
    if let Some(error) = networks.unix_failure(host_network) {
        return Fact::unreadable(SOURCE, error.to_string());
    }
    if blind > 0 {
        let why =
            format!("who listens is not known: the open descriptors of {blind} processes cannot be read");
        return Fact::unreadable(SOURCE, why);
    }
    let mut sockets = Vec::new();
    for (network, listener) in networks.unix() {
        let pids = holders.get(&listener.inode).into_iter().flatten();
        let rows: Vec<&Row> = pids.filter_map(|pid| context.processes.get(*pid)).collect();
        if is_engine(listener, &rows, endpoints) {
            match locate(context, listener, network, &rows) {
                Ok(socket) => sockets.extend(socket),
                Err(why) => return Fact::unreadable(SOURCE, why),
            }
        }
    }
    Fact::known(sockets, SOURCE)
}

/// Finds the place of an engine's socket. `None` where its name leads nowhere any more, so that nobody can connect.
///
/// # Errors
/// When the place cannot be looked at.
fn locate(
    context: &Context<'_>,
    listener: &UnixListener,
    network: u64,
    holders: &[&Row],
) -> Result<Option<EngineSocket>, String> {
    let Context { root, processes, host, .. } = context;
    let holder = holders.iter().find(|row| is_engine_program(row)).or(holders.first());
    let program = holder.map_or("unknown", |row| program(row)).to_owned();
    if listener.path.starts_with('@') {
        let place = Place::Network(network);
        return Ok(Some(EngineSocket { host: listener.path.clone(), program, place }));
    }
    if !listener.path.starts_with('/') {
        return Ok(None);
    }
    let of_host = host.namespaces.map_or(0, |n| n.mnt);
    let namespace = holder.and_then(|row| row.namespaces.as_ref().ok()).map_or(of_host, |n| n.mnt);
    let place = match holder.filter(|_| namespace != of_host) {
        None => place(root, listener, host.mounts.value().map_or(&[], Vec::as_slice)),
        Some(row) => {
            let dir = match processes.open_live(row) {
                Err(procs::Error::Gone) => return Ok(None),
                other => other.map_err(|e| e.to_string())?,
            };
            let mounts = mounts::read(&dir).map_err(|e| e.to_string())?;
            let inside = root.open_process_root(row.pid).map_err(|e| e.to_string())?;
            place(&inside, listener, &mounts)
        }
    };
    Ok(place?.map(|(device, path)| {
        let host = host.path_of(&device, &path).unwrap_or_else(|| listener.path.clone());
        EngineSocket { host, program, place: Place::File { device, path, namespace } }
    }))
}

/// Device of a socket's file, and its path inside the file system.
fn place(
    root: &RootDir,
    listener: &UnixListener,
    mounts: &[Mount],
) -> Result<Option<(String, String)>, String> {
    let path = listener.path.as_str();
    if let Some(place) = on_fuse(listener, mounts) {
        return Ok(Some(place));
    }
    let fd = match root.open_at(path, OFlags::PATH) {
        Err(error) if error.is_not_found() => return Ok(None),
        other => other.map_err(|e| e.to_string())?,
    };
    let failed = |errno| format!("{path}: {errno}");
    let stat =
        fs::statx(&fd, "", AtFlags::EMPTY_PATH, StatxFlags::TYPE | StatxFlags::MNT_ID).map_err(failed)?;
    // The kernel's own name of what was opened, links resolved, as the mount namespace of the listener sees it.
    let resolved = fs::readlink(format!("/proc/self/fd/{}", fd.as_raw_fd()), Vec::new()).map_err(failed)?;
    let mount = mounts.iter().find(|mount| u64::from(mount.id) == stat.stx_mnt_id);
    let mount = mount.ok_or_else(|| format!("{path}: its mount is not known"))?;
    let resolved = resolved.to_string_lossy();
    let rest = below(&resolved, &mount.target).ok_or_else(|| format!("{path}: not below its mount"))?;
    Ok(Some((mount.device.clone(), join(&mount.root, rest))))
}

/// The same, by the name alone, for a file that a FUSE server keeps: a server that does not answer would stop us.
fn on_fuse(listener: &UnixListener, mounts: &[Mount]) -> Option<(String, String)> {
    let (major, minor, _) = listener.file?;
    let device = format!("{major}:{minor}");
    let fuse = mounts.iter().filter(|m| m.device == device && m.fs_type.starts_with("fuse"));
    let found = fuse.filter_map(|m| Some((m.target.len(), join(&m.root, below(&listener.path, &m.target)?))));
    found.max().map(|(_, path)| (device, path))
}

/// The engine sockets that a container with these mounts, in these namespaces, can connect to.
pub(super) fn reachable(
    sockets: &[EngineSocket],
    mounts: &[Mount],
    mount_namespace: u64,
    network_namespace: u64,
) -> Vec<EngineSocketMount> {
    let mut by_device: HashMap<&str, Vec<(&EngineSocket, &str)>> = HashMap::new();
    let mut found = Vec::new();
    for socket in sockets {
        match &socket.place {
            // An engine that runs in this very container.
            Place::File { namespace, .. } if *namespace == mount_namespace => {}
            Place::File { device, path, .. } => by_device.entry(device).or_default().push((socket, path)),
            Place::Network(namespace) if *namespace == network_namespace => {
                found.push(mounted(socket, socket.host.clone()));
            }
            Place::Network(_) => {}
        }
    }
    let tree = MountTree::new(mounts);
    let mut shims = 0;
    for mount in mounts {
        for (socket, path) in by_device.get(mount.device.as_str()).into_iter().flatten() {
            let Some(rest) = below(path, &mount.root) else { continue };
            let target = join(&mount.target, rest);
            // Something else may be mounted over it.
            let shown = tree.at(&target).is_some_and(|shown| shown.id == mount.id);
            if shown && (!is_shim(socket) || shims < MAX_SHIMS) {
                shims += usize::from(is_shim(socket));
                found.push(mounted(socket, target));
            }
        }
    }
    found
}

fn is_shim(socket: &EngineSocket) -> bool {
    socket.program.starts_with("containerd-shim")
}

fn mounted(socket: &EngineSocket, target: String) -> EngineSocketMount {
    EngineSocketMount { host: socket.host.clone(), program: socket.program.clone(), target }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mountinfo;

    fn socket(device: &str, path: &str) -> EngineSocket {
        let place = Place::File { device: device.into(), path: path.into(), namespace: 1 };
        EngineSocket { host: format!("/run{path}"), program: "dockerd".into(), place }
    }

    #[test]
    fn shims_hide_no_engine() {
        let mounts = mountinfo::parse(
            b"1 0 0:78 / / rw - overlay overlay rw\n\
              2 1 0:25 / /hostrun ro - tmpfs tmpfs rw\n",
        )
        .unwrap();
        let mut sockets: Vec<_> = (0..500)
            .map(|i| EngineSocket { program: "containerd-shim".into(), ..socket("0:25", &format!("/s/{i}")) })
            .collect();
        sockets.push(socket("0:25", "/docker.sock"));
        let found = reachable(&sockets, &mounts, 2, 8);
        assert_eq!(found.len(), MAX_SHIMS + 1);
        assert!(found.iter().any(|socket| socket.target == "/hostrun/docker.sock"));
    }

    #[test]
    fn a_fuse_server_is_not_asked() {
        let mounts = mountinfo::parse(
            b"1 0 0:78 / / rw - fuse.fuse-overlayfs fuse-overlayfs rw\n\
              2 1 0:25 / /run rw - tmpfs tmpfs rw\n",
        )
        .unwrap();
        let at = |path: &str, minor| UnixListener {
            path: path.into(),
            file: Some((0, minor, 7)),
            ..UnixListener::default()
        };
        let expected = ("0:78".to_owned(), "/var/docker.sock".to_owned());
        assert_eq!(on_fuse(&at("/var/docker.sock", 78), &mounts), Some(expected));
        assert_eq!(on_fuse(&at("/run/docker.sock", 25), &mounts), None);
    }

    #[test]
    fn sockets_under_any_name() {
        let mounts = mountinfo::parse(
            b"1 0 0:78 / / rw - overlay overlay rw\n\
              2 1 0:25 / /hostrun ro - tmpfs tmpfs rw\n\
              3 1 0:25 /docker.sock /x/y.sock rw - tmpfs tmpfs rw\n\
              4 1 0:25 /docker.sock//deleted /old rw - tmpfs tmpfs rw\n\
              5 2 0:90 / /hostrun/containerd rw - tmpfs tmpfs rw\n",
        )
        .unwrap();
        let abstract_name = EngineSocket {
            host: "@/containerd-shim/x".into(),
            program: "containerd-shim".into(),
            place: Place::Network(9),
        };
        let sockets =
            [socket("0:25", "/docker.sock"), socket("0:25", "/containerd/containerd.sock"), abstract_name];
        let targets = |mnt, net| -> Vec<_> {
            reachable(&sockets, &mounts, mnt, net).into_iter().map(|s| s.target).collect()
        };
        // The second lies under another mount.
        assert_eq!(targets(2, 8), ["/hostrun/docker.sock", "/x/y.sock"]);
        assert_eq!(targets(1, 9), ["@/containerd-shim/x"]);
    }
}
