//! Engines of our own, in the configurations that other auditors misjudge: who listens, with which TLS, and what of the
//! configuration file is in force. The system's engine is left alone.
//!
//! Needs root, dockerd and openssl. Without them each test says so and passes; with `CI=true` it fails.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use plimsoll_collect::engine::{DockerEnvironment, Endpoint};
use plimsoll_collect::{Options, collect};
use plimsoll_facts::{Engine, FileRole, ListenerPurpose, TlsState};
use plimsoll_rootdir::RootDir;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

/// Time for a daemon to begin to answer, on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(90);

/// A dockerd with directories of its own; it ends with the test.
struct Dockerd {
    child: Child,
    dir: tempfile::TempDir,
    /// A daemon with `--bridge=none` would delete the `docker0` of the system's engine.
    bridge: String,
}

impl Dockerd {
    /// Starts a daemon with this configuration file and these flags.
    fn start(dir: tempfile::TempDir, config: &str, flags: &[&str]) -> Self {
        let path = |name: &str| dir.path().join(name);
        fs::write(path("daemon.json"), config).unwrap();
        let bridge = bridge();
        let child = Command::new("dockerd")
            .args(["--iptables=false", "--storage-driver=vfs", "--bridge", &bridge])
            .arg("--config-file")
            .arg(path("daemon.json"))
            .arg(format!("--data-root={}", path("data").display()))
            .arg(format!("--exec-root={}", path("exec").display()))
            .arg(format!("--pidfile={}", path("pid").display()))
            .args(flags)
            .stdout(Stdio::null())
            .stderr(fs::File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        let mut daemon = Self { child, dir, bridge };
        let started = Instant::now();
        while !fs::read_to_string(daemon.path("log")).unwrap().contains("API listen on") {
            let ended = daemon.child.try_wait().unwrap().is_some();
            assert!(!ended && started.elapsed() < START_LIMIT, "{}", daemon.log());
            sleep(Duration::from_millis(100));
        }
        daemon
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
        let _ = ip(&["link", "delete", &self.bridge]);
    }
}

/// A bridge of its own, with an address of the networks for benchmarks (RFC 2544).
fn bridge() -> String {
    static MADE: AtomicU16 = AtomicU16::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("plm{number}-{}", std::process::id());
    assert!(ip(&["link", "add", &name, "type", "bridge"]), "no bridge {name}");
    assert!(ip(&["address", "add", &format!("198.18.{number}.1/24"), "dev", &name]), "no address for {name}");
    name
}

fn ip(args: &[&str]) -> bool {
    Command::new("ip").args(args).status().is_ok_and(|status| status.success())
}

/// A directory for a daemon; `None` where the machine cannot run one.
fn enter(test: &str) -> Option<tempfile::TempDir> {
    let works = |program: &str, argument: &str| {
        let command =
            Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
        command.is_ok_and(|status| status.success())
    };
    if rustix::process::geteuid().is_root() && works("dockerd", "--version") && works("openssl", "version") {
        return Some(tempfile::Builder::new().prefix("engine-").tempdir().unwrap());
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test}: root, dockerd and openssl are needed");
    eprintln!("{test}: skipped: root, dockerd and openssl are needed");
    None
}

fn audit(endpoint: Endpoint) -> (Engine, Vec<(FileRole, String)>) {
    let options =
        Options { endpoints: vec![endpoint], version: "test", stop_threads: false, progress: &|_| {} };
    let mut facts = collect(&RootDir::open("/").unwrap(), &options);
    let files = facts.host.files.iter().map(|file| (file.role, file.path.clone())).collect();
    (facts.engines.remove(0), files)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// State of the API's TCP listener on this port.
fn tls_of(engine: &Engine, port: u16) -> TlsState {
    let listeners = engine.listeners.require().unwrap();
    let listener =
        listeners.iter().find(|l| l.socket.port == port).unwrap_or_else(|| panic!("{listeners:?}"));
    assert_eq!(listener.purpose, ListenerPurpose::Api);
    listener.tls
}

/// An authority, and a certificate for 127.0.0.1 that is good for both sides.
fn certificates(dir: &Path) {
    let script = "set -e; cd \"$0\"
        new() { openssl req \"$@\" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes; }
        new -x509 -days 2 -subj /CN=plimsoll-test -keyout ca-key.pem -out ca.pem
        new -subj /CN=127.0.0.1 -keyout key.pem -out cert.csr
        printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth,clientAuth\\n' >cert.ext
        openssl x509 -req -days 2 -in cert.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile cert.ext -out cert.pem";
    let made = Command::new("sh").args(["-c", script]).arg(dir).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// `-H tcp://…` without TLS, and no socket at all: found without being named, and told as plain.
#[test]
fn a_plain_engine_on_tcp_alone() {
    let Some(dir) = enter("a_plain_engine_on_tcp_alone") else { return };
    let port = free_port();
    let daemon = Dockerd::start(dir, "{}", &["-H", &format!("tcp://127.0.0.1:{port}")]);
    let options = Options { endpoints: Vec::new(), version: "test", stop_threads: false, progress: &|_| {} };
    let engines = collect(&RootDir::open("/").unwrap(), &options).engines;
    let is_ours = |engine: &&Engine| engine.daemon.value().is_some_and(|d| d.pid == daemon.child.id());
    let engine = engines.iter().find(is_ours).unwrap();
    assert_eq!(tls_of(engine, port), TlsState::Plain);
    assert_eq!(engine.settings["tlsverify"].loaded, Some(json!(false)));
    assert!(engine.containers.value().is_some() && !engine.remote);
}

/// `tlsverify` in a daemon.json of several lines: clients without a certificate are turned away.
#[test]
fn an_engine_that_wants_client_certificates() {
    let Some(dir) = enter("an_engine_that_wants_client_certificates") else { return };
    let port = free_port();
    certificates(dir.path());
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (socket, key, certs) = (path("docker.sock"), path("key.pem"), path(""));
    let config = json!({
        "hosts": [format!("unix://{socket}"), format!("tcp://127.0.0.1:{port}")], "tlsverify": true,
        "tlscacert": path("ca.pem"), "tlscert": path("cert.pem"), "tlskey": key,
    });
    let config = serde_json::to_string_pretty(&config).unwrap();
    let daemon = Dockerd::start(dir, &config, &[]);

    let (engine, files) = audit(Endpoint::Unix(socket.into()));
    assert_eq!(tls_of(&engine, port), TlsState::Mutual, "{}", daemon.log());
    assert_eq!(engine.settings["hosts"].loaded, engine.settings["hosts"].file);
    assert_eq!(engine.settings["tlsverify"].loaded, Some(json!(true)));
    assert!(files.contains(&(FileRole::TlsServerKey, key)));

    let address = format!("tcp://127.0.0.1:{port}");
    let variables = [("DOCKER_TLS_VERIFY", "1".to_owned()), ("DOCKER_CERT_PATH", certs)];
    let environment = DockerEnvironment::new(variables.map(|(name, value)| (name.to_owned(), value)));
    let (over_tls, _) = audit(environment.named(&address).unwrap());
    assert_eq!(over_tls.version, engine.version);
    assert_eq!(over_tls.daemon.value().unwrap().pid, daemon.child.id());

    let (refused, _) = audit(Endpoint::parse(&address, None).unwrap());
    assert!(refused.version.value().is_none());
    // The kernel tells of the daemon all the same.
    assert_eq!(tls_of(&refused, port), TlsState::Mutual);
}

/// TLS that hides what is said, from everybody but those who ask.
#[test]
fn an_engine_with_tls_for_everybody() {
    let Some(dir) = enter("an_engine_with_tls_for_everybody") else { return };
    let port = free_port();
    certificates(dir.path());
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (host, socket) = (format!("tcp://127.0.0.1:{port}"), path("docker.sock"));
    let (ca, cert, key) = (path("ca.pem"), path("cert.pem"), path("key.pem"));
    let host_of_socket = format!("unix://{socket}");
    let flags = ["-H", &host, "-H", &host_of_socket, "--tls", "--tlsverify=false", "--tlscacert", &ca];
    let flags: Vec<&str> = flags.into_iter().chain(["--tlscert", &cert, "--tlskey", &key]).collect();
    let daemon = Dockerd::start(dir, "{}", &flags);
    let (engine, _) = audit(Endpoint::Unix(socket.into()));
    assert_eq!(tls_of(&engine, port), TlsState::ServerOnly, "{}", daemon.log());
    assert_eq!(engine.settings["tls"].loaded, Some(json!(true)));
    assert_eq!(engine.settings["tlsverify"].loaded, Some(json!(false)));
}

/// daemon.json was changed and the daemon was not restarted; another process goes by the name of the daemon.
#[test]
fn a_file_that_is_not_in_force_and_a_decoy() {
    let Some(dir) = enter("a_file_that_is_not_in_force_and_a_decoy") else { return };
    let socket = dir.path().join("docker.sock");
    let host = format!("unix://{}", socket.display());
    let daemon = Dockerd::start(dir, r#"{"live-restore": false}"#, &["-H", &host]);
    let script = "exec -a dockerd sleep 60 --icc=false --live-restore";
    let mut decoy = Command::new("bash").args(["-c", script]).stderr(Stdio::null()).spawn().unwrap();
    fs::write(daemon.path("daemon.json"), r#"{"live-restore": true}"#).unwrap();

    let (engine, _) = audit(Endpoint::Unix(socket.clone()));
    let _ = decoy.kill();
    let _ = decoy.wait();
    assert_eq!(engine.daemon.value().unwrap().pid, daemon.child.id());
    assert_eq!(engine.config_file.value().unwrap().newer_than_daemon, Some(true));
    let setting = &engine.settings["live-restore"];
    assert_eq!(
        (&setting.file, &setting.flag, &setting.loaded),
        (&Some(json!(true)), &None, &Some(json!(false)))
    );
    assert_eq!(engine.settings["icc"].flag, None);

    fs::write(daemon.path("daemon.json"), "{\"live-restore\": true,}").unwrap();
    let (engine, _) = audit(Endpoint::Unix(socket));
    assert!(engine.config_file.value().unwrap().error.is_some());
    assert_eq!(engine.settings["live-restore"].loaded, Some(json!(false)));
}
