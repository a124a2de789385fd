//! Containers for the tests, made with the docker command and removed at the end.

use std::process::{Command, Output};

/// Marks everything that these tests make, with the process id of the run.
pub(crate) const LABEL: &str = "plimsoll.live-run";

/// The engine that the docker command uses here.
pub(crate) const SOCKET: &str = "unix:///var/run/docker.sock";

/// Debian's base system.
pub(crate) const BASE: &str = "plimsoll-test/base:bookworm";
/// MariaDB with `USER mysql`.
pub(crate) const MARIADB: &str = "plimsoll-test/mariadb:bookworm";
/// MariaDB that starts as root and drops to mysql, as the official image does.
pub(crate) const MARIADB_ROOT: &str = "plimsoll-test/mariadb-root:bookworm";

/// Why live tests cannot run here.
pub(crate) fn missing() -> Option<String> {
    let uid = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next().map(str::to_owned))
    });
    if uid.as_deref() != Some("0") {
        return Some("not root".to_owned());
    }
    match docker(&["info"]) {
        Err(error) => return Some(error),
        Ok(_) => clean_up_after_others(),
    }
    [BASE, MARIADB, MARIADB_ROOT].into_iter().find_map(|image| {
        docker(&["image", "inspect", image]).err().map(|_| format!("no image {image}: tests/live/images.sh"))
    })
}

/// Runs the docker command; its output, or what it complained about.
pub(crate) fn docker(args: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(args).output().map_err(|error| format!("docker: {error}"))?;
    text(output).map_err(|error| format!("docker {}: {error}", args.join(" ")))
}

/// What a command printed, or what it complained about.
pub(crate) fn text(output: Output) -> Result<String, String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
}

/// Starts a container and returns its id.
pub(crate) fn run(name: &str, options: &[&str], image: &str, command: &[&str]) -> Result<String, String> {
    docker(&[&["run", "-d", "--label", &label(), "--name", name], options, &[image], command].concat())
}

/// The label of what this run makes.
pub(crate) fn label() -> String {
    format!("{LABEL}={}", std::process::id())
}

/// The container's init process, as the engine tells it.
pub(crate) fn pid(name: &str) -> Result<u32, String> {
    let pid = docker(&["inspect", "-f", "{{.State.Pid}}", name])?;
    pid.parse().map_err(|_| format!("pid of {name}: {pid:?}"))
}

/// Removes everything that this run made.
pub(crate) fn clean() {
    remove(&label());
}

/// Removes what runs left that have ended before they could.
fn clean_up_after_others() {
    let list =
        ["ps", "-a", "--filter", &format!("label={LABEL}"), "--format", &format!("{{{{.Label {LABEL:?}}}}}")];
    let left = docker(&list).unwrap_or_default();
    for run in left.lines().filter(|pid| !std::path::Path::new("/proc").join(pid).exists()) {
        remove(&format!("{LABEL}={run}"));
    }
}

fn remove(label: &str) {
    let filter = format!("label={label}");
    for (list, remove) in [
        (&["ps", "-aq", "--filter", &filter][..], &["rm", "-fv"][..]),
        (&["network", "ls", "-q", "--filter", &filter], &["network", "rm"]),
        (&["volume", "ls", "-q", "--filter", &filter], &["volume", "rm"]),
        (&["images", "-q", "--filter", &filter], &["rmi", "-f"]),
    ] {
        let Ok(ids) = docker(list) else { continue };
        let ids: Vec<&str> = ids.split_whitespace().collect();
        if !ids.is_empty() {
            // What cannot be removed is seen by the next run's own clean-up.
            let _ = docker(&[remove, &ids].concat());
        }
    }
}
