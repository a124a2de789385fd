//! Privileged containers and sessions. This needs every capability of the kernel: where the machine lacks one
//! (`CAP_SYS_RESOURCE` in some virtual machines), a runtime that drops it from the configuration stands in for runc.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::own_engine::{OwnEngine, Setup, in_directory};
use crate::scene::{Report, Test, plimsoll};

const IMAGE: &str = "plimsoll-test/sleep";

/// Takes one capability out of the bundle's config.json, or of the process that `exec` was given, and calls runc.
const RUNTIME: &str = r#"#!/bin/sh
before=
for argument in "$@"; do
    file=
    case $before in
        --bundle) file=$argument/config.json ;;
        --process) file=$argument ;;
    esac
    [ -z "$file" ] || sed -i 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g' "$file"
    before=$argument
done
exec runc "$@"
"#;

const SETUP: Setup = Setup {
    config: "{}",
    flags: &[
        "-Hunix://{dir}/docker.sock",
        "--add-runtime=lacking={dir}/lacking",
        "--default-runtime=lacking",
    ],
    before: runtime,
};

/// Container, options of `docker run`.
const CONTAINERS: [(&str, &[&str]); 5] = [
    ("privileged", &["--privileged"]),
    ("privileged-profile", &["--privileged", "--security-opt", "seccomp={dir}/profile.json"]),
    ("every-block-device", &["--device-cgroup-rule", "b *:* rwm"]),
    ("entered", &[]),
    ("dropped", &["--user", "1000", "--cap-drop", "ALL"]),
];

/// Containers in which a session is opened, and its options.
const SESSIONS: [(&str, &[&str]); 2] =
    [("entered", &["--privileged"]), ("dropped", &["--privileged", "-u", "0"])];

/// A profile that allows nothing of importance to be missed.
const PROFILE: &str =
    r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]}"#;

