//! Upgrade effects come true: what `plimsoll audit` foretells for a restart and for a crash of the daemon is held
//! against what an engine of the test's own then really does to its containers.
//!
//! It needs root, dockerd, containerd and the image `plimsoll-test/base:bookworm` of `tests/live/images.sh`. Where one of them
//! is missing the tests are skipped by name and counted; in CI (`CI=true`) that is a failure.

#![allow(clippy::print_stderr, reason = "a skipped test must say why")]

mod engine;

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

use crate::engine::{Engine, missing};

/// A program that ends with 0 when it gets SIGTERM.
const OBEYS: &[&str] = &["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"];
/// One that, as process 1 of its container, does not get it.
const DEAF: &[&str] = &["sleep", "600"];

/// The containers of every scene: name, options, command.
const CONTAINERS: [(&str, &[&str], &[&str]); 8] = [
    ("no", &["--restart", "no"], OBEYS),
    ("always", &["--restart", "always"], OBEYS),
    ("unless-stopped", &["--restart", "unless-stopped"], OBEYS),
    ("on-failure", &["--restart", "on-failure"], OBEYS),
    ("deaf", &["--restart", "unless-stopped", "--stop-timeout", "2"], DEAF),
    ("deaf-on-failure", &["--restart", "on-failure", "--stop-timeout", "2"], DEAF),
    ("rm", &["--rm"], OBEYS),
    ("stopped", &["--restart", "always"], OBEYS),
];

/// How the daemon goes away, and how it is configured then and afterwards.
struct Scene {
    name: &'static str,
    /// Whether the daemon runs with live-restore when it goes away.
    loaded: bool,
    /// Whether it comes back with live-restore.
    next: bool,
    crash: bool,
}

const SCENES: [Scene; 5] = [
    Scene { name: "restart", loaded: false, next: false, crash: false },
    Scene { name: "crash", loaded: false, next: false, crash: true },
    Scene { name: "restart_with_live_restore", loaded: true, next: true, crash: false },
    Scene { name: "crash_with_live_restore", loaded: true, next: true, crash: true },
    Scene { name: "restart_that_loses_live_restore", loaded: true, next: false, crash: false },
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Engines at the same time would only slow one another down.
    arguments.test_threads = Some(1);
    let missing = missing();
    if let Some(reason) = &missing {
        if std::env::var_os("CI").is_some() {
            eprintln!("tests of upgrade effects cannot run here, and in CI that is a failure: {reason}");
            return ExitCode::FAILURE;
        }
        eprintln!("tests of upgrade effects are skipped: {reason}");
    }
    let engine = Arc::new(Mutex::new(None));
    let trials = SCENES.iter().map(|scene| {
        let engine = Arc::clone(&engine);
        let test = move || {
            let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
            if engine.is_none() {
                *engine = Some(Engine::start()?);
            }
            engine.as_mut().map_or(Ok(()), |engine| play(scene, engine)).map_err(Failed::from)
        };
        Trial::test(scene.name, test).with_ignored_flag(missing.is_some())
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    drop(engine.lock().unwrap_or_else(PoisonError::into_inner).take());
    conclusion.exit_code()
}

fn play(scene: &Scene, engine: &mut Engine) -> Result<(), String> {
    engine.clear()?;
    engine.configure(scene.loaded)?;
    engine.reload(scene.loaded)?;
    for (name, options, command) in CONTAINERS {
        engine.run(name, options, command)?;
    }
    engine.docker(&["stop", "-t", "1", "stopped"])?;
    engine.configure(scene.next)?;
    let action = if scene.crash { "engine-crash" } else { "restart-engine" };
    let foretold = foretold(&engine.endpoint(), action)?;
    let before = engine.containers()?;
    engine.restart(scene.crash)?;
    let wrong: Vec<_> = CONTAINERS
        .iter()
        .filter_map(|(name, ..)| {
            let foretold = foretold.get(*name).map_or("nothing", String::as_str);
            let seen = engine.wait_for(name, &before, |seen| came_true(foretold, seen));
            seen.err().map(|seen| format!("{name}: foretold {foretold}, but {seen}"))
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Whether what was seen is what was foretold. Unknown promises nothing.
fn came_true(foretold: &str, seen: &str) -> bool {
    match foretold {
        "unknown" => true,
        "none" => seen == "goes-on",
        other => seen == other,
    }
}

/// The worst effect on each container, by name; where it is killed, what comes after that.
fn foretold(endpoint: &str, action: &str) -> Result<BTreeMap<String, String>, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let output =
        command.args(["audit", "--format", "json", "--policy", "baseline", "--host", endpoint]).output();
    let output = output.map_err(|error| error.to_string())?;
    let document: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let steps = document["effects"]["steps"].as_array().ok_or("no steps")?;
    let step = steps
        .iter()
        .find(|step| step["action"] == action && step["engine"] == endpoint)
        .ok_or("no such step")?;
    let containers = step["containers"].as_array().ok_or("no containers")?;
    let worst = |container: &Value| {
        let mut kinds = container["effects"].as_array()?.iter().filter_map(|effect| effect["kind"].as_str());
        let kind = kinds.find(|kind| *kind != "killed")?.to_owned();
        Some((container["container"]["name"].as_str()?.to_owned(), kind))
    };
    Ok(containers.iter().filter_map(worst).collect())
}
