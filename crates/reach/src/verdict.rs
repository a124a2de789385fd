//! Which gates are open, and which flaws can be exercised, from inside each running container.

use std::collections::BTreeMap;

use plimsoll_facts::{
    Belongs, BoundaryStatus, BoundaryVerdict, Container, ContainerReach, Effective, Engine, Fact, Facts,
    FlawVerdict, Gain, GateVerdict, Process, ReachOutcome,
};

use crate::drift;
use crate::filters::Filters;
use crate::gain;
use crate::gates::GATES;
use crate::kernel;
use crate::path;
use crate::precondition::{Actor, Atom, Precondition};
use crate::stand::{Rights, Stand, root_of};
use crate::truth::Truth;

/// Most different processes of one container that are looked at.
const MAX_STANDS: usize = 32;

/// Fills in [`Facts::reach`] from the other facts.
pub fn judge(facts: &mut Facts) {
    let filters = Filters::of(facts);
    let mut reach = of_all(facts, &filters);
    drift::note(facts, &filters, &mut reach);
    facts.reach = Fact::known(reach, "the kernel's state, and the boundary advisories of this build");
    path::judge(facts, &filters);
}

/// What can be reached from each running container.
pub(crate) fn of_all(facts: &Facts, filters: &Filters) -> Vec<ContainerReach> {
    let flaws = flaws(facts);
    running(facts)
        .map(|(engine, container, effective)| {
            of_container(facts, engine, container, effective, filters, &flaws)
        })
        .collect()
}

/// Containers that run on this host.
pub(crate) fn running(facts: &Facts) -> impl Iterator<Item = (&Engine, &Container, &Effective)> {
    facts.engines.iter().filter(|engine| !engine.remote).flat_map(|engine| {
        let containers = engine.containers.value().into_iter().flatten();
        containers.filter_map(move |container| Some((engine, container, container.effective.value()?)))
    })
}

/// A flaw that may be there, and what it takes.
struct Flaw<'f> {
    verdict: &'f BoundaryVerdict,
    precondition: Option<Precondition>,
    gain: Gain,
}

/// Flaws that may be there and that a container has a part in.
fn flaws(facts: &Facts) -> Vec<Flaw<'_>> {
    let verdicts = facts.boundary.value().into_iter().flatten();
    verdicts
        .filter(|verdict| verdict.status.is_affected() || verdict.status == BoundaryStatus::Unknown)
        .map(|verdict| {
            let precondition =
                verdict.precondition.as_deref().and_then(|text| Precondition::parse(text).ok());
            Flaw { verdict, precondition, gain: gain::of(verdict.impact.as_deref()) }
        })
        .filter(|flaw| flaw.precondition.as_ref().is_none_or(concerns_containers))
        .collect()
}

/// Whether code in a container, its image or its options have a part in it: what somebody builds, pulls or loads has
/// none in the containers that run.
fn concerns_containers(precondition: &Precondition) -> bool {
    let of_container = |atom: &&Atom| match atom {
        Atom::Actor(actor) => matches!(
            actor,
            Actor::Image | Actor::Create | Actor::Exec | Actor::Copy | Actor::CopyArchive | Actor::Race
        ),
        Atom::Engine(_) | Atom::Cri | Atom::AuthorizationPlugin | Atom::Host(_) => false,
        _ => true,
    };
    precondition.atoms().iter().any(of_container)
}

