//! Changes that end attack paths: each is applied to the facts, and counts where the path is gone after it.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_facts::{
    AttackPath, CAPABILITY_NAMES, Container, Engine, Fact, Facts, FlawVerdict, PathCut, ReachOutcome,
};

use super::boundary;
use crate::change::{Change, with_default_filter};
use crate::filters::Filters;
use crate::verdict;

/// Cuts that are shown of one path.
const SHOWN: usize = 3;

/// Fills in what ends each path.
pub(super) fn find(facts: &Facts, paths: &mut [AttackPath]) {
    // No change alters the host's list of filters: they are decoded, and their answers remembered, once for all.
    let filters = Filters::of(facts);
    let mut ends: BTreeMap<Change, BTreeSet<(String, String)>> = BTreeMap::new();
    let containers: BTreeSet<&str> = paths.iter().map(|path| path.container_id.as_str()).collect();
    for container in containers {
        let Some(alone) = alone(facts, container) else { continue };
        let of_container = |path: &&AttackPath| path.container_id == container;
        let open: BTreeSet<&str> =
            paths.iter().filter(of_container).map(|path| path.boundary.as_str()).collect();
        for change in candidates(facts, container) {
            let left = still_open(&alone, container, &change, &filters);
            let gone = open.iter().filter(|boundary| !left.contains(**boundary));
            ends.entry(change)
                .or_default()
                .extend(gone.map(|gone| (container.to_owned(), (*gone).to_owned())));
        }
    }
    let total: BTreeMap<&Change, u32> = ends
        .iter()
        .map(|(change, exits)| {
            let cut = paths.iter().filter(|path| exits.contains(&exit_of(path))).count();
            (change, u32::try_from(cut).unwrap_or(u32::MAX))
        })
        .collect();
    for path in paths.iter_mut() {
        let exit = exit_of(path);
        let mut cuts: Vec<&Change> =
            ends.iter().filter(|(_, exits)| exits.contains(&exit)).map(|(change, _)| change).collect();
        cuts.sort_by_key(|change| (change.effort(), std::cmp::Reverse(total[change])));
        path.cuts = cuts.into_iter().take(SHOWN).map(|change| cut(change, total[change])).collect();
    }
}

fn exit_of(path: &AttackPath) -> (String, String) {
    (path.container_id.clone(), path.boundary.clone())
}

fn cut(change: &Change, paths: u32) -> PathCut {
    PathCut { change: change.to_string(), effort: change.effort().words().to_owned(), paths }
}

/// The facts with one running container, and one that shows the engine's default filter.
fn alone(facts: &Facts, id: &str) -> Option<Facts> {
    let default = with_default_filter(facts).map(|container| container.id.as_str());
    let keep = |engine: &Engine| -> Option<Engine> {
        let is_kept = |container: &&Container| container.id == id || Some(container.id.as_str()) == default;
        let one: Vec<Container> = engine.containers.value()?.iter().filter(is_kept).cloned().collect();
        let source = engine.containers.source().to_owned();
        (!one.is_empty()).then(|| Engine { containers: Fact::Known { value: one, source }, ..engine.clone() })
    };
    let engines: Vec<Engine> = facts.engines.iter().filter_map(keep).collect();
    (!engines.is_empty()).then(|| Facts {
        engines,
        host: facts.host.clone(),
        boundary: facts.boundary.clone(),
        ..Facts::default()
    })
}

/// Ways out of the container after the change.
fn still_open(alone: &Facts, container: &str, change: &Change, filters: &Filters) -> BTreeSet<String> {
    let mut facts = alone.clone();
    change.apply(&mut facts, container);
    let reach = verdict::of_all(&facts, filters);
    let own = reach.iter().filter(|reach| reach.container == container);
    own.flat_map(boundary::exits).map(|exit| exit.id).collect()
}

/// Changes that could end something: what the container holds, and what would mend its flaws.
fn candidates(facts: &Facts, id: &str) -> Vec<Change> {
    let containers = facts.engines.iter().filter_map(|engine| engine.containers.value()).flatten();
    let Some(container) = containers.into_iter().find(|container| container.id == id) else {
        return Vec::new();
    };
    let mut changes = vec![Change::NoNewPrivileges, Change::SeccompDefault, Change::User(1000)];
    changes.extend(held(container).map(|name| Change::DropCapability(name.to_owned())));
    let effective = container.effective.value();
    let paths = effective.and_then(|it| it.host_paths.value()).into_iter().flatten();
    for path in paths {
        changes.push(Change::MountReadOnly(path.target.clone()));
        changes.push(Change::Unmount(path.target.clone()));
    }
    let sockets = effective.and_then(|it| it.engine_sockets.value()).into_iter().flatten();
    changes.extend(sockets.map(|socket| Change::Unmount(socket.target.clone())));
    let reach = facts.reach.value().into_iter().flatten().filter(|reach| reach.container == id);
    let upgrade = |flaw: &FlawVerdict| match (&flaw.package, &flaw.fixed, flaw.outcome) {
        (Some(package), Some(_), ReachOutcome::Reachable) => Some(Change::Upgrade(package.clone())),
        _ => None,
    };
    changes.extend(reach.flat_map(|reach| &reach.flaws).filter_map(upgrade));
    changes.sort();
    changes.dedup();
    changes
}

/// Capabilities that any process of a container may hold.
fn held(container: &Container) -> impl Iterator<Item = &'static str> + use<> {
    let processes = container.effective.value().and_then(|it| it.processes.value()).into_iter().flatten();
    let held = processes.fold(0, |held, process| held | process.cap_effective.0 | process.cap_bounding.0);
    CAPABILITY_NAMES.iter().enumerate().filter(move |(bit, _)| held & (1 << bit) != 0).map(|(_, name)| *name)
}
