//! Changes that end attack paths: each is applied to the facts, and counts where the path is gone after it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use plimsoll_facts::{AttackPath, Container, Engine, Fact, Facts, FlawVerdict, PathCut, ReachOutcome};

use super::entry::Entry;
use super::graph::{Edge, Graph};
use super::network::{ENGINE_API, Network};
use super::{Place, beside, boundary, candidates};
use crate::change::{Change, with_default_filter};
use crate::filters::Filters;
use crate::verdict;

/// Cuts that are shown of one path.
const SHOWN: usize = 3;

/// Where a change is made: in a container, or, without one, on the host.
type At = (Option<usize>, Change);
/// A path, as it is compared: the container that it ends in, and by what.
type Key = (usize, Option<String>);

/// Fills in what ends each path.
pub(super) fn find(
    facts: &Facts,
    filters: &Filters,
    network: &Network<'_>,
    places: &[Place<'_>],
    graph: &Graph,
    paths: &mut [AttackPath],
) {
    let trial = Trial { facts, filters, network, places, graph };
    let before = keys(graph);
    let on_paths: BTreeSet<&str> = paths
        .iter()
        .flat_map(|path| {
            path.before.iter().map(|place| place.id.as_str()).chain([path.container_id.as_str()])
        })
        .collect();
    let numbers =
        places.iter().enumerate().filter(|(_, place)| on_paths.contains(place.container.id.as_str()));
    let numbers: Vec<usize> = numbers.map(|(number, _)| number).collect();
    let mut ends: BTreeMap<At, BTreeMap<Key, bool>> = BTreeMap::new();
    for number in &numbers {
        trial.container(*number, &before, &mut ends);
    }
    trial.host(&numbers, &before, &mut ends);
    let of_path = |path: &AttackPath| -> Option<Key> {
        let place = places.iter().position(|place| place.container.id == path.container_id)?;
        let exit = places.get(place)?.exits.iter().any(|exit| exit.id == path.boundary);
        Some((place, exit.then(|| path.boundary.clone())))
    };
    let keyed: Vec<Option<Key>> = paths.iter().map(of_path).collect();
    let total: BTreeMap<&At, usize> = ends
        .iter()
        .map(|(at, ended)| (at, keyed.iter().flatten().filter(|key| ended.contains_key(*key)).count()))
        .collect();
    for (path, key) in paths.iter_mut().zip(&keyed) {
        let Some(key) = key else { continue };
        let of_this = ends.iter().filter_map(|(at, ended)| Some((at, *ended.get(key)?)));
        let mut cuts: Vec<(&At, bool)> = of_this.collect();
        cuts.sort_by_key(|(at, assumed)| (*assumed, at.1.effort(), at.1.takes(), Reverse(total[at]), *at));
        // The remedy of what is known is named even where others end the path altogether.
        let known = cuts.iter().copied().find(|(_, assumed)| *assumed);
        let whole = cuts.iter().copied().filter(|(_, assumed)| !assumed).take(SHOWN);
        let shown: Vec<_> = whole.chain(known).collect();
        path.cuts = shown.into_iter().map(|(at, assumed)| trial.words(at, total[at], assumed)).collect();
    }
}

/// The ends of all paths, and whether each step to them is known.
fn keys(graph: &Graph) -> BTreeMap<Key, bool> {
    let goals = graph.goals(&graph.won());
    let exit = |node: usize, exit: usize| Some(graph.nodes.get(node)?.exits.get(exit)?.0.clone());
    goals
        .into_iter()
        .map(|goal| ((goal.node, goal.exit.and_then(|at| exit(goal.node, at))), goal.shown))
        .collect()
}

/// What is tried changes of.
struct Trial<'t, 'f> {
    facts: &'f Facts,
    filters: &'t Filters,
    network: &'t Network<'f>,
    places: &'t [Place<'f>],
    graph: &'t Graph,
}

