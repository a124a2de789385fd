//! Who can connect to whom: what is worked out, what `connect(2)` finds from inside every network namespace, and what the
//! probe finds, for every end and every listener of an engine of the tests' own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;

use crate::docker::{self, MARIADB, docker};
use crate::own_engine::{OwnEngine, Setup, nothing};
use crate::scene::{Report, Test, plimsoll};

const IMAGE: &str = "plimsoll-test/sleep";
const DATABASE: &str = "plt-connections-db";
const SETUP: Setup = Setup { config: "{}", flags: &["-Hunix://{dir}/docker.sock"], before: nothing };

/// Network, options.
const NETWORKS: [(&str, &[&str]); 3] = [
    ("together", &[]),
    ("apart", &["-o", "com.docker.network.bridge.enable_icc=false"]),
    ("inner", &["--internal", "--ipv6", "--subnet", "fd00:5ea::/64"]),
];

/// Container, options, ports on which something listens in its network namespace.
const CONTAINERS: [(&str, &[&str], &[&str]); 11] = [
    ("a1", &["--network", "together", "-p", "8080:80"], &["[::]:80", "0.0.0.0:3306"]),
    ("a2", &["--network", "together"], &["[::]:80", "127.0.0.1:81"]),
    ("b1", &["--network", "apart", "-p", "127.0.0.1:8081:80"], &["0.0.0.0:80"]),
    ("b2", &["--network", "apart"], &["0.0.0.0:80"]),
    ("c1", &["--network", "inner"], &["[::]:80"]),
    ("c2", &["--network", "inner"], &["0.0.0.0:80"]),
    ("d1", &[], &["0.0.0.0:6379"]),
    ("d2", &["-p", "8082:80/tcp"], &["0.0.0.0:80"]),
    ("host-network", &["--network", "host"], &["[::]:9000", "127.0.0.1:9001"]),
    ("joined", &["--network", "container:a1"], &["0.0.0.0:8888"]),
    ("none", &["--network", "none"], &["0.0.0.0:80"]),
];

/// Pairs that have to be compared at least.
const LEAST: usize = 300;
/// How long a connection may take: what is dropped is known after that.
const PATIENCE: Duration = Duration::from_millis(500);

/// Name of the test, and what it asks of the scene.
type Check = fn(&Scene) -> Result<(), String>;

const CHECKS: [(&str, Check); 5] = [
    ("connections_as_worked_out_are_those_that_connect", |scene| scene.first.agrees(LEAST)),
    ("connections_the_probe_agrees_and_nothing_accepts", |scene| scene.probe_agrees()),
    ("inspect_13_an_interface_that_was_moved_by_hand", |scene| scene.moved_by_hand()),
    ("inspect_17_icc_off_without_a_filter_on_bridges", |scene| scene.icc_off()),
    ("inspect_18_a_drop_in_docker_user", |scene| scene.drop_of_hand()),
];

/// The tests, which read one scene.
pub(crate) fn tests() -> Vec<Test> {
    let scene: Arc<OnceLock<Result<Scene, String>>> = Arc::default();
    let test = |(name, check): (&'static str, Check)| {
        let scene = Arc::clone(&scene);
        Test::new(name, move || check(scene.get_or_init(Scene::play).as_ref().map_err(Clone::clone)?))
    };
    let mut tests: Vec<_> = CHECKS.into_iter().map(test).collect();
    tests.push(Test::new("inspect_05_a_joined_network_that_is_left_behind", left_behind));
    tests.push(Test::new("connections_by_iptables_legacy_are_those_that_connect", by_legacy));
    tests
}

/// What was worked out and what was tried, each once before and once after the filter on bridges was switched off.
struct Scene {
    first: Round,
    without_bridge_filter: Round,
    audit: Report,
    accepted_by_probe: usize,
    /// Connections that MariaDB counted during the probe, beyond that of the question itself.
    database_saw: i64,
}

impl Scene {
    fn play() -> Result<Self, String> {
        let stage = Stage::build()?;
        let first = Round::look(&stage)?;
        let counted = stage.accepted.load(Ordering::SeqCst);
        let before = connections_of_database()?;
        let audit = stage.audit(&["--probe-syn"])?;
        let database_saw = connections_of_database()? - before - 1;
        let accepted_by_probe = stage.accepted.load(Ordering::SeqCst) - counted;
        stage.in_engine(&["sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0"])?;
        let without_bridge_filter = Round::look(&stage)?;
        Ok(Self { first, without_bridge_filter, audit, accepted_by_probe, database_saw })
    }

