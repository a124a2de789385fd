//! Traps in the daemon's configuration and packages.

use plimsoll_facts::ComponentKind;
use plimsoll_rules::Evidence;

use super::{Found, running};
use crate::live_restore::LiveRestore;
use crate::view::{EngineView, release};

/// Options that must not change under containers that go on (dockerd's manual, "live restore").
const NETWORK_OPTIONS: [&str; 7] =
    ["bip", "bridge", "default-address-pools", "fixed-cidr", "icc", "iptables", "userland-proxy"];

pub(super) fn invalid_configuration(view: &EngineView<'_>) -> Option<Found> {
    let file = view.engine.config_file.value()?;
    let error = file.error.as_ref()?;
    let trap = Found::new(
        format!("{} is not valid: a daemon that is restarted does not come back", file.path),
        format!(
            "correct the file, and check it with `dockerd --validate --config-file {}` (Docker 23 and later)",
            file.path
        ),
    );
    let evidence = vec![Evidence::new("daemon configuration", error.clone(), file.path.clone())];
    Some(Found { evidence, ..trap })
}

pub(super) fn live_restore_off(view: &EngineView<'_>) -> Option<Found> {
    let count = running(view, |_| true).len();
    if view.live_restore != LiveRestore::Off || view.in_swarm() || view.is_rootless() || count == 0 {
        return None;
    }
    let trap = Found::new(
        format!("live-restore is off: every restart of the daemon stops {} at once", containers(count)),
        format!(
            "first of all set \"live-restore\": true in daemon.json and run `{}`: the running daemon takes it \
             up without a restart, and nothing stops",
            reload(view)
        ),
    );
    let evidence =
        vec![Evidence::new("LiveRestoreEnabled", "false", view.engine.info.source()).expected("true")];
    Some(Found { evidence, ..trap })
}

pub(super) fn live_restore_not_loaded(view: &EngineView<'_>) -> Option<Found> {
    (view.live_restore == LiveRestore::NotLoaded).then(|| {
        Found::new(
            "live-restore is configured, but the running daemon has not loaded it: its next restart still stops \
             every container",
            format!("run `{}` before the restart: nothing stops", reload(view)),
        )
    })
}

pub(super) fn live_restore_lost_at_restart(view: &EngineView<'_>) -> Option<Found> {
    (view.live_restore == LiveRestore::LostAtRestart).then(|| {
        Found::new(
            "the running daemon has live-restore, but the next one comes without: it stops every container that \
             it finds, and those with restart policy unless-stopped stay down",
            "set \"live-restore\": true in daemon.json before the restart",
        )
    })
}

pub(super) fn swarm_without_live_restore(view: &EngineView<'_>) -> Option<Found> {
    view.in_swarm().then(|| {
        Found::new(
            "a swarm and live-restore exclude each other: a restart of the daemon stops this node's containers",
            "`docker node update --availability drain NODE` moves the tasks to other nodes first; containers that \
             are no tasks stop",
        )
    })
}

pub(super) fn network_options_changed(view: &EngineView<'_>) -> Option<Found> {
    let changed: Vec<_> = NETWORK_OPTIONS
        .into_iter()
        .filter_map(|name| {
            let setting = view.engine.settings.get(name)?;
            let (next, loaded) = (setting.flag.as_ref().or(setting.file.as_ref())?, setting.loaded.as_ref()?);
            let evidence = || {
                Evidence::new(name, next.to_string(), "daemon configuration")
                    .expected(format!("{loaded} (loaded)"))
            };
            (next != loaded).then(evidence)
        })
        .collect();
    if changed.is_empty() || view.live_restore != LiveRestore::On {
        return None;
    }
    let trap = Found::new(
        "network options of the daemon were changed since it started: a restart with live-restore takes them up \
         under containers that still use the old ones",
        "undo the change, or stop the containers for this restart",
    );
    Some(Found { evidence: changed, ..trap })
}

/// docker-ce restarts the daemon from its package scripts; docker.io of Debian and Ubuntu does not.
pub(super) fn package_restarts_daemon(view: &EngineView<'_>) -> Option<Found> {
    let (daemon, _) = view.daemon_program()?;
    let package = daemon.package.value().filter(|package| package.name == "docker-ce")?;
    let candidate = daemon.candidate.value()?;
    let trap = Found::new(
        "installing the offered docker-ce restarts the daemon at once: the upgrade itself is the outage",
        "`apt-mark hold docker-ce` (or versionlock) until the window for the restart",
    );
    let evidence = vec![
        Evidence::new("version of docker-ce on offer", candidate.clone(), daemon.candidate.source())
            .expected(format!("{} (installed)", package.version)),
    ];
    Some(Found { evidence, ..trap })
}

/// Docker's unit bound itself to containerd's until 20.10: a restart of containerd stopped dockerd for good.
pub(super) fn containerd_stops_daemon(view: &EngineView<'_>) -> Option<Found> {
    let version = view.engine.version.value()?;
    let (major, ..) = release(&version.version)?;
    let separate = view.facts.components.iter().any(|component| component.kind == ComponentKind::Containerd);
    if !(17..20).contains(&major) || !separate {
        return None;
    }
    let trap = Found::new(
        "units of Docker before 20.10 are bound to containerd's: a restart of containerd, by its package too, may \
         stop the daemon and leave it stopped",
        "look for BindsTo= in `systemctl cat docker`; after a restart of containerd, `systemctl start docker`",
    );
    Some(Found {
        evidence: vec![
            Evidence::new("version of the engine", version.version.clone(), view.engine.version.source())
                .expected("20.10 or later"),
        ],
        ..trap
    })
}

fn reload(view: &EngineView<'_>) -> String {
    match view.engine.daemon.value() {
        Some(daemon) => format!("kill -HUP {}", daemon.pid),
        None => "systemctl reload docker".to_owned(),
    }
}

fn containers(count: usize) -> String {
    if count == 1 {
        "the one running container".to_owned()
    } else {
        format!("all {count} running containers")
    }
}
