//! Attack paths: from an open port, by a flaw of an application, from container to container and through the wall, to the
//! host or a neighbour.

mod behind;
mod beside;
mod boundary;
mod candidates;
mod cut;
mod entry;
mod graph;
mod network;
mod steps;
#[cfg(test)]
mod tests;

use plimsoll_facts::{AttackPath, Container, ContainerReach, Engine, Fact, Facts};

use self::behind::Behind;
use self::boundary::Exit;
use self::entry::Entry;
use self::graph::{Graph, Node};
use self::network::Network;
use crate::filters::Filters;

/// Most paths that are kept, the heaviest.
const MAX_PATHS: usize = 500;

/// Fills in [`Facts::attack_paths`] from the other facts.
pub(crate) fn judge(facts: &mut Facts, filters: &Filters) {
    facts.attack_paths = match facts.reach.get() {
        Err(gap) => Fact::unreadable(gap.source, gap.reason),
        Ok(None) => Fact::absent("reach"),
        Ok(Some(reach)) => Fact::known(
            paths(facts, reach, filters),
            "connections, flaws of packages, and what containers can reach",
        ),
    };
}

/// A running container, and what an attacker would make of it.
struct Place<'f> {
    engine: &'f Engine,
    container: &'f Container,
    entries: Vec<Entry>,
    behind: Behind<'f>,
    exits: Vec<Exit>,
}

impl<'f> Place<'f> {
    fn of(facts: &'f Facts, network: &Network<'f>, reach: &ContainerReach) -> Option<Self> {
        let engine = facts.engines.iter().find(|engine| engine.endpoint == reach.engine)?;
        let container = engine.containers.value()?.iter().find(|it| it.id == reach.container)?;
        let mut exits = boundary::exits(reach);
        exits.extend(network.engine_api(facts, container));
        let entries = entry::from_outside(network, container);
        Some(Self { engine, container, entries, behind: Behind::of(facts, engine, container), exits })
    }

    fn node(&self, network: &Network<'_>) -> Node {
        Node {
            entered: (!self.entries.is_empty()).then(|| self.behind.weakness(&self.entries)),
            listens: self.behind.weakness_of_all(),
            exits: self.exits.iter().map(|exit| (exit.id.clone(), exit.weight)).collect(),
            groups: network.groups_of(&self.container.id).to_vec(),
            beside: Vec::new(),
        }
    }
}

fn paths(facts: &Facts, reach: &[ContainerReach], filters: &Filters) -> Vec<AttackPath> {
    let network = Network::of(facts);
    let places: Vec<Place<'_>> = reach.iter().filter_map(|reach| Place::of(facts, &network, reach)).collect();
    if places.iter().all(|place| place.entries.is_empty()) {
        return Vec::new();
    }
    let mut graph = Graph {
        nodes: places.iter().map(|place| place.node(&network)).collect(),
        groups: network.targets(&places),
    };
    let containers: Vec<_> = places.iter().map(|place| (place.engine, place.container)).collect();
    for (from, edge) in beside::edges(facts, &containers, filters) {
        if let Some(node) = graph.nodes.get_mut(from) {
            node.beside.push(edge);
        }
    }
    let won = graph.won();
    let mut goals = graph.goals(&won);
    goals.truncate(MAX_PATHS);
    let mut paths: Vec<AttackPath> =
        goals.iter().filter_map(|goal| steps::path(&network, &places, &graph, &won, goal)).collect();
    cut::find(facts, filters, &network, &places, &graph, &mut paths);
    paths
}
