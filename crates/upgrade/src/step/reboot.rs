//! The reboot: whether the kernel, or the distribution, asks for one, and what it does to every container.

use plimsoll_facts::{Facts, InstalledKernel, RunningKernel};
use plimsoll_rules::Evidence;

use super::{Reason, unlisted};
use crate::outcome::{outcomes, worst_first};
use crate::restart_policy::Event;
use crate::version::is_newer;
use crate::view::EngineView;
use crate::{Action, Layer, Pending, Step};

pub(super) fn step(facts: &Facts, views: &[EngineView<'_>]) -> Step {
    let reason = why(facts);
    let mut containers: Vec<_> = views.iter().flat_map(|view| outcomes(view, Event::Reboot)).collect();
    worst_first(&mut containers);
    Step {
        action: Action::Reboot,
        layer: Layer::Kernel,
        engine: String::new(),
        pending: reason.pending,
        from: reason.from,
        to: reason.to,
        why: reason.why,
        evidence: reason.evidence,
        containers,
        gaps: unlisted(&views.iter().collect::<Vec<_>>()),
    }
}

fn why(facts: &Facts) -> Reason {
    let kernel = &facts.host.kernel;
    let running = kernel.running.value();
    let from = running.map(|running| running.release.clone());
    let newest = kernel.installed.value().and_then(|installed| installed.first());
    if let (Some(running), Some(newest)) = (running, newest)
        && replaces(newest, running)
    {
        return newer_kernel(facts, running, newest);
    }
    if let Some(packages) = facts.host.reboot_required.value() {
        let named = if packages.is_empty() { "no package named".to_owned() } else { packages.join(", ") };
        return Reason {
            pending: Pending::Installed,
            from,
            to: None,
            why: format!("the distribution asks for a reboot ({named})"),
            evidence: vec![Evidence::new("reboot required", named, facts.host.reboot_required.source())],
        };
    }
    let missing =
        [kernel.running.require().err(), kernel.installed.require().err()].into_iter().flatten().next();
    match (missing, newest) {
        (Some(gap), _) => Reason {
            pending: Pending::Unknown,
            from,
            to: None,
            why: format!(
                "whether a newer kernel is installed could not be told: {}: {}",
                gap.source, gap.reason
            ),
            evidence: Vec::new(),
        },
        (None, None) => Reason {
            pending: Pending::Unknown,
            from,
            to: None,
            why: "no kernel is installed on this host, so what it would boot is not known".to_owned(),
            evidence: Vec::new(),
        },
        (None, Some(newest)) => Reason {
            pending: Pending::No,
            from,
            to: None,
            why: "if the host is rebooted; no newer kernel is installed than runs".to_owned(),
            evidence: vec![Evidence::new(
                "newest installed kernel",
                newest.release.clone(),
                newest.path.clone(),
            )],
        },
    }
}

fn newer_kernel(facts: &Facts, running: &RunningKernel, newest: &InstalledKernel) -> Reason {
    let patched =
        facts.host.kernel.livepatches.value().is_some_and(|all| all.values().any(|enabled| *enabled));
    let mut why = "a newer kernel is installed than runs".to_owned();
    if patched {
        why.push_str("; live patches cover some of its fixes until the reboot");
    }
    let build = newest.build.clone().unwrap_or_else(|| newest.release.clone());
    Reason {
        pending: Pending::Installed,
        from: Some(running.release.clone()),
        to: Some(newest.release.clone()),
        why,
        evidence: vec![
            Evidence::new("newest installed kernel", build, newest.path.clone())
                .expected(format!("{} {} (running)", running.release, running.build)),
        ],
    }
}

/// A newer release, or another build of the same one: security updates often keep the release.
fn replaces(newest: &InstalledKernel, running: &RunningKernel) -> bool {
    if newest.release != running.release {
        return is_newer(&newest.release, &running.release);
    }
    newest.build.as_ref().is_some_and(|build| {
        !running.build.is_empty()
            && !build.contains(&running.build)
            && !running.build.contains(build.as_str())
    })
}
