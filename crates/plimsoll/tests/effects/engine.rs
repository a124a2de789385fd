//! An engine of the test's own: containerd and dockerd in a folder that goes away with it, without networks.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Debian's base system, made by `tests/live/images.sh`.
const IMAGE: &str = "plimsoll-test/base:bookworm";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Why the tests cannot run here.
pub(crate) fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("not root".to_owned());
    }
    let programs = [("dockerd", "--version"), ("containerd", "--version")];
    let absent =
        programs.into_iter().find(|(program, version)| output(Command::new(program).arg(version)).is_err());
    match absent {
        Some((program, _)) => Some(format!("no {program}")),
        None => output(Command::new("docker").args(["image", "inspect", IMAGE]))
            .err()
            .map(|_| format!("no image {IMAGE}: tests/live/images.sh")),
    }
}

/// What is known of a container: whether it runs, and since when.
pub(crate) type Containers = BTreeMap<String, (bool, String)>;

/// Two daemons in one folder.
pub(crate) struct Engine {
    folder: TempDir,
    storage_driver: String,
    containerd: Child,
    dockerd: Child,
}

impl Engine {
    /// Starts both daemons and gives the engine the image.
    pub(crate) fn start() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("plimsoll-effects-").tempdir().map_err(text)?;
        // The system's own engine knows which driver works on this file system.
        let storage_driver = output(Command::new("docker").args(["info", "-f", "{{.Driver}}"]))?;
        configure(folder.path(), false)?;
        let containerd = containerd(folder.path())?;
        let dockerd = dockerd(folder.path(), &storage_driver)?;
        let engine = Self { folder, storage_driver, containerd, dockerd };
        engine.wait_until_it_answers()?;
        let mut save =
            Command::new("docker").args(["save", IMAGE]).stdout(Stdio::piped()).spawn().map_err(text)?;
        let archive = save.stdout.take().ok_or("no output of docker save")?;
        output(engine.command(&["load"]).stdin(archive))?;
        save.wait().map_err(text)?;
        Ok(engine)
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    /// Writes the daemon's configuration without telling it.
    pub(crate) fn configure(&self, live_restore: bool) -> Result<(), String> {
        configure(self.folder.path(), live_restore)
    }

