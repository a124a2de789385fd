//! What the daemon's restart, its crash, or a reboot of the host does to each container of an engine.

use crate::live_restore::LiveRestore;
use crate::restart_policy::{Event, Fate, fate};
use crate::view::{ContainerView, EngineView, LoopbackClients, seconds};
use crate::{Basis, ContainerEffects, Effect, EffectKind, Estimate, measured};

/// The effects on every container that has any part in the event, worst first.
pub(crate) fn outcomes(view: &EngineView<'_>, event: Event) -> Vec<ContainerEffects> {
    let mut all: Vec<_> = view
        .containers
        .iter()
        .filter_map(|container| {
            let mut effects = match container.container.is_running() {
                true => running(view, container, event),
                false => vec![stopped(container)?],
            };
            effects.sort_by_key(|effect| effect.kind);
            Some(ContainerEffects { container: container.reference(), effects })
        })
        .collect();
    worst_first(&mut all);
    all
}

/// Sorts containers by their worst effect, then by name.
pub(crate) fn worst_first(containers: &mut [ContainerEffects]) {
    containers.sort_by(|a, b| a.worst().cmp(&b.worst()).then_with(|| a.container.cmp(&b.container)));
}

/// A container that does not run takes part only where the daemon starts it although a person stopped it.
fn stopped(container: &ContainerView<'_>) -> Option<Effect> {
    let starts = container.container.state == "exited" && container.restart_policy() == Some("always");
    starts.then(|| {
        effect(
            EffectKind::Starts,
            "restart policy always: the daemon starts it although it was stopped by hand",
        )
    })
}

fn running(view: &EngineView<'_>, container: &ContainerView<'_>, event: Event) -> Vec<Effect> {
    if let Some(unknown) = not_modelled(view, container, event) {
        return vec![unknown];
    }
    let declared = match container.container.declared.require() {
        Ok(declared) => declared,
        Err(gap) => {
            return vec![effect(
                EffectKind::Unknown,
                format!("its settings could not be read: {}", gap.reason),
            )];
        }
    };
    if container.is_swarm_task() {
        return vec![Effect {
            kind: EffectKind::Restart,
            reason: "a task of the swarm: it stops, and the swarm starts another in its place".to_owned(),
            estimate: Some(down_for(view, event)),
        }];
    }
    let killed = container.obeys_stop_signal() == Some(false);
    let mut effects = Vec::new();
    match fate(&declared.host_config.restart_policy, event, &view.live_restore, killed) {
        Fate::Survives if declared.host_config.auto_remove && view.removes_what_live_restore_kept() => {
            let reason = "runs with --rm: Docker 20.10 to 24.0.7 removes it when the daemon starts, although \
                          live-restore kept it running";
            return vec![effect(EffectKind::Removed, reason)];
        }
        Fate::Survives => return survives(container, event),
        Fate::Unknown(why) => return vec![effect(EffectKind::Unknown, why)],
        _ if declared.host_config.auto_remove => effects.push(effect(
            EffectKind::Removed,
            "runs with --rm: when it stops, it is removed with its anonymous volumes",
        )),
        Fate::StaysDown(why) => effects.push(effect(EffectKind::StaysDown, why)),
        Fate::Restarts => effects.push(Effect {
            kind: EffectKind::Restart,
            reason: format!(
                "stops, and its restart policy ({}) starts it again",
                declared.host_config.restart_policy
            ),
            estimate: Some(down_for(view, event)),
        }),
    }
    if killed {
        effects.push(killed_after_timeout(container));
    }
    effects
}

