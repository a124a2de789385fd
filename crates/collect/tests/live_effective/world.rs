//! Containers of a test, and the facts about them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use plimsoll_collect::engine::Endpoint;
use plimsoll_collect::{Options, collect};
use plimsoll_facts::{Container, Effective, Facts, Process};
use plimsoll_rootdir::RootDir;

pub(crate) const IMAGE: &str = "plimsoll-test/base:bookworm";
const SOCKET: &str = "/var/run/docker.sock";

/// One test's containers, directories, mounts and processes: removed when it ends, however it ends.
pub(crate) struct World {
    test: &'static str,
    containers: Vec<String>,
    children: Vec<Child>,
    mounts: Vec<PathBuf>,
    cgroups: Vec<String>,
    dir: tempfile::TempDir,
}

/// `None`, with a note on standard error, where the machine lacks what live tests need.
pub(crate) fn enter(test: &'static str) -> Option<World> {
    let missing = if !rustix::process::geteuid().is_root() {
        Some("it needs root")
    } else if !Path::new(SOCKET).exists() {
        Some("there is no Docker engine at its default socket")
    } else if !run("docker", &["image", "inspect", IMAGE]).0 {
        Some("there is no image plimsoll-test/base:bookworm; tests/live/images.sh makes it")
    } else {
        None
    };
    if let Some(why) = missing {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{test}: {why}");
        eprintln!("skipped: {test}: {why}");
        return None;
    }
    // Not /tmp: it may be mounted without set-id programs.
    let dir = tempfile::Builder::new().prefix("plimsoll-effective-").tempdir_in("/var/tmp").unwrap();
    Some(World { test, containers: vec![], children: vec![], mounts: vec![], cgroups: vec![], dir })
}

impl World {
    /// A directory of the host for this test.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts a container without a network unless the options ask for one; returns its name.
    pub(crate) fn start(&mut self, name: &str, options: &[&str], command: &[&str]) -> String {
        let name = format!("effective-{}-{name}", self.test);
        self.containers.push(name.clone());
        let network = options.iter().any(|option| option.starts_with("--network"));
        let mut args = vec!["run", "--detach", "--name", &name];
        args.extend(if network { &[][..] } else { &["--network=none"] });
        args.extend(options);
        args.push(IMAGE);
        args.extend(command);
        docker(&args);
        name
    }

    /// A process of the host that ends with the test.
    pub(crate) fn spawn(&mut self, command: &mut Command) -> u32 {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        self.children.push(child);
        pid
    }

    /// Mounts something on a directory of this test.
    pub(crate) fn mount(&mut self, args: &[&str], target: &Path) {
        fs::create_dir_all(target).unwrap();
        let target = target.to_str().unwrap();
        assert!(run("mount", &[args, &[target]].concat()).0, "mount {args:?} {target}");
        self.mounts.push(target.into());
    }

    /// Makes a cgroup in the hierarchy of each controller (v1); `None` where this machine has another layout.
    pub(crate) fn cgroup(&mut self, name: &str, files: &[(&str, &str, &str)]) -> Option<()> {
        for (controller, file, value) in files {
            let path = Path::new("/sys/fs/cgroup").join(controller).join(name);
            if !path.parent()?.join("cgroup.procs").exists() {
                return None;
            }
            if !path.exists() {
                fs::create_dir(&path).unwrap();
                self.cgroups.push(name.to_owned());
            }
            fs::write(path.join(file), value).unwrap();
        }
        Some(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        for name in &self.containers {
            run("docker", &["rm", "--force", "--volumes", name]);
        }
        for target in self.mounts.iter().rev() {
            run("umount", &["--lazy", target.to_str().unwrap_or_default()]);
        }
        // The runtime made the parent in all other hierarchies too.
        let hierarchies: Vec<_> = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().collect();
        for (hierarchy, name) in hierarchies.iter().flat_map(|h| self.cgroups.iter().map(move |n| (h, n))) {
            let _ = fs::remove_dir(hierarchy.path().join(name));
        }
    }
}

/// The facts of this host and its engine.
pub(crate) fn facts() -> Facts {
    let endpoints = vec![Endpoint::parse(SOCKET, None).unwrap()];
    let options = Options { endpoints, version: "test", stop_threads: false, progress: &|_| {} };
    collect(&RootDir::open("/").unwrap(), &options)
}

pub(crate) fn container<'a>(facts: &'a Facts, name: &str) -> &'a Container {
    let all = facts.engines[0].containers.value().unwrap();
    all.iter().find(|container| container.name == name).unwrap()
}

/// What the kernel enforces for one container.
pub(crate) fn effective<'a>(facts: &'a Facts, name: &str) -> &'a Effective {
    match &container(facts, name).effective {
        plimsoll_facts::Fact::Known { value, .. } => value,
        other => panic!("{name}: {other:?}"),
    }
}

pub(crate) fn processes<'a>(facts: &'a Facts, name: &str) -> &'a [Process] {
    effective(facts, name).processes.require().unwrap()
}

/// The process id of a container's first process.
pub(crate) fn init(name: &str) -> u32 {
    docker(&["inspect", "--format", "{{.State.Pid}}", name]).trim().parse().unwrap()
}

pub(crate) fn docker(args: &[&str]) -> String {
    let (ok, out) = run("docker", args);
    assert!(ok, "docker {args:?}: {out}");
    out
}

/// Runs a program: whether it succeeded, and what it wrote.
pub(crate) fn run(program: &str, args: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(args).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