    fn probe_agrees(&self) -> Result<(), String> {
        let found = self.audit.answers_about_host("connection-model-disagrees");
        if found.len() != 1 || found[0]["status"] != "pass" {
            return Err(format!("{found:#?}"));
        }
        match (self.accepted_by_probe, self.database_saw) {
            (0, 0) => Ok(()),
            seen => Err(format!("listeners accepted, and MariaDB saw: {seen:?}")),
        }
    }

    /// The engine says that MariaDB has no network.
    fn moved_by_hand(&self) -> Result<(), String> {
        self.first.is("d1", "172.17.0.99:3306", "open")?;
        self.first.is("a2", "172.17.0.99:3306", "blocked")?;
        let found = self.audit.answers("unauthorised-connection", DATABASE);
        if found.len() == 1 && found[0]["status"] == "fail" && found[0]["severity"] == "high" {
            return Ok(());
        }
        Err(format!("{found:#?}"))
    }

    fn icc_off(&self) -> Result<(), String> {
        let to = self.first.address("b2")?;
        self.first.is("b1", &to, "blocked")?;
        self.without_bridge_filter.is("b1", &to, "open")?;
        self.without_bridge_filter.agrees(LEAST)
    }

    fn drop_of_hand(&self) -> Result<(), String> {
        let to = self.first.address("a1")?;
        self.first.is("a2", &to, "open")?;
        self.first.is("a2", &to.replace(":80", ":3306"), "blocked")
    }
}

/// An engine whose rules are all in tables of iptables-legacy.
fn by_legacy() -> Result<(), String> {
    let programs = tempfile::tempdir().map_err(|error| error.to_string())?;
    for name in ["iptables", "ip6tables"] {
        let legacy = format!("/usr/sbin/{name}-legacy");
        symlink(legacy, programs.path().join(name)).map_err(|error| error.to_string())?;
    }
    let flags = &["-Hunix://{dir}/docker.sock", "--storage-driver=vfs"];
    let engine = OwnEngine::start_of(programs.path(), &Setup { flags, ..SETUP })?;
    let mut stage = Stage::of(engine, "iptables-legacy")?;
    stage.lead_outside()?;
    stage.drop_by_hand()?;
    let round = Round::look(&stage)?;
    let to = round.address("a1")?;
    round.is("a2", &to, "open")?;
    round.is("a2", &to.replace(":80", ":3306"), "blocked")?;
    round.agrees(200)?;
    stage.watch_by_hand()?;
    let watched = Round::look(&stage)?;
    let to = round.address("d2")?;
    round.is("d1", &to, "open")?;
    watched.is("d1", &to, "unknown")?;
    watched.is("a2", &round.address("a1")?, "open")
}

/// The first container of `--network container:` starts anew, and the one that joined it stays in what it left.
fn left_behind() -> Result<(), String> {
    let engine = OwnEngine::start(&SETUP)?;
    engine.import_sleep(IMAGE)?;
    engine.docker(&["run", "-d", "--name", "first", IMAGE, "sleep", "600"])?;
    engine.docker(&[
        "run",
        "-d",
        "--name",
        "joined",
        "--network",
        "container:first",
        IMAGE,
        "sleep",
        "600",
    ])?;
    engine.docker(&["restart", "-t", "0", "first"])?;
    let _listening = listen(&network_of(pid_in(&engine, "first")?)?, &["0.0.0.0:80"])?;
    let host = engine.host();
    let report: Value =
        serde_json::from_str(&plimsoll(&["connections", "--format", "json", "--host", &host])?)
            .map_err(|e| e.to_string())?;
    let answer = answer(&report["connections"], "joined", "172.17.0.2:80");
    if answer == "blocked" { Ok(()) } else { Err(format!("the one that was left behind: {answer}")) }
}

/// The engine, and everything that listens in its networks.
struct Stage {
    engine: OwnEngine,
    namespaces: BTreeMap<u64, String>,
    accepted: Arc<AtomicUsize>,
    iptables: &'static str,
    _outside: Sleeper,
}

