//! Who serves an engine's socket: found from the kernel's tables, never by a name.

use std::path::Path;

use plimsoll_facts::Daemon;
use rustix::fs::Timespec;
use rustix::net::sockopt::socket_peercred;
use rustix::time::{ClockId, clock_gettime};

use super::kernel::Kernel;
use super::socket_file::SocketFile;
use super::transport::connect_unix;
use super::withheld;
use crate::procs::{self, PidDir};

/// The initial user namespace has this number on every Linux (`PROC_USER_INIT_INO` of `linux/proc_ns.h`).
const INITIAL_USER_NAMESPACE: u64 = 0xefff_fffd;
/// Longest command line or environment that is read.
const MAX_ARGUMENTS: usize = 2 << 20;
/// Longest `/proc/PID/status` and `/proc/PID/stat`.
const MAX_STATUS: usize = 64 << 10;

/// A daemon, and what is needed of it but written down nowhere.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) daemon: Daemon,
    /// When it started, in nanoseconds since the Unix epoch.
    pub(super) started_ns: Option<i128>,
    /// The user's configuration directory, for an engine without root (`$XDG_CONFIG_HOME`, else `~/.config`).
    pub(super) user_config: Option<String>,
}

/// The listening socket that is bound to a file, in whichever network namespace it is.
pub(super) fn listener(kernel: &Kernel, file: &SocketFile, path: &Path) -> Option<u64> {
    if let Some(listener) = file.listener(kernel.unix()) {
        return Some(listener.inode);
    }
    if kernel.unix().iter().all(|listener| listener.file.is_none()) {
        // The kernel tells names only.
        return kernel
            .unix()
            .iter()
            .find(|listener| Path::new(&listener.path) == path)
            .map(|found| found.inode);
    }
    let pid = made_it_listen(&file.address()).filter(|pid| kernel.shares_network(*pid) == Some(false))?;
    let elsewhere = kernel.elsewhere(pid).ok()?.unix.ok()?;
    file.listener(&elsewhere).map(|listener| listener.inode)
}

/// The process that made a unix socket listen (`SO_PEERCRED`, unix(7)).
fn made_it_listen(address: &Path) -> Option<u32> {
    let peer = socket_peercred(connect_unix(address).ok()?).ok()?;
    u32::try_from(peer.pid.as_raw_nonzero().get()).ok()
}

/// The process that serves the listening socket `inode`.
///
/// `address` leads to the socket, where it is a unix socket: the kernel then tells who made it listen.
///
/// # Errors
/// A sentence that says why it could not be found.
pub(super) fn find(kernel: &Kernel, inode: u64, address: Option<&Path>) -> Result<Found, String> {
    let (holders, unreadable) = kernel.holders(inode);
    let pid =
        serving(kernel, &holders, address.and_then(made_it_listen)).ok_or_else(|| match unreadable {
            0 => {
                "no process holds the socket: it has just ended, or it is in another PID namespace".to_owned()
            }
            count => format!("the descriptors of {count} processes may not be read: only root may do that"),
        })?;
    describe(kernel, pid).map_err(|e| format!("process {pid}: {e}"))
}

/// Of the processes that hold a listening socket, the one that serves it: a process that systemd started with the
/// socket (sd_listen_fds(3)), else the one that made it listen, else the oldest.
fn serving(kernel: &Kernel, holders: &[u32], made_it_listen: Option<u32>) -> Option<u32> {
    let was_passed = |pid: &&u32| {
        let environment = kernel.proc.pid(**pid).and_then(|dir| dir.read_text("environ", MAX_ARGUMENTS));
        let wanted = format!("LISTEN_PID={pid}");
        environment.is_ok_and(|text| text.split('\0').any(|variable| variable == wanted))
    };
    let listener = made_it_listen.as_ref().and_then(|pid| holders.iter().find(|holder| *holder == pid));
    let passed = if holders.len() > 1 { holders.iter().find(was_passed) } else { None };
    passed.or(listener).or(holders.first()).copied()
}

