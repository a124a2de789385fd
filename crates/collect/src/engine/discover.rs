//! Which sockets on this host are engines, when none is named.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use plimsoll_facts::{Socket, TlsState};
use plimsoll_rootdir::RootDir;

use super::endpoint::{Endpoint, Tls};
use super::hosts::Host;
use super::kernel::Kernel;
use super::socket_file::SocketFile;
use super::{DEFAULT_SOCKET, flags, probe};
use crate::sockets::UnixListener;

/// The most sockets that are looked at.
const MAX_CANDIDATES: usize = 64;
/// The most programs of engines that are looked for.
const MAX_PROGRAMS: usize = 64;
/// Longest command line that is read.
const MAX_COMMAND: usize = 2 << 20;
/// The most directories of users that are looked into.
const MAX_USERS: usize = 4096;

/// Where an engine answers.
pub(super) struct Found {
    pub(super) endpoint: Endpoint,
    /// The socket, where it is a unix socket.
    pub(super) file: Option<SocketFile>,
}

/// A path that may be an engine's socket, and the engine's program that holds it, where one does.
struct Candidate {
    path: PathBuf,
    program: Option<u32>,
}

/// The engines of this host, the one on the default socket first: each once whatever its socket's names, and one a
/// program.
pub(super) fn engines(root: &RootDir, kernel: Option<&Kernel>) -> Vec<Found> {
    let mut search = Search::default();
    if let Some(kernel) = kernel {
        search.look(kernel);
    }
    search.unix.extend(of_users(root));
    let is_default = |candidate: &Candidate| candidate.path == Path::new(DEFAULT_SOCKET);
    let program = search.unix.iter().find(|c| is_default(c)).and_then(|c| c.program);
    search.unix.insert(0, Candidate { path: DEFAULT_SOCKET.into(), program });

    let (mut found, mut programs): (Vec<Found>, HashSet<u32>) = Default::default();
    for candidate in search.unix.iter().take(MAX_CANDIDATES) {
        let Ok(file) = SocketFile::open(root, &candidate.path) else { continue };
        let is_known = found.iter().filter_map(|other| other.file.as_ref()).any(|other| other.is(&file))
            || candidate.program.is_some_and(|pid| programs.contains(&pid));
        if !is_known && (is_default(candidate) || kernel.is_none() || search.serves(&file, &candidate.path)) {
            programs.extend(candidate.program);
            found.push(Found { endpoint: Endpoint::Unix(candidate.path.clone()), file: Some(file) });
        }
    }
    found.extend(search.tcp.into_iter().map(|endpoint| Found { endpoint, file: None }));
    found
}

/// What listens in the network namespaces that engines are in.
#[derive(Default)]
struct Search {
    unix: Vec<Candidate>,
    /// Engines that listen on TCP alone.
    tcp: Vec<Endpoint>,
    listeners: Vec<UnixListener>,
    /// Whether a namespace could not be looked into.
    incomplete: bool,
}

impl Search {
    /// Looks for listening sockets that are an engine's by their name's end, or by the program that holds them.
    fn look(&mut self, kernel: &Kernel) {
        self.listeners.extend_from_slice(kernel.unix());
        for program in programs(kernel) {
            self.look_at(kernel, program);
        }
        let named = kernel.unix().iter().filter(|listener| is_named_like_an_engine(&listener.path));
        self.unix.extend(named.map(|listener| Candidate { path: (&listener.path).into(), program: None }));
        self.unix.retain(|candidate| candidate.path.is_absolute());
        // Those that carry the usual name come first: of one engine's sockets, the first is asked.
        self.unix
            .sort_by_cached_key(|c| (!is_named_like_an_engine(&c.path.to_string_lossy()), c.path.clone()));
    }

