//! Who connects to whom, by container.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use plimsoll_facts::{
    Connections, Container, EndKind, EngineListener, Facts, ListenerPurpose, PathStep, ReachedListener,
    StepKind, TlsState, Way,
};

use super::Place;
use super::boundary::Exit;
use super::entry::Entry;
use super::graph::Weakness;

/// What leads out where an engine's API answers on TCP.
pub(super) const ENGINE_API: &str = "engine-api";

/// Connections, by group of network namespaces and by container.
#[derive(Default)]
pub(super) struct Network<'f> {
    connections: Option<&'f Connections>,
    /// Groups of the namespaces that a container is in.
    groups: HashMap<&'f str, Vec<usize>>,
    /// Listeners of a container.
    listeners: HashMap<&'f str, Vec<&'f ReachedListener>>,
    /// Groups of those that are outside of the host.
    outside: BTreeSet<usize>,
    /// Places of listeners and of their ways that are open to a group.
    open: Vec<Vec<(usize, usize)>>,
}

impl<'f> Network<'f> {
    pub(super) fn of(facts: &'f Facts) -> Self {
        let Some(connections) = facts.connections.value() else { return Self::default() };
        let mut groups: HashMap<&str, Vec<usize>> = HashMap::new();
        for (group, ends) in connections.groups.iter().enumerate() {
            let ends = ends.iter().filter_map(|end| connections.ends.get(*end));
            for container in ends.flat_map(|end| &end.containers) {
                groups.entry(container).or_default().push(group);
            }
        }
        let is_outside =
            |end: &usize| connections.ends.get(*end).is_some_and(|end| end.kind == EndKind::Outside);
        let outside = connections.groups.iter().enumerate().filter(|(_, ends)| ends.iter().any(is_outside));
        let outside = outside.map(|(group, _)| group).collect();
        let mut listeners: HashMap<&str, Vec<&ReachedListener>> = HashMap::new();
        for listener in &connections.listeners {
            if let Some(container) = &listener.container {
                listeners.entry(container).or_default().push(listener);
            }
        }
        let mut open = vec![Vec::new(); connections.groups.len()];
        for (place, listener) in connections.listeners.iter().enumerate() {
            for (number, way) in listener.ways.iter().enumerate() {
                for group in &way.open {
                    if let Some(open) = open.get_mut(*group) {
                        open.push((place, number));
                    }
                }
            }
        }
        Self { connections: Some(connections), groups, listeners, outside, open }
    }

    /// Groups of the namespaces that a container is in.
    pub(super) fn groups_of(&self, container: &str) -> &[usize] {
        self.groups.get(container).map_or(&[], Vec::as_slice)
    }

    /// Whether connections were worked out.
    pub(super) fn is_known(&self) -> bool {
        self.connections.is_some()
    }

    /// Listeners of a container, by their ways whose groups hold one that is outside of the host.
    pub(super) fn outside_to(&self, container: &str, groups: impl Fn(&Way) -> Vec<usize>) -> Vec<Entry> {
        let mut entries = Vec::new();
        for listener in self.listeners.get(container).into_iter().flatten() {
            let from_there = |way: &&Way| groups(way).iter().any(|group| self.outside.contains(group));
            entries.extend(listener.ways.iter().filter(from_there).map(|way| Entry::of(listener, way)));
        }
        // Those by which it is meant to be reached come first.
        entries.sort_by_key(|entry| !entry.is_published);
        entries
    }

    /// What a group reaches.
    fn reached(&self, group: usize) -> impl Iterator<Item = (&'f ReachedListener, &'f Way)> {
        let open = self.open.get(group).into_iter().flatten();
        open.filter_map(|(listener, way)| {
            let listener = self.connections?.listeners.get(*listener)?;
            Some((listener, listener.ways.get(*way)?))
        })
    }

    /// For each group, the places that it connects to, and what is known of the flaws behind the ports that it reaches there.
    pub(super) fn targets(&self, places: &[Place<'_>]) -> Vec<Vec<(usize, Weakness)>> {
        let numbers: HashMap<&str, usize> =
            places.iter().enumerate().map(|(number, place)| (place.container.id.as_str(), number)).collect();
        let of_group = |group| {
            let mut targets: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
            for (listener, way) in self.reached(group) {
                let number = listener.container.as_deref().and_then(|id| numbers.get(id));
                if let Some(number) = number {
                    targets.entry(*number).or_default().push(Entry::of(listener, way));
                }
            }
            let weakness = |(number, entries): (usize, Vec<Entry>)| {
                Some((number, places.get(number)?.behind.weakness(&entries)))
            };
            targets.into_iter().filter_map(weakness).collect()
        };
        (0..self.open.len()).map(of_group).collect()
    }

    /// What one container connects to of another.
    pub(super) fn between(&self, from: &str, to: &str) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for entry in self.groups_of(from).iter().flat_map(|group| self.to(*group, to)) {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        entries
    }

    /// What a group connects to of a container.
    pub(super) fn to(&self, group: usize, container: &str) -> impl Iterator<Item = Entry> {
        let own = move |listener: &ReachedListener| listener.container.as_deref() == Some(container);
        let reached = self.reached(group).filter(move |(listener, _)| own(listener));
        reached.map(|(listener, way)| Entry::of(listener, way))
    }

    /// The way to the host by an engine whose API answers whoever connects.
    pub(super) fn engine_api(&self, facts: &Facts, container: &Container) -> Option<Exit> {
        let listeners = facts.engines.iter().filter_map(|engine| engine.listeners.value()).flatten();
        let is_open = |of: &&EngineListener| {
            matches!(of.purpose, ListenerPurpose::Api | ListenerPurpose::Unknown)
                && matches!(of.tls, TlsState::Plain | TlsState::ServerOnly)
        };
        let open: Vec<&EngineListener> = listeners.filter(is_open).collect();
        let is_api = |reached: &ReachedListener| {
            let same = |api: &EngineListener| {
                api.socket.port == reached.port
                    && api.socket.address == reached.address
                    && api.socket.protocol.trim_end_matches('6') == reached.protocol
            };
            reached.container.is_none() && open.iter().any(|api| same(api))
        };
        let mut reached = self.groups_of(&container.id).iter().flat_map(|group| self.reached(*group));
        let at = match reached.find(|(listener, _)| is_api(listener)) {
            Some((_, way)) => way.to.clone(),
            None if in_host_network(facts, container) => {
                let api = open.first()?;
                format!("{}:{}", api.socket.address, api.socket.port)
            }
            None => return None,
        };
        let step = PathStep {
            kind: StepKind::Boundary,
            at: container.name.clone(),
            what: format!("commands the engine by its API at {at}"),
            evidence: vec!["no client certificate is asked for".to_owned()],
            assumed: false,
        };
        Some(Exit { id: ENGINE_API.to_owned(), weight: 1000, steps: vec![step] })
    }
}

fn in_host_network(facts: &Facts, container: &Container) -> bool {
    let own = container.effective.value().and_then(|effective| effective.namespaces.value());
    let host = facts.host.namespaces.value();
    own.zip(host).is_some_and(|(own, host)| own.net == host.net)
}
