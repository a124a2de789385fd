//! Numbers behind the estimates, in seconds. All were measured with a small MariaDB on a busy 2-core virtual
//! machine, writing every 10 ms through each route; docs/upgrade-effects.md tells how. They give the order of
//! magnitude, not a promise.

/// Clients of docker-proxy during a restart of dockerd with live-restore (median of five).
pub(crate) const LOOPBACK_CUT: f64 = 1.3;
/// The same when dockerd crashed: systemd waits two seconds before it starts the daemon again (`RestartSec=2` in
/// the packaged unit).
pub(crate) const LOOPBACK_CUT_AFTER_CRASH: f64 = LOOPBACK_CUT + 2.0;
/// A database during a restart of dockerd without live-restore, when everything stops at once (median of five).
pub(crate) const RESTART_WITH_ENGINE: f64 = 2.6;
/// What the same restart takes beyond the slowest stop time-out on the engine.
pub(crate) const RESTART_BEYOND_TIMEOUT: f64 = 3.2;
/// Stopping and starting one container that obeys SIGTERM (median of five).
pub(crate) const RESTART_ALONE: f64 = 1.1;
/// What a restart of one container takes beyond its stop time-out where it has to be killed.
pub(crate) const START_ALONE: f64 = 1.0;
/// A reboot of a virtual machine until containers start. Not measured: servers that check their hardware need
/// several minutes.
pub(crate) const BOOT: f64 = 60.0;
/// Crash recovery of the database after SIGKILL.
pub(crate) const CRASH_RECOVERY: f64 = 18.0;
