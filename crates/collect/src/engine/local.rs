//! What this host tells of an engine that runs on it.

use std::collections::BTreeMap;
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::path::PathBuf;

use plimsoll_facts::{Engine, EngineKind, Fact};
use plimsoll_rootdir::RootDir;
use serde_json::{Map, Value};

use super::endpoint::Endpoint;
use super::hosts::Host;
use super::info::Extra;
use super::kernel::Kernel;
use super::socket_file::SocketFile;
use super::swarm::LocalState;
use super::transport::CONNECT_LIMIT;
use super::{config_file, daemon, flags, listeners, loaded, settings};
use crate::gaps::Gaps;

/// The largest state file of a swarm that is read.
const MAX_STATE: u64 = 1 << 20;

/// The listening socket behind an endpoint.
pub(super) struct Listener<'a> {
    kernel: &'a Kernel,
    inode: u64,
    address: Option<PathBuf>,
}

/// Why there is no such socket.
pub(super) enum Missing {
    /// The endpoint is on another host.
    Elsewhere,
    /// The kernel does not tell.
    Untold(String),
}

impl<'a> Listener<'a> {
    /// The listening socket behind an endpoint, where it is one of this host.
    pub(super) fn find(
        kernel: Option<&'a Kernel>,
        endpoint: &Endpoint,
        file: Option<&SocketFile>,
    ) -> Result<Self, Missing> {
        let untold = |reason: &str| Missing::Untold(reason.to_owned());
        match (endpoint, file) {
            (Endpoint::Unix(path), Some(file)) => {
                let kernel = kernel.ok_or_else(|| untold("there is no /proc to look at"))?;
                let address = file.address();
                let inode = daemon::listener(kernel, file, path)
                    .ok_or_else(|| untold("the kernel knows of nobody who listens on this socket"))?;
                Ok(Self { kernel, inode, address: Some(address) })
            }
            (Endpoint::Tcp { host, port, .. }, _) => {
                let ip = own_address(host, *port).ok_or(Missing::Elsewhere)?;
                let kernel = kernel.ok_or_else(|| untold("there is no /proc to look at"))?;
                let sockets =
                    kernel.listeners().inet.as_deref().map_err(|e| Missing::Untold(e.to_string()))?;
                let any = Host::Tcp(Some(ip), *port);
                let serves = |address: &str| address.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
                let socket = sockets.iter().find(|socket| {
                    socket.protocol.starts_with("tcp")
                        && socket.port == *port
                        && (any.is_tcp(&socket.address, *port) || serves(&socket.address))
                });
                let inode = socket.map(|socket| socket.inode).ok_or(Missing::Elsewhere)?;
                Ok(Self { kernel, inode, address: None })
            }
            _ => Err(Missing::Elsewhere),
        }
    }
}

/// The address of a TCP endpoint, where it is one of this host's own: a connection to it begins where it ends.
fn own_address(host: &str, port: u16) -> Option<IpAddr> {
    let address = (host, port).to_socket_addrs().ok()?.next()?;
    let stream = TcpStream::connect_timeout(&address, CONNECT_LIMIT).ok()?;
    let (local, peer) = (stream.local_addr().ok()?, stream.peer_addr().ok()?);
    (local.ip() == peer.ip()).then(|| peer.ip())
}

/// Fills the daemon, its configuration three ways and its listeners.
pub(super) fn fill(
    root: &RootDir,
    listener: &Listener<'_>,
    engine: &mut Engine,
    extra: Option<&Extra>,
    subject: &str,
    gaps: &mut Gaps,
) {
    let kernel = listener.kernel;
    let found = match daemon::find(kernel, listener.inode, listener.address.as_deref()) {
        Ok(found) => found,
        Err(reason) => {
            unknown(engine, subject, &reason, gaps);
            return told(root, engine, extra);
        }
    };
    let pid = found.daemon.pid;
    engine.daemon = Fact::known(found.daemon.clone(), format!("/proc/{pid}"));
    let is_docker = engine.kind != EngineKind::Podman;
    let flags = if is_docker {
        flags::parse(found.daemon.args.get(1..).unwrap_or_default())
    } else {
        BTreeMap::new()
    };
    let (file, options) = if is_docker {
        config_file::read(root, Some(&found), flags.get("config-file").and_then(Value::as_str))
    } else {
        (Fact::absent("daemon.json (podman has none)"), Map::new())
    };
    if let Fact::Unreadable { source, reason } = &file {
        gaps.unreadable::<()>(subject, source.clone(), reason);
    }
    engine.config_file = file;
    engine.listeners = match listeners::of_daemon(kernel, &expected(listener, pid, &flags, &options, extra)) {
        Ok(found) => Fact::known(found, format!("sock_diag(7), /proc/{pid}/fd")),
        Err(reason) => gaps.unreadable(subject, format!("sock_diag(7), /proc/{pid}/fd"), reason),
    };
    if is_docker {
        let told = loaded::all(engine, extra, kernel.proxies_of(pid));
        engine.settings = settings::merge(root, flags, options, told);
    }
    complete_swarm(root, engine);
}

/// What an engine tells of its options, where its command line and its file cannot be read.
pub(super) fn told(root: &RootDir, engine: &mut Engine, extra: Option<&Extra>) {
    if engine.kind == EngineKind::Docker {
        let told = loaded::all(engine, extra, None);
        engine.settings = settings::merge(root, BTreeMap::new(), Map::new(), told);
    }
}

fn expected<'a>(
    listener: &Listener<'_>,
    pid: u32,
    flags: &'a BTreeMap<String, Value>,
    file: &'a Map<String, Value>,
    extra: Option<&Extra>,
) -> listeners::Expected<'a> {
    let option = |name: &str| flags.get(name).or_else(|| file.get(name));
    let is_on = |name: &str| option(name) == Some(&Value::Bool(true));
    let tls = is_on("tls") || is_on("tlsverify");
    listeners::Expected {
        pid,
        asked_through: Some(listener.inode),
        hosts: Host::all(option("hosts"), tls),
        metrics: option("metrics-addr").and_then(Value::as_str),
        tls,
        swarm: extra.is_some_and(|extra| extra.swarm.is_member()),
    }
}

/// The addresses that `docker swarm init` was given stand in the data directory only.
fn complete_swarm(root: &RootDir, engine: &mut Engine) {
    let Some(data_root) = engine.info.value().map(|info| info.data_root.clone()) else { return };
    let Some(swarm) = engine.swarm.value_mut() else { return };
    let state = root.read(format!("{data_root}/swarm/docker-state.json"), MAX_STATE).ok();
    let Some(state) = state.and_then(|bytes| serde_json::from_slice::<LocalState>(&bytes).ok()) else {
        return;
    };
    if !state.listen_address.is_empty() {
        swarm.listen_address = state.listen_address;
    }
    swarm.data_path_address = state.data_path_address;
}

/// The daemon cannot be told, and so neither can what it was started with.
pub(super) fn unknown(engine: &mut Engine, subject: &str, reason: &str, gaps: &mut Gaps) {
    engine.daemon = gaps.unreadable(subject, "the socket's listener", reason);
    engine.config_file = Fact::unreadable("daemon.json", "which process is the daemon is not known");
    engine.listeners = Fact::unreadable("sock_diag(7)", "which process is the daemon is not known");
}