/// Name of a test; container, rule and status.
type Case = (&'static str, &'static [(&'static str, &'static str, &'static str)]);

const CASES: &[Case] = &[
    (
        "case_06_privileged_has_no_seccomp_filter",
        &[("privileged", "container-privileged", "fail"), ("privileged", "seccomp-disabled", "fail")],
    ),
    (
        "case_07_privileged_has_every_capability",
        &[
            ("privileged", "capabilities-beyond-default", "fail"),
            ("privileged", "kernel-paths-unmasked", "fail"),
        ],
    ),
    (
        "case_09_every_device",
        &[
            ("privileged", "host-devices-exposed", "fail"),
            ("every-block-device", "host-devices-exposed", "fail"),
            ("entered", "host-devices-exposed", "pass"),
        ],
    ),
    (
        "inspect_02_a_privileged_container_has_no_filter",
        &[
            ("privileged-profile", "seccomp-disabled", "fail"),
            ("privileged-profile", "seccomp-profile-not-in-force", "fail"),
        ],
    ),
    (
        "inspect_03_a_privileged_session_where_all_was_dropped",
        &[
            ("dropped", "privileged-exec", "fail"),
            ("dropped", "root-exec", "fail"),
            ("dropped", "container-privileged", "pass"),
        ],
    ),
    (
        "case_34_a_privileged_session",
        &[
            ("entered", "privileged-exec", "fail"),
            ("entered", "container-privileged", "pass"),
            // It has every capability, and still the container's seccomp filter: runC puts that on every session.
            ("entered", "seccomp-filter-lost", "pass"),
            ("every-block-device", "privileged-exec", "pass"),
            ("every-block-device", "seccomp-filter-lost", "pass"),
            ("privileged", "seccomp-filter-lost", "not-applicable"),
        ],
    ),
];

/// One engine, audited in three ways.
struct Audited {
    at_once: Report,
    from_facts: Report,
    redacted: Report,
}

/// What a test asks of the audits.
type Check = Box<dyn Fn(&Audited) -> Result<(), String> + Send>;

/// The tests, which read one engine's audits.
pub(crate) fn tests() -> Vec<Test> {
    let audited: Arc<OnceLock<Result<Audited, String>>> = Arc::default();
    let test = |name, check: Check| {
        let audited = Arc::clone(&audited);
        Test::new(name, move || check(audited.get_or_init(audit).as_ref().map_err(Clone::clone)?))
    };
    let mut tests: Vec<Test> = CASES
        .iter()
        .map(|&(name, expected)| test(name, Box::new(move |audited| check(&audited.at_once, expected))))
        .collect();
    tests.push(test("inspect_01_a_privileged_container_lacks_capabilities", Box::new(lacks)));
    tests.push(test("facts_that_are_judged_later_give_the_same_answers", Box::new(same_from_facts)));
    tests.push(test("redacted_facts_give_the_same_statuses", Box::new(same_redacted)));
    tests.push(test("the_report_matches_its_schema", Box::new(|audited| audited.at_once.matches_schema())));
    tests
}

/// Docker 20.10 stops at `AUDIT_READ` whatever the kernel has; what is shown is what the kernel granted.
fn lacks(audited: &Audited) -> Result<(), String> {
    let [found] = audited.at_once.answers("capabilities-beyond-default", "privileged")[..] else {
        return Err("no answer about capabilities".to_owned());
    };
    let evidence = found["evidence"].to_string();
    let has = |name: &str| evidence.contains(name);
    match has("SYS_ADMIN") && !has("SYS_RESOURCE") && !has("PERFMON") && !has("CHECKPOINT_RESTORE") {
        true => Ok(()),
        false => Err(evidence),
    }
}

fn same_from_facts(audited: &Audited) -> Result<(), String> {
    same(audited.at_once.statuses(), audited.from_facts.statuses())
}

fn same_redacted(audited: &Audited) -> Result<(), String> {
    let statuses =
        |report: &Report| report.statuses().into_iter().map(|(rule, _, status)| (rule, status)).collect();
    same(statuses(&audited.from_facts), statuses(&audited.redacted))
}

/// Both hold the same answers, in any order.
fn same<T: Ord + std::fmt::Debug>(mut left: Vec<T>, mut right: Vec<T>) -> Result<(), String> {
    left.sort();
    right.sort();
    match left == right {
        true => Ok(()),
        false => {
            left.retain(|one| right.binary_search(one).is_err());
            Err(format!("{left:#?} and others differ"))
        }
    }
}

fn audit() -> Result<Audited, String> {
    let engine = OwnEngine::start(&SETUP)?;
    engine.import_sleep(IMAGE)?;
    for (name, options) in CONTAINERS {
        let options: Vec<String> = options.iter().map(|it| in_directory(engine.dir(), it)).collect();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        engine.docker(&[&["run", "-d", "--name", name], &options[..], &[IMAGE, "sleep", "600"]].concat())?;
    }
    for (name, options) in SESSIONS {
        engine.docker(&[&["exec", "-d"], options, &[name, "sleep", "601"]].concat())?;
        // A session is there at once, and its program only after the runtime's own stages.
        let begun =
            || engine.docker(&["top", name, "-o", "args"]).is_ok_and(|list| list.contains("sleep 601"));
        for _ in (0..100).take_while(|_| !begun()) {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    let facts = engine.dir().join("facts.json").display().to_string();
    let at_once = Report::of(&["--host", &engine.host()])?;
    plimsoll(&["facts", "--host", &engine.host(), "--output", &facts])?;
    Ok(Audited {
        at_once,
        from_facts: Report::of(&["--facts", &facts])?,
        redacted: Report::of(&["--facts", &facts, "--redact"])?,
    })
}

fn check(report: &Report, expected: &[(&str, &str, &str)]) -> Result<(), String> {
    for (container, rule, status) in expected {
        let found = report.answers(rule, container);
        if found.len() != 1 || found[0]["status"] != *status {
            return Err(format!("{rule} about {container}: wanted {status}, found {found:#?}"));
        }
    }
    Ok(())
}

/// In [`Setup::before`]: makes that runtime, as `lacking` in the engine's directory.
pub(crate) fn runtime(dir: &Path) -> Result<(), String> {
    let path = dir.join("lacking");
    fs::write(dir.join("profile.json"), PROFILE)
        .and_then(|()| fs::write(&path, RUNTIME))
        .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
        .map_err(|error| error.to_string())
}
