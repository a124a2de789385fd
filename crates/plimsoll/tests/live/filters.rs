//! Where each process's seccomp filter is learnt: from the kernel; else from the bundle, or, where that is asked for, by
//! stopping a thread. Which way was open is told.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

use crate::docker::{BASE, SOCKET, docker, pid, run, text};
use crate::scene::{PREFIX, Test};

/// Hides the kernel's description of its types: no iterator can be written.
pub(crate) const WITHOUT_BTF: &[&str] =
    &["unshare", "--mount", "sh", "-c", r#"mount -t tmpfs none /sys/kernel/btf && exec "$@""#, "sh"];
const IN_A_PID_NAMESPACE: &[&str] = &["unshare", "--pid", "--fork"];

/// An audit that stops threads stops those of all containers: one such audit at a time, and none beside a test that would
/// notice.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static STOPPING: Mutex<()> = Mutex::new(());
    STOPPING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tests.
pub(crate) fn tests() -> Vec<Test> {
    vec![
        Test::new("filters_come_from_the_kernel", || learnt(&[], &[], "kernel-bpf", "kernel-bpf")),
        Test::new("filters_come_from_the_bundle", || learnt(WITHOUT_BTF, &[], "declared", "declared")),
        Test::new("filters_come_from_a_stopped_thread", || {
            learnt(WITHOUT_BTF, &["--stop-threads"], "kernel-ptrace", "declared")
        }),
        Test::new("nothing_is_traced_by_numbers_of_another_pid_namespace", || {
            learnt(IN_A_PID_NAMESPACE, &["--stop-threads"], "declared", "declared")
        }),
        Test::new("filters_are_the_same_in_each_way", same_programs),
    ]
}

/// How the filters of a running and of a paused container are learnt; without the first way, a gap says why.
fn learnt(by: &[&str], options: &[&str], running: &str, paused: &str) -> Result<(), String> {
    let facts = facts(by, options)?;
    for (name, expected) in [("sleeps", running), ("paused", paused)] {
        let filter = filter_of(&facts, name)?;
        if filter["source"] != expected {
            return Err(format!("{name}: {filter}, not {expected}"));
        }
    }
    let gaps = facts["gaps"].as_array().into_iter().flatten();
    let told = gaps.filter(|gap| gap["source"] == "BPF iterator over tasks").count();
    if told != usize::from(running != "kernel-bpf") {
        return Err(format!("{told} gaps tell that filters were not read"));
    }
    let frozen = docker(&["inspect", "-f", "{{.State.Paused}}", &container("paused")])?;
    if frozen == "true" { Ok(()) } else { Err("the paused container is no longer paused".to_owned()) }
}

fn same_programs() -> Result<(), String> {
    let programs = |facts: &Value| {
        let filter = filter_of(facts, "sleeps")?;
        let places = filter["programs"].as_array().into_iter().flatten().filter_map(Value::as_u64);
        Ok::<Vec<Value>, String>(
            places.map(|place| facts["host"]["seccomp"]["programs"][place as usize].clone()).collect(),
        )
    };
    let (iterated, traced) = (facts(&[], &[])?, facts(WITHOUT_BTF, &["--stop-threads"])?);
    let (iterated, traced) = (programs(&iterated)?, programs(&traced)?);
    if iterated.is_empty() || iterated != traced { Err("the programs differ".to_owned()) } else { Ok(()) }
}

/// The facts that plimsoll writes, started by a command.
fn facts(by: &[&str], options: &[&str]) -> Result<Value, String> {
    static STARTED: OnceLock<Result<(), String>> = OnceLock::new();
    STARTED.get_or_init(start).clone()?;
    let _alone = options.contains(&"--stop-threads").then(alone);
    let arguments = [by, &[env!("CARGO_BIN_EXE_plimsoll"), "facts", "--host", SOCKET], options].concat();
    let (program, arguments) = arguments.split_first().ok_or("no command")?;
    let output = Command::new(program).args(arguments).output().map_err(|error| error.to_string())?;
    match output.status.code() {
        Some(0 | 4) => serde_json::from_slice(&output.stdout).map_err(|error| error.to_string()),
        _ => Err(text(output).err().unwrap_or_default()),
    }
}

fn start() -> Result<(), String> {
    for name in ["sleeps", "paused"] {
        run(&container(name), &["--network=none"], BASE, &["sleep", "900"])?;
    }
    pid(&container("sleeps"))?;
    docker(&["pause", &container("paused")]).map(|_| ())
}

/// The filter of a container's first process.
fn filter_of<'f>(facts: &'f Value, name: &str) -> Result<&'f Value, String> {
    let engines = facts["engines"].as_array().into_iter().flatten();
    let containers = engines.filter_map(|engine| engine["containers"]["value"].as_array()).flatten();
    let found = containers.into_iter().find(|it| it["name"] == container(name)).ok_or("no such container")?;
    let seccomp = &found["effective"]["value"]["processes"]["value"][0]["seccomp"];
    let place = seccomp["value"].as_u64().ok_or_else(|| format!("{name}: {seccomp}"))?;
    Ok(&facts["host"]["seccomp"]["filters"][place as usize])
}

fn container(name: &str) -> String {
    format!("{PREFIX}filter-{name}")
}
