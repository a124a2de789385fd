//! Containers of the tests, and what was measured in them.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use plimsoll_collect::{Options, collect};
use plimsoll_facts::{Belongs, Container, Facts, Process};
use plimsoll_probe::filters::{self, Snapshot};
use plimsoll_probe::tracing;
use plimsoll_rootdir::RootDir;
use serde_json::{Value, json};

use crate::calls::{self, Attempt};
use crate::inside;
use crate::scenes::{self, How, Profile, Scene};

const IMAGE: &str = "plimsoll-test/base:bookworm";
const LABEL: &str = "plimsoll.filters-test";
/// The program of the tests, in a container.
const PROGRAM: &str = "/attempts/program";

/// Why the tests cannot run here.
pub(crate) fn missing() -> Option<String> {
    if !cfg!(target_arch = "x86_64") {
        return Some("they try the ABIs of x86_64".to_owned());
    }
    let root = fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nUid:\t0\t0"));
    if !root {
        return Some("not root".to_owned());
    }
    docker(&["image", "inspect", IMAGE]).err()
}

/// All scenes, with their processes waiting.
pub(crate) struct World {
    dir: tempfile::TempDir,
    scenes: Vec<Scene>,
    entered: Vec<Child>,
}

/// What was seen of each scene's process from outside, and found inside.
pub(crate) struct Measured {
    pub(crate) facts: Facts,
    pub(crate) of_scenes: Vec<(&'static str, Process, Vec<Attempt>)>,
    /// Beside each declared profile (config.json of the bundle), the process to which the runtime gave it.
    pub(crate) declared: Vec<(Value, Process)>,
    /// The programs of each scene's process, as the iterator and as tracing read them.
    pub(crate) programs: Vec<(&'static str, Programs, Programs)>,
}

/// The programs of one thread, the newest first, or why they were not read.
pub(crate) type Programs = Result<Vec<Vec<u8>>, String>;

impl World {
    /// Starts everything.
    pub(crate) fn start() -> Result<Self, String> {
        let dir = tempfile::Builder::new().prefix("plimsoll-filters-").tempdir_in("/var/tmp");
        let mut world = Self { dir: dir.map_err(text)?, scenes: scenes::all(), entered: Vec::new() };
        clean();
        let engine_s = world.profile_of_the_engine()?;
        for scene in &world.scenes {
            let at = world.dir.path().join(scene.name);
            fs::create_dir(&at).map_err(text)?;
            fs::copy(std::env::current_exe().map_err(text)?, at.join("program")).map_err(text)?;
            let hex: Vec<String> = scene.programs.iter().map(|program| hex(program)).collect();
            write(&at.join("filters"), hex.join("\n"))?;
            let profile = at.join("profile.json");
            let option = match scene.profile {
                Profile::Default => None,
                Profile::Unconfined => Some("seccomp=unconfined".to_owned()),
                Profile::Families => {
                    write(&profile, families(engine_s.clone()).to_string())?;
                    Some(format!("seccomp={}", profile.display()))
                }
                Profile::Denials => {
                    write(&profile, scenes::DENIALS)?;
                    Some(format!("seccomp={}", profile.display()))
                }
            };
            if let Some(child) = start(scene, &at, option.as_deref())? {
                world.entered.push(child);
            }
        }
        for scene in &world.scenes {
            wait_for(&world.dir.path().join(scene.name).join("ready"))?;
            if scene.how == How::Paused {
                docker(&["pause", &container(scene.name)])?;
            }
        }
        Ok(world)
    }

    /// Looks at the processes, then lets them try.
    pub(crate) fn measure(self) -> Result<Measured, String> {
        let options =
            Options { endpoints: Vec::new(), version: "test", stop_threads: false, progress: &|_| {} };
        let facts = collect(&RootDir::open("/").map_err(text)?, &options);
        let mut measured =
            Measured { facts, of_scenes: Vec::new(), declared: Vec::new(), programs: Vec::new() };
        for scene in &self.scenes {
            let process = process(&measured.facts, scene)?.clone();
            let at = self.dir.path().join(scene.name);
            let calls = calls::to_try(&measured.facts, &process)?;
            let bytes: Vec<u8> = calls.iter().flat_map(Attempt::to_bytes).collect();
            write(&at.join("calls"), bytes)?;
            if scene.how == How::Paused {
                docker(&["unpause", &container(scene.name)])?;
            }
            write(&at.join("go"), "")?;
            measured.of_scenes.push((scene.name, process, calls));
            if scene.how == How::First && scene.programs.is_empty() && scene.profile != Profile::Unconfined {
                let config = bundle(&container(scene.name))?;
                let process = measured.of_scenes[measured.of_scenes.len() - 1].1.clone();
                measured.declared.push((config, process));
            }
        }
        for (name, _, calls) in &mut measured.of_scenes {
            let results = self.dir.path().join(*name).join("results");
            wait_for(&results)?;
            let results = read(&results)?;
            for (call, result) in calls.iter_mut().zip(results.as_chunks::<8>().0) {
                call.result = Some(i64::from_le_bytes(*result));
            }
        }
        let snapshot = filters::read().map_err(text)?;
        for (name, process, _) in &measured.of_scenes {
            let traced = tracing::filters_of(process.pid).map_err(text);
            measured.programs.push((name, programs(&snapshot, process.pid), traced));
        }
        Ok(measured)
    }

    /// The engine's default profile, as it stands in the bundle of a container.
    fn profile_of_the_engine(&self) -> Result<Value, String> {
        let name = container("reference");
        docker(&["run", "-d", "--label", LABEL, "--network=none", "--name", &name, IMAGE, "sleep", "600"])?;
        Ok(bundle(&name)?["linux"]["seccomp"].clone())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for child in &mut self.entered {
            let _ = child.kill();
            let _ = child.wait();
        }
        clean();
    }
}

fn start(scene: &Scene, at: &Path, option: Option<&str>) -> Result<Option<Child>, String> {
    let (name, volume) = (container(scene.name), format!("{}:/attempts", at.display()));
    let mut args =
        vec!["run", "-d", "--label", LABEL, "--network=none", "--name", &name, "--volume", &volume];
    if let Some(option) = option {
        args.extend(["--security-opt", option]);
    }
    args.push(IMAGE);
    let own = [PROGRAM, inside::PART, "/attempts"];
    let first = matches!(scene.how, How::First | How::Paused);
    args.extend(if first { &own[..] } else { &["sleep", "600"] });
    docker(&args)?;
    match scene.how {
        How::First | How::Paused => {}
        How::Exec => {
            docker(&[&["exec", "-d", &name][..], &own].concat())?;
        }
        How::Entered => {
            let pid = docker(&["inspect", "-f", "{{.State.Pid}}", &name])?;
            let mut nsenter = Command::new("nsenter");
            nsenter.args(["--target", &pid, "--all", "--"]).args(own);
            return nsenter.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(Some).map_err(text);
        }
    }
    Ok(None)
}

/// The engine's profile, with sockets of the families unix and inet alone: a rule as many profiles have it.
fn families(mut profile: Value) -> Value {
    for rule in profile["syscalls"].as_array_mut().into_iter().flatten() {
        if let Some(names) = rule["names"].as_array_mut() {
            names.retain(|name| name != "socket" && name != "socketcall");
        }
    }
    let rule = |family: u32| {
        json!({"names": ["socket"], "action": "SCMP_ACT_ALLOW",
               "args": [{"index": 0, "value": family, "op": "SCMP_CMP_EQ"}]})
    };
    let newest = json!({"names": ["statmount", "listmount"], "action": "SCMP_ACT_ALLOW"});
    if let Some(rules) = profile["syscalls"].as_array_mut() {
        rules.extend([rule(1), rule(2), newest]);
    }
    profile
}

/// The scene's process in the facts.
fn process<'f>(facts: &'f Facts, scene: &Scene) -> Result<&'f Process, String> {
    let name = container(scene.name);
    let containers = facts.engines.iter().filter_map(|engine| engine.containers.value()).flatten();
    let found = containers.into_iter().find(|container: &&Container| container.name == name);
    let effective = found.ok_or("not found")?.effective.require().map_err(|gap| format!("{gap:?}"))?;
    let processes = effective.processes.require().map_err(|gap| format!("{gap:?}"))?;
    let belongs = if scene.how == How::Entered { Belongs::NamespaceOnly } else { Belongs::Cgroup };
    let ours = |process: &&Process| process.belongs == belongs && process.exe.as_deref() == Some(PROGRAM);
    processes.iter().find(ours).ok_or_else(|| format!("no process of {name} in {processes:?}"))
}

