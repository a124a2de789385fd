//! What becomes of a container when its daemon, or its host, goes away and comes back. Every row was tried on
//! Docker 20.10 and 28.5.

use crate::live_restore::LiveRestore;

/// How the daemon goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It is restarted in an orderly way.
    Restart,
    /// It is killed, or crashes, and is started again.
    Crash,
    /// The host is shut down in an orderly way and boots.
    Reboot,
}

/// What becomes of a container that ran.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    /// It goes on.
    Survives,
    /// It stops, and starts again.
    Restarts,
    /// It stops and stays down, and why.
    StaysDown(&'static str),
    /// Cannot be told, and why.
    Unknown(String),
}

const NO_POLICY: &str = "has no restart policy: nobody starts it again";
const ON_FAILURE: &str = "restart policy on-failure: it starts again only if it exits with an error when it is asked to \
                          stop, and nobody knows that before";
const UNLESS_STOPPED: &str = "restart policy unless-stopped: when the daemon starts without live-restore and finds \
                              the container running, it stops it and counts it as stopped by hand";

/// The fate of a running container with this restart policy (`HostConfig.RestartPolicy.Name`). `killed`: it does
/// not obey its stop signal, so that it exits with an error.
pub(crate) fn fate(policy: &str, event: Event, live_restore: &LiveRestore, killed: bool) -> Fate {
    // The daemon finds the container still running and stops it because it may not keep it.
    let stopped_at_start = match (event, live_restore) {
        (Event::Restart | Event::Crash, LiveRestore::Unknown(gap)) => {
            return Fate::Unknown(format!("live-restore could not be read: {}", gap.reason));
        }
        (Event::Restart | Event::Crash, LiveRestore::On) | (Event::Crash, LiveRestore::NotLoaded) => {
            return Fate::Survives;
        }
        (Event::Restart | Event::Crash, LiveRestore::LostAtRestart) | (Event::Crash, LiveRestore::Off) => {
            true
        }
        (Event::Restart, LiveRestore::Off | LiveRestore::NotLoaded) | (Event::Reboot, _) => false,
    };
    // With live-restore a shutdown of the host takes the processes away unseen: the engine counts that as an error.
    let died_unseen =
        event == Event::Reboot && matches!(live_restore, LiveRestore::On | LiveRestore::LostAtRestart);
    match policy {
        "" | "no" => Fate::StaysDown(NO_POLICY),
        "always" => Fate::Restarts,
        "unless-stopped" if stopped_at_start => Fate::StaysDown(UNLESS_STOPPED),
        "unless-stopped" => Fate::Restarts,
        "on-failure" if killed || died_unseen => Fate::Restarts,
        "on-failure" => Fate::Unknown(ON_FAILURE.to_owned()),
        other => Fate::Unknown(format!("restart policy {other:?} is not known to plimsoll")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Down, up again, or goes on, for no / on-failure / always / unless-stopped; the container obeys SIGTERM.
    fn row(event: Event, live_restore: &LiveRestore) -> String {
        ["no", "on-failure", "always", "unless-stopped"]
            .map(|policy| match fate(policy, event, live_restore, false) {
                Fate::Survives => "goes-on",
                Fate::Restarts => "up",
                Fate::StaysDown(_) => "down",
                Fate::Unknown(_) => "unknown",
            })
            .join(" ")
    }

    #[test]
    fn the_measured_matrix() {
        use Event::{Crash, Reboot, Restart};
        use LiveRestore::{LostAtRestart, NotLoaded, Off, On};
        assert_eq!(row(Restart, &Off), "down unknown up up");
        assert_eq!(row(Crash, &Off), "down unknown up down");
        assert_eq!(row(Crash, &On), "goes-on goes-on goes-on goes-on");
        assert_eq!(row(Restart, &On), "goes-on goes-on goes-on goes-on");
        assert_eq!(row(Restart, &LostAtRestart), "down unknown up down");
        assert_eq!(row(Restart, &NotLoaded), "down unknown up up");
        assert_eq!(row(Reboot, &On), "down up up up");
        assert_eq!(row(Reboot, &Off), "down unknown up up");
    }

    #[test]
    fn a_killed_container_counts_as_failed() {
        assert_eq!(fate("on-failure", Event::Restart, &LiveRestore::Off, true), Fate::Restarts);
    }
}
