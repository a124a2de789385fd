//! An engine and its containers as the steps and traps need them.

use plimsoll_facts::{Container, Declared, Engine, EngineKind, Facts, Process, RunningProgram};

use serde_json::Value;

use crate::live_restore::LiveRestore;
use crate::{ContainerRef, measured};

/// The engine's default stop time-out in seconds, where the container sets none.
const DEFAULT_STOP_TIMEOUT: i64 = 10;
/// Label by which a swarm marks its tasks.
const SWARM_TASK_LABEL: &str = "com.docker.swarm.task.id";
/// Where Docker's embedded DNS server listens inside a container.
const EMBEDDED_DNS: &str = "127.0.0.11";

/// Database servers, by the name of their program. The name of an image proves nothing.
const DATABASES: [&str; 12] = [
    "clickhouse",
    "clickhouse-server",
    "cockroach",
    "etcd",
    "influxd",
    "mariadbd",
    "mongod",
    "mysqld",
    "postgres",
    "redis-server",
    "sqlservr",
    "valkey-server",
];

/// An engine, with what is worked out once for all of its containers.
pub(crate) struct EngineView<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) engine: &'a Engine,
    pub(crate) live_restore: LiveRestore,
    /// Every container; empty where the list could not be read.
    pub(crate) containers: Vec<ContainerView<'a>>,
}

impl<'a> EngineView<'a> {
    pub(crate) fn new(facts: &'a Facts, engine: &'a Engine) -> Self {
        let containers = engine.containers.value().map_or(&[][..], Vec::as_slice);
        Self {
            facts,
            engine,
            live_restore: LiveRestore::of(engine),
            containers: containers.iter().map(|container| ContainerView { engine, container }).collect(),
        }
    }

    /// Whether a daemon of Docker's stands behind it; podman has none that holds containers.
    pub(crate) fn has_docker_daemon(&self) -> bool {
        self.engine.kind != EngineKind::Podman
    }

    pub(crate) fn is_rootless(&self) -> bool {
        let options = self.engine.info.value().map_or(&[][..], |info| &info.security_options);
        options.iter().any(|option| option == "name=rootless")
            || self.engine.daemon.value().is_some_and(|daemon| daemon.in_user_namespace == Some(true))
    }

    pub(crate) fn in_swarm(&self) -> bool {
        self.engine.swarm.value().is_some()
    }

    pub(crate) fn running(&self) -> impl Iterator<Item = &ContainerView<'a>> {
        self.containers.iter().filter(|view| view.container.is_running())
    }

    /// The container that keeps an orderly shutdown waiting longest because it does not stop when asked.
    pub(crate) fn slowest(&self) -> Option<(&ContainerView<'a>, i64)> {
        self.running()
            .filter(|view| view.obeys_stop_signal() == Some(false))
            .filter_map(|view| Some((view, view.stop_timeout()?)))
            .max_by_key(|(_, timeout)| *timeout)
    }

    /// The longest time that an orderly shutdown may wait. `None`: a container waits for ever, or is not known.
    pub(crate) fn longest_stop(&self) -> Option<i64> {
        self.running()
            .map(ContainerView::stop_timeout)
            .try_fold(0, |longest, timeout| Some(longest.max(timeout?)))
    }

    /// Whether the next daemon removes containers of `docker run --rm` when it starts, although live-restore kept them
    /// (moby #46308: from 20.10 on, mended in 24.0.8 and 25.0).
    pub(crate) fn removes_what_live_restore_kept(&self) -> bool {
        let on_disk = self.daemon_program().and_then(|(component, _)| component.version.value());
        let running = self.engine.version.value().map(|version| &version.version);
        let next = on_disk.or(running).and_then(|version| release(version));
        next.is_some_and(|release| ((20, 10, 0)..(24, 0, 8)).contains(&release))
    }

    /// The daemon's own row among the running programs.
    pub(crate) fn daemon_program(&self) -> Option<(&'a plimsoll_facts::Component, &'a RunningProgram)> {
        let pid = self.engine.daemon.value()?.pid;
        self.facts.components.iter().find_map(|component| {
            let program = component.running.iter().find(|program| program.pid == pid)?;
            Some((component, program))
        })
    }
}

/// A container of an engine.
#[derive(Clone, Copy)]
pub(crate) struct ContainerView<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) container: &'a Container,
}

impl<'a> ContainerView<'a> {
    pub(crate) fn reference(&self) -> ContainerRef {
        ContainerRef {
            name: self.container.name.clone(),
            id: self.container.id.clone(),
            engine: self.engine.endpoint.clone(),
        }
    }

