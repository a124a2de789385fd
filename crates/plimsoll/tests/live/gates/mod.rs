//! What plimsoll predicts from outside, held against a program that tries it inside: every gate, in containers of many
//! kinds, of three engines. Most kinds are made from a seed (`PLIMSOLL_SEED`), so that another number tries others.

mod engines;
mod kinds;
mod trial;

use std::collections::BTreeMap;

use plimsoll_collect::engine::Endpoint;
use plimsoll_facts::{ContainerReach, Facts, ReachOutcome};
use plimsoll_rootdir::RootDir;

use crate::scene::Test;
use engines::{Remapped, Rootless, System, Tried};
use trial::{Stage, Trial};

/// Fewest gates that have to be compared in each container.
const LEAST: usize = 33;

/// The tests.
pub(crate) fn tests() -> Vec<Test> {
    vec![
        Test::new("gates_as_predicted_in_containers_of_many_kinds", || all(&System)),
        Test::new("gates_as_predicted_in_privileged_and_remapped_containers", || all(&Remapped::start()?)),
        Test::new("gates_as_predicted_in_rootless_containers", || all(&Rootless::start()?)),
    ]
}

fn all(engine: &dyn Tried) -> Result<(), String> {
    let stage = Stage::of(engine)?;
    let trials: Result<Vec<Trial>, String> =
        stage.kinds()?.into_iter().map(|kind| stage.begin(kind)).collect();
    let mut trials = trials?;
    let found: Result<Vec<_>, String> = trials.iter_mut().map(Trial::found).collect();
    let facts = facts(&engine.host())?;
    let reach = facts.reach.value().ok_or("nothing was worked out")?;
    let mut wrong = Vec::new();
    for (trial, found) in trials.iter().zip(found?) {
        let name = &trial.name;
        let reach = reach.iter().find(|it| it.name == *name).ok_or_else(|| format!("{name}: no facts"))?;
        let (compared, differences) = compare(reach, &found);
        wrong.extend(differences.into_iter().map(|it| format!("{name}: {it}")));
        if compared < LEAST {
            wrong.push(format!("{name}: only {compared} gates could be compared"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Gates that were compared, and those where plimsoll and the kernel differ. Unknown, with a reason, is no difference.
fn compare(reach: &ContainerReach, tried: &BTreeMap<String, String>) -> (usize, Vec<String>) {
    let mut differences = Vec::new();
    let mut compared = 0;
    for gate in reach.gates.iter().filter(|gate| gate.after.is_none()) {
        let Some(found) = tried.get(&gate.gate) else { continue };
        let right = match gate.outcome {
            ReachOutcome::Reachable => found == "open",
            ReachOutcome::Blocked => found.starts_with("closed"),
            ReachOutcome::Unknown => !gate.reasons.is_empty(),
        };
        compared += 1;
        if !right {
            let reasons = gate.reasons.join("; ");
            differences.push(format!("{}: {found}, predicted {} ({reasons})", gate.gate, gate.outcome.id()));
        }
    }
    (compared, differences)
}

fn facts(host: &str) -> Result<Facts, String> {
    let root = RootDir::open("/").map_err(|error| error.to_string())?;
    let options = plimsoll_collect::Options {
        endpoints: vec![Endpoint::Unix(host.trim_start_matches("unix://").into())],
        version: "test",
        stop_threads: false,
        progress: &|_| {},
    };
    let mut facts = plimsoll_collect::collect(&root, &options);
    plimsoll_advisories::boundary::judge(&mut facts);
    plimsoll_reach::judge(&mut facts);
    Ok(facts)
}