fn not_modelled(view: &EngineView<'_>, container: &ContainerView<'_>, event: Event) -> Option<Effect> {
    if !view.has_docker_daemon() {
        let policy = container.restart_policy().unwrap_or_default();
        return Some(match policy {
            "" | "no" => effect(
                EffectKind::StaysDown,
                "has no restart policy: only a systemd unit (quadlet) of its own would start it again",
            ),
            _ => effect(
                EffectKind::Unknown,
                "podman starts it again only where podman-restart.service is enabled, which was not looked at",
            ),
        });
    }
    // An orderly stop is the daemon's own work, rootless or not.
    let stops_them = matches!(view.live_restore, LiveRestore::Off | LiveRestore::NotLoaded);
    let modelled = !view.is_rootless() || (event == Event::Restart && stops_them);
    (!modelled).then(|| {
        let why = match event {
            Event::Reboot => "rootless: starts again only where lingering is enabled for the user (loginctl(1))",
            Event::Restart | Event::Crash => {
                "rootless: what becomes of containers without their daemon and RootlessKit's network was not measured"
            }
        };
        effect(EffectKind::Unknown, why)
    })
}

/// What still breaks for a container that goes on while its daemon is away.
fn survives(container: &ContainerView<'_>, event: Event) -> Vec<Effect> {
    let away = || Estimate {
        seconds: match event {
            Event::Crash => measured::LOOPBACK_CUT_AFTER_CRASH,
            Event::Restart | Event::Reboot => measured::LOOPBACK_CUT,
        },
        at_most: None,
        basis: match event {
            Event::Crash => Basis::Assumed,
            Event::Restart | Event::Reboot => Basis::Measured,
        },
        explanation: "as long as the daemon is away".to_owned(),
    };
    let mut effects = Vec::new();
    if container.declared().is_some_and(|declared| !declared.execs.is_empty()) {
        effects.push(effect(
            EffectKind::CutExec,
            "docker exec sessions lose their client; their processes may stay",
        ));
    }
    if let Some(clients) = container.loopback_clients() {
        let reason = match clients {
            LoopbackClients::All { port } => format!(
                "published on the host's loopback address only (port {port}): docker-proxy dies with the daemon, and \
                 every client is cut"
            ),
            LoopbackClients::OnHost { port } => format!(
                "clients on the host that use 127.0.0.1:{port} come through docker-proxy, which dies with the daemon; \
                 others are not cut"
            ),
        };
        effects.push(Effect { kind: EffectKind::CutLoopback, reason, estimate: Some(away()) });
    }
    if let Some(network) = container.embedded_dns() {
        let reason = format!(
            "names on network {network} are resolved by the daemon: new connections by name fail, open ones stay"
        );
        effects.push(Effect { kind: EffectKind::CutDns, reason, estimate: Some(away()) });
    }
    if effects.is_empty() {
        effects.push(effect(EffectKind::None, "live-restore: goes on while the daemon is away"));
    }
    effects
}

fn killed_after_timeout(container: &ContainerView<'_>) -> Effect {
    let timeout = container.stop_timeout().map(seconds);
    let reason = match (container.database(), timeout) {
        (Some(database), Some(timeout)) => format!(
            "its first process does not handle SIGTERM: killed after {timeout} s, and {} has to recover from a crash \
             when it starts",
            database.name
        ),
        (None, Some(timeout)) => {
            format!("its first process does not handle SIGTERM: killed after {timeout} s")
        }
        (_, None) => "its first process does not handle SIGTERM, and its stop time-out has no end".to_owned(),
    };
    let estimate = timeout.map(|timeout| Estimate {
        seconds: timeout,
        at_most: Some(timeout),
        basis: Basis::Configured,
        explanation: "its stop time-out".to_owned(),
    });
    Effect { kind: EffectKind::Killed, reason, estimate }
}

