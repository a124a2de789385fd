//! Networks of an engine, and listening sockets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A network of an engine, as `GET /networks` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Network {
    /// Network id.
    pub id: String,
    /// Network name.
    pub name: String,
    /// Driver (`bridge`, `overlay`, `macvlan` …).
    pub driver: String,
    /// `local`, `swarm` or `global`.
    pub scope: String,
    /// Whether it has no way out (`--internal`).
    pub internal: bool,
    /// Whether containers that are not tasks may join an overlay network.
    pub attachable: bool,
    /// Whether it carries the swarm's routing mesh.
    pub ingress: bool,
    /// Whether IPv6 is enabled.
    pub ipv6: bool,
    /// Subnets in CIDR notation.
    pub subnets: Vec<String>,
    /// Driver options.
    pub options: BTreeMap<String, String>,
    /// Ids of the containers that are attached.
    pub containers: Vec<String>,
}

/// A socket that accepts connections or datagrams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Socket {
    /// `tcp`, `tcp6`, `udp`, `udp6` or `unix`.
    pub protocol: String,
    /// Local address; a path for `unix` (abstract names begin with `@`).
    pub address: String,
    /// Local port; 0 for `unix`.
    pub port: u16,
    /// Inode of the socket.
    pub inode: u64,
    /// Owner (effective uid of the socket's creator).
    pub uid: u32,
    /// Whether an IPv6 socket takes no IPv4 (`IPV6_V6ONLY`).
    pub ipv6_only: bool,
    /// Number of the interface that it is bound to (`SO_BINDTODEVICE`); 0 is any.
    pub interface: u32,
    /// Process that holds it, where it was found.
    pub pid: Option<u32>,
    /// Name of that process.
    pub process: Option<String>,
}
