//! The daemon of each engine: its restart, and what a crash would do.

use plimsoll_facts::{Component, ComponentKind};

use super::{Reason, reason, unlisted};
use crate::outcome::outcomes;
use crate::restart_policy::Event;
use crate::view::EngineView;
use crate::{Action, Layer, Pending, Step};

pub(super) fn steps(views: &[EngineView<'_>]) -> Vec<Step> {
    views
        .iter()
        .filter(|view| view.has_docker_daemon())
        .flat_map(|view| [restart(view), crash(view)])
        .collect()
}

fn restart(view: &EngineView<'_>) -> Step {
    let reason = why_restart(view);
    Step {
        action: Action::RestartEngine,
        layer: layer(view),
        engine: view.engine.endpoint.clone(),
        pending: reason.pending,
        from: reason.from.or_else(|| view.engine.version.value().map(|version| version.version.clone())),
        to: reason.to,
        why: reason.why,
        evidence: reason.evidence,
        containers: outcomes(view, Event::Restart),
        gaps: unlisted(&[view]),
    }
}

fn crash(view: &EngineView<'_>) -> Step {
    Step {
        action: Action::EngineCrash,
        layer: layer(view),
        engine: view.engine.endpoint.clone(),
        pending: Pending::No,
        from: None,
        to: None,
        why: "if the daemon crashes or is killed: out of memory, or systemd's stop time-out".to_owned(),
        evidence: Vec::new(),
        containers: outcomes(view, Event::Crash),
        gaps: unlisted(&[view]),
    }
}

/// The daemon itself, its proxies, and a containerd that it started: all are renewed by its restart.
fn why_restart(view: &EngineView<'_>) -> Reason {
    let Some((daemon, program)) = view.daemon_program() else {
        return Reason {
            pending: Pending::Unknown,
            from: None,
            to: None,
            why: match view.engine.daemon.get() {
                Err(gap) => format!("the daemon's process could not be looked at: {}", gap.reason),
                Ok(_) => "the daemon's program was not found on this host".to_owned(),
            },
            evidence: Vec::new(),
        };
    };
    let children = view.facts.components.iter().flat_map(|component| {
        let children = component.running.iter().filter(move |child| child.parent == program.pid);
        children.filter(|_| renewed_with_daemon(component)).map(move |child| reason(component, child))
    });
    let mut all: Vec<_> = std::iter::once(reason(daemon, program)).chain(children).collect();
    all.sort_by_key(|reason| reason.pending);
    let mut worst = all.swap_remove(0);
    if worst.pending == Pending::Installed && package_name(daemon) == Some("docker.io") {
        worst.why.push_str("; the docker.io package does not restart it");
    }
    worst
}

fn renewed_with_daemon(component: &Component) -> bool {
    matches!(component.kind, ComponentKind::DockerProxy | ComponentKind::Containerd)
}

fn package_name(component: &Component) -> Option<&str> {
    component.package.value().map(|package| package.name.as_str())
}

fn layer(view: &EngineView<'_>) -> Layer {
    let path = view.daemon_program().map(|(component, _)| component.path.clone());
    let exe = || view.engine.daemon.value().map(|daemon| daemon.exe.clone());
    Layer::Component { component: ComponentKind::Dockerd, path: path.or_else(exe).unwrap_or_default() }
}