fn describe(kernel: &Kernel, pid: u32) -> Result<Found, procs::Error> {
    let row = kernel.proc.row(pid)?.ok_or(procs::Error::Gone)?;
    let dir = kernel.proc.pid(pid)?;
    let mut args = split(&dir.read_text("cmdline", MAX_ARGUMENTS)?);
    withheld::in_arguments(&mut args);
    let environment = split(&dir.read_text("environ", MAX_ARGUMENTS)?);
    let started_ns = started_ns(row.start_ticks);
    let daemon = Daemon {
        pid,
        exe: row.exe?,
        args,
        uid: effective_uid(&dir)?,
        started_at: started_ns.and_then(|ns| i64::try_from(ns / 1_000_000_000).ok()),
        environment: environment
            .iter()
            .filter_map(|variable| variable.split_once('=').map(|(name, _)| name))
            .filter(|name| matters(name))
            .map(str::to_owned)
            .collect(),
        in_user_namespace: row.namespaces.ok().map(|all| all.user != INITIAL_USER_NAMESPACE),
    };
    Ok(Found { daemon, started_ns, user_config: user_config(&environment) })
}

fn split(text: &str) -> Vec<String> {
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// The second number of `Uid:` in `/proc/PID/status`.
fn effective_uid(dir: &PidDir) -> Result<u32, procs::Error> {
    let status = dir.read_text("status", MAX_STATUS)?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    line.and_then(|ids| ids.split_ascii_whitespace().nth(1)?.parse().ok()).ok_or(procs::Error::Malformed)
}

/// Names of variables that change what a daemon does.
fn matters(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    name.starts_with("DOCKER_") || upper.ends_with("_PROXY") || name == "NOTIFY_SOCKET"
}

/// Where an engine that runs under rootlesskit looks for its configuration.
fn user_config(environment: &[String]) -> Option<String> {
    let get = |name: &str| {
        environment
            .iter()
            .find_map(|variable| variable.strip_prefix(name)?.strip_prefix('='))
            .filter(|v| !v.is_empty())
    };
    get("ROOTLESSKIT_STATE_DIR")?;
    get("XDG_CONFIG_HOME").map(str::to_owned).or_else(|| Some(format!("{}/.config", get("HOME")?)))
}

/// When a process started, to the clock tick: by today's clock, as the kernel counts from boot.
fn started_ns(start_ticks: u64) -> Option<i128> {
    let nanoseconds = |time: Timespec| i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec);
    let since_boot =
        i128::from(start_ticks) * 1_000_000_000 / i128::from(rustix::param::clock_ticks_per_second().max(1));
    let booted =
        nanoseconds(clock_gettime(ClockId::Realtime)) - nanoseconds(clock_gettime(ClockId::Boottime));
    Some(booted + since_boot)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use plimsoll_rootdir::RootDir;

    use super::*;

    #[test]
    fn the_process_behind_a_socket_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("docker.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let root = RootDir::open("/").unwrap();
        let kernel = Kernel::look(&root).unwrap();
        let file = SocketFile::open(&root, &path).unwrap();
        let inode = listener(&kernel, &file, &path).unwrap();
        let found = find(&kernel, inode, Some(&file.address())).unwrap();
        assert_eq!(found.daemon.pid, std::process::id());
        assert_eq!(found.daemon.exe, std::env::current_exe().unwrap().to_str().unwrap());
        let age = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
            as i128
            - found.started_ns.unwrap();
        assert!((0..3_600_000_000_000).contains(&age), "{age}");
        assert!(find(&kernel, u64::MAX, None).is_err());
    }

    #[test]
    fn rootless_engines_are_configured_in_the_home() {
        let environment = |text: &str| split(&text.replace(' ', "\0"));
        let rootless = environment("HOME=/home/ops ROOTLESSKIT_STATE_DIR=/tmp/x XDG_CONFIG_HOME=");
        assert_eq!(user_config(&rootless).as_deref(), Some("/home/ops/.config"));
        let xdg = environment("HOME=/home/ops ROOTLESSKIT_STATE_DIR=/tmp/x XDG_CONFIG_HOME=/cfg");
        assert_eq!(user_config(&xdg).as_deref(), Some("/cfg"));
        assert_eq!(user_config(&environment("HOME=/root")), None);
    }
}