/// How long a container is away that stops with all others and starts with them.
fn down_for(view: &EngineView<'_>, event: Event) -> Estimate {
    let boot = match event {
        Event::Reboot => measured::BOOT,
        Event::Restart | Event::Crash => 0.0,
    };
    let beyond = measured::RESTART_BEYOND_TIMEOUT;
    // With live-restore the daemon does not stop containers when the host goes down: systemd does, in its own time.
    let daemon_stops_them =
        event != Event::Reboot || matches!(view.live_restore, LiveRestore::Off | LiveRestore::NotLoaded);
    let slowest = view.slowest().filter(|_| daemon_stops_them);
    let (stop_and_start, mut explanation) = match slowest {
        Some((slowest, timeout)) => (
            seconds(timeout) + beyond,
            format!(
                "{timeout} s until {}, which does not stop when asked, is killed; then {beyond} s",
                slowest.container.name
            ),
        ),
        None => (measured::RESTART_WITH_ENGINE, "no container is known to ignore its stop signal".to_owned()),
    };
    if event == Event::Reboot {
        explanation =
            format!("{boot} s to boot, several minutes where the hardware is checked; {explanation}");
    }
    Estimate {
        seconds: boot + stop_and_start,
        at_most: match event {
            Event::Reboot => None,
            Event::Restart | Event::Crash => view.longest_stop().map(|longest| seconds(longest) + beyond),
        },
        basis: match (event, slowest) {
            (Event::Reboot | Event::Crash, _) => Basis::Assumed,
            (Event::Restart, Some(_)) => Basis::Configured,
            (Event::Restart, None) => Basis::Measured,
        },
        explanation,
    }
}