fn of_container(
    facts: &Facts,
    engine: &Engine,
    container: &Container,
    effective: &Effective,
    filters: &Filters,
    flaws: &[Flaw<'_>],
) -> ContainerReach {
    let stand = |process, rights| Stand {
        facts,
        engine,
        container,
        effective,
        process,
        rights,
        calls: filters.calls(process),
    };
    let processes = distinct(effective);
    let root = root_of(effective);
    let own: Vec<Stand<'_>> =
        processes.iter().map(|process| stand(*process, Rights::of(process, root))).collect();
    let mut reach = ContainerReach {
        engine: engine.endpoint.clone(),
        container: container.id.clone(),
        name: container.name.clone(),
        gates: GATES.iter().map(|gate| gate_verdict(gate, &own, None)).collect(),
        flaws: flaws.iter().map(|flaw| flaw_verdict(flaw, &own, None)).collect(),
        filter_drift: Vec::new(),
    };
    let unlabelled = |process: &&Process| Process { lsm_label: None, ..(*process).clone() };
    let freed: Vec<Process> = processes.iter().map(unlabelled).collect();
    let (mut is_root, mut is_free) = (root.is_none(), false);
    // What is won opens more, until nothing more is won.
    while let Some((way, gain)) = next_win(&reach, is_root, is_free) {
        is_root |= gain == Gain::ContainerRoot;
        is_free |= gain == Gain::Confinement;
        let rights = |process| match root.filter(|_| is_root) {
            Some(root) => Rights::of_root(process, root),
            None => Rights::of(process, root),
        };
        let as_won = processes.iter().zip(&freed).map(|(own, freed)| if is_free { freed } else { *own });
        let stands: Vec<Stand<'_>> = as_won.map(|process| stand(process, rights(process))).collect();
        open_more(&mut reach, flaws, &stands, &way);
    }
    reach.flaws.sort_by_key(order);
    reach
}

/// A flaw that wins something inside of the container that is not won yet.
fn next_win(reach: &ContainerReach, is_root: bool, is_free: bool) -> Option<(String, Gain)> {
    let wins = |flaw: &&FlawVerdict| {
        let more = match flaw.gain {
            Gain::ContainerRoot => !is_root,
            Gain::Confinement => !is_free,
            _ => false,
        };
        more && flaw.present.is_affected() && flaw.outcome == ReachOutcome::Reachable
    };
    reach.flaws.iter().find(wins).map(|flaw| (flaw.id.clone(), flaw.gain))
}

/// What can be reached with what was won where the processes as they are do not reach it.
fn open_more(reach: &mut ContainerReach, flaws: &[Flaw<'_>], won: &[Stand<'_>], way: &str) {
    for (gate, verdict) in GATES.iter().zip(&mut reach.gates) {
        let more = gate_verdict(gate, won, Some(way));
        if more.outcome == ReachOutcome::Reachable && verdict.outcome != ReachOutcome::Reachable {
            *verdict = more;
        }
    }
    for (flaw, verdict) in flaws.iter().zip(&mut reach.flaws) {
        let more = flaw_verdict(flaw, won, Some(way));
        let opens = more.outcome == ReachOutcome::Reachable && verdict.outcome != ReachOutcome::Reachable;
        if opens || (more.outcome == ReachOutcome::Unknown && verdict.outcome == ReachOutcome::Blocked) {
            *verdict = more;
        }
    }
}

/// One process of each kind: those that differ in nothing that a gate asks about are one.
fn distinct(effective: &Effective) -> Vec<&Process> {
    let mut kinds = BTreeMap::new();
    for process in effective.processes.value().into_iter().flatten().filter(|it| is_inside(it, effective)) {
        let kind = (
            process.uids[1],
            (process.cap_effective.0, process.cap_permitted.0, process.cap_bounding.0),
            process.no_new_privs,
            Filters::key(process),
            process.namespaces.map(|own| (own.user, own.net, own.mnt, own.pid, own.cgroup)),
            process.lsm_label.as_deref(),
            process.belongs == Belongs::Cgroup,
        );
        kinds.entry(kind).or_insert(process);
    }
    let mut processes: Vec<&Process> = kinds.into_values().collect();
    processes.sort_by_key(|process| process.pid);
    processes.truncate(MAX_STANDS);
    processes
}

/// Whether code of the container can get hold of a process: one of the host that is in its network alone stays out of
/// reach; one that sees its files runs its programs, and one that is among its processes can be traced.
fn is_inside(process: &Process, effective: &Effective) -> bool {
    let Some((own, first)) = process.namespaces.zip(effective.namespaces.value().copied()) else {
        return true;
    };
    process.belongs == Belongs::Cgroup || own.mnt == first.mnt || own.pid == first.pid
}

/// Who comes furthest, and how far.
fn furthest(stands: &[Stand<'_>], test: impl Fn(&Stand<'_>) -> Truth) -> (ReachOutcome, Vec<String>, String) {
    let mut best: Option<(ReachOutcome, Vec<String>, String)> = None;
    for stand in stands {
        let (outcome, reasons) = match test(stand) {
            Truth::Yes(shown) => (ReachOutcome::Reachable, shown),
            Truth::No(stopped) => (ReachOutcome::Blocked, stopped),
            Truth::Unknown(missing) => (ReachOutcome::Unknown, missing),
        };
        if best.as_ref().is_none_or(|(known, ..)| rank(outcome) > rank(*known)) {
            best = Some((outcome, reasons, stand.who()));
        }
        if outcome == ReachOutcome::Reachable {
            break;
        }
    }
    best.unwrap_or_else(|| {
        (ReachOutcome::Unknown, vec!["the container's processes".to_owned()], String::new())
    })
}

fn rank(outcome: ReachOutcome) -> u8 {
    match outcome {
        ReachOutcome::Blocked => 0,
        ReachOutcome::Unknown => 1,
        ReachOutcome::Reachable => 2,
    }
}

fn gate_verdict(gate: &crate::Gate, stands: &[Stand<'_>], after: Option<&str>) -> GateVerdict {
    let (outcome, reasons, process) = furthest(stands, |stand| gate.test(stand));
    GateVerdict {
        gate: gate.id.to_owned(),
        title: gate.title.to_owned(),
        gives_host: gate.gives_host,
        outcome,
        reasons,
        process,
        after: after.map(str::to_owned),
    }
}

fn flaw_verdict(flaw: &Flaw<'_>, stands: &[Stand<'_>], after: Option<&str>) -> FlawVerdict {
    let verdict = flaw.verdict;
    let (outcome, reasons, process) = furthest(stands, |stand| {
        kernel::any_option(stand.facts, verdict.kconfig.iter().map(String::as_str)).and(|| {
            match &flaw.precondition {
                Some(precondition) => stand.meets(precondition),
                None => Truth::unknown("what it takes to exercise it"),
            }
        })
    });
    let alone = |stand: &Stand<'_>| match &flaw.precondition {
        Some(precondition) => matches!(stand.meets_alone(precondition), Truth::No(_)),
        None => false,
    };
    FlawVerdict {
        needs_others: outcome == ReachOutcome::Unknown && stands.iter().all(alone),
        id: verdict.id.clone(),
        title: verdict.title.clone(),
        component: verdict.component.clone(),
        program: verdict.program.clone(),
        present: verdict.status,
        fixed: verdict.fixed.clone(),
        package: verdict.package.clone(),
        outcome,
        reasons,
        process,
        after: after.map(str::to_owned),
        gain: flaw.gain,
        severity: verdict.severity.clone(),
        exploited: verdict.exploited.clone(),
    }
}

/// The worst first: what can be reached, is there, gives the host, and is known to be exploited.
fn order(flaw: &FlawVerdict) -> impl Ord + use<> {
    (
        std::cmp::Reverse(rank(flaw.outcome)),
        !flaw.present.is_affected(),
        std::cmp::Reverse(flaw.gain),
        flaw.exploited.is_none(),
        flaw.id.clone(),
    )
}
