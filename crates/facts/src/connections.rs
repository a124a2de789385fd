//! Who can connect to whom: worked out from the network namespaces, and, where asked for, proved by a probe.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who can connect to what listens. Those that connect alike are one group, so that its size grows with the number of
/// networks and of listeners, not with the square of the containers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Connections {
    /// Everything that can connect or be connected to.
    pub ends: Vec<ConnectionEnd>,
    /// Ends that reach the same; each number is a place in `ends`, and each end is in one group.
    pub groups: Vec<Vec<usize>>,
    /// What listens on an address that others may reach.
    pub listeners: Vec<ReachedListener>,
    /// What blocked a way, or kept an answer from being known, each once.
    pub reasons: Vec<String>,
    /// Whether the policy declares which connections are expected: then no other is.
    pub declared: bool,
}

/// A network namespace as one that connects, or what is outside of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ConnectionEnd {
    /// What it is.
    pub kind: EndKind,
    /// Name: of its containers, of the host, of the interface that leads outside.
    pub name: String,
    /// Inode number of its network namespace.
    pub namespace: u64,
    /// Ids of the containers in it.
    pub containers: Vec<String>,
}

/// What an end is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndKind {
    /// One container, or several that share a network namespace.
    #[default]
    Container,
    /// The host, with everything in its network namespace.
    Host,
    /// The network namespace that an engine routes in, where that is not the host's.
    Engine,
    /// Whoever can send packets to an interface of the host's.
    Outside,
}

/// A socket, and who reaches it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ReachedListener {
    /// Place of its end in `ends`.
    pub end: usize,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Address that it is bound to.
    pub address: String,
    /// Port that it is bound to.
    pub port: u16,
    /// Process that holds it, and its name.
    pub process: Option<String>,
    /// Id of the container whose process holds it, where it is one's.
    pub container: Option<String>,
    /// Each way to it.
    pub ways: Vec<Way>,
    /// Places in `ends` of those from which the policy expects connections.
    pub expected: Vec<usize>,
}

/// One way to a listener: an address and port, and who gets through by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Way {
    /// What is connected to, `ADDRESS:PORT`.
    pub to: String,
    /// Where the packet goes, in words: `bridge br-0a1b`, `DNAT to 172.18.0.2:80`, `docker-proxy`.
    pub via: Vec<String>,
    /// Groups for which it is open.
    pub open: Vec<usize>,
    /// Groups for which it is blocked, by what blocks them.
    pub blocked: Vec<Answer>,
    /// Groups for which it is not known, by what is missing.
    pub unknown: Vec<Answer>,
}

impl Way {
    /// Whether it is there because the engine publishes a port.
    pub fn is_published(&self) -> bool {
        self.via.iter().any(|step| step.starts_with("DNAT to") || step.starts_with("docker-proxy"))
    }
}

/// Groups with the same answer, and its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Answer {
    /// Groups.
    pub groups: Vec<usize>,
    /// Place in `reasons`.
    pub reason: usize,
}

/// What a probe from one network namespace found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SynProbe {
    /// Inode number of the namespace.
    pub namespace: u64,
    /// Addresses that answered SYN with SYN-ACK, `ADDRESS:PORT`.
    pub open: Vec<String>,
    /// Those that refused.
    pub refused: Vec<String>,
    /// Those from which no answer came in time.
    pub silent: Vec<String>,
    /// Those that could not be asked, and why.
    pub failed: Vec<(String, String)>,
}
