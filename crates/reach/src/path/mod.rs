//! Attack paths: from an open port, by a flaw of an application, through the wall, to the host or a neighbour.

mod boundary;
mod cut;
mod entry;
#[cfg(test)]
mod tests;

use plimsoll_facts::{
    AttackPath, Container, ContainerReach, Engine, Fact, Facts, PathGoal, PathStep, StepKind,
};

use self::boundary::Exit;
use self::entry::{Entry, Flaw};

/// Most paths that are kept, the heaviest.
const MAX_PATHS: usize = 500;

/// Fills in [`Facts::attack_paths`] from the other facts.
pub(crate) fn judge(facts: &mut Facts) {
    facts.attack_paths = match facts.reach.get() {
        Err(gap) => Fact::unreadable(gap.source, gap.reason),
        Ok(None) => Fact::absent("reach"),
        Ok(Some(reach)) => {
            let mut paths = paths(facts, reach);
            paths.sort_by(|a, b| {
                b.weight
                    .cmp(&a.weight)
                    .then_with(|| a.container.cmp(&b.container))
                    .then(a.boundary.cmp(&b.boundary))
            });
            paths.truncate(MAX_PATHS);
            cut::find(facts, &mut paths);
            Fact::known(paths, "connections, flaws of packages, and what containers can reach")
        }
    };
}

/// A running container, and what an attacker would make of it.
struct Place<'f> {
    engine: &'f Engine,
    container: &'f Container,
    reach: &'f ContainerReach,
    entries: Vec<Entry>,
    flaw: Option<Flaw>,
}

fn places<'f>(facts: &'f Facts, reach: &'f [ContainerReach]) -> Vec<Place<'f>> {
    let find = |reach: &'f ContainerReach| {
        let engine = facts.engines.iter().find(|engine| engine.endpoint == reach.engine)?;
        let container = engine.containers.value()?.iter().find(|it| it.id == reach.container)?;
        Some(Place {
            engine,
            container,
            reach,
            entries: entry::from_outside(facts, container),
            flaw: entry::flaw(facts, container),
        })
    };
    reach.iter().filter_map(find).collect()
}

fn paths(facts: &Facts, reach: &[ContainerReach]) -> Vec<AttackPath> {
    let places = places(facts, reach);
    let mut paths = Vec::new();
    for place in places.iter().filter(|place| !place.entries.is_empty()) {
        let mut first = entry::steps(place);
        let exits = boundary::exits(place.reach);
        paths.extend(exits.iter().map(|exit| path(place, first.clone(), exit)));
        if exits.is_empty() {
            // A container that leads nowhere by itself may lead to one that does.
            for next in entry::neighbours(facts, place, &places) {
                first.truncate(2);
                first.extend(entry::next_steps(facts, place, next));
                paths.extend(boundary::exits(next.reach).iter().map(|exit| path(next, first.clone(), exit)));
            }
        }
    }
    paths
}

fn path(place: &Place<'_>, mut steps: Vec<PathStep>, exit: &Exit) -> AttackPath {
    steps.extend(exit.steps.iter().cloned());
    let breaks = steps.iter().filter(|step| step.kind == StepKind::Break);
    let assumed = breaks.filter(|step| step.assumed).count();
    let flaw = place.flaw.as_ref().map_or(entry::ASSUMED, |flaw| flaw.weight);
    let hops = steps.iter().filter(|step| step.kind == StepKind::Connect).count();
    AttackPath {
        goal: PathGoal::Host,
        container: place.container.name.clone(),
        container_id: place.container.id.clone(),
        boundary: exit.id.clone(),
        weight: (flaw * exit.weight / 1000 / u32::try_from(hops + 1).unwrap_or(u32::MAX)).max(1),
        shown: assumed == 0,
        steps,
        cuts: Vec::new(),
    }
}
