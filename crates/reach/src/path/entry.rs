//! The first steps: from outside, or from a neighbour, to code in a container.

use std::collections::BTreeSet;

use plimsoll_facts::{
    Connections, Container, EndKind, Facts, PathStep, ReachedListener, StepKind, Vulnerability, Way,
};

use super::Place;

/// Weight of a flaw that is only assumed: every application may have one that nobody published yet.
pub(super) const ASSUMED: u32 = 50;

/// Addresses that only the host itself reaches.
const LOOPBACK: [&str; 2] = ["127.", "::1"];

/// A port that can be reached.
pub(super) struct Entry {
    pub(super) what: String,
    pub(super) evidence: String,
    /// Name of the process that listens.
    pub(super) process: Option<String>,
}

/// The flaw by which code could be run in a container.
pub(super) struct Flaw {
    pub(super) id: String,
    pub(super) evidence: String,
    /// From 1 to 1000.
    pub(super) weight: u32,
}

/// Ports of a container that whoever is outside of the host reaches: by the connections that were worked out, and by
/// what the engine publishes where those cannot tell.
pub(super) fn from_outside(facts: &Facts, container: &Container) -> Vec<Entry> {
    let Some(connections) = facts.connections.value() else { return published(container) };
    let outside = |end: usize| connections.ends.get(end).is_some_and(|end| end.kind == EndKind::Outside);
    let open = reached(connections, container, outside, |way| way.open.clone());
    if !open.is_empty() {
        return open;
    }
    let unknown = |way: &Way| way.unknown.iter().flat_map(|answer| answer.groups.clone()).collect::<Vec<_>>();
    let may = reached(connections, container, outside, unknown);
    if may.is_empty() { Vec::new() } else { published(container) }
}

/// Listeners of a container that are open to some end.
fn reached<G: AsRef<[usize]>>(
    connections: &Connections,
    container: &Container,
    is_from: impl Fn(usize) -> bool,
    groups_of: impl Fn(&Way) -> G,
) -> Vec<Entry> {
    let from =
        |group: &usize| connections.groups.get(*group).is_some_and(|ends| ends.iter().any(|it| is_from(*it)));
    let of_container = |listener: &&ReachedListener| listener.container.as_deref() == Some(&container.id);
    let mut entries = Vec::new();
    for listener in connections.listeners.iter().filter(of_container) {
        let open = listener.ways.iter().find(|way| groups_of(way).as_ref().iter().any(from));
        entries.extend(open.map(|way| Entry {
            what: format!("{}/{}", way.to, listener.protocol),
            evidence: way.via.join(", "),
            process: listener.process.clone(),
        }));
    }
    entries
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
        })
        .collect()
}

/// The flaw in a container's packages by which somebody on the network would most likely run code in it.
pub(super) fn flaw(facts: &Facts, container: &Container) -> Option<Flaw> {
    let known = facts.package_flaws.value()?;
    let image = container.declared.value().map(|declared| declared.image_id.as_str());
    let inventory = known.of(&container.id).or_else(|| known.of(image?))?;
    let usable = inventory.flaws.iter().filter(|flaw| !flaw.is_suppressed() && is_remote(flaw));
    let worst = usable.max_by_key(|flaw| (weight(flaw), std::cmp::Reverse(flaw.id.as_str())))?;
    Some(Flaw {
        id: worst.id.clone(),
        evidence: format!("{} in {} ({})", worst.id, worst.package, worst.evidence),
        weight: weight(worst),
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

/// From outside to code in a container.
pub(super) fn steps(place: &Place<'_>) -> Vec<PathStep> {
    let name = &place.container.name;
    let ports: Vec<&str> = place.entries.iter().map(|entry| entry.what.as_str()).collect();
    let entry = PathStep {
        kind: StepKind::Entry,
        at: name.clone(),
        what: format!("connects to {}", ports.join(", ")),
        evidence: evidence(&place.entries),
        assumed: false,
    };
    vec![entry, break_in(place)]
}

/// What shows that ports can be reached, each once.
fn evidence(entries: &[Entry]) -> Vec<String> {
    let all: BTreeSet<&str> = entries.iter().map(|entry| entry.evidence.as_str()).collect();
    all.into_iter().map(str::to_owned).collect()
}

fn break_in(place: &Place<'_>) -> PathStep {
    let processes: Vec<&str> = place.entries.iter().filter_map(|entry| entry.process.as_deref()).collect();
    let what = |by: &str| match processes.first() {
        Some(process) => format!("runs code in {process} by {by}"),
        None => format!("runs code in it by {by}"),
    };
    let (what, evidence, assumed) = match &place.flaw {
        Some(flaw) => (what(&flaw.id), vec![flaw.evidence.clone()], false),
        None => (what("a flaw that is not published"), Vec::new(), true),
    };
    PathStep { kind: StepKind::Break, at: place.container.name.clone(), what, evidence, assumed }
}

/// Containers that one reaches and that nobody outside does.
pub(super) fn neighbours<'p, 'f>(
    facts: &Facts,
    from: &Place<'f>,
    places: &'p [Place<'f>],
) -> Vec<&'p Place<'f>> {
    let is_next = |next: &&Place<'_>| {
        next.container.id != from.container.id
            && next.entries.is_empty()
            && next.engine.endpoint == from.engine.endpoint
            && !between(facts, from, next).is_empty()
    };
    places.iter().filter(is_next).collect()
}

fn between(facts: &Facts, from: &Place<'_>, to: &Place<'_>) -> Vec<Entry> {
    let Some(connections) = facts.connections.value() else { return Vec::new() };
    let is_from =
        |end: usize| connections.ends.get(end).is_some_and(|end| end.containers.contains(&from.container.id));
    reached(connections, to.container, is_from, |way| way.open.clone())
}

/// From one container to code in another.
pub(super) fn next_steps(facts: &Facts, from: &Place<'_>, to: &Place<'_>) -> Vec<PathStep> {
    let ports: Vec<Entry> = between(facts, from, to);
    let what: Vec<&str> = ports.iter().map(|entry| entry.what.as_str()).collect();
    let connect = PathStep {
        kind: StepKind::Connect,
        at: from.container.name.clone(),
        what: format!("connects to {} of {}", what.join(", "), to.container.name),
        evidence: evidence(&ports),
        assumed: false,
    };
    vec![connect, break_in(to)]
}
