//! Traps in how containers were started.

use super::{Found, running};
use crate::live_restore::LiveRestore;
use crate::view::{ContainerView, EngineView, LoopbackClients};

pub(super) fn no_restart_policy(view: &EngineView<'_>) -> Option<Found> {
    let affected = running(view, |container| {
        matches!(container.restart_policy(), Some("" | "no"))
            && !removed(container)
            && !container.is_swarm_task()
    });
    Found::about(
        affected,
        "no restart policy: these stay down after a reboot, and after every stop of the daemon without live-restore",
        "`docker update --restart unless-stopped CONTAINER` (with live-restore; else always) costs nothing; or write \
         down to start them by hand",
    )
}

pub(super) fn removed_when_stopped(view: &EngineView<'_>) -> Option<Found> {
    let even_so = match view.removes_what_live_restore_kept() {
        true => "; with this Docker, a start of the daemon does so too, even with live-restore (moby #46308)",
        false => "",
    };
    Found::about(
        running(view, removed),
        format!(
            "run with --rm: whatever stops them also removes them, with the data in their anonymous volumes{even_so}"
        ),
        "save what they hold before the step; recreate what must last without --rm and with a named volume",
    )
}

pub(super) fn stopped_starts_again(view: &EngineView<'_>) -> Option<Found> {
    let stopped = view.containers.iter().filter(|view| view.container.state == "exited");
    let affected =
        stopped.filter(|view| view.restart_policy() == Some("always")).map(ContainerView::reference);
    Found::about(
        affected.collect(),
        "stopped by hand, but restart policy always: the daemon starts these again whenever it starts",
        "`docker update --restart no CONTAINER`, or remove them",
    )
}

pub(super) fn loopback_published(view: &EngineView<'_>) -> Option<Found> {
    if view.live_restore == LiveRestore::Off {
        return None;
    }
    let affected =
        running(view, |container| matches!(container.loopback_clients(), Some(LoopbackClients::All { .. })));
    Found::about(
        affected,
        "published on the host's loopback address only: live-restore does not save these connections, they run \
         through docker-proxy, which dies with the daemon",
        "let clients reconnect, or let them use the container's own address or a port on another address of the host",
    )
}

pub(super) fn embedded_dns(view: &EngineView<'_>) -> Option<Found> {
    if view.live_restore == LiveRestore::Off {
        return None;
    }
    Found::about(
        running(view, |container| container.embedded_dns().is_some()),
        "on networks that resolve names through the daemon (compose's default): programs that connect anew for each \
         request fail as long as the daemon is away; open connections stay. Live-restore does not change that",
        "keep the daemon's absence short; let programs keep their connections or try again",
    )
}

/// How much a container writes is not among the facts.
pub(super) fn output_may_block(view: &EngineView<'_>) -> Option<Found> {
    if view.live_restore == LiveRestore::Off {
        return None;
    }
    let logged = |container: &ContainerView<'_>| {
        container.declared().is_some_and(|declared| declared.host_config.log_driver != "none")
    };
    Found::about(
        running(view, logged),
        "their output is collected by the daemon: one that writes more than 64 KiB while the daemon is away waits \
         until it is back. How much they write is not known",
        "quiet a container that logs more than some 30 KB a second before the step",
    )
}

pub(super) fn host_gateway(view: &EngineView<'_>) -> Option<Found> {
    if view.live_restore == LiveRestore::Off {
        return None;
    }
    let uses_it = |container: &ContainerView<'_>| {
        let hosts = container.declared().map(|declared| declared.host_config.extra_hosts.as_slice());
        hosts.unwrap_or_default().iter().any(|host| host.ends_with("host-gateway"))
    };
    Found::about(
        running(view, uses_it),
        "use host-gateway: after a restart of the daemon with live-restore, `docker network connect` fails for them \
         (an open bug of Docker 29, moby #53089)",
        "set \"host-gateway-ips\" in daemon.json, or restart these containers where a network has to be added",
    )
}

fn removed(container: &ContainerView<'_>) -> bool {
    container.declared().is_some_and(|declared| declared.host_config.auto_remove)
}
