//! The last steps: from code in a container to the host.

use plimsoll_facts::{ContainerReach, FlawVerdict, Gain, GateVerdict, PathStep, ReachOutcome, StepKind};

/// One way from a container to the host.
pub(super) struct Exit {
    /// The gate or flaw.
    pub(super) id: String,
    /// From 1 to 1000.
    pub(super) weight: u32,
    pub(super) steps: Vec<PathStep>,
}

/// Every way from a container to the host: gates that lead there without a flaw, then flaws that are there.
pub(super) fn exits(reach: &ContainerReach) -> Vec<Exit> {
    let gates = reach.gates.iter().filter(|gate| gate.gives_host && gate.outcome == ReachOutcome::Reachable);
    let flaws = reach.flaws.iter().filter(|flaw| {
        flaw.gain == Gain::Host && flaw.outcome == ReachOutcome::Reachable && flaw.present.is_affected()
    });
    gates.map(|gate| through_gate(reach, gate)).chain(flaws.map(|flaw| through_flaw(reach, flaw))).collect()
}

fn through_gate(reach: &ContainerReach, gate: &GateVerdict) -> Exit {
    let step = PathStep {
        kind: StepKind::Boundary,
        at: reach.name.clone(),
        what: gate.title.clone(),
        evidence: gate.reasons.clone(),
        assumed: false,
    };
    let steps = won_first(reach, gate.after.as_deref()).into_iter().chain([step]).collect();
    Exit { id: gate.gate.clone(), weight: 1000, steps }
}

fn through_flaw(reach: &ContainerReach, flaw: &FlawVerdict) -> Exit {
    let step = PathStep {
        kind: StepKind::Boundary,
        at: reach.name.clone(),
        what: format!("exercises {} in {}: {}", flaw.id, flaw.component, flaw.title),
        evidence: flaw.reasons.clone(),
        assumed: false,
    };
    let weight = match (flaw.exploited.is_some(), flaw.severity.as_str()) {
        (true, _) => 900,
        (false, "critical") => 700,
        (false, "high") => 600,
        (false, _) => 400,
    };
    let steps = won_first(reach, flaw.after.as_deref()).into_iter().chain([step]).collect();
    Exit { id: flaw.id.clone(), weight, steps }
}

/// The steps that win more in the container, where some have to come first.
fn won_first(reach: &ContainerReach, by: Option<&str>) -> Vec<PathStep> {
    let find = |id: &str| reach.flaws.iter().find(|flaw| flaw.id == id);
    let ways = std::iter::successors(by.and_then(find), |flaw| find(flaw.after.as_deref()?));
    // There are two things to win, so no more than two ways.
    let mut steps: Vec<PathStep> = ways
        .take(2)
        .map(|flaw| PathStep {
            kind: StepKind::Root,
            at: reach.name.clone(),
            what: format!("gets {} by {} in {}", flaw.gain.words(), flaw.id, flaw.component),
            evidence: flaw.reasons.clone(),
            assumed: false,
        })
        .collect();
    steps.reverse();
    steps
}