    fn look_at(&mut self, kernel: &Kernel, program: u32) {
        let mut elsewhere = Vec::new();
        let is_elsewhere = kernel.shares_network(program) == Some(false);
        if is_elsewhere {
            // A rootless engine listens in a network namespace of its own, on a path that the host sees too.
            let listeners = kernel.elsewhere(program).and_then(|listeners| listeners.unix);
            self.incomplete |= listeners.is_err();
            elsewhere = listeners.unwrap_or_default();
        }
        let unix = if is_elsewhere { &elsewhere[..] } else { kernel.unix() };
        let tcp = if is_elsewhere { &[][..] } else { kernel.inet() };
        let inodes = unix.iter().map(|l| l.inode).chain(tcp.iter().map(|s| s.inode)).collect();
        let held = kernel.held_by(program, inodes).unwrap_or_default();
        let hosts = hosts_of(kernel, program);
        let paths =
            unix.iter().filter(|listener| held.contains(&listener.inode)).map(|listener| &listener.path);
        let before = self.unix.len();
        let served = paths.filter(|path| !is_for_itself(path) || hosts.iter().any(|host| host.is_unix(path)));
        self.unix.extend(served.map(|path| Candidate { path: path.into(), program: Some(program) }));
        if self.unix.len() == before {
            let tcp = tcp.iter().filter(|s| s.protocol.starts_with("tcp") && held.contains(&s.inode));
            self.tcp.extend(tcp_api(tcp, &hosts));
        }
        self.listeners.append(&mut elsewhere);
    }

    /// Whether something listens behind the file. A socket's file outlives its engine, and a listener in a container
    /// may carry a path that names another file on the host.
    fn serves(&self, file: &SocketFile, path: &Path) -> bool {
        let untold = self.listeners.iter().all(|listener| listener.file.is_none());
        file.listener(&self.listeners).is_some()
            || untold
            || (self.incomplete && path.starts_with("/run/user"))
    }
}

/// `hosts` on a program's command line.
fn hosts_of(kernel: &Kernel, program: u32) -> Vec<Host> {
    let command = kernel.proc.pid(program).and_then(|dir| dir.read_text("cmdline", MAX_COMMAND));
    let args: Vec<String> = command.unwrap_or_default().split('\0').skip(1).map(str::to_owned).collect();
    Host::all(flags::parse(&args).get("hosts"), false)
}

/// The TCP listener through which an engine can be asked: one without TLS, else one that was named on the command
/// line.
fn tcp_api<'a>(sockets: impl Iterator<Item = &'a Socket>, hosts: &[Host]) -> Option<Endpoint> {
    let mut with_tls = None;
    for socket in sockets.take(MAX_CANDIDATES) {
        let Ok(ip) = socket.address.parse::<IpAddr>() else { continue };
        let address = probe::own(SocketAddr::new(ip, socket.port));
        let shown = probe::ask(address, false);
        let endpoint = |tls| Endpoint::Tcp { host: address.ip().to_string(), port: address.port(), tls };
        if shown.is_api && shown.tls == TlsState::Plain {
            return Some(endpoint(None));
        }
        if shown.is_api || hosts.iter().any(|host| host.is_tcp(&socket.address, socket.port)) {
            with_tls = Some(endpoint(Some(Tls { skip_verify: true, ..Tls::default() })));
        }
    }
    with_tls
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
        let ours = found.iter().filter_map(|found| found.endpoint.unix_path()?.strip_prefix(dir.path()).ok());
        assert_eq!(ours.collect::<Vec<_>>(), [Path::new("a-docker.sock")]);
    }

    #[test]
    fn a_captured_tree_has_only_sockets_that_are_files() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("run/user/1000/podman")).unwrap();
        let _listener = UnixListener::bind(dir.path().join("run/user/1000/podman/podman.sock")).unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        let found = engines(&root, None);
        let endpoints: Vec<_> = found.iter().map(|found| found.endpoint.to_string()).collect();
        assert_eq!(endpoints, ["unix:///run/user/1000/podman/podman.sock"]);
    }

    #[test]
    fn helpers_sockets_are_left_alone() {
        assert!(is_for_itself("/run/docker/libnetwork/0d2f.sock"));
        assert!(is_for_itself("/run/docker/metrics.sock"));
        assert!(!is_for_itself("/srv/engine/api.sock"));
    }
}