    pub(crate) fn declared(&self) -> Option<&'a Declared> {
        self.container.declared.value()
    }

    pub(crate) fn processes(&self) -> &'a [Process] {
        let effective = self.container.effective.value();
        effective.and_then(|effective| effective.processes.value()).map_or(&[], Vec::as_slice)
    }

    /// Seconds until it is killed when it is asked to stop. `None`: never (-1), or not known.
    pub(crate) fn stop_timeout(&self) -> Option<i64> {
        let timeout = self.declared()?.stop_timeout.unwrap_or(DEFAULT_STOP_TIMEOUT);
        (timeout >= 0).then_some(timeout)
    }

    /// Whether its first process handles the signal that asks it to stop. `None`: not known, as with a stop
    /// signal other than SIGTERM.
    pub(crate) fn obeys_stop_signal(&self) -> Option<bool> {
        let signal = self.declared()?.stop_signal.as_deref().unwrap_or("");
        if !matches!(signal, "" | "SIGTERM" | "TERM" | "15") {
            return None;
        }
        let init = self.container.effective.value()?.init_pid;
        let process =
            self.processes().iter().find(|process| process.pid == init && process.thread.is_none())?;
        Some(!process.ignores_sigterm)
    }

    /// The database server among its processes.
    pub(crate) fn database(&self) -> Option<&'a Process> {
        self.processes()
            .iter()
            .find(|process| DATABASES.iter().any(|name| *name == process.name || *name == program(process)))
    }

    pub(crate) fn restart_policy(&self) -> Option<&'a str> {
        self.declared().map(|declared| declared.host_config.restart_policy.as_str())
    }

    pub(crate) fn is_swarm_task(&self) -> bool {
        self.engine.swarm.value().is_some()
            && self.declared().is_some_and(|declared| declared.labels.contains_key(SWARM_TASK_LABEL))
    }

    /// Who reaches it through docker-proxy. `None` where nobody does.
    pub(crate) fn loopback_clients(&self) -> Option<LoopbackClients> {
        if self.proxy_is_off() {
            return None;
        }
        let ports = &self.declared()?.ports;
        let is_loopback = |address: &str| address.starts_with("127.") || address == "::1";
        if let Some(port) = ports.iter().find(|port| is_loopback(&port.host_address)) {
            return Some(LoopbackClients::All { port: port.host_port });
        }
        let everywhere = |address: &str| matches!(address, "" | "0.0.0.0" | "::");
        let port = ports.iter().find(|port| everywhere(&port.host_address))?;
        Some(LoopbackClients::OnHost { port: port.host_port })
    }

    /// Whether the running daemon is known to publish ports without docker-proxy.
    fn proxy_is_off(&self) -> bool {
        let Some(setting) = self.engine.settings.get("userland-proxy") else { return false };
        let file = self.engine.config_file.value();
        let file_is_loaded = file.is_some_and(|file| file.newer_than_daemon == Some(false));
        let from_file = setting.file.as_ref().filter(|_| file_is_loaded);
        let value = setting.loaded.as_ref().or(setting.flag.as_ref()).or(from_file);
        value.and_then(Value::as_bool) == Some(false)
    }

    /// The network on which names are resolved by the daemon: any that a person made.
    pub(crate) fn embedded_dns(&self) -> Option<&'a str> {
        let declared = self.declared()?;
        let built_in = |name: &str| matches!(name, "bridge" | "host" | "none" | "default");
        let listeners = self.container.effective.value().and_then(|effective| effective.listeners.value());
        let seen = || listeners.is_some_and(|all| all.iter().any(|socket| socket.address == EMBEDDED_DNS));
        match declared.networks.keys().find(|name| !built_in(name)) {
            Some(name) => Some(name),
            None if seen() => Some(&declared.host_config.network_mode),
            None => None,
        }
    }

    /// Seconds that stopping and starting this one container takes, and the longest that its time-out allows.
    pub(crate) fn restart_seconds(&self) -> (f64, Option<f64>) {
        let timeout = self.stop_timeout().map(seconds);
        let expected = match (self.obeys_stop_signal(), timeout) {
            (Some(false), Some(timeout)) => timeout + measured::START_ALONE,
            _ => measured::RESTART_ALONE,
        };
        (expected, timeout.map(|timeout| timeout + measured::START_ALONE))
    }
}

/// Which clients come through docker-proxy, and one of the ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopbackClients {
    /// All: the port is published on the host's loopback address only.
    All { port: u16 },
    /// Those on the host itself that use its loopback address.
    OnHost { port: u16 },
}

/// Whole seconds as a number to reckon with.
pub(crate) fn seconds(whole: i64) -> f64 {
    // Time-outs are far below the 2^52 from which a double loses whole numbers.
    whole as f64
}

/// The three numbers of a release, as of `20.10.24+dfsg1`; without an epoch.
pub(crate) fn release(version: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = version.splitn(3, '.');
    let mut next = || {
        let text = numbers.next()?;
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text.get(..end)?.parse().ok()
    };
    Some((next()?, next()?, next().unwrap_or(0)))
}

/// File name of the process's program; empty where it could not be read.
fn program(process: &Process) -> &str {
    let exe = process.exe.as_deref().unwrap_or_default().trim_end_matches(" (deleted)");
    exe.rsplit('/').next().unwrap_or_default()
}