/// A process that holds a network namespace of its own.
struct Sleeper(Child);

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Stage {
    fn build() -> Result<Self, String> {
        let mut stage = Self::of(OwnEngine::start(&SETUP)?, "iptables")?;
        stage.move_by_hand()?;
        stage.lead_outside()?;
        stage.drop_by_hand()?;
        Ok(stage)
    }

    /// The networks and containers of an engine that writes its rules with this program.
    fn of(engine: OwnEngine, iptables: &'static str) -> Result<Self, String> {
        engine.import_sleep(IMAGE)?;
        for (name, options) in NETWORKS {
            engine.docker(&[&["network", "create"], options, &[name]].concat())?;
        }
        let daemon = fs::read_to_string(engine.dir().join("pid")).map_err(|error| error.to_string())?;
        let (namespaces, accepted) = (BTreeMap::new(), Arc::default());
        let mut stage = Self { engine, namespaces, accepted, iptables, _outside: outside()? };
        stage.know(daemon.trim().parse().map_err(|_| format!("pid of dockerd: {daemon}"))?)?;
        for (name, options, ports) in CONTAINERS {
            stage
                .engine
                .docker(&[&["run", "-d", "--name", name], options, &[IMAGE, "sleep", "900"]].concat())?;
            let path = stage.know(pid_in(&stage.engine, name)?)?;
            let listeners = listen(&path, ports)?;
            count(&listeners, &stage.accepted);
        }
        Ok(stage)
    }

    /// One port of one container is closed to another by hand.
    fn drop_by_hand(&self) -> Result<(), String> {
        let address = |name| {
            self.engine.docker(&[
                "inspect",
                "-f",
                "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
                name,
            ])
        };
        let (from, to) = (address("a2")?, address("a1")?);
        self.in_engine(&[
            self.iptables,
            "-I",
            "DOCKER-USER",
            "-s",
            &from,
            "-d",
            &to,
            "-p",
            "tcp",
            "--dport",
            "3306",
            "-j",
            "DROP",
        ])
    }

    /// A container of the system's engine that has no network gets an interface on the bridge of this one.
    fn move_by_hand(&mut self) -> Result<(), String> {
        docker::run(DATABASE, &["--network", "none"], MARIADB, &[])?;
        let pid = docker::pid(DATABASE)?;
        let path = self.know(pid)?;
        let pid = pid.to_string();
        self.in_engine(&[
            "ip", "link", "add", "byhand", "type", "veth", "peer", "name", "eth9", "netns", &pid,
        ])?;
        self.in_engine(&["ip", "link", "set", "byhand", "master", "docker0", "up"])?;
        run_in(&path, &["ip", "address", "add", "172.17.0.99/16", "dev", "eth9"])?;
        run_in(&path, &["ip", "link", "set", "eth9", "up"])?;
        let answers = (0..300).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            connections_of_database().is_ok()
        });
        if answers { Ok(()) } else { connections_of_database().map(drop) }
    }

    /// A network that nobody looks into, by which others reach this one.
    fn lead_outside(&mut self) -> Result<(), String> {
        let pid = self._outside.0.id();
        let path = network_of(pid)?;
        let pid = pid.to_string();
        self.in_engine(&[
            "ip", "link", "add", "outer", "type", "veth", "peer", "name", "inner", "netns", &pid,
        ])?;
        self.in_engine(&["ip", "address", "add", "10.99.0.1/24", "dev", "outer"])?;
        self.in_engine(&["ip", "link", "set", "outer", "up"])?;
        run_in(&path, &["ip", "address", "add", "10.99.0.2/24", "dev", "inner"])?;
        run_in(&path, &["ip", "link", "set", "inner", "up"])?;
        run_in(&path, &["ip", "route", "add", "default", "via", "10.99.0.1"])
    }

    /// A filter of traffic control looks at what comes in by docker0's ports.
    fn watch_by_hand(&self) -> Result<(), String> {
        let watch = "for port in /sys/class/net/docker0/brif/*; do port=${port##*/}; tc qdisc add dev $port clsact && \
                     tc filter add dev $port ingress protocol ip u32 match u32 0 0 flowid 1:1 || exit 1; done";
        self.in_engine(&["unshare", "-m", "sh", "-c", &format!("mount -t sysfs none /sys && {watch}")])
    }

    fn know(&mut self, pid: u32) -> Result<String, String> {
        let path = network_of(pid)?;
        let inode = fs::metadata(&path).map_err(|error| error.to_string())?.ino();
        self.namespaces.entry(inode).or_insert_with(|| path.clone());
        Ok(path)
    }

    fn in_engine(&self, command: &[&str]) -> Result<(), String> {
        let pid = fs::read_to_string(self.engine.dir().join("pid")).map_err(|error| error.to_string())?;
        run_in(&format!("/proc/{}/ns/net", pid.trim()), command)
    }

    fn audit(&self, more: &[&str]) -> Result<Report, String> {
        let host = self.engine.host();
        Report::of(&[&["--host", &host, "--host", docker::SOCKET], more].concat())
    }
}

