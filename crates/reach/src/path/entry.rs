//! The first step: ports that can be reached from outside.

use plimsoll_facts::{Container, ReachedListener, Way};

use super::network::Network;

/// Addresses that only the host itself reaches.
const LOOPBACK: [&str; 2] = ["127.", "::1"];

/// A port that can be reached.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) what: String,
    pub(super) evidence: String,
    /// Name of the process that listens.
    pub(super) process: Option<String>,
    /// `tcp`, `udp` or `sctp`.
    pub(super) protocol: String,
    /// The port of the container.
    pub(super) port: u16,
    /// Whether it is reached because the engine publishes it.
    pub(super) is_published: bool,
}

impl Entry {
    /// A listener, by one way to it.
    pub(super) fn of(listener: &ReachedListener, way: &Way) -> Self {
        Self {
            what: format!("{}/{}", way.to, listener.protocol),
            evidence: way.via.join(", "),
            process: listener.process.clone(),
            protocol: listener.protocol.clone(),
            port: listener.port,
            is_published: way.is_published(),
        }
    }
}

/// Ports of a container that whoever is outside of the host reaches: by the connections that were worked out, and by
/// what the engine publishes where those cannot tell.
pub(super) fn from_outside(network: &Network<'_>, container: &Container) -> Vec<Entry> {
    if !network.is_known() {
        return published(container);
    }
    let open = network.outside_to(&container.id, |way| way.open.clone());
    if !open.is_empty() {
        return open;
    }
    let unknown = |way: &Way| way.unknown.iter().flat_map(|answer| answer.groups.clone()).collect();
    let may = network.outside_to(&container.id, unknown);
    if may.is_empty() { Vec::new() } else { published(container) }
}

/// What the engine publishes, where connections are not known.
fn published(container: &Container) -> Vec<Entry> {
    let ports = container.declared.value().into_iter().flat_map(|declared| &declared.ports);
    ports
        .filter(|port| !LOOPBACK.iter().any(|prefix| port.host_address.starts_with(prefix)))
        .map(|port| Entry {
            what: match port.host_address.contains(':') {
                true => format!("[{}]:{}/{}", port.host_address, port.host_port, port.protocol),
                false => format!("{}:{}/{}", port.host_address, port.host_port, port.protocol),
            },
            evidence: format!("published for port {}", port.container_port),
            process: None,
            protocol: port.protocol.clone(),
            port: port.container_port,
            is_published: true,
        })
        .collect()
}
