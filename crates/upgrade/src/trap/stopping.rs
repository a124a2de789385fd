//! Traps in how containers stop.

use super::{Found, running};
use crate::live_restore::LiveRestore;
use crate::measured;
use crate::view::{ContainerView, EngineView};

/// A stop time-out in seconds below which a database that has much to write back is killed.
const SHORT_FOR_A_DATABASE: i64 = 60;
/// systemd's default `TimeoutStopSec`, after which it kills dockerd itself.
const SYSTEMD_WAITS: i64 = 90;

pub(super) fn unless_stopped_crash(view: &EngineView<'_>) -> Option<Found> {
    if view.live_restore != LiveRestore::Off {
        return None;
    }
    let affected = running(view, |container| {
        container.restart_policy() == Some("unless-stopped") && !container.is_swarm_task()
    });
    Found::about(
        affected,
        "restart policy unless-stopped without live-restore: an orderly restart of the daemon starts them again, but \
         after a crash, an out-of-memory kill or systemd's stop time-out they are stopped and stay down",
        "enable live-restore, or `docker update --restart always CONTAINER`; both cost nothing",
    )
}

pub(super) fn ignores_sigterm(view: &EngineView<'_>) -> Option<Found> {
    let (slowest, timeout) = view.slowest()?;
    let affected = running(view, |container| container.obeys_stop_signal() == Some(false));
    let everybody = match view.live_restore {
        LiveRestore::On => "their own stop and restart wait for the time-out, then kill them",
        _ => {
            "whenever the daemon stops its containers, all others wait for the slowest of them before they start again"
        }
    };
    Found::about(
        affected,
        format!(
            "the first process does not handle SIGTERM: {everybody} ({timeout} s for {})",
            slowest.container.name
        ),
        "run with --init, start the program with exec, or set its STOPSIGNAL; before a step, `docker stop` these first",
    )
}

pub(super) fn database_stop_timeout(view: &EngineView<'_>) -> Option<Found> {
    let short = |container: &ContainerView<'_>| {
        container.database().is_some()
            && container.stop_timeout().is_some_and(|timeout| timeout < SHORT_FOR_A_DATABASE)
    };
    let affected = running(view, short);
    Found::about(
        affected,
        format!(
            "databases that are killed when they do not stop within {SHORT_FOR_A_DATABASE} s, most by default within \
             10 s: one with much to write back then starts with a crash recovery (measured: {} s instead of 4)",
            measured::CRASH_RECOVERY
        ),
        "stop them yourself with `docker stop -t 300 CONTAINER` before the step; recreate with --stop-timeout 300",
    )
}

pub(super) fn stop_longer_than_systemd_waits(view: &EngineView<'_>) -> Option<Found> {
    let (slowest, timeout) = view.slowest().filter(|(_, timeout)| *timeout >= SYSTEMD_WAITS)?;
    if view.live_restore == LiveRestore::On {
        return None;
    }
    let trap = Found::new(
        format!(
            "{} takes {timeout} s to stop; systemd by default kills the daemon after {SYSTEMD_WAITS} s, which counts \
             as a crash",
            slowest.container.name
        ),
        "stop this container first, or raise TimeoutStopSec= of docker.service",
    );
    Some(Found { containers: vec![slowest.reference()], ..trap })
}
