//! containerd, its shims, and the OCI runtimes.

use std::collections::BTreeSet;

use plimsoll_facts::{Component, ComponentKind, Facts, RunningProgram};

use super::{Reason, not_installed, offered, reason, unlisted};
use crate::outcome::{effect, worst_first};
use crate::view::{ContainerView, EngineView};
use crate::{Action, Basis, ContainerEffects, Effect, EffectKind, Estimate, Layer, Pending, Step};

pub(super) fn steps(facts: &Facts, views: &[&EngineView<'_>]) -> Vec<Step> {
    let daemons: BTreeSet<u32> =
        views.iter().filter_map(|view| view.engine.daemon.value()).map(|daemon| daemon.pid).collect();
    let mut steps = Vec::new();
    for component in &facts.components {
        match component.kind {
            ComponentKind::Containerd => {
                let own = component.running.iter().filter(|program| !daemons.contains(&program.parent));
                steps.extend(own.map(|program| containerd(component, program, views)));
            }
            ComponentKind::ContainerdShim => steps.extend(shims(component, views)),
            ComponentKind::Runc | ComponentKind::Crun => steps.extend(runtime(component, views)),
            _ => (),
        }
    }
    steps
}

fn containerd(component: &Component, program: &RunningProgram, views: &[&EngineView<'_>]) -> Step {
    let undisturbed = "shims hold the containers: no connection was lost when containerd was restarted alone";
    step(
        Action::RestartContainerd,
        component,
        reason(component, program),
        every_running(views, || effect(EffectKind::None, undisturbed)),
        views,
    )
}

/// Shims that run other bytes than are on disk: their containers keep them until they are restarted.
fn shims(component: &Component, views: &[&EngineView<'_>]) -> Option<Step> {
    let mut stale: Vec<_> = component
        .running
        .iter()
        .map(|program| (program, not_installed(component, program)))
        .filter(|(_, reason)| matches!(reason.pending, Pending::Installed | Pending::Unknown))
        .collect();
    stale.sort_by_key(|(_, reason)| reason.pending);
    let ids: BTreeSet<&str> = stale.iter().filter_map(|(program, _)| program.container.as_deref()).collect();
    let count = stale.len();
    let (_, mut worst) = stale.into_iter().next()?;
    if worst.pending == Pending::Installed && count > 1 {
        worst.why = format!("{count} shims are not, or may not be, the installed one");
    }
    let containers = running(views).filter(|view| ids.contains(view.container.id.as_str()));
    let restarted = containers.map(|view| ContainerEffects {
        container: view.reference(),
        effects: vec![Effect {
            kind: EffectKind::Restart,
            reason: "only its own restart loads the installed shim and runtime".to_owned(),
            estimate: Some(restart_alone(&view)),
        }],
    });
    Some(step(Action::RestartContainers, component, worst, restarted.collect(), views))
}

/// A runtime is not in memory between two starts: what is on disk counts, so only an offer is pending.
fn runtime(component: &Component, views: &[&EngineView<'_>]) -> Option<Step> {
    let reason = offered(component)?;
    let unneeded = "the runtime is loaded anew at each start and exec: nothing is restarted";
    Some(step(
        Action::Install,
        component,
        reason,
        every_running(views, || effect(EffectKind::None, unneeded)),
        views,
    ))
}

fn restart_alone(view: &ContainerView<'_>) -> Estimate {
    let (seconds, at_most) = view.restart_seconds();
    let killed = view.obeys_stop_signal() == Some(false);
    Estimate {
        seconds,
        at_most,
        basis: if killed { Basis::Configured } else { Basis::Measured },
        explanation: match killed {
            true => "it does not stop when asked: its stop time-out, then its start".to_owned(),
            false => "a small database with little to write back; one with much takes several times as long"
                .to_owned(),
        },
    }
}

fn step(
    action: Action,
    component: &Component,
    reason: Reason,
    mut containers: Vec<ContainerEffects>,
    views: &[&EngineView<'_>],
) -> Step {
    worst_first(&mut containers);
    Step {
        action,
        layer: Layer::Component { component: component.kind, path: component.path.clone() },
        engine: String::new(),
        pending: reason.pending,
        from: reason.from,
        to: reason.to,
        why: reason.why,
        evidence: reason.evidence,
        containers,
        gaps: unlisted(views),
    }
}

fn every_running(views: &[&EngineView<'_>], effect: impl Fn() -> Effect) -> Vec<ContainerEffects> {
    running(views)
        .map(|view| ContainerEffects { container: view.reference(), effects: vec![effect()] })
        .collect()
}

fn running<'a>(views: &'a [&'a EngineView<'a>]) -> impl Iterator<Item = ContainerView<'a>> {
    views.iter().flat_map(|view| view.running()).copied()
}
