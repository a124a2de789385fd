//! What makes a step worse than it looks. One function a trap; each names the containers and the way out.

mod containers;
mod daemon;
mod orphan;
mod stopping;

use plimsoll_rules::Evidence;

use crate::view::{ContainerView, EngineView};
use crate::{ContainerRef, Trap};

/// Every trap that is laid on this host.
pub(crate) fn all(views: &[EngineView<'_>]) -> Vec<Trap> {
    let docker = views.iter().filter(|view| view.has_docker_daemon());
    docker
        .flat_map(|view| TRAPS.iter().filter_map(move |(id, find)| Some(find(view)?.named(id, view))))
        .collect()
}

/// The id of every trap that plimsoll knows, in the order of a report.
pub fn trap_ids() -> impl Iterator<Item = &'static str> {
    TRAPS.iter().map(|(id, _)| *id)
}

type Find = fn(&EngineView<'_>) -> Option<Found>;

/// What decides about the whole engine first.
const TRAPS: [(&str, Find); 20] = [
    ("invalid-daemon-configuration", daemon::invalid_configuration),
    ("live-restore-off", daemon::live_restore_off),
    ("live-restore-not-loaded", daemon::live_restore_not_loaded),
    ("live-restore-lost-at-restart", daemon::live_restore_lost_at_restart),
    ("swarm-without-live-restore", daemon::swarm_without_live_restore),
    ("network-options-changed", daemon::network_options_changed),
    ("package-restarts-daemon", daemon::package_restarts_daemon),
    ("containerd-stops-daemon", daemon::containerd_stops_daemon),
    ("unless-stopped-crash", stopping::unless_stopped_crash),
    ("ignores-sigterm", stopping::ignores_sigterm),
    ("database-stop-timeout", stopping::database_stop_timeout),
    ("stop-longer-than-systemd-waits", stopping::stop_longer_than_systemd_waits),
    ("no-restart-policy", containers::no_restart_policy),
    ("removed-when-stopped", containers::removed_when_stopped),
    ("stopped-starts-again", containers::stopped_starts_again),
    ("loopback-published", containers::loopback_published),
    ("embedded-dns", containers::embedded_dns),
    ("host-gateway", containers::host_gateway),
    ("output-may-block", containers::output_may_block),
    ("orphaned-process", orphan::orphaned_process),
];

/// A trap before it is given its name.
struct Found {
    containers: Vec<ContainerRef>,
    message: String,
    remedy: String,
    evidence: Vec<Evidence>,
}

impl Found {
    /// About an engine as a whole.
    fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { containers: Vec::new(), message: message.into(), remedy: remedy.into(), evidence: Vec::new() }
    }

    /// About containers, where there are any.
    fn about(
        containers: Vec<ContainerRef>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Option<Self> {
        (!containers.is_empty()).then(|| Self { containers, ..Self::new(message, remedy) })
    }

    fn named(self, id: &str, view: &EngineView<'_>) -> Trap {
        let Self { containers, message, remedy, evidence } = self;
        Trap {
            id: id.to_owned(),
            engine: view.engine.endpoint.clone(),
            containers,
            message,
            remedy,
            evidence,
        }
    }
}

/// Running containers that meet a condition.
fn running(view: &EngineView<'_>, condition: impl Fn(&ContainerView<'_>) -> bool) -> Vec<ContainerRef> {
    view.running().filter(|container| condition(container)).map(ContainerView::reference).collect()
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{
        Component, ComponentKind, ConfigFile, Container, Fact, Facts, Package, RunningProgram, Setting, Swarm,
    };

    use crate::effects;
    use crate::testing::{Reach, container, facts};

    fn ids(facts: &Facts) -> Vec<String> {
        effects(facts).traps.into_iter().map(|trap| trap.id).collect()
    }

    fn policy(name: &'static str) -> impl FnOnce(&mut Container) {
        move |container| container.declared().host_config.restart_policy = name.into()
    }

    fn loaded(mut facts: Facts) -> Facts {
        facts.engines[0].info.value_mut().unwrap().live_restore = true;
        facts
    }

    fn configured(mut facts: Facts, option: &str) -> Facts {
        facts.engines[0]
            .settings
            .insert(option.into(), Setting { file: Some(true.into()), ..Setting::default() });
        facts
    }

    #[test]
    fn a_database_of_dockers_defaults() {
        assert_eq!(ids(&facts(|_| ())), ["live-restore-off", "database-stop-timeout", "no-restart-policy"]);
    }

    #[test]
    fn a_well_kept_database_has_no_trap_but_the_daemons_own() {
        let it = facts(|c| {
            policy("always")(c);
            c.declared().stop_timeout = Some(300);
        });
        assert_eq!(ids(&configured(loaded(it), "live-restore")), ["output-may-block"]);
    }

    #[test]
    fn a_database_is_known_by_its_program_not_by_its_image() {
        let it = facts(|c| {
            c.declared().image = "postgres:17".into();
            c.init().name = "nginx".into();
        });
        assert!(!ids(&it).contains(&"database-stop-timeout".to_owned()));
        let it = facts(|c| {
            c.init().name = "renamed".into();
            c.init().exe = Some("/usr/lib/postgresql/17/bin/postgres (deleted)".into());
        });
        assert!(ids(&it).contains(&"database-stop-timeout".to_owned()));
    }

    #[test]
    fn live_restore_between_file_and_daemon() {
        let has = |facts: &Facts, id: &str| ids(facts).contains(&id.to_owned());
        assert!(has(&configured(facts(|_| ()), "live-restore"), "live-restore-not-loaded"));
        assert!(has(&loaded(facts(|_| ())), "live-restore-lost-at-restart"));
    }

    #[test]
    fn unless_stopped_is_a_trap_only_without_live_restore() {
        let trap = "unless-stopped-crash".to_owned();
        assert!(ids(&facts(policy("unless-stopped"))).contains(&trap));
        let it = configured(loaded(facts(policy("unless-stopped"))), "live-restore");
        assert!(!ids(&it).contains(&trap));
    }

    #[test]
    fn the_slow_one_is_named() {
        let mut it = facts(policy("always"));
        let mut slow = container("slow");
        slow.init().ignores_sigterm = true;
        slow.declared().stop_timeout = Some(120);
        it.engines[0].containers.value_mut().unwrap().push(slow);
        let traps = effects(&it).traps;
        let named = |id: &str| &traps.iter().find(|trap| trap.id == id).unwrap().containers;
        assert_eq!(named("ignores-sigterm").len(), 1);
        assert_eq!(named("ignores-sigterm")[0].name, "slow");
        assert_eq!(named("stop-longer-than-systemd-waits")[0].name, "slow");
    }

    #[test]
    fn in_a_swarm_live_restore_is_no_remedy() {
        let mut it = facts(|_| ());
        it.engines[0].swarm = Fact::known(Swarm::default(), "GET /info");
        let ids = ids(&it);
        assert!(ids.contains(&"swarm-without-live-restore".to_owned()));
        assert!(!ids.contains(&"live-restore-off".to_owned()));
    }

    #[test]
    fn orphans_are_found_by_process_and_by_shim() {
        let by_process = facts(|c| c.state = "exited".into());
        assert!(ids(&by_process).contains(&"orphaned-process".to_owned()));

        let mut by_shim = facts(|c| {
            c.state = "exited".into();
            c.effective = Fact::absent("not running");
        });
        assert!(!ids(&by_shim).contains(&"orphaned-process".to_owned()));
        by_shim.components = vec![Component {
            kind: ComponentKind::ContainerdShim,
            running: vec![RunningProgram {
                pid: 9,
                container: Some("db-id".into()),
                ..RunningProgram::default()
            }],
            ..Component::default()
        }];
        assert!(ids(&by_shim).contains(&"orphaned-process".to_owned()));
    }

    #[test]
    fn a_broken_file_keeps_the_daemon_from_coming_back() {
        let mut it = facts(|_| ());
        let file = ConfigFile { error: Some("unexpected end".into()), ..ConfigFile::default() };
        it.engines[0].config_file = Fact::known(file, "/etc/docker/daemon.json");
        assert_eq!(ids(&it)[0], "invalid-daemon-configuration");
    }

    #[test]
    fn changed_network_options_matter_with_live_restore() {
        let mut it = configured(loaded(facts(|_| ())), "live-restore");
        let bip = |value: &str| Some(value.into());
        let setting =
            Setting { file: bip("10.9.0.1/24"), loaded: bip("172.17.0.1/16"), ..Setting::default() };
        it.engines[0].settings.insert("bip".into(), setting);
        assert!(ids(&it).contains(&"network-options-changed".to_owned()));
    }

    #[test]
    fn docker_ce_restarts_the_daemon_by_itself() {
        let mut it = facts(|_| ());
        it.components = vec![Component {
            kind: ComponentKind::Dockerd,
            package: Fact::known(Package { name: "docker-ce".into(), ..Package::default() }, "dpkg"),
            candidate: Fact::known("5:29.0.0".into(), "/var/lib/apt/lists"),
            running: vec![RunningProgram { pid: 100, ..RunningProgram::default() }],
            ..Component::default()
        }];
        assert!(ids(&it).contains(&"package-restarts-daemon".to_owned()));
    }

    #[test]
    fn old_units_are_bound_to_containerd() {
        let mut it = facts(|_| ());
        it.components = vec![Component { kind: ComponentKind::Containerd, ..Component::default() }];
        assert!(!ids(&it).contains(&"containerd-stops-daemon".to_owned()));
        it.engines[0].version.value_mut().unwrap().version = "19.03.15".into();
        assert!(ids(&it).contains(&"containerd-stops-daemon".to_owned()));
    }
}
