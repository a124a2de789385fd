//! What plimsoll predicts from outside, held against a program that tries it inside: every gate, in containers of many
//! kinds. Most kinds are made from a seed (`PLIMSOLL_SEED`), so that another number tries others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use plimsoll_collect::engine::Endpoint;
use plimsoll_facts::{ContainerReach, Facts, ReachOutcome};
use plimsoll_rootdir::RootDir;

use crate::docker::{self, BASE, docker, run};
use crate::scene::Test;

/// Kinds that are made from the seed.
const MADE: u64 = 18;
/// How long the program inside may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Fewest gates that have to be compared in each container.
const LEAST: usize = 26;

/// Options that are always tried.
const FIXED: [(&str, &[&str], &[&str]); 8] = [
    ("default", &[], &[]),
    ("unconfined", &["--security-opt", "seccomp=unconfined"], &[]),
    ("hardened", &["--user", "1000", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"], &[]),
    ("host-namespaces", &["--net", "host", "--pid", "host", "--ipc", "host", "--uts", "host"], &[]),
    (
        "nearly-privileged",
        &[
            "--security-opt",
            "seccomp=unconfined",
            "--security-opt",
            "systempaths=unconfined",
            "--device-cgroup-rule",
            "a *:* rwm",
            "--cap-add",
            "SYS_ADMIN",
            "--cap-add",
            "SYS_MODULE",
            "--cap-add",
            "SYS_RAWIO",
            "--cap-add",
            "DAC_READ_SEARCH",
            "--cap-add",
            "NET_ADMIN",
            "--cap-add",
            "SYS_PTRACE",
        ],
        &[],
    ),
    ("fuse", &["--device", "/dev/fuse"], &[]),
    ("mounts", &["-v", "/var/run/docker.sock:/engine.sock", "-v", "/etc:/host-etc"], &[]),
    ("own-filter", &[], &["--filter"]),
];

/// Options of which a made kind has one of each row.
const ROWS: [&[&[&str]]; 6] = [
    &[&[], &["--user", "1000"], &["--user", "mail"]],
    &[
        &[],
        &["--cap-drop", "ALL"],
        &["--cap-add", "NET_ADMIN"],
        &["--cap-add", "SYS_ADMIN"],
        &["--cap-add", "SYS_PTRACE", "--cap-drop", "NET_RAW"],
        &["--cap-add", "DAC_READ_SEARCH"],
        &["--cap-add", "SYS_MODULE", "--cap-drop", "MKNOD"],
        &["--cap-add", "SYS_RAWIO", "--cap-add", "SYS_PACCT"],
    ],
    &[&[], &["--security-opt", "seccomp=unconfined"], &["--security-opt", "seccomp=PROFILE"]],
    &[&[], &["--security-opt", "no-new-privileges"]],
    &[&[], &["--net", "host"], &["--net", "none"], &["--pid", "host"]],
    &[&[], &["--device", "/dev/fuse"], &["--device-cgroup-rule", "b 7:0 rwm"], &["-v", "/etc:/host-etc:ro"]],
];

/// A profile that lets everything pass but splice, keyctl, socket(AF_VSOCK) and new user namespaces.
const PROFILE: &str = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],
"syscalls":[{"names":["splice","keyctl"],"action":"SCMP_ACT_ERRNO"},
{"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":40,"op":"SCMP_CMP_EQ"}]},
{"names":["clone","unshare"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":268435456,"valueTwo":268435456,"op":"SCMP_CMP_MASKED_EQ"}]}]}"#;

/// The tests.
pub(crate) fn tests() -> impl Iterator<Item = Test> {
    let test = || Test { name: "gates_as_predicted_in_containers_of_many_kinds", run: Box::new(all) };
    std::iter::once(test())
}

fn all() -> Result<(), String> {
    let scene = Scene::get()?;
    let mut wrong = Vec::new();
    for (name, tried) in &scene.tried {
        let reach = scene.reach.get(name).ok_or_else(|| format!("{name} is not among the facts"))?;
        let (compared, differences) = compare(reach, tried);
        wrong.extend(differences.into_iter().map(|it| format!("{name}: {it}")));
        if compared < LEAST {
            wrong.push(format!("{name}: only {compared} gates could be compared"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Gates that were compared, and those where plimsoll and the kernel differ. Unknown, with a reason, is no difference.
fn compare(reach: &ContainerReach, tried: &BTreeMap<String, String>) -> (usize, Vec<String>) {
    let mut differences = Vec::new();
    let mut compared = 0;
    for gate in reach.gates.iter().filter(|gate| gate.after.is_none()) {
        let Some(found) = tried.get(&gate.gate) else { continue };
        let right = match gate.outcome {
            ReachOutcome::Reachable => found == "open",
            ReachOutcome::Blocked => found.starts_with("closed"),
            ReachOutcome::Unknown => !gate.reasons.is_empty(),
        };
        compared += 1;
        if !right {
            let reasons = gate.reasons.join("; ");
            differences.push(format!("{}: {found}, predicted {} ({reasons})", gate.gate, gate.outcome.id()));
        }
    }
    (compared, differences)
}

struct Scene {
    reach: BTreeMap<String, ContainerReach>,
    tried: BTreeMap<String, BTreeMap<String, String>>,
}

impl Scene {
    fn get() -> Result<&'static Self, String> {
        static SCENE: OnceLock<Result<Scene, String>> = OnceLock::new();
        SCENE.get_or_init(Self::make).as_ref().map_err(Clone::clone)
    }

    fn make() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let program = compile(folder.path())?;
        let mut names = Vec::new();
        for (name, options, arguments) in kinds(folder.path())? {
            let name = format!("plt-gates-{name}");
            let volume = format!("{}:/inside:ro", program.display());
            let options: Vec<&str> =
                ["-v", &volume].into_iter().chain(options.iter().map(String::as_str)).collect();
            let command: Vec<&str> = std::iter::once("/inside").chain(arguments.iter().copied()).collect();
            run(&name, &options, BASE, &command)?;
            names.push(name);
        }
        let tried: Result<_, String> = names.iter().map(|name| Ok((name.clone(), tried(name)?))).collect();
        let facts = facts()?;
        let reach = facts.reach.value().ok_or("nothing was worked out")?;
        Ok(Self { reach: reach.iter().map(|it| (it.name.clone(), it.clone())).collect(), tried: tried? })
    }
}

fn compile(folder: &Path) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/inside.c");
    let program = folder.join("inside");
    let output = Command::new("cc").args(["-O1", "-static", "-o"]).arg(&program).arg(source).output();
    docker::text(output.map_err(|error| format!("cc: {error}"))?)?;
    Ok(program)
}

type Kind = (String, Vec<String>, &'static [&'static str]);

/// Every kind: the fixed ones, then those from the seed.
fn kinds(folder: &Path) -> Result<Vec<Kind>, String> {
    let profile = folder.join("profile.json");
    std::fs::write(&profile, PROFILE).map_err(|error| error.to_string())?;
    let seed = std::env::var("PLIMSOLL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let owned = |options: &[&str]| {
        options.iter().map(|it| it.replace("PROFILE", &profile.to_string_lossy())).collect::<Vec<_>>()
    };
    let fixed = FIXED.map(|(name, options, arguments)| (name.to_owned(), owned(options), arguments));
    let mut state: u64 = seed;
    let made = (0..MADE).map(|number| {
        let options = ROWS.iter().flat_map(|row| owned(row[next(&mut state) % row.len()])).collect();
        (format!("{seed}-{number}"), options, &[][..])
    });
    Ok(fixed.into_iter().chain(made).collect())
}

/// A number from a small generator (splitmix64), the same on every machine.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) as usize
}

/// What the program inside found, once it is done.
fn tried(name: &str) -> Result<BTreeMap<String, String>, String> {
    let begin = Instant::now();
    loop {
        let log = docker(&["logs", name])?;
        if log.lines().any(|line| line == "done") {
            let line =
                |line: &str| line.split_once(' ').map(|(gate, found)| (gate.to_owned(), found.to_owned()));
            return Ok(log.lines().filter_map(line).collect());
        }
        if begin.elapsed() > PATIENCE {
            return Err(format!("{name} is not done: {log}"));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn facts() -> Result<Facts, String> {
    let root = RootDir::open("/").map_err(|error| error.to_string())?;
    let socket = docker::SOCKET.trim_start_matches("unix://");
    let options = plimsoll_collect::Options {
        endpoints: vec![Endpoint::Unix(socket.into())],
        version: "test",
        stop_threads: false,
        progress: &|_| {},
    };
    let mut facts = plimsoll_collect::collect(&root, &options);
    plimsoll_advisories::boundary::judge(&mut facts);
    plimsoll_reach::judge(&mut facts);
    Ok(facts)
}