/// What was worked out, and what was tried, at one time.
struct Round {
    worked: Value,
    /// End, address, whether it connected.
    tried: Vec<(usize, String, bool)>,
}

impl Round {
    fn look(stage: &Stage) -> Result<Self, String> {
        let host = stage.engine.host();
        let text = plimsoll(&["connections", "--format", "json", "--host", &host, "--host", docker::SOCKET])?;
        let report: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let worked = report["connections"].clone();
        let outside = stage._outside.0.id();
        let addresses = addresses(&worked);
        let mut threads = Vec::new();
        for (place, end) in worked["ends"].as_array().into_iter().flatten().enumerate() {
            let path = match (end["kind"].as_str(), end["name"].as_str()) {
                (Some("outside"), Some("outside, by outer")) => network_of(outside)?,
                (Some("outside"), _) => continue,
                _ => match stage.namespaces.get(&end["namespace"].as_u64().unwrap_or(0)) {
                    Some(path) => path.clone(),
                    None => continue,
                },
            };
            let addresses = addresses.clone();
            threads.push(std::thread::spawn(move || try_all(&path, &addresses).map(|found| (place, found))));
        }
        let mut tried = Vec::new();
        for thread in threads {
            let (place, found) = thread.join().map_err(|_| "a thread ended")??;
            tried.extend(found.into_iter().map(|(address, open)| (place, address, open)));
        }
        Ok(Self { worked, tried })
    }

    /// Nothing is unknown, and every answer is what was tried.
    fn agrees(&self, least: usize) -> Result<(), String> {
        let mut wrong = Vec::new();
        let mut compared = 0;
        for (end, address, open) in &self.tried {
            let worked = answer_of(&self.worked, *end, address);
            compared += usize::from(worked != "itself");
            let right = worked == "itself" || (worked == "open") == *open && worked != "unknown";
            if !right {
                let name = &self.worked["ends"][*end]["name"];
                wrong.push(format!("{name} to {address}: worked out as {worked}, connects: {open}"));
            }
        }
        match wrong.is_empty() {
            true if compared < least => Err(format!("only {compared} pairs")),
            true => Ok(()),
            false => Err(format!("{} of {compared} wrong:\n{}", wrong.len(), wrong.join("\n"))),
        }
    }

    fn is(&self, from: &str, to: &str, wanted: &str) -> Result<(), String> {
        let found = answer(&self.worked, from, to);
        if found == wanted {
            Ok(())
        } else {
            Err(format!("{from} to {to}: wanted {wanted}, worked out as {found}"))
        }
    }

    /// The address of a container's port 80.
    fn address(&self, name: &str) -> Result<String, String> {
        let listeners = self.worked["listeners"].as_array().into_iter().flatten();
        let own = |listener: &&Value| {
            let end = &self.worked["ends"][usize_of(&listener["end"])];
            end["name"].as_str().is_some_and(|it| it.split(", ").any(|it| it == name))
                && listener["port"] == 80
        };
        let ways = listeners.filter(own).flat_map(|it| it["ways"].as_array().into_iter().flatten());
        let mut to = ways
            .filter_map(|way| way["to"].as_str())
            .filter(|to| to.ends_with(":80") && !to.starts_with('['));
        to.next().map(str::to_owned).ok_or_else(|| format!("no way to {name}"))
    }
}

/// Addresses of TCP listeners.
fn addresses(worked: &Value) -> Vec<String> {
    let listeners = worked["listeners"].as_array().into_iter().flatten().filter(|it| it["protocol"] == "tcp");
    let ways = listeners.flat_map(|listener| listener["ways"].as_array().into_iter().flatten());
    let mut addresses: Vec<String> = ways.filter_map(|way| way["to"].as_str().map(str::to_owned)).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// What is worked out for an end of this name.
fn answer(worked: &Value, from: &str, to: &str) -> &'static str {
    let ends = worked["ends"].as_array().into_iter().flatten();
    let named =
        |end: &Value| end["name"].as_str().is_some_and(|name| name.split(", ").any(|name| name == from));
    match ends.into_iter().position(named) {
        Some(place) => answer_of(worked, place, to),
        None => "no such end",
    }
}