fn programs(snapshot: &Snapshot, tid: u32) -> Programs {
    let thread = snapshot.threads.iter().find(|thread| thread.tid == tid);
    let Some(filter) = thread.and_then(|thread| thread.filter) else { return Ok(Vec::new()) };
    let programs = snapshot.filters[filter].clone()?;
    Ok(programs.into_iter().map(|program| snapshot.programs[program].clone()).collect())
}

fn bundle(name: &str) -> Result<Value, String> {
    let pid = docker(&["inspect", "-f", "{{.State.Pid}}", name])?;
    let status = read(Path::new(&format!("/proc/{pid}/status")))?;
    let status = String::from_utf8_lossy(&status);
    let shim = status.lines().find_map(|line| line.strip_prefix("PPid:\t")).ok_or("no parent")?;
    let config = read(Path::new(&format!("/proc/{shim}/cwd/config.json")))?;
    serde_json::from_slice(&config).map_err(text)
}

fn container(scene: &str) -> String {
    format!("filters-{scene}")
}

fn wait_for(path: &Path) -> Result<(), String> {
    let begun = Instant::now();
    while !path.exists() {
        if begun.elapsed() > Duration::from_secs(60) {
            return Err(format!("{} does not come", path.display()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn docker(args: &[&str]) -> Result<String, String> {
    let output = Command::new("docker").args(args).output().map_err(|error| format!("docker: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(format!("docker {args:?}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// Removes what these tests make.
fn clean() {
    let filter = format!("label={LABEL}");
    let ids = docker(&["ps", "-aq", "--filter", &filter]).unwrap_or_default();
    for id in ids.split_whitespace() {
        let _ = docker(&["rm", "-f", id]);
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), String> {
    fs::write(path, content).map_err(|error| format!("{}: {error}", path.display()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
