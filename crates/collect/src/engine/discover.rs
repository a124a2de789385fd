//! Which sockets on this host are engines, when none is named.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use plimsoll_rootdir::RootDir;

use super::DEFAULT_SOCKET;
use super::kernel::Kernel;
use super::socket_file::SocketFile;
use crate::sockets::UnixListener;

/// The most sockets that are looked at.
const MAX_CANDIDATES: usize = 64;
/// The most programs of engines that are looked for.
const MAX_PROGRAMS: usize = 64;
/// The most directories of users that are looked into.
const MAX_USERS: usize = 4096;

/// An engine's socket, by the first name that led to it.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) file: SocketFile,
}

/// A path that may be an engine's socket, and the engine's program that holds it, where one does.
struct Candidate {
    path: PathBuf,
    program: Option<u32>,
}

/// The engines' sockets of this host, the default one first: each once whatever its names, and one a program.
pub(super) fn engines(root: &RootDir, kernel: Option<&Kernel>) -> Vec<Found> {
    let mut listeners = Listeners::default();
    let mut candidates = kernel.map(|kernel| listeners.search(kernel)).unwrap_or_default();
    candidates.extend(of_users(root));
    let default = |candidate: &Candidate| candidate.path == Path::new(DEFAULT_SOCKET);
    let program = candidates.iter().find(|c| default(c)).and_then(|c| c.program);
    candidates.insert(0, Candidate { path: DEFAULT_SOCKET.into(), program });

    let (mut found, mut programs): (Vec<Found>, HashSet<u32>) = Default::default();
    for candidate in candidates.into_iter().take(MAX_CANDIDATES) {
        let Ok(file) = SocketFile::open(root, &candidate.path) else { continue };
        let is_known = found.iter().any(|other| other.file.is(&file))
            || candidate.program.is_some_and(|pid| programs.contains(&pid));
        if !is_known && (default(&candidate) || kernel.is_none() || listeners.serve(&file, &candidate.path)) {
            programs.extend(candidate.program);
            found.push(Found { path: candidate.path, file });
        }
    }
    found
}

/// What listens in the network namespaces that engines are in.
#[derive(Default)]
struct Listeners {
    all: Vec<UnixListener>,
    /// Whether a namespace could not be looked into.
    incomplete: bool,
}

impl Listeners {
    /// Names of listening sockets that are an engine's by their end, or by the program that holds them.
    fn search(&mut self, kernel: &Kernel) -> Vec<Candidate> {
        self.all.extend_from_slice(kernel.unix());
        let mut candidates: Vec<Candidate> = Vec::new();
        for program in programs(kernel) {
            let elsewhere = if kernel.shares_network(program) == Some(false) {
                // A rootless engine listens in a network namespace of its own, on a path that the host sees too.
                let listeners = kernel.elsewhere(program).and_then(|listeners| listeners.unix);
                self.incomplete |= listeners.is_err();
                listeners.unwrap_or_default()
            } else {
                Vec::new()
            };
            let visible = if elsewhere.is_empty() { kernel.unix() } else { &elsewhere[..] };
            let inodes = visible.iter().map(|listener| listener.inode).collect();
            let held = kernel.held_by(program, inodes).unwrap_or_default();
            let mut paths: Vec<&str> =
                visible.iter().filter(|l| held.contains(&l.inode)).map(|l| l.path.as_str()).collect();
            if paths.iter().any(|path| !is_for_itself(path)) {
                paths.retain(|path| !is_for_itself(path));
            }
            candidates.extend(
                paths.into_iter().map(|path| Candidate { path: path.into(), program: Some(program) }),
            );
            self.all.extend(elsewhere);
        }
        let named = kernel.unix().iter().filter(|listener| is_named_like_an_engine(&listener.path));
        candidates.extend(named.map(|listener| Candidate { path: (&listener.path).into(), program: None }));
        candidates.retain(|candidate| candidate.path.is_absolute());
        // Those that carry the usual name come first: of one engine's sockets, the first is asked.
        candidates
            .sort_by_cached_key(|c| (!is_named_like_an_engine(&c.path.to_string_lossy()), c.path.clone()));
        candidates
    }

    /// Whether something listens behind the file. A socket's file outlives its engine, and a listener in a container
    /// may carry a path that names another file on the host.
    fn serve(&self, file: &SocketFile, path: &Path) -> bool {
        let untold = self.all.iter().all(|listener| listener.file.is_none());
        file.listener(&self.all).is_some() || untold || (self.incomplete && path.starts_with("/run/user"))
    }
}

fn is_named_like_an_engine(path: &str) -> bool {
    path.ends_with("docker.sock") || path.ends_with("podman.sock")
}

/// Sockets that a daemon serves its own helpers on.
fn is_for_itself(path: &str) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    name == "metrics.sock" || directory.ends_with("/libnetwork")
}

/// Processes that run an engine's program. Only a search: who serves a socket is told by the kernel alone.
fn programs(kernel: &Kernel) -> Vec<u32> {
    let is_engine = |pid: &u32| {
        let exe = kernel.proc.pid(*pid).and_then(|dir| dir.link("exe")).unwrap_or_default();
        let exe = exe.strip_suffix(" (deleted)").unwrap_or(&exe);
        matches!(exe.rsplit('/').next(), Some("dockerd" | "podman"))
    };
    kernel.proc.pids().unwrap_or_default().into_iter().filter(is_engine).take(MAX_PROGRAMS).collect()
}

/// Where engines of users listen, and podman's own: systemd may hold these for a service that sleeps.
fn of_users(root: &RootDir) -> Vec<Candidate> {
    let mut paths = vec![PathBuf::from("/run/podman/podman.sock")];
    for entry in root.read_dir("/run/user", MAX_USERS).unwrap_or_default() {
        let user = Path::new("/run/user").join(entry.name);
        paths.extend([user.join("docker.sock"), user.join("podman/podman.sock")]);
    }
    paths.into_iter().map(|path| Candidate { path, program: None }).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn sockets_that_listen_are_found_by_their_name() {
        let dir = tempfile::tempdir().unwrap();
        let bind = |name: &str| UnixListener::bind(dir.path().join(name)).unwrap();
        let _listeners = [bind("a-docker.sock"), bind("other.sock")];
        drop(bind("stale-docker.sock"));
        let root = RootDir::open("/").unwrap();
        let kernel = Kernel::look(&root).unwrap();
        let found = engines(&root, Some(&kernel));
        let ours: Vec<_> = found.iter().filter_map(|f| f.path.strip_prefix(dir.path()).ok()).collect();
        assert_eq!(ours, [Path::new("a-docker.sock")]);
    }

    #[test]
    fn a_captured_tree_has_only_sockets_that_are_files() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("run/user/1000/podman")).unwrap();
        let _listener = UnixListener::bind(dir.path().join("run/user/1000/podman/podman.sock")).unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        let found = engines(&root, None);
        let paths: Vec<_> = found.iter().map(|found| found.path.as_path()).collect();
        assert_eq!(paths, [Path::new("/run/user/1000/podman/podman.sock")]);
    }

    #[test]
    fn helpers_sockets_are_left_alone() {
        assert!(is_for_itself("/run/docker/libnetwork/0d2f.sock"));
        assert!(is_for_itself("/run/docker/metrics.sock"));
        assert!(!is_for_itself("/srv/engine/api.sock"));
    }
}
