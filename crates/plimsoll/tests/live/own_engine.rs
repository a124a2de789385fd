//! A Docker engine of the tests' own: in a network namespace of its own, with everything it keeps below one directory.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::docker::{self, docker};

/// Stands for the engine's directory in [`Setup`].
const DIRECTORY: &str = "{dir}";
/// How long an engine may take to start, or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts a daemon. Ranges of users in its directory stand in for the host's.
const BEGIN: &str = r#"ip link set lo up
if [ -e "$1/subuid" ]; then
    mount --make-rslave / && mount --bind "$1/subuid" /etc/subuid && mount --bind "$1/subuid" /etc/subgid
fi
shift
exec dockerd "$@""#;

/// How an engine is set up; `{dir}` in either is its directory.
pub(crate) struct Setup {
    /// Its daemon.json.
    pub(crate) config: &'static str,
    /// Its command line, beyond where it keeps its things.
    pub(crate) flags: &'static [&'static str],
    /// Makes files in its directory before it starts.
    pub(crate) before: fn(&Path) -> Result<(), String>,
}

/// Nothing to make before the start.
pub(crate) fn nothing(_: &Path) -> Result<(), String> {
    Ok(())
}

/// A running engine; stopped, with its containers, when dropped.
pub(crate) struct OwnEngine {
    folder: TempDir,
    daemon: Child,
}

impl OwnEngine {
    /// Starts `dockerd` and waits until it answers on `docker.sock` in its directory.
    pub(crate) fn start(setup: &Setup) -> Result<Self, String> {
        Self::launch(setup, None)
    }

    /// Starts the engine whose programs are in this directory, with the storage that it takes by itself.
    pub(crate) fn start_of(programs: &Path, setup: &Setup) -> Result<Self, String> {
        Self::launch(setup, Some(programs))
    }

    fn launch(setup: &Setup, programs: Option<&Path>) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("plt").tempdir().map_err(|e| e.to_string())?;
        let dir = folder.path();
        (setup.before)(dir)?;
        configure(dir, setup.config)?;
        let log = File::create(dir.join("dockerd.log")).map_err(|e| e.to_string())?;
        let flags = setup.flags.iter().map(|flag| in_directory(dir, flag));
        let mut command = Command::new("unshare");
        command.args(["-n", "-m", "--propagation", "unchanged", "--", "sh", "-c", BEGIN, "sh"]).arg(dir);
        match programs {
            None => command.args(["--storage-driver", "vfs"]),
            Some(programs) => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let all = std::iter::once(programs.to_owned()).chain(std::env::split_paths(&path));
                command.env("PATH", std::env::join_paths(all).map_err(|e| e.to_string())?)
            }
        };
        let daemon = command
            .args(kept_in(dir))
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut engine = Self { folder, daemon };
        engine.wait()?;
        Ok(engine)
    }

    fn wait(&mut self) -> Result<(), String> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if self.docker(&["version"]).is_ok() {
                return Ok(());
            }
            if self.daemon.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let log = fs::read_to_string(self.dir().join("dockerd.log")).unwrap_or_default();
        let end = log.lines().rev().take(5).collect::<Vec<_>>().join("\n");
        Err(format!("the tests' own dockerd does not answer:\n{end}"))
    }

    /// Its directory.
    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Where it answers.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.dir().display())
    }

    /// Runs the docker command with this engine.
    pub(crate) fn docker(&self, args: &[&str]) -> Result<String, String> {
        docker(&[&["-H", &self.host()], args].concat())
    }

    /// Writes its daemon.json anew; the daemon is not told.
    pub(crate) fn configure(&self, config: &str) -> Result<(), String> {
        configure(self.dir(), config)
    }

    /// Gives it an image of the system's engine.
    pub(crate) fn load(&self, image: &str) -> Result<(), String> {
        let load = r#"docker save "$2" | docker -H "$1" load"#;
        let output = Command::new("sh").args(["-c", load, "sh", &self.host(), image]).output();
        docker::text(output.map_err(|error| error.to_string())?).map(drop)
    }

    /// Gives it an image that holds `sleep`, its libraries and nothing else: this engine copies the image for each
    /// container.
    pub(crate) fn import_sleep(&self, image: &str) -> Result<(), String> {
        import(&self.host(), image, &["/usr/bin/sleep"])
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        if let Ok(ids) = self.docker(&["ps", "-aq"]) {
            let ids: Vec<&str> = ids.split_whitespace().collect();
            if !ids.is_empty() {
                // What is left goes with the directory.
                let _ = self.docker(&[&["rm", "-fv"], &ids[..]].concat());
            }
        }
        let _ = kill_process(Pid::from_child(&self.daemon), Signal::TERM);
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE && self.daemon.try_wait().is_ok_and(|ended| ended.is_none()) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        unmount(self.dir());
    }
}

/// Unmounts what is below a directory: an engine that ends before it has started leaves its mounts, which keep the
/// directory from being removed.
pub(crate) fn unmount(dir: &Path) {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(Path::new);
    for point in points.filter(|point| point.starts_with(dir)).collect::<Vec<_>>().into_iter().rev() {
        let _ = Command::new("umount").arg("-l").arg(point).status();
    }
}

/// Gives the engine at this place an image that holds these files of the host, the libraries of its programs, and an empty
/// `/tmp`.
pub(crate) fn import(host: &str, image: &str, files: &[&str]) -> Result<(), String> {
    let import = r#"host=$1 image=$2
        shift 2
        files="$* $(ldd "$@" 2>/dev/null | grep -o '/[^ ]*[0-9]')"
        folders=$(for path in $files; do while path=$(dirname "$path") && [ "$path" != / ]; do echo "$path"; done; done)
        tar -chP --no-recursion / /tmp $(printf '%s\n' $folders $files | sort -u) | docker -H "$host" import - "$image""#;
    let output = Command::new("sh").args(["-c", import, "sh", host, image]).args(files).output();
    docker::text(output.map_err(|error| error.to_string())?).map(drop)
}

/// In [`Setup::before`]: gives a user ranges of other users.
pub(crate) fn ranges_of_users(dir: &Path, user: &str) -> Result<(), String> {
    let write = fs::write(dir.join("subuid"), format!("{user}:100000:65536\n"));
    // Other users than the engine's have to get to its images.
    let open = write.and_then(|()| fs::set_permissions(dir, fs::Permissions::from_mode(0o711)));
    open.map_err(|error| error.to_string())
}

/// A text in which `{dir}` stands for an engine's directory.
pub(crate) fn in_directory(dir: &Path, text: &str) -> String {
    text.replace(DIRECTORY, &dir.to_string_lossy())
}

fn configure(dir: &Path, config: &str) -> Result<(), String> {
    fs::write(dir.join("daemon.json"), in_directory(dir, config)).map_err(|error| error.to_string())
}

fn kept_in(dir: &Path) -> [String; 4] {
    [("config-file", "daemon.json"), ("data-root", "data"), ("exec-root", "exec"), ("pidfile", "pid")]
        .map(|(flag, name)| format!("--{flag}={}", dir.join(name).display()))
}