impl Trial<'_, '_> {
    /// Tries every change of one container.
    fn container(
        &self,
        number: usize,
        before: &BTreeMap<Key, bool>,
        ends: &mut BTreeMap<At, BTreeMap<Key, bool>>,
    ) {
        let Some(place) = self.places.get(number) else { return };
        let id = &place.container.id;
        let near = self.near(number);
        let Some(alone) = alone(self.facts, &near) else { return };
        for change in candidates::of(place) {
            let mut graph = self.graph.clone();
            let Some(node) = graph.nodes.get_mut(number) else { return };
            match &change {
                Change::Unpublish(port) => {
                    let is_left = |entry: &&Entry| !entry.is_published || entry.port != *port;
                    let left: Vec<Entry> = place.entries.iter().filter(is_left).cloned().collect();
                    node.entered = (!left.is_empty()).then(|| place.behind.weakness(&left));
                }
                Change::UpgradeImage => self.upgrade(&mut graph, number, place),
                _ => {
                    let mut facts = alone.clone();
                    change.apply(&mut facts, id);
                    node.exits = self.exits(&facts, number);
                    self.beside(&mut graph, &facts, number);
                }
            }
            note(&graph, before, (Some(number), change), ends);
        }
    }

    /// Puts what is behind the ports of a container as it is after its image was built anew.
    fn upgrade(&self, graph: &mut Graph, number: usize, place: &Place<'_>) {
        let after = place.behind.upgraded();
        if let Some(node) = graph.nodes.get_mut(number) {
            node.entered = node.entered.map(|_| after.weakness(&place.entries));
            node.listens = after.weakness_of_all();
        }
        for (group, targets) in graph.groups.iter_mut().enumerate() {
            for (_, weakness) in targets.iter_mut().filter(|(to, _)| *to == number) {
                let entries: Vec<Entry> = self.network.to(group, &place.container.id).collect();
                *weakness = after.weakness(&entries);
            }
        }
    }

    /// Tries every upgrade of the host, for all containers at once.
    fn host(
        &self,
        numbers: &[usize],
        before: &BTreeMap<Key, bool>,
        ends: &mut BTreeMap<At, BTreeMap<Key, bool>>,
    ) {
        let mut upgrades: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for number in numbers {
            for package in self.upgrades(*number) {
                upgrades.entry(package).or_default().insert(*number);
            }
        }
        for (package, of) in upgrades {
            let change = Change::Upgrade(package.to_owned());
            let mut graph = self.graph.clone();
            for number in of {
                let Some(place) = self.places.get(number) else { continue };
                let Some(mut facts) = alone(self.facts, &BTreeSet::from([place.container.id.as_str()]))
                else {
                    continue;
                };
                change.apply(&mut facts, &place.container.id);
                if let Some(node) = graph.nodes.get_mut(number) {
                    node.exits = self.exits(&facts, number);
                }
            }
            note(&graph, before, (None, change), ends);
        }
    }

    /// Packages of the host whose upgrade mends a flaw that a container can exercise.
    fn upgrades(&self, number: usize) -> BTreeSet<&str> {
        let id = self.places.get(number).map(|place| place.container.id.as_str());
        let reach = self.facts.reach.value().into_iter().flatten();
        let own = reach.filter(|reach| Some(reach.container.as_str()) == id).flat_map(|reach| &reach.flaws);
        let mended = |flaw: &&FlawVerdict| flaw.fixed.is_some() && flaw.outcome == ReachOutcome::Reachable;
        own.filter(mended).filter_map(|flaw| flaw.package.as_deref()).collect()
    }

    /// Ways out of a container as the facts are after a change.
    fn exits(&self, facts: &Facts, number: usize) -> Vec<(String, u32)> {
        let Some(place) = self.places.get(number) else { return Vec::new() };
        let reach = verdict::of_all(facts, self.filters);
        let own = reach.iter().filter(|reach| reach.container == place.container.id);
        let mut exits: Vec<(String, u32)> =
            own.flat_map(boundary::exits).map(|exit| (exit.id, exit.weight)).collect();
        // No change here alters who connects to the engine.
        let api = place.exits.iter().filter(|exit| exit.id == ENGINE_API);
        exits.extend(api.map(|exit| (exit.id.clone(), exit.weight)));
        exits
    }

    /// Ids of a container and of those that something else than the network joins it with.
    fn near(&self, number: usize) -> BTreeSet<&str> {
        let nodes = self.graph.nodes.iter().enumerate();
        let joined = nodes.flat_map(|(from, node)| node.beside.iter().map(move |edge| (from, edge.to)));
        let others = joined.filter(|(from, to)| *from == number || *to == number);
        let near = others.flat_map(|(from, to)| [from, to]).chain([number]);
        near.filter_map(|place| Some(self.places.get(place)?.container.id.as_str())).collect()
    }