fn answer_of(worked: &Value, end: usize, to: &str) -> &'static str {
    let groups = worked["groups"].as_array().into_iter().flatten();
    let holds =
        |list: &Value, wanted: usize| list.as_array().into_iter().flatten().any(|it| usize_of(it) == wanted);
    let Some(group) = groups.into_iter().position(|group| holds(group, end)) else { return "no group" };
    let in_answers =
        |list: &Value| list.as_array().into_iter().flatten().any(|it| holds(&it["groups"], group));
    let mut found = "blocked";
    for listener in worked["listeners"].as_array().into_iter().flatten().filter(|it| it["protocol"] == "tcp")
    {
        for way in listener["ways"].as_array().into_iter().flatten().filter(|way| way["to"] == to) {
            if usize_of(&listener["end"]) == end {
                return "itself";
            }
            if holds(&way["open"], group) {
                return "open";
            }
            if in_answers(&way["unknown"]) {
                found = "unknown";
            }
        }
    }
    found
}

fn usize_of(value: &Value) -> usize {
    value.as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX)
}

/// Connects to each address from within a network namespace.
fn try_all(path: &str, addresses: &[String]) -> Result<Vec<(String, bool)>, String> {
    enter(path)?;
    let try_one = |address: &String| {
        let to: SocketAddr = address.parse().map_err(|_| format!("address {address}"))?;
        // On a busy machine an answer may be late.
        let open = (0..3).any(|_| TcpStream::connect_timeout(&to, PATIENCE).is_ok());
        Ok((address.clone(), open))
    };
    // Threads begin in the namespace of the one that starts them.
    std::thread::scope(|scope| {
        let threads: Vec<_> = addresses.iter().map(|address| scope.spawn(move || try_one(address))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread ended".to_owned())?).collect()
    })
}

/// Listens in a network namespace.
fn listen(path: &str, ports: &[&str]) -> Result<Vec<Arc<TcpListener>>, String> {
    let (path, ports) = (path.to_owned(), ports.iter().map(|port| (*port).to_owned()).collect::<Vec<_>>());
    let thread = std::thread::spawn(move || -> Result<Vec<Arc<TcpListener>>, String> {
        enter(&path)?;
        let bind =
            |port: &String| TcpListener::bind(port).map(Arc::new).map_err(|error| format!("{port}: {error}"));
        ports.iter().map(bind).collect()
    });
    thread.join().map_err(|_| "a thread ended")?
}

fn count(listeners: &[Arc<TcpListener>], accepted: &Arc<AtomicUsize>) {
    for listener in listeners {
        let (listener, accepted) = (Arc::clone(listener), Arc::clone(accepted));
        std::thread::spawn(move || {
            while listener.accept().is_ok() {
                accepted.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
}

fn enter(path: &str) -> Result<(), String> {
    let namespace = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|error| format!("{path}: {error}"))
}

fn network_of(pid: u32) -> Result<String, String> {
    let path = format!("/proc/{pid}/ns/net");
    fs::metadata(&path).map(|_| path.clone()).map_err(|error| format!("{path}: {error}"))
}

fn pid_in(engine: &OwnEngine, name: &str) -> Result<u32, String> {
    let pid = engine.docker(&["inspect", "-f", "{{.State.Pid}}", name])?;
    pid.parse().map_err(|_| format!("pid of {name}: {pid}"))
}

fn run_in(namespace: &str, command: &[&str]) -> Result<(), String> {
    let output = Command::new("nsenter").arg(format!("--net={namespace}")).args(command).output();
    docker::text(output.map_err(|error| error.to_string())?)
        .map(drop)
        .map_err(|error| format!("{command:?}: {error}"))
}

fn outside() -> Result<Sleeper, String> {
    let mut command = Command::new("unshare");
    command.args(["-n", "--", "sleep", "900"]).stdin(Stdio::null());
    let sleeper = command.spawn().map(Sleeper).map_err(|error| error.to_string())?;
    // Until it has left the network namespace of the tests.
    let own = fs::metadata("/proc/self/ns/net").map_err(|error| error.to_string())?.ino();
    for _ in 0..100 {
        if fs::metadata(format!("/proc/{}/ns/net", sleeper.0.id())).is_ok_and(|it| it.ino() != own) {
            return Ok(sleeper);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("unshare did not begin".to_owned())
}

/// How many connections MariaDB has counted, that of this question included.
fn connections_of_database() -> Result<i64, String> {
    let query =
        "SELECT variable_value FROM information_schema.global_status WHERE variable_name='CONNECTIONS'";
    let text = docker(&["exec", DATABASE, "mariadb", "-N", "-B", "-e", query])?;
    text.trim().parse().map_err(|_| format!("connections of MariaDB: {text}"))
}
