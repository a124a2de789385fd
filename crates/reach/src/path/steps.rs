//! A path in words: what is done at each step, and what shows that it can be.

use std::collections::BTreeSet;

use plimsoll_facts::{AttackPath, PathGoal, PathPlace, PathStep, StepKind};

use super::Place;
use super::behind::Flaw;
use super::entry::Entry;
use super::graph::{Beside, Goal, Graph, Won, chain};
use super::network::Network;

/// Ports that a step names.
const PORTS: usize = 2;

/// The path to a goal.
pub(super) fn path(
    network: &Network<'_>,
    places: &[Place<'_>],
    graph: &Graph,
    won: &[Option<Won>],
    goal: &Goal,
) -> Option<AttackPath> {
    let mut on_way: Vec<usize> = chain(won, Some(goal.node)).collect();
    on_way.reverse();
    let mut steps = Vec::new();
    for number in &on_way {
        let (place, how) = (places.get(*number)?, won.get(*number)?.as_ref()?);
        match how.from {
            None => steps.extend(enter(place)),
            Some(from) => {
                steps.extend(go_on(network, places.get(from)?, place, edge(graph, from, *number, how)))
            }
        }
    }
    let last = places.get(goal.node)?;
    let exit = goal.exit.map(|exit| last.exits.get(exit)).map_or(Some(None), |exit| exit.map(Some))?;
    steps.extend(exit.into_iter().flat_map(|exit| exit.steps.iter().cloned()));
    let before = on_way.split_last().map_or(&[][..], |(_, before)| before);
    let name = |number: &usize| {
        let container = places.get(*number)?.container;
        Some(PathPlace { name: container.name.clone(), id: container.id.clone() })
    };
    Some(AttackPath {
        goal: if exit.is_some() { PathGoal::Host } else { PathGoal::Neighbour },
        before: before.iter().filter_map(name).collect(),
        container: last.container.name.clone(),
        container_id: last.container.id.clone(),
        boundary: exit.map_or_else(
            || by(network, places, last, won.get(goal.node)?.as_ref()?),
            |exit| Some(exit.id.clone()),
        )?,
        weight: goal.weight,
        shown: goal.shown,
        steps,
        cuts: Vec::new(),
    })
}

/// What a neighbour is won by.
fn by(network: &Network<'_>, places: &[Place<'_>], place: &Place<'_>, how: &Won) -> Option<String> {
    let flaw = match how.beside {
        None => {
            let from = places.get(how.from?)?;
            place.behind.worst(&network.between(&from.container.id, &place.container.id))
        }
        Some(Beside::Network) => place.behind.worst_of_all(),
        Some(Beside::Processes) => return Some("shared-processes".to_owned()),
        Some(Beside::Programs | Beside::Files) => return Some("shared-files".to_owned()),
    };
    flaw.map(|flaw| flaw.id().to_owned())
}

fn edge<'g>(graph: &'g Graph, from: usize, to: usize, how: &Won) -> Option<(Beside, &'g [String])> {
    let by = how.beside?;
    let edges = &graph.nodes.get(from)?.beside;
    let edge = edges.iter().find(|edge| edge.to == to && edge.by == by)?;
    Some((by, &edge.evidence))
}

/// From outside to code in a container.
fn enter(place: &Place<'_>) -> [PathStep; 2] {
    let name = &place.container.name;
    let what = format!("connects to {}", ports(&place.entries));
    let flaw = place.behind.worst(&place.entries);
    [step(StepKind::Entry, name, what, evidence(&place.entries)), break_in(place, &place.entries, flaw)]
}

/// From one container to code in another.
fn go_on(
    network: &Network<'_>,
    from: &Place<'_>,
    to: &Place<'_>,
    beside: Option<(Beside, &[String])>,
) -> [PathStep; 2] {
    let (at, name) = (&from.container.name, &to.container.name);
    let Some((by, shown)) = beside else {
        let entries = network.between(&from.container.id, &to.container.id);
        let what = format!("connects to {} of {name}", ports(&entries));
        let flaw = to.behind.worst(&entries);
        return [step(StepKind::Connect, at, what, evidence(&entries)), break_in(to, &entries, flaw)];
    };
    let shown = shown.to_vec();
    let connect = |what: String| step(StepKind::Connect, at, what, shown.clone());
    match by {
        Beside::Network => {
            let what =
                format!("connects to what listens in the network namespace that it shares with {name}");
            [connect(what), break_in(to, &[], to.behind.worst_of_all())]
        }
        Beside::Processes => [
            connect(format!("sees the processes of {name} in the PID namespace that they share")),
            step(
                StepKind::Break,
                name,
                "runs code in one of its processes by writing to its memory".to_owned(),
                Vec::new(),
            ),
        ],
        Beside::Programs => [
            connect(format!("writes to files that {name} has, too")),
            step(StepKind::Break, name, "runs code in it as a program that it runs".to_owned(), Vec::new()),
        ],
        Beside::Files => {
            let what = "runs code in it by what it reads from these files".to_owned();
            let assumed = PathStep { assumed: true, ..step(StepKind::Break, name, what, Vec::new()) };
            [connect(format!("writes to files that {name} has, too")), assumed]
        }
    }
}

/// Code in what listens at these ports, by a flaw of it, or of its image, or one that is assumed.
fn break_in(place: &Place<'_>, entries: &[Entry], flaw: Option<Flaw<'_>>) -> PathStep {
    let process = flaw.and_then(|flaw| flaw.process());
    let process = process.or(entries.iter().find_map(|entry| entry.process.as_deref())).unwrap_or("it");
    let (what, evidence) = match flaw {
        Some(flaw) if flaw.is_shown() => {
            (format!("runs code in {process} by {}", flaw.id()), flaw.evidence())
        }
        Some(flaw) => (
            format!("runs code in {process} by {}, if it has this flaw of its image", flaw.id()),
            flaw.evidence(),
        ),
        None => (format!("runs code in {process} by a flaw that is not published"), Vec::new()),
    };
    let assumed = !flaw.is_some_and(|flaw| flaw.is_shown());
    PathStep { assumed, ..step(StepKind::Break, &place.container.name, what, evidence) }
}

fn step(kind: StepKind, at: &str, what: String, evidence: Vec<String>) -> PathStep {
    PathStep { kind, at: at.to_owned(), what, evidence, assumed: false }
}

fn ports(entries: &[Entry]) -> String {
    let ports: Vec<&str> = entries.iter().take(PORTS).map(|entry| entry.what.as_str()).collect();
    match entries.len().saturating_sub(PORTS) {
        0 => ports.join(", "),
        more => format!("{} and {more} more", ports.join(", ")),
    }
}

/// What shows that the ports that are named can be reached, each once.
fn evidence(entries: &[Entry]) -> Vec<String> {
    let all: BTreeSet<&str> = entries.iter().take(PORTS).map(|entry| entry.evidence.as_str()).collect();
    all.into_iter().filter(|shown| !shown.is_empty()).map(str::to_owned).collect()
}
