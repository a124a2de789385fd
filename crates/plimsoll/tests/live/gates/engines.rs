//! The engines whose containers are tried: the system's, one that maps users and can start privileged containers, and one
//! without root.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::kinds::Engine;
use crate::docker::{self, BASE, docker};
use crate::own_engine::{OwnEngine, Setup, import, ranges_of_users};
use crate::privileged;

/// An engine in whose containers gates are tried.
pub(super) trait Tried {
    /// What kinds of containers it can make.
    fn kinds(&self) -> Engine;
    /// Where it answers.
    fn host(&self) -> String;
    /// Which image its containers have.
    fn image(&self) -> &'static str {
        SMALL
    }
}

/// An image with what the tries need: engines of the tests' own copy it for each container.
const SMALL: &str = "plimsoll-test/small";

fn import_small(host: &str) -> Result<(), String> {
    import(host, SMALL, &["/etc/passwd", "/etc/group", "/usr/bin/sleep", "/bin/su"])
}

/// The engine of this machine.
pub(super) struct System;

impl Tried for System {
    fn kinds(&self) -> Engine {
        Engine::System
    }

    fn host(&self) -> String {
        docker::SOCKET.to_owned()
    }

    fn image(&self) -> &'static str {
        BASE
    }
}

/// An engine with `--userns-remap`, whose runtime can start privileged containers.
pub(super) struct Remapped(OwnEngine);

/// A user whom every machine has.
const USER: &str = "nobody";

impl Remapped {
    pub(super) fn start() -> Result<Self, String> {
        let engine = OwnEngine::start(&Setup {
            config: "{}",
            flags: &[
                "-Hunix://{dir}/docker.sock",
                "--add-runtime=lacking={dir}/lacking",
                "--default-runtime=lacking",
                "--userns-remap=nobody:nogroup",
            ],
            before: |dir| privileged::runtime(dir).and_then(|()| ranges_of_users(dir, USER)),
        })?;
        import_small(&engine.host())?;
        Ok(Self(engine))
    }
}

impl Tried for Remapped {
    fn kinds(&self) -> Engine {
        Engine::Remapped
    }

    fn host(&self) -> String {
        self.0.host()
    }
}

/// An engine that runs without root, by RootlessKit.
pub(super) struct Rootless {
    folder: TempDir,
    kit: Child,
}

/// Debian's place for the script that starts one, and that of Docker's own packages.
const SCRIPTS: [&str; 2] =
    ["/usr/share/docker.io/contrib/dockerd-rootless.sh", "/usr/bin/dockerd-rootless.sh"];
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts an engine as an ordinary user who has ranges of other users, and a device for the network.
const BEGIN: &str = r#"mount --make-rslave /
mount --bind "$1/subuid" /etc/subuid && mount --bind "$1/subuid" /etc/subgid
mkdir -p /dev/net && mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200
exec setpriv --reuid nobody --regid nogroup --clear-groups env HOME="$1/own" XDG_RUNTIME_DIR="$1/own" \
    sh "$2" --storage-driver vfs --iptables=false"#;

impl Rootless {
    pub(super) fn start() -> Result<Self, String> {
        let script =
            SCRIPTS.into_iter().find(|path| Path::new(path).exists()).ok_or("no dockerd-rootless.sh")?;
        let folder = tempfile::Builder::new().prefix("plt").tempdir().map_err(|error| error.to_string())?;
        let dir = folder.path();
        ranges_of_users(dir, USER)?;
        let own = dir.join("own");
        let made =
            fs::create_dir(&own).and_then(|()| fs::set_permissions(&own, Permissions::from_mode(0o700)));
        made.map_err(|error| error.to_string())?;
        let chown = Command::new("chown").arg("nobody:nogroup").arg(&own).output();
        docker::text(chown.map_err(|error| error.to_string())?)?;
        let log = || File::create(dir.join("log")).map_err(|error| error.to_string());
        let kit = Command::new("unshare")
            .args(["-m", "sh", "-c", BEGIN, "sh"])
            .arg(dir)
            .arg(script)
            .stdin(Stdio::null())
            .stdout(log()?)
            .stderr(log()?)
            .spawn()
            .map_err(|error| error.to_string())?;
        let engine = Self { folder, kit };
        engine.wait()?;
        import_small(&engine.host())?;
        Ok(engine)
    }

    fn wait(&self) -> Result<(), String> {
        let begin = Instant::now();
        while docker(&["-H", &self.host(), "version"]).is_err() {
            if begin.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                return Err(format!("the rootless engine does not answer:\n{log}"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Tried for Rootless {
    fn kinds(&self) -> Engine {
        Engine::Rootless
    }

    fn host(&self) -> String {
        format!("unix://{}/own/docker.sock", self.folder.path().display())
    }
}

impl Drop for Rootless {
    fn drop(&mut self) {
        if let Ok(ids) = docker(&["-H", &self.host(), "ps", "-aq"]) {
            for id in ids.lines() {
                let _ = docker(&["-H", &self.host(), "rm", "-fv", id]);
            }
        }
        let _ = kill_process(Pid::from_child(&self.kit), Signal::TERM);
        let _ = self.kit.wait();
    }
}
