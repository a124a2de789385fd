//! The first step: ports that can be reached from outside, and the flaw by which code could be run behind them.

use plimsoll_facts::{Container, Facts, ReachedListener, Vulnerability, Way};

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
    /// The port of the container, where it is reached because the engine publishes it.
    pub(super) published: Option<u16>,
}

impl Entry {
    /// A listener, by one way to it.
    pub(super) fn of(listener: &ReachedListener, way: &Way) -> Self {
        Self {
            what: format!("{}/{}", way.to, listener.protocol),
            evidence: way.via.join(", "),
            process: listener.process.clone(),
            published: way.is_published().then_some(listener.port),
        }
    }
}

/// The flaw by which code could be run in a container.
pub(super) struct Flaw {
    pub(super) id: String,
    pub(super) evidence: String,
    /// From 1 to 1000.
    pub(super) weight: u32,
    /// Package to upgrade, and the first version without the flaw.
    pub(super) fixed: Option<(String, String)>,
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
            published: Some(port.container_port),
        })
        .collect()
}

/// The flaw in a container's packages by which somebody on the network would most likely run code in it.
pub(super) fn flaw(facts: &Facts, container: &Container) -> Option<Flaw> {
    flaws(facts, container).max_by(|a, b| a.weight.cmp(&b.weight).then_with(|| b.id.cmp(&a.id)))
}

/// Flaws in a container's packages by which somebody on the network could run code in it.
pub(super) fn flaws<'f>(facts: &'f Facts, container: &Container) -> impl Iterator<Item = Flaw> + use<'f> {
    let image = container.declared.value().map(|declared| declared.image_id.as_str());
    let known = facts.package_flaws.value();
    let inventory = known.and_then(|known| known.of(&container.id).or_else(|| known.of(image?)));
    let flaws = inventory.into_iter().flat_map(|inventory| &inventory.flaws);
    flaws.filter(|flaw| !flaw.is_suppressed() && is_remote(flaw)).map(|flaw| Flaw {
        id: flaw.id.clone(),
        evidence: format!("{} in {} ({})", flaw.id, flaw.package, flaw.evidence),
        weight: weight(flaw),
        fixed: flaw.fixed.as_ref().map(|version| (flaw.package.clone(), version.clone())),
    })
}

/// Whether CVSS says that it can be exercised over the network by somebody without an account, and the distribution does
/// not say that it does no harm.
fn is_remote(flaw: &Vulnerability) -> bool {
    let vector = flaw.vector.as_deref().unwrap_or_default();
    if flaw.state.as_deref() == Some("unimportant") {
        return false;
    }
    vector.contains("/AV:N") && (vector.contains("/PR:N") || vector.contains("/Au:N"))
}

fn weight(flaw: &Vulnerability) -> u32 {
    let by_severity = match flaw.severity.as_str() {
        "critical" => 600,
        "high" => 400,
        "medium" => 200,
        _ => 100,
    };
    let by_probability = flaw.epss.map_or(0, |epss| (epss.clamp(0.0, 1.0) * 900.0) as u32);
    if flaw.exploited.is_some() { 1000 } else { by_severity.max(by_probability) }
}
