//! Where plimsoll sees little or odd things: it says so first, and calls nothing blocked that is not.

use std::process::Command;
use std::sync::OnceLock;

use plimsoll_facts::{ContainerReach, Facts, ReachOutcome};
use serde_json::Value;

use crate::docker::{self, BASE, SOCKET, docker, label, run};
use crate::filters::WITHOUT_BTF;
use crate::scene::{Report, Test};

/// How plimsoll is run in a container: options of `docker run`, and what it has to say of itself.
const CONFINED: [(&str, &[&str], &[&str]); 3] = [
    (
        "plimsoll_in_a_default_container",
        &[],
        &["namespaces of a container", "CAP_SYS_ADMIN", "seccomp filter"],
    ),
    (
        "plimsoll_in_a_container_that_sees_the_host_s_processes",
        &["--pid", "host"],
        &["the host's namespaces could not be told", "CAP_SYS_PTRACE", "seccomp filter"],
    ),
    (
        "plimsoll_in_a_container_with_more_capabilities",
        &["--pid", "host", "--cap-add", "SYS_PTRACE", "--security-opt", "seccomp=unconfined"],
        &["namespaces of a container", "CAP_SYS_ADMIN"],
    ),
];

/// Containers that are looked at.
const LOOKED_AT: [(&str, &[&str]); 3] = [
    ("default", &[]),
    ("open", &["--security-opt", "seccomp=unconfined", "--cap-add", "SYS_ADMIN", "-v", "/etc:/host-etc"]),
    ("hard", &["--user", "1000", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]),
];

/// The tests.
pub(crate) fn tests() -> Vec<Test> {
    let confined = CONFINED.iter().map(|(name, options, says)| {
        Test::new(name, move || {
            no_other_answer(&Facts::default())?;
            let inside = confined(options, &["audit", "--format", "json"])?;
            tells(&inside, says)?;
            no_other_answer(&judged(&confined(options, &["facts"])?)?)
        })
    });
    let mut tests: Vec<Test> = confined.collect();
    tests.push(Test::new("without_types_of_the_kernel_no_gate_is_blocked_wrongly", without_types));
    tests.push(Test::new("mounts_with_line_breaks_in_their_paths", line_breaks));
    tests
}

/// Runs plimsoll in a container with the engine's socket; what it printed.
fn confined(options: &[&str], arguments: &[&str]) -> Result<Vec<u8>, String> {
    let program = format!("{}:/plimsoll:ro", env!("CARGO_BIN_EXE_plimsoll"));
    let mounts = ["-v", &program, "-v", "/var/run/docker.sock:/var/run/docker.sock"];
    let fixed = ["run", "--rm", "--network", "none", "--label", &label()];
    let own = ["/plimsoll", arguments[0], "--host", SOCKET];
    let all = [&fixed[..], &mounts, options, &[BASE], &own[..], &arguments[1..]].concat();
    output(Command::new("docker").args(all))
}

fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    match output.status.code() {
        Some(0 | 1 | 4 | 5) => Ok(output.stdout),
        _ => Err(docker::text(output).err().unwrap_or_default()),
    }
}

/// The report begins with what keeps plimsoll from seeing.
fn tells(report: &[u8], says: &[&str]) -> Result<(), String> {
    let report: Value = serde_json::from_slice(report).map_err(|error| error.to_string())?;
    let blindness = report["blindness"].to_string();
    match says.iter().find(|word| !blindness.contains(*word)) {
        Some(missing) => Err(format!("{missing:?} is not in {blindness}")),
        None if report["gaps"].as_array().is_none_or(Vec::is_empty) => Err("there is no gap".to_owned()),
        None => Ok(()),
    }
}

/// What can be reached, as those facts tell.
fn judged(facts: &[u8]) -> Result<Facts, String> {
    let mut facts: Facts = serde_json::from_slice(facts).map_err(|error| error.to_string())?;
    plimsoll_advisories::boundary::judge(&mut facts);
    plimsoll_reach::judge(&mut facts);
    Ok(facts)
}

