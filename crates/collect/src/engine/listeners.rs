//! Every socket that a daemon listens on, from the kernel, and what it serves there.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use plimsoll_facts::{EngineListener, ListenerPurpose, Socket, TlsState};

use super::hosts::Host;
use super::kernel::Kernel;
use super::probe;
use crate::sockets::{self, UnixListener};

/// The ports of swarm's management and gossip planes.
const SWARM_PORTS: [u16; 2] = [2377, 7946];
/// The most TCP listeners of one daemon that are asked.
const MAX_PROBES: usize = 16;

/// What is known of a daemon before its listeners are looked at.
pub(super) struct Expected<'a> {
    /// Its process.
    pub(super) pid: u32,
    /// Inode of the listener through which it was asked.
    pub(super) asked_through: Option<u64>,
    /// `hosts`, by file and flags.
    pub(super) hosts: Vec<Host>,
    /// `metrics-addr`.
    pub(super) metrics: Option<&'a str>,
    /// Whether `tls` or `tlsverify` is set.
    pub(super) tls: bool,
    /// Whether it belongs to a swarm.
    pub(super) swarm: bool,
}

/// The sockets that the daemon listens on.
///
/// # Errors
/// A sentence that says why they could not be read.
pub(super) fn of_daemon(kernel: &Kernel, expected: &Expected<'_>) -> Result<Vec<EngineListener>, String> {
    let shared =
        kernel.shares_network(expected.pid).ok_or("the daemon's network namespace may not be read")?;
    let elsewhere;
    let listeners = if shared {
        kernel.listeners()
    } else {
        elsewhere = kernel.elsewhere(expected.pid).map_err(|e| e.to_string())?;
        &elsewhere
    };
    let (inet, unix) = (told(&listeners.inet)?, told(&listeners.unix)?);
    let tcp = || inet.iter().filter(|socket| socket.protocol.starts_with("tcp"));
    let inodes: HashSet<u64> = tcp().map(|s| s.inode).chain(unix.iter().map(|l| l.inode)).collect();
    let held =
        kernel.held_by(expected.pid, inodes).ok_or("only root may look at the daemon's descriptors")?;
    let process = kernel.proc.row(expected.pid).ok().flatten().map(|row| row.name);
    let by_daemon = |socket: Socket| Socket { pid: Some(expected.pid), process: process.clone(), ..socket };

    let mut listeners: Vec<EngineListener> = unix
        .iter()
        .filter(|listener| held.contains(&listener.inode))
        .map(|listener| EngineListener {
            purpose: unix_purpose(listener, expected),
            socket: by_daemon(unix_socket(listener)),
            tls: TlsState::NotApplicable,
        })
        .collect();
    let held_tcp: Vec<&Socket> = tcp().filter(|socket| held.contains(&socket.inode)).collect();
    let states = |may_ask: bool| -> Vec<(ListenerPurpose, TlsState)> {
        let numbered = held_tcp.iter().enumerate();
        numbered.map(|(number, socket)| tcp_state(socket, expected, may_ask && number < MAX_PROBES)).collect()
    };
    let found = match held_tcp.is_empty() || shared {
        true => states(true),
        false => kernel.inside_network_of(expected.pid, || states(true)).unwrap_or_else(|_| states(false)),
    };
    listeners.extend(held_tcp.iter().zip(found).map(|(socket, (purpose, tls))| EngineListener {
        purpose,
        socket: by_daemon((*socket).clone()),
        tls,
    }));
    Ok(listeners)
}

fn told<T>(listeners: &Result<Vec<T>, sockets::Error>) -> Result<&[T], String> {
    listeners.as_deref().map_err(ToString::to_string)
}

fn unix_socket(listener: &UnixListener) -> Socket {
    Socket {
        protocol: "unix".to_owned(),
        address: listener.path.clone(),
        inode: listener.inode,
        uid: listener.uid,
        ..Socket::default()
    }
}

fn unix_purpose(listener: &UnixListener, expected: &Expected<'_>) -> ListenerPurpose {
    let is_api = expected.asked_through == Some(listener.inode)
        || expected.hosts.iter().any(|host| host.is_unix(&listener.path));
    match is_api {
        true => ListenerPurpose::Api,
        false if expected.swarm && listener.path.ends_with("/swarm/control.sock") => ListenerPurpose::Swarm,
        false => ListenerPurpose::Unknown,
    }
}

fn tcp_state(socket: &Socket, expected: &Expected<'_>, may_ask: bool) -> (ListenerPurpose, TlsState) {
    let is_host = expected.asked_through == Some(socket.inode)
        || expected.hosts.iter().any(|host| host.is_tcp(&socket.address, socket.port));
    if !is_host {
        if expected.metrics.and_then(Host::of_address).is_some_and(|m| m.is_tcp(&socket.address, socket.port))
        {
            return (ListenerPurpose::Metrics, TlsState::NotApplicable);
        }
        if expected.swarm && SWARM_PORTS.contains(&socket.port) {
            return (ListenerPurpose::Swarm, TlsState::NotApplicable);
        }
    }
    let address = socket.address.parse::<IpAddr>().ok().filter(|_| may_ask);
    let shown = address.map(|ip| probe::ask(SocketAddr::new(ip, socket.port), expected.tls));
    let is_api = is_host || shown.is_some_and(|shown| shown.is_api);
    let purpose = if is_api { ListenerPurpose::Api } else { ListenerPurpose::Unknown };
    (purpose, shown.map_or(TlsState::Unknown, |shown| shown.tls))
}
