//! Small facts for the tests: one Docker engine with one running database of Docker's defaults.

use plimsoll_facts::{
    Container, Daemon, Declared, Effective, Engine, EngineInfo, EngineKind, EngineVersion, Fact, Facts,
    Process,
};

/// The engine; `change` makes the case of its container `db`.
pub(crate) fn engine(change: impl FnOnce(&mut Container)) -> Engine {
    let mut db = container("db");
    change(&mut db);
    Engine {
        id: "engine-id".into(),
        endpoint: "unix:///var/run/docker.sock".into(),
        kind: EngineKind::Docker,
        daemon: Fact::known(
            Daemon { pid: 100, exe: "/usr/sbin/dockerd".into(), ..Daemon::default() },
            "/proc/100",
        ),
        version: Fact::known(
            EngineVersion { version: "20.10.24".into(), ..EngineVersion::default() },
            "GET /version",
        ),
        info: Fact::known(EngineInfo::default(), "GET /info"),
        config_file: Fact::absent("/etc/docker/daemon.json"),
        swarm: Fact::absent("GET /info"),
        containers: Fact::known(vec![db], "GET /containers/json"),
        ..Engine::default()
    }
}

/// The same engine on an otherwise unread host.
pub(crate) fn facts(change: impl FnOnce(&mut Container)) -> Facts {
    Facts { engines: vec![engine(change)], ..Facts::default() }
}

/// A running container of this name with Docker's defaults and one process that obeys SIGTERM.
pub(crate) fn container(name: &str) -> Container {
    let process = Process { pid: 4711, name: "mariadbd".into(), ..Process::default() };
    let effective =
        Effective { init_pid: 4711, processes: Fact::known(vec![process], "/proc"), ..Effective::default() };
    Container {
        id: format!("{name}-id"),
        name: name.into(),
        state: "running".into(),
        declared: Fact::known(Declared::default(), "GET /containers/json"),
        effective: Fact::known(effective, "/proc/4711"),
        packages: Fact::absent("writable layer"),
        authenticity: None,
    }
}

/// Shortcuts into a test's container.
pub(crate) trait Reach {
    /// Its declared side.
    fn declared(&mut self) -> &mut Declared;
    /// Its first process.
    fn init(&mut self) -> &mut Process;
}

impl Reach for Container {
    fn declared(&mut self) -> &mut Declared {
        self.declared.value_mut().unwrap()
    }

    fn init(&mut self) -> &mut Process {
        &mut self.effective.value_mut().unwrap().processes.value_mut().unwrap()[0]
    }
}
