//! A registry of the tests' own: Debian's `docker-registry` on loopback, with everything it keeps below one directory.
//! Taken in by each live test that needs one.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes files in a directory.
pub(crate) type Prepare = dyn Fn(&Path) -> Result<(), String>;

/// A running registry; stopped when dropped.
pub(crate) struct DockerRegistry {
    folder: TempDir,
    process: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) authority: String,
}

impl DockerRegistry {
    /// Starts one; with TLS where `tls` makes `server.crt` and `server.key` in its directory.
    pub(crate) fn start(tls: Option<&Prepare>) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let dir = folder.path();
        if let Some(make) = tls {
            make(dir)?;
        }
        let authority = free_port()?;
        let config = dir.join("config.yml");
        fs::write(&config, configuration(dir, &authority, tls.is_some()))
            .map_err(|error| error.to_string())?;
        let log = File::create(dir.join("log")).map_err(|error| error.to_string())?;
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("docker-registry: {error}"))?;
        let mut registry = Self { folder, process, authority };
        registry.wait()?;
        Ok(registry)
    }

    fn wait(&mut self) -> Result<(), String> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if TcpStream::connect(&self.authority).is_ok() {
                return Ok(());
            }
            if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.dir().join("log")).unwrap_or_default();
        Err(format!("docker-registry does not answer:\n{log}"))
    }

    /// Its directory.
    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Pushes an image of the engine under this name; answers with its full name.
    pub(crate) fn push(&self, image: &str, name: &str) -> Result<String, String> {
        let full = format!("{}/{name}", self.authority);
        docker(&["tag", image, &full])?;
        let pushed = docker(&["push", "-q", &full]);
        docker(&["rmi", &full])?;
        pushed.map(|_| full)
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configuration(dir: &Path, authority: &str, has_tls: bool) -> String {
    let dir = dir.display();
    let tls = match has_tls {
        true => format!("  tls: {{certificate: {dir}/server.crt, key: {dir}/server.key}}\n"),
        false => String::new(),
    };
    format!(
        "version: 0.1\nlog: {{level: warn}}\nstorage:\n  filesystem: {{rootdirectory: {dir}/data}}\nhttp:\n  addr: {authority}\n{tls}"
    )
}

fn free_port() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.to_string())
}

/// Runs the docker command; its output, or what it complained about.
fn docker(arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new("docker").args(arguments).output().map_err(|error| format!("docker: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(format!("docker {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}
