//! The reboot: whether the kernel, or the distribution, asks for one, and what it does to every container.

use plimsoll_facts::Facts;
use plimsoll_rules::{Finding, Status, judge};

use super::{Reason, unlisted};
use crate::outcome::{outcomes, worst_first};
use crate::restart_policy::Event;
use crate::view::EngineView;
use crate::{Action, Layer, Pending, Step};

/// The rules that say whether a reboot is due: the table must not say otherwise than the findings.
const RULES: [&str; 2] = ["booted-kernel-outdated", "reboot-pending"];

/// The reboot of this host, and of the host of each engine that runs elsewhere.
pub(super) fn steps(facts: &Facts, views: &[EngineView<'_>]) -> Vec<Step> {
    let (elsewhere, here): (Vec<_>, Vec<_>) = views.iter().partition(|view| view.engine.remote);
    let this = step(String::new(), why(facts), &here);
    let others = elsewhere.into_iter().map(|view| {
        let why = "whether a reboot is due could not be told: the engine runs on another host".to_owned();
        let reason = Reason { pending: Pending::Unknown, from: None, to: None, why, evidence: Vec::new() };
        step(view.engine.endpoint.clone(), reason, &[view])
    });
    std::iter::once(this).chain(others).collect()
}

fn step(engine: String, reason: Reason, views: &[&EngineView<'_>]) -> Step {
    let mut containers: Vec<_> = views.iter().flat_map(|view| outcomes(view, Event::Reboot)).collect();
    worst_first(&mut containers);
    Step {
        action: Action::Reboot,
        layer: Layer::Kernel,
        engine,
        pending: reason.pending,
        from: reason.from,
        to: reason.to,
        why: reason.why,
        evidence: reason.evidence,
        containers,
        gaps: unlisted(views),
    }
}

fn why(facts: &Facts) -> Reason {
    let mut answers = judge(facts, RULES.into_iter().filter_map(plimsoll_rules::find)).findings;
    answers.sort_by_key(|answer| urgency(answer.status));
    let from = facts.host.kernel.running.value().map(|running| running.release.clone());
    let Some(answer) = answers.into_iter().next() else {
        let why = "no rule told whether a reboot is due".to_owned();
        return Reason { pending: Pending::Unknown, from, to: None, why, evidence: Vec::new() };
    };
    let (pending, why) = match answer.status {
        Status::Fail => (Pending::Installed, answer.message.clone()),
        Status::Pass => (Pending::No, "if the host is rebooted; nothing asks for it".to_owned()),
        Status::Unknown | Status::NotApplicable | Status::NotAutomated => {
            (Pending::Unknown, format!("whether a reboot is due could not be told: {}", answer.message))
        }
    };
    let to = match pending {
        Pending::Installed => named_kernel(facts, &answer),
        _ => None,
    };
    Reason { pending, from, to, why, evidence: answer.evidence }
}

/// What decides first: a reason for a reboot, then what may hide one.
fn urgency(status: Status) -> u8 {
    match status {
        Status::Fail => 0,
        Status::Unknown => 1,
        Status::NotApplicable | Status::NotAutomated => 2,
        Status::Pass => 3,
    }
}

/// The release of the installed kernel whose image the answer names.
fn named_kernel(facts: &Facts, answer: &Finding) -> Option<String> {
    let installed = facts.host.kernel.installed.value()?;
    let named = |path: &str| answer.evidence.iter().any(|evidence| evidence.source == path);
    installed.iter().find(|kernel| named(&kernel.path)).map(|kernel| kernel.release.clone())
}