    /// Lets the running daemon read its configuration anew (SIGHUP).
    pub(crate) fn reload(&self, live_restore: bool) -> Result<(), String> {
        kill_process(pid(&self.dockerd)?, Signal::HUP).map_err(text)?;
        let begun = Instant::now();
        while self.docker(&["info", "-f", "{{.LiveRestoreEnabled}}"])? != live_restore.to_string() {
            if begun.elapsed() > PATIENCE {
                return Err(format!("live-restore does not become {live_restore}"));
            }
            sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Removes every container.
    pub(crate) fn clear(&self) -> Result<(), String> {
        let ids = self.docker(&["ps", "-aq"])?;
        let ids: Vec<_> = ids.split_whitespace().collect();
        if ids.is_empty() {
            return Ok(());
        }
        self.docker(&[&["rm", "-fv"][..], &ids].concat()).map(|_| ())
    }

    /// The docker command on this engine.
    pub(crate) fn docker(&self, arguments: &[&str]) -> Result<String, String> {
        output(&mut self.command(arguments))
    }

    /// Starts a container without a network.
    pub(crate) fn run(&self, name: &str, options: &[&str], command: &[&str]) -> Result<(), String> {
        let run: &[&str] = &["run", "-d", "--network", "none", "--name", name];
        self.docker(&[run, options, &[IMAGE], command].concat()).map(|_| ())
    }

    /// Every container.
    pub(crate) fn containers(&self) -> Result<Containers, String> {
        let ids = self.docker(&["ps", "-aq"])?;
        let mut containers = Containers::new();
        for id in ids.split_whitespace() {
            // One that is removed meanwhile is not there any more.
            let Ok(line) =
                self.docker(&["inspect", "-f", "{{.Name}} {{.State.Running}} {{.State.StartedAt}}", id])
            else {
                continue;
            };
            if let [name, running, since] = line.split_whitespace().collect::<Vec<_>>()[..] {
                containers
                    .insert(name.trim_start_matches('/').to_owned(), (running == "true", since.to_owned()));
            }
        }
        Ok(containers)
    }

    /// Takes the daemon away, in an orderly way or not, and starts it again.
    pub(crate) fn restart(&mut self, crash: bool) -> Result<(), String> {
        stop(&mut self.dockerd, if crash { Signal::KILL } else { Signal::TERM })?;
        if crash {
            let _ = fs::remove_file(self.path("docker.pid"));
        }
        self.dockerd = dockerd(self.folder.path(), &self.storage_driver)?;
        self.wait_until_it_answers()
    }

    /// Waits until a container is as wanted, compared with what it was before.
    ///
    /// # Errors
    /// What it is, when that has not become true.
    pub(crate) fn wait_for(
        &self,
        name: &str,
        before: &Containers,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let now = self.containers()?;
            let seen = match (before.get(name), now.get(name)) {
                (_, None) => "removed",
                (Some((true, since)), Some((true, still))) if since == still => "goes-on",
                (Some((true, _)), Some((true, _))) => "restart",
                (Some((true, _)), Some((false, _))) => "stays-down",
                (_, Some((true, _))) => "starts",
                (_, Some((false, _))) => "nothing",
            };
            if wanted(seen) {
                return Ok(());
            }
            if begun.elapsed() > Duration::from_secs(15) {
                return Err(seen.to_owned());
            }
            sleep(Duration::from_millis(500));
        }
    }

    fn wait_until_it_answers(&self) -> Result<(), String> {
        let begun = Instant::now();
        while let Err(error) = self.docker(&["version"]) {
            if begun.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.path("dockerd.log")).unwrap_or_default();
                let end: Vec<_> = log.lines().rev().take(5).collect();
                return Err(format!("{error}\n{}", end.join("\n")));
            }
            sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// dockerd mounts its data directory on itself, and a killed one leaves that behind.
    fn unmount(&self) {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let targets = mounts.lines().filter_map(|line| line.split_whitespace().nth(1));
        for target in targets.filter(|target| Path::new(target).starts_with(self.folder.path())).rev() {
            let _ = Command::new("umount").args(["-l", target]).status();
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(["-H", &self.endpoint()]).args(arguments);
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // What cannot be removed or stopped any more has gone already.
        let _ = self.clear();
        let _ = stop(&mut self.dockerd, Signal::TERM);
        let _ = stop(&mut self.containerd, Signal::TERM);
        self.unmount();
    }
}

fn configure(folder: &Path, live_restore: bool) -> Result<(), String> {
    fs::write(folder.join("daemon.json"), format!("{{\"live-restore\": {live_restore}}}")).map_err(text)
}

fn containerd(folder: &Path) -> Result<Child, String> {
    let here = folder.display();
    let configuration = format!(
        "version = 2\nroot = \"{here}/containerd\"\nstate = \"{here}/containerd-state\"\n\
         disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = \"{here}/containerd.sock\"\n"
    );
    fs::write(folder.join("containerd.toml"), configuration).map_err(text)?;
    let child = logged(folder, "containerd", "containerd", &["-c", &format!("{here}/containerd.toml")])?;
    let begun = Instant::now();
    while !folder.join("containerd.sock").exists() {
        if begun.elapsed() > PATIENCE {
            return Err("containerd does not listen".to_owned());
        }
        sleep(Duration::from_millis(100));
    }
    Ok(child)
}

fn dockerd(folder: &Path, storage_driver: &str) -> Result<Child, String> {
    let here = folder.display();
    let options = [
        format!("--config-file={here}/daemon.json"),
        format!("--host=unix://{here}/docker.sock"),
        format!("--containerd={here}/containerd.sock"),
        format!("--data-root={here}/root"),
        format!("--exec-root={here}/exec"),
        format!("--pidfile={here}/docker.pid"),
        format!("--storage-driver={storage_driver}"),
        "--bridge=none".to_owned(),
        "--iptables=false".to_owned(),
    ];
    // In a network namespace of its own: a daemon without a bridge takes the host's docker0 away.
    let own_network = ["-n", "--", "dockerd"];
    let arguments: Vec<&str> = own_network.into_iter().chain(options.iter().map(String::as_str)).collect();
    logged(folder, "dockerd", "unshare", &arguments)
}

/// Starts a daemon whose output goes to a file of its name.
fn logged(folder: &Path, name: &str, program: &str, arguments: &[&str]) -> Result<Child, String> {
    let log = folder.join(format!("{name}.log"));
    let log = File::options().create(true).append(true).open(log).map_err(text)?;
    let errors = log.try_clone().map_err(text)?;
    Command::new(program).args(arguments).stdout(log).stderr(errors).spawn().map_err(text)
}

fn stop(daemon: &mut Child, signal: Signal) -> Result<(), String> {
    kill_process(pid(daemon)?, signal).map_err(text)?;
    daemon.wait().map(|_| ()).map_err(text)
}

fn pid(daemon: &Child) -> Result<Pid, String> {
    i32::try_from(daemon.id()).ok().and_then(Pid::from_raw).ok_or_else(|| "no pid".to_owned())
}

/// What a command printed, or what it complained about.
fn output(command: &mut Command) -> Result<String, String> {
    let Output { status, stdout, stderr } = command.output().map_err(text)?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).trim().to_owned());
    }
    Err(format!("{status}: {}", String::from_utf8_lossy(&stderr).trim()))
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