    /// Puts what joins a container with others as it is after a change.
    fn beside(&self, graph: &mut Graph, facts: &Facts, number: usize) {
        let touches = |from: usize, edge: &Edge| from == number || edge.to == number;
        let nodes = self.graph.nodes.iter().enumerate();
        if !nodes
            .flat_map(|(from, node)| node.beside.iter().map(move |edge| (from, edge)))
            .any(|(from, edge)| touches(from, edge))
        {
            return;
        }
        let engines = facts.engines.iter();
        let containers: Vec<(&Engine, &Container)> = engines
            .flat_map(|engine| engine.containers.value().into_iter().flatten().map(move |it| (engine, it)))
            .collect();
        let place_of = |at: usize| {
            let id = &containers.get(at)?.1.id;
            self.places.iter().position(|place| place.container.id == *id)
        };
        let found = beside::edges(facts, &containers, self.filters).into_iter();
        let after: Vec<(usize, Edge)> = found
            .filter_map(|(from, edge)| Some((place_of(from)?, Edge { to: place_of(edge.to)?, ..edge })))
            .collect();
        for (from, node) in graph.nodes.iter_mut().enumerate() {
            node.beside.retain(|edge| !touches(from, edge));
            let new = after.iter().filter(|(at, edge)| *at == from && touches(from, edge));
            node.beside.extend(new.map(|(_, edge)| edge.clone()));
        }
    }

    fn words(&self, (at, change): &At, paths: usize, assumed_left: bool) -> PathCut {
        let place = at.and_then(|number| self.places.get(number));
        PathCut {
            container: place.map(|place| place.container.name.clone()),
            change: candidates::words(self.facts, place, change),
            effort: change.effort().words().to_owned(),
            paths: u32::try_from(paths).unwrap_or(u32::MAX),
            assumed_left,
        }
    }
}

/// Notes which paths are gone, and which are left to whoever has a flaw that nobody published.
fn note(graph: &Graph, before: &BTreeMap<Key, bool>, at: At, ends: &mut BTreeMap<At, BTreeMap<Key, bool>>) {
    let after = keys(graph);
    let ended = before.iter().filter_map(|(key, shown)| match after.get(key) {
        None => Some((key.clone(), false)),
        Some(false) if *shown => Some((key.clone(), true)),
        Some(_) => None,
    });
    let ended: BTreeMap<Key, bool> = ended.collect();
    if !ended.is_empty() {
        ends.insert(at, ended);
    }
}

/// The facts with some running containers, and one that shows the engine's default filter.
fn alone(facts: &Facts, ids: &BTreeSet<&str>) -> Option<Facts> {
    let default = with_default_filter(facts).map(|container| container.id.as_str());
    let keep = |engine: &Engine| -> Option<Engine> {
        let is_kept = |container: &&Container| {
            ids.contains(container.id.as_str()) || Some(container.id.as_str()) == default
        };
        let some: Vec<Container> = engine.containers.value()?.iter().filter(is_kept).cloned().collect();
        if some.is_empty() {
            return None;
        }
        let made_from = |id: &str| {
            some.iter().filter_map(|it| it.declared.value()).any(|declared| declared.image_id == id)
        };
        let images = engine
            .images
            .value()
            .map(|images| images.iter().filter(|image| made_from(&image.id)).cloned().collect::<Vec<_>>());
        let images = match images {
            Some(value) => Fact::Known { value, source: engine.images.source().to_owned() },
            None => engine.images.clone(),
        };
        let source = engine.containers.source().to_owned();
        Some(Engine { containers: Fact::Known { value: some, source }, images, ..bare(engine) })
    };
    let engines: Vec<Engine> = facts.engines.iter().filter_map(keep).collect();
    (!engines.is_empty()).then(|| Facts {
        engines,
        host: facts.host.clone(),
        boundary: facts.boundary.clone(),
        ..Facts::default()
    })
}

/// An engine without its containers and images, of which there may be many.
fn bare(engine: &Engine) -> Engine {
    Engine {
        id: engine.id.clone(),
        endpoint: engine.endpoint.clone(),
        info: engine.info.clone(),
        settings: engine.settings.clone(),
        networks: engine.networks.clone(),
        plugins: engine.plugins.clone(),
        ..Engine::default()
    }
}
