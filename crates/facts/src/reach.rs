//! What can be done from inside a container: the outcome of holding gates and published flaws against the kernel's state.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::BoundaryStatus;

/// What can be reached from inside one running container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ContainerReach {
    /// Endpoint of its engine.
    pub engine: String,
    /// Its id.
    pub container: String,
    /// Its name.
    pub name: String,
    /// What its processes could do, gate by gate.
    pub gates: Vec<GateVerdict>,
    /// Which flaws of the kernel, the runtime and the engine can be exercised, the worst first.
    pub flaws: Vec<FlawVerdict>,
    /// Where the seccomp filter that the kernel has of its runtime allows other system calls than the declared profile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filter_drift: Vec<String>,
}

/// Whether something can be reached.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ReachOutcome {
    /// Cannot be told.
    #[default]
    Unknown,
    /// Something stops it.
    Blocked,
    /// Nothing stops it.
    Reachable,
}

impl ReachOutcome {
    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Blocked => "blocked",
            Self::Reachable => "reachable",
        }
    }
}

/// Whether a gate is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GateVerdict {
    /// The gate.
    pub gate: String,
    /// What could be done, to be read after "can".
    pub title: String,
    /// Whether who can do it has the host.
    pub gives_host: bool,
    /// How it came out.
    pub outcome: ReachOutcome,
    /// What shows it, what stops it, or what would have to be known.
    pub reasons: Vec<String>,
    /// The process that comes furthest.
    pub process: String,
    /// The flaw that has to be exercised first, where the container's processes alone cannot do it.
    pub after: Option<String>,
}

/// Whether a flaw can be exercised from inside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FlawVerdict {
    /// CVE, or the publisher's id.
    pub id: String,
    /// What is wrong, in one sentence.
    pub title: String,
    /// Project that has the flaw.
    pub component: String,
    /// Path of the program; `kernel` for the kernel.
    pub program: String,
    /// Whether the flaw is there.
    pub present: BoundaryStatus,
    /// Package to upgrade, and the version that mends it.
    pub fixed: Option<String>,
    /// Package of the host that has it.
    pub package: Option<String>,
    /// Whether it can be exercised, if it is there.
    pub outcome: ReachOutcome,
    /// What shows it, what stops it, or what would have to be known.
    pub reasons: Vec<String>,
    /// Whether code in the container cannot do it alone: somebody else has to act, and whether they do is not known.
    pub needs_others: bool,
    /// The process that comes furthest.
    pub process: String,
    /// The flaw that has to be exercised first: it wins the container's root.
    pub after: Option<String>,
    /// What an attacker wins.
    pub gain: Gain,
    /// `critical`, `high`, `medium`, `low` or `unknown`.
    pub severity: String,
    /// When CISA listed it as known to be exploited, `YYYY-MM-DD`.
    pub exploited: Option<String>,
}

/// What an attacker wins by a flaw.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Gain {
    /// Nobody says what.
    #[default]
    Unknown,
    /// Stops or slows the host, and all containers on it.
    DenialOfService,
    /// Learns what the host, the engine or other containers keep to themselves.
    Information,
    /// Gets packets to where the networks should not let them, or others' packets.
    Network,
    /// Has somebody run another image than he means.
    Image,
    /// Reads, makes or changes some files of the host.
    HostFiles,
    /// Is rid of what confines the container beside namespaces: labels, masks, rules of devices.
    Confinement,
    /// Root in the container.
    ContainerRoot,
    /// The host.
    Host,
}

impl Gain {
    /// What is won, to be read after "gets".
    pub fn words(self) -> &'static str {
        match self {
            Self::Unknown => "something that nobody describes",
            Self::DenialOfService => "the host to stop",
            Self::Information => "to read what is not its own",
            Self::Network => "past the walls of networks",
            Self::Image => "another image run",
            Self::HostFiles => "at some files of the host",
            Self::Confinement => "rid of what confines it",
            Self::ContainerRoot => "root in the container",
            Self::Host => "the host",
        }
    }
}