/// Each gate is what it is for root on the host, or unknown.
fn no_other_answer(seen: &Facts) -> Result<(), String> {
    static TRUTH: OnceLock<Result<Facts, String>> = OnceLock::new();
    let truth = TRUTH.get_or_init(truth).as_ref().map_err(Clone::clone)?;
    let mut wrong = Vec::new();
    for (name, _) in LOOKED_AT {
        let (Some(seen), Some(truth)) = (reach(seen, name), reach(truth, name)) else { continue };
        for (gate, right) in seen.gates.iter().zip(&truth.gates) {
            if gate.outcome != ReachOutcome::Unknown && gate.outcome != right.outcome {
                let (outcome, right) = (gate.outcome.id(), right.outcome.id());
                wrong.push(format!(
                    "{name}: {} is {right}, seen as {outcome} ({:?})",
                    gate.gate, gate.reasons
                ));
            }
        }
    }
    match LOOKED_AT.iter().find(|(name, _)| reach(truth, name).is_none()) {
        Some((name, _)) => Err(format!("nothing is known of {name}")),
        None if wrong.is_empty() => Ok(()),
        None => Err(wrong.join("\n")),
    }
}

fn truth() -> Result<Facts, String> {
    for (name, options) in LOOKED_AT {
        run(&container(name), options, BASE, &["sleep", "900"])?;
    }
    judged(&facts(&[])?)
}

fn facts(by: &[&str]) -> Result<Vec<u8>, String> {
    let arguments = [by, &[env!("CARGO_BIN_EXE_plimsoll"), "facts", "--host", SOCKET]].concat();
    let (program, arguments) = arguments.split_first().ok_or("no command")?;
    output(Command::new(program).args(arguments))
}

fn reach<'f>(facts: &'f Facts, name: &str) -> Option<&'f ContainerReach> {
    facts.reach.value()?.iter().find(|reach| reach.name == container(name))
}

fn container(name: &str) -> String {
    format!("plt-{}-blind-{name}", std::process::id())
}

/// The declared profile stands in for the kernel's filters, and says so.
fn without_types() -> Result<(), String> {
    // The containers are there once the truth about them is known.
    no_other_answer(&Facts::default())?;
    let seen = judged(&facts(WITHOUT_BTF)?)?;
    no_other_answer(&seen)?;
    let reach = reach(&seen, "default").ok_or("nothing is known of the container")?;
    let denied = reach.gates.iter().find(|gate| gate.gate == "keyring").ok_or("no such gate")?;
    match denied.reasons.iter().any(|reason| reason.contains("the declared profile")) {
        true => Ok(()),
        false => Err(format!("no word of the declared profile: {:?}", denied.reasons)),
    }
}

/// The kernel writes a line break in a path as `\012`.
fn line_breaks() -> Result<(), String> {
    let folder =
        tempfile::Builder::new().prefix("plt\nline").tempdir_in("/var/tmp").map_err(|e| e.to_string())?;
    let name = container("lines");
    let volume = format!("{}:/with\na break", folder.path().display());
    run(&name, &["-v", &volume, "-v", "/etc:/host\n/etc"], BASE, &["sleep", "900"])?;
    let report = Report::of(&["--host", SOCKET])?;
    let seen: Facts = serde_json::from_slice(&facts(&[])?).map_err(|error| error.to_string())?;
    docker(&["rm", "-fv", &name])?;
    let containers = seen.engines.iter().filter_map(|engine| engine.containers.value()).flatten();
    let effective = containers.into_iter().find(|it| it.name == name).and_then(|it| it.effective.value());
    let paths = effective.and_then(|it| it.host_paths.value()).ok_or("no paths of the host")?;
    let has = |host: &str, target: &str| paths.iter().any(|path| path.host == host && path.target == target);
    if !has("/etc", "/host\n/etc") || !has(&folder.path().to_string_lossy(), "/with\na break") {
        return Err(format!("{paths:#?}"));
    }
    let found = report.answers("sensitive-host-path", &name);
    match found.len() == 1 && found[0]["status"] == "fail" {
        true => Ok(()),
        false => Err(format!("{found:#?}")),
    }
}
