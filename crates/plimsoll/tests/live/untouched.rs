//! An audit touches nothing: no thread of a container wakes, stops or is traced for it, and no call is made by which one
//! could be. With `--stop-threads`, both show: the tests can see it.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::docker::{self, BASE, SOCKET, pid, run};
use crate::filters::{WITHOUT_BTF, alone};
use crate::scene::Test;

/// Signal of a process that a seccomp filter kills.
const SIGSYS: i32 = 31;

/// The tests.
pub(crate) fn tests() -> Vec<Test> {
    vec![
        Test::new("no_thread_of_a_container_wakes_for_an_audit", no_thread_wakes),
        Test::new("an_audit_makes_no_call_that_could_stop_a_thread", no_call),
    ]
}

fn no_thread_wakes() -> Result<(), String> {
    let pid = container("sleeps")?;
    let _alone = alone();
    let seen = watched(pid, &[], &[])?;
    if seen != Seen::default() {
        return Err(format!("a thread was touched: {seen:?}"));
    }
    let seen = watched(pid, WITHOUT_BTF, &["--stop-threads"])?;
    if seen.woken == 0 { Err("--stop-threads was not noticed".to_owned()) } else { Ok(()) }
}

fn no_call() -> Result<(), String> {
    container("rests")?;
    let _alone = alone();
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let guard = folder.path().join("untouched");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/untouched.c");
    let compiled = Command::new("cc").arg("-o").arg(&guard).arg(source).output();
    docker::text(compiled.map_err(|error| format!("cc: {error}"))?)?;
    let guard = guard.to_string_lossy();
    let status =
        |by: &[&str], options: &[&str]| audit(by, options)?.wait().map_err(|error| error.to_string());
    let ended = status(&[&guard], &[])?;
    if !matches!(ended.code(), Some(0 | 4)) {
        return Err(format!("it ended with {ended}"));
    }
    let stops = status(&[&[&*guard], WITHOUT_BTF].concat(), &["--stop-threads"])?;
    match stops.signal() == Some(SIGSYS) || stops.code() == Some(128 + SIGSYS) {
        true => Ok(()),
        false => Err(format!("--stop-threads was not noticed: {stops}")),
    }
}

/// A container that does nothing; its first process.
fn container(name: &str) -> Result<u32, String> {
    let name = format!("plt-{}-{name}", std::process::id());
    run(&name, &["--network", "none"], BASE, &["sleep", "900"])?;
    let pid = pid(&name)?;
    // Until it sleeps for good.
    std::thread::sleep(Duration::from_millis(500));
    Ok(pid)
}

/// What a process showed while an audit ran.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    /// How often its thread got the processor.
    woken: u64,
    /// A tracer, or a state other than sleep.
    otherwise: Vec<String>,
}

fn watched(pid: u32, by: &[&str], options: &[&str]) -> Result<Seen, String> {
    let path = format!("/proc/{pid}/status");
    let status = || fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"));
    let switches = |status: &str| -> u64 {
        let counts = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        counts.filter_map(|(_, count)| count.trim().parse::<u64>().ok()).sum()
    };
    let before = switches(&status()?);
    let mut running = audit(by, options)?;
    let mut otherwise = Vec::new();
    while running.try_wait().map_err(|error| error.to_string())?.is_none() {
        let now = status()?;
        let lines = now.lines().filter(|line| {
            let is_traced = line.starts_with("TracerPid:") && *line != "TracerPid:\t0";
            is_traced || (line.starts_with("State:") && *line != "State:\tS (sleeping)")
        });
        otherwise.extend(lines.map(str::to_owned));
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(Seen { woken: switches(&status()?) - before, otherwise })
}

/// Facts are read as for an audit, by plimsoll that a command starts.
fn audit(by: &[&str], options: &[&str]) -> Result<Child, String> {
    let own = [env!("CARGO_BIN_EXE_plimsoll"), "facts", "--host", SOCKET];
    let arguments = [by, &own, options].concat();
    let (program, arguments) = arguments.split_first().ok_or("no command")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|error| format!("{program}: {error}"))
}