pub(crate) fn effect(kind: EffectKind, reason: impl Into<String>) -> Effect {
    Effect { kind, reason: reason.into(), estimate: None }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Container, Endpoint, ExecSession, Fact, Facts, PublishedPort, Setting, Swarm};

    use super::*;
    use crate::testing::{Reach, container, facts};

    fn outcome_of(facts: &Facts, event: Event, name: &str) -> Vec<Effect> {
        let view = EngineView::new(facts, &facts.engines[0]);
        let all = outcomes(&view, event);
        all.into_iter().find(|one| one.container.name == name).expect("has a part in the event").effects
    }

    fn kinds(facts: &Facts, event: Event) -> Vec<EffectKind> {
        outcome_of(facts, event, "db").iter().map(|effect| effect.kind).collect()
    }

    fn with_live_restore(change: impl FnOnce(&mut Container)) -> Facts {
        let mut facts = facts(change);
        let engine = &mut facts.engines[0];
        engine.info.value_mut().unwrap().live_restore = true;
        engine
            .settings
            .insert("live-restore".into(), Setting { file: Some(true.into()), ..Setting::default() });
        facts
    }

    fn unless_stopped(container: &mut Container) {
        container.declared().host_config.restart_policy = "unless-stopped".into();
    }

    #[test]
    fn with_live_restore_a_restart_disturbs_nobody() {
        assert_eq!(kinds(&with_live_restore(|_| ()), Event::Restart), [EffectKind::None]);
    }

    #[test]
    fn with_live_restore_proxies_names_and_exec_clients_are_cut() {
        let it = with_live_restore(|c| {
            let declared = c.declared();
            declared.networks.insert("shop_default".into(), Endpoint::default());
            declared.execs.push(ExecSession::default());
            declared.ports.push(PublishedPort {
                host_address: "127.0.0.1".into(),
                host_port: 3306,
                ..PublishedPort::default()
            });
        });
        use EffectKind::{CutDns, CutExec, CutLoopback};
        assert_eq!(kinds(&it, Event::Restart), [CutExec, CutLoopback, CutDns]);
    }

    #[test]
    fn without_docker_proxy_loopback_clients_are_not_cut() {
        let mut it = with_live_restore(|c| c.declared().ports.push(PublishedPort::default()));
        assert_eq!(kinds(&it, Event::Restart), [EffectKind::CutLoopback]);
        let off = Setting { loaded: Some(false.into()), ..Setting::default() };
        it.engines[0].settings.insert("userland-proxy".into(), off);
        assert_eq!(kinds(&it, Event::Restart), [EffectKind::None]);
    }

    #[test]
    fn unless_stopped_comes_back_from_a_restart_but_not_from_a_crash() {
        let it = facts(unless_stopped);
        assert_eq!(kinds(&it, Event::Restart), [EffectKind::Restart]);
        assert_eq!(kinds(&it, Event::Crash), [EffectKind::StaysDown]);
        assert_eq!(kinds(&it, Event::Reboot), [EffectKind::Restart]);
    }

    #[test]
    fn one_that_ignores_sigterm_keeps_the_database_waiting() {
        let mut it = facts(unless_stopped);
        let mut slow = container("slow");
        slow.init().ignores_sigterm = true;
        it.engines[0].containers.value_mut().unwrap().push(slow);
        let db = outcome_of(&it, Event::Restart, "db");
        let estimate = db[0].estimate.as_ref().expect("it comes back");
        assert_eq!((estimate.seconds, estimate.at_most), (13.2, Some(13.2)));
        assert_eq!(estimate.basis, Basis::Configured);
        assert!(estimate.explanation.contains("slow"));
        let slow: Vec<_> = outcome_of(&it, Event::Restart, "slow").iter().map(|effect| effect.kind).collect();
        assert_eq!(slow, [EffectKind::StaysDown, EffectKind::Killed]);
    }

    #[test]
    fn a_stop_signal_of_its_own_does_not_count_as_ignoring_sigterm() {
        let it = facts(|c| {
            unless_stopped(c);
            c.init().ignores_sigterm = true;
            c.declared().stop_signal = Some("SIGQUIT".into());
        });
        assert_eq!(kinds(&it, Event::Restart), [EffectKind::Restart]);
    }

    #[test]
    fn rm_means_removed() {
        let it = facts(|c| c.declared().host_config.auto_remove = true);
        assert_eq!(kinds(&it, Event::Restart), [EffectKind::Removed]);
    }

    #[test]
    fn before_24_0_8_rm_means_removed_even_with_live_restore() {
        let mut it = with_live_restore(|c| c.declared().host_config.auto_remove = true);
        for (version, wanted) in [
            ("19.03.15", EffectKind::None),
            ("20.10.24+dfsg1", EffectKind::Removed),
            ("24.0.7", EffectKind::Removed),
            ("24.0.8", EffectKind::None),
            ("28.5.2", EffectKind::None),
            ("dev", EffectKind::None),
        ] {
            it.engines[0].version.value_mut().unwrap().version = version.into();
            assert_eq!(kinds(&it, Event::Restart), [wanted], "{version}");
            assert_eq!(kinds(&it, Event::Reboot), [EffectKind::Removed], "{version}");
        }
    }

    #[test]
    fn a_stopped_container_with_policy_always_starts() {
        let it = with_live_restore(|c| {
            c.state = "exited".into();
            c.declared().host_config.restart_policy = "always".into();
        });
        assert_eq!(kinds(&it, Event::Restart), [EffectKind::Starts]);
    }

    #[test]
    fn tasks_of_a_swarm_are_started_elsewhere_or_anew() {
        let mut it = facts(|c| {
            c.declared().labels.insert("com.docker.swarm.task.id".into(), "t".into());
        });
        assert_eq!(kinds(&it, Event::Restart), [EffectKind::StaysDown], "a label alone makes no task");
        it.engines[0].swarm = Fact::known(Swarm::default(), "GET /info");
        assert_eq!(kinds(&it, Event::Restart), [EffectKind::Restart]);
    }

    #[test]
    fn what_cannot_be_read_is_unknown_with_the_reason() {
        let mut it = facts(unless_stopped);
        it.engines[0].info = Fact::unreadable("GET /info", "the engine closed the connection");
        let effects = outcome_of(&it, Event::Restart, "db");
        assert_eq!(effects[0].kind, EffectKind::Unknown);
        assert!(effects[0].reason.contains("the engine closed the connection"));

        let it = facts(|c| c.declared = Fact::unreadable("GET /containers/db/json", "vanished"));
        let effects = outcome_of(&it, Event::Reboot, "db");
        assert_eq!(effects[0].kind, EffectKind::Unknown);
        assert!(effects[0].reason.contains("vanished"));
    }

    #[test]
    fn rootless_is_not_modelled() {
        let mut it = with_live_restore(|_| ());
        it.engines[0].daemon.value_mut().unwrap().in_user_namespace = Some(true);
        assert_eq!(kinds(&it, Event::Restart), [EffectKind::Unknown]);
    }
}
