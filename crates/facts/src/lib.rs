//! What a host, a component, an engine, a container and an image *is*: plain, serialisable, versioned types.
//!
//! Nothing here opens a file, reads a clock or judges. Collectors fill these types, rules read them.
//! `declared` is what the engine was asked for; `effective` is what the kernel enforces.

mod attack_path;
mod attestation;
mod boundary;
mod component;
mod connections;
mod container;
mod engine;
mod fact;
mod file;
mod host;
mod image;
mod kernel_types;
mod net_namespace;
mod network;
mod package_flaws;
mod packages;
mod packet_filter;
mod programs;
mod purl;
mod reach;
mod redact;
mod seccomp;
mod secret_names;
mod signing;
mod trust;
mod vulnerability;

pub use attack_path::*;
pub use attestation::{Attestation, AttestationDemand, AttestationKind};
pub use boundary::*;
pub use component::*;
pub use connections::*;
pub use container::*;
pub use engine::*;
pub use fact::{Fact, Gap};
pub use file::*;
pub use host::*;
pub use image::*;
pub use kernel_types::*;
pub use net_namespace::*;
pub use network::*;
pub use package_flaws::*;
pub use packages::*;
pub use packet_filter::*;
pub use programs::*;
pub use reach::*;
pub use redact::redact;
pub use seccomp::*;
pub use secret_names::is_secret_name;
pub use signing::{ContentTrustSetting, NotationPolicy, NotationStatement, SigningPractice};
pub use trust::{Authenticity, TrustMethod, TrustOutcome, Voucher};
pub use vulnerability::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the facts document that this build writes, and the only one that it reads.
pub const FACTS_SCHEMA: &str = "plimsoll.facts/1";

/// The JSON Schema (2020-12) of a facts document.
pub fn schema_json() -> String {
    let mut text = format!("{:#}", schemars::schema_for!(Facts).as_value());
    text.push('\n');
    text
}

/// Everything that was read from one host, at one time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Facts {
    /// Always [`FACTS_SCHEMA`].
    pub schema: String,
    /// When collecting began, in seconds since the Unix epoch. Rules take "now" from here.
    pub collected_at: i64,
    /// Who looked: a limited view must not be mistaken for the host's state.
    pub collector: Collector,
    /// The host itself.
    pub host: Host,
    /// The programs that make and run containers: runc, containerd, dockerd and their kin.
    pub components: Vec<Component>,
    /// Each engine that answered, or was named and did not.
    pub engines: Vec<Engine>,
    /// Which published flaws the programs above and the kernel have. Collecting leaves it out: it is judged from the
    /// other facts and from what the build knows.
    pub boundary: Fact<Vec<BoundaryVerdict>>,
    /// Which published flaws the packages of images, containers and host have. Collecting leaves it out: it is judged
    /// from their inventories and from the local advisories.
    pub package_flaws: Fact<PackageFlaws>,
    /// The network namespaces of the host, of engines and of running containers, each once.
    pub net_namespaces: Fact<Vec<NetNamespace>>,
    /// What listeners answered to a SYN from each network namespace; absent where nobody asked for the probe.
    pub syn_probes: Fact<Vec<SynProbe>>,
    /// Who can connect to whom. Collecting leaves it out: it is worked out from the other facts.
    pub connections: Fact<Connections>,
    /// What can be reached from inside each running container. Judged, as `boundary` is.
    pub reach: Fact<Vec<ContainerReach>>,
    /// Ways from an open port to the host, the likeliest first. Judged, as `boundary` is.
    pub attack_paths: Fact<Vec<AttackPath>>,
    /// Everything that could not be read.
    pub gaps: Vec<Gap>,
}

/// The privileges of the process that collected the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Collector {
    /// Version of plimsoll.
    pub version: String,
    /// Effective user id.
    pub uid: u32,
    /// Effective capabilities.
    pub capabilities: Capabilities,
    /// Whether it ran in the host's PID and mount namespaces. `None`: could not be told.
    pub in_host_namespaces: Option<bool>,
    /// Seccomp mode of the collector itself (0 none, 1 strict, 2 filter).
    pub seccomp_mode: u32,
}
