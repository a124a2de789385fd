//! What a container was asked for: `GET /containers/{id}/json`.

use std::collections::BTreeMap;

use plimsoll_facts::{Declared, DeclaredMount, Endpoint, ExecSession};
use serde::Deserialize;

use super::client::CallError;
use super::environment::Environment;
use super::graph::GraphDriver;
use super::host_config::WireHostConfig;
use super::json::{cut, epoch_seconds, lenient, or_default};
use super::ports::{self, Bindings};

/// The most labels that are kept.
const MAX_LABELS: usize = 512;
/// The longest label value that is kept, in bytes.
const MAX_LABEL: usize = 4096;

/// A container as the API writes it. What has no default here must be there: a document without it is none.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireContainer {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: String,
    pub(super) state: State,
    config: Config,
    host_config: WireHostConfig,
    #[serde(default, deserialize_with = "lenient")]
    created: String,
    #[serde(default, deserialize_with = "lenient")]
    path: String,
    #[serde(default, deserialize_with = "lenient")]
    args: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    image: String,
    #[serde(default, deserialize_with = "lenient")]
    restart_count: u64,
    #[serde(default, deserialize_with = "or_default")]
    app_armor_profile: String,
    #[serde(default, rename = "ExecIDs", deserialize_with = "or_default")]
    exec_ids: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    driver: String,
    #[serde(default, deserialize_with = "lenient")]
    graph_driver: GraphDriver,
    #[serde(default, deserialize_with = "or_default")]
    mounts: Vec<WireMount>,
    #[serde(default, deserialize_with = "or_default")]
    network_settings: NetworkSettings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct State {
    #[serde(deserialize_with = "or_default")]
    pub(super) status: String,
    #[serde(deserialize_with = "or_default")]
    pid: u32,
    #[serde(deserialize_with = "lenient")]
    started_at: String,
    #[serde(deserialize_with = "lenient")]
    finished_at: String,
    #[serde(deserialize_with = "lenient")]
    health: Health,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Health {
    status: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Config {
    #[serde(deserialize_with = "or_default")]
    user: String,
    #[serde(deserialize_with = "or_default")]
    image: String,
    env: Environment,
    #[serde(deserialize_with = "lenient")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "lenient")]
    healthcheck: Healthcheck,
    #[serde(deserialize_with = "lenient")]
    stop_signal: Option<String>,
    #[serde(deserialize_with = "lenient")]
    stop_timeout: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    exposed_ports: BTreeMap<String, serde::de::IgnoredAny>,
}

/// `Healthcheck`: an empty `Test` inherits the image's.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Healthcheck {
    #[serde(deserialize_with = "lenient")]
    test: Vec<String>,
}

impl Healthcheck {
    pub(super) fn into_test(self) -> Option<Vec<String>> {
        (!self.test.is_empty()).then_some(self.test)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct WireMount {
    #[serde(rename = "Type", deserialize_with = "or_default")]
    kind: String,
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "or_default")]
    source: String,
    #[serde(deserialize_with = "or_default")]
    destination: String,
    #[serde(rename = "RW", deserialize_with = "or_default")]
    rw: bool,
    #[serde(deserialize_with = "or_default")]
    propagation: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct NetworkSettings {
    #[serde(deserialize_with = "or_default")]
    ports: Bindings,
    #[serde(deserialize_with = "or_default")]
    networks: BTreeMap<String, Option<WireEndpoint>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireEndpoint {
    #[serde(rename = "NetworkID", deserialize_with = "lenient")]
    network_id: String,
    #[serde(rename = "IPAddress", deserialize_with = "lenient")]
    ipv4: String,
    #[serde(rename = "GlobalIPv6Address", deserialize_with = "lenient")]
    ipv6: String,
    #[serde(rename = "Aliases", deserialize_with = "lenient")]
    aliases: Vec<String>,
}

/// `GET /exec/{id}/json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct WireExec {
    #[serde(rename = "ID", deserialize_with = "or_default")]
    id: String,
    #[serde(deserialize_with = "or_default")]
    running: bool,
    #[serde(deserialize_with = "or_default")]
    pid: u32,
    #[serde(deserialize_with = "or_default")]
    process_config: ProcessConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProcessConfig {
    #[serde(deserialize_with = "or_default")]
    user: String,
    #[serde(deserialize_with = "or_default")]
    privileged: bool,
}

impl WireExec {
    /// The session, while it runs.
    pub(super) fn into_session(self) -> Option<ExecSession> {
        let ProcessConfig { user, privileged } = self.process_config;
        self.running.then_some(ExecSession { id: self.id, pid: self.pid, user, privileged })
    }
}

impl WireContainer {
    /// The document, if it is about the container that was asked for.
    pub(super) fn about(self, id: &str) -> Result<Self, CallError> {
        if self.id == id {
            return Ok(self);
        }
        Err(CallError::Malformed("Id: it is about another container".to_owned()))
    }

    pub(super) fn into_facts(self) -> Declared {
        let Self { config, mut host_config, .. } = self;
        let exposed_ports: Vec<String> = config.exposed_ports.into_keys().collect();
        let running = matches!(self.state.status.as_str(), "running" | "paused" | "restarting");
        let ports = if running {
            ports::published(self.network_settings.ports)
        } else if host_config.publish_all_ports {
            ports::published_at_start(exposed_ports.iter().map(String::as_str))
        } else {
            ports::published(std::mem::take(&mut host_config.port_bindings))
        };
        let mut command = vec![self.path];
        command.extend(self.args);
        let driver =
            if self.graph_driver.name.is_empty() { self.driver } else { self.graph_driver.name.clone() };
        Declared {
            created_at: epoch_seconds(&self.created),
            started_at: epoch_seconds(&self.state.started_at),
            finished_at: epoch_seconds(&self.state.finished_at),
            pid: self.state.pid,
            image_id: self.image,
            image: config.image,
            command,
            user: config.user,
            environment: config.env.names,
            secret_like_environment: config.env.secret_like,
            labels: bounded(config.labels),
            healthcheck: config.healthcheck.into_test(),
            // podman writes an empty status for a container without a check.
            health: self.state.health.status.filter(|status| !status.is_empty()),
            stop_signal: config.stop_signal.filter(|signal| !signal.is_empty()),
            stop_timeout: config.stop_timeout,
            restart_count: self.restart_count,
            apparmor_profile: self.app_armor_profile,
            exec_ids: self.exec_ids,
            execs: Vec::new(),
            runtime: std::mem::take(&mut host_config.runtime),
            host_config: host_config.into_facts(),
            mounts: self.mounts.into_iter().map(WireMount::into_facts).collect(),
            ports,
            exposed_ports,
            networks: endpoints(self.network_settings.networks),
            storage_driver: driver,
            layer_dirs: self.graph_driver.layer_dirs(),
        }
    }
}

impl WireMount {
    fn into_facts(self) -> DeclaredMount {
        DeclaredMount {
            kind: self.kind,
            name: self.name,
            source: self.source,
            target: self.destination,
            rw: self.rw,
            propagation: self.propagation,
        }
    }
}

fn endpoints(networks: BTreeMap<String, Option<WireEndpoint>>) -> BTreeMap<String, Endpoint> {
    let into_facts = |wire: WireEndpoint| Endpoint {
        network_id: wire.network_id,
        ipv4: wire.ipv4,
        ipv6: wire.ipv6,
        aliases: wire.aliases,
    };
    networks.into_iter().map(|(name, wire)| (name, wire.map(into_facts).unwrap_or_default())).collect()
}

/// Labels come from whoever made the image or the container: as many and as long as they like.
fn bounded(labels: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let bound = |mut text: String| {
        text.truncate(cut(&text, MAX_LABEL).len());
        text
    };
    labels.into_iter().take(MAX_LABELS).map(|(key, value)| (bound(key), bound(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a real container on Docker 20.10.24, shortened.
    const RUNNING: &str = r#"{
        "Id": "a002", "Created": "2026-11-24T06:10:44.703233446Z", "Path": "sleep", "Args": ["3600"],
        "State": {"Status": "running", "Pid": 20463, "StartedAt": "2026-11-24T06:10:44.897789959Z",
                  "FinishedAt": "0001-01-01T00:00:00Z", "Health": {"Status": "healthy", "Log": []}},
        "Image": "sha256:b3c9", "Name": "/engine-a", "RestartCount": 2, "Driver": "fuse-overlayfs",
        "AppArmorProfile": "", "ExecIDs": ["e1"],
        "HostConfig": {"Binds": null, "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": ""}]},
                       "Runtime": "runc", "MaskedPaths": ["/proc/kcore"]},
        "GraphDriver": {"Name": "fuse-overlayfs", "Data": {"LowerDir": "/l/x-init/diff", "UpperDir": "/l/x/diff"}},
        "Mounts": [{"Type": "volume", "Name": "v", "Source": "/var/lib/docker/volumes/v/_data",
                    "Destination": "/data", "Driver": "local", "Mode": "z", "RW": true, "Propagation": ""}],
        "Config": {"User": "app", "ExposedPorts": {"80/tcp": {}}, "Env": ["DB_PASSWORD=x", "FOO=bar"],
                   "Image": "base:bookworm", "Labels": {"a": "b"}, "StopTimeout": 30, "StopSignal": "SIGQUIT",
                   "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1}},
        "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "13306"}]},
            "Networks": {"bridge": {"Aliases": null, "NetworkID": "63b0", "IPAddress": "172.17.0.2",
                                    "GlobalIPv6Address": ""}}}}"#;

    fn read(json: &str) -> Declared {
        serde_json::from_str::<WireContainer>(json).unwrap().into_facts()
    }

    #[test]
    fn a_running_container_is_read_whole() {
        let declared = read(RUNNING);
        assert_eq!((declared.created_at, declared.pid), (Some(1_795_500_644), 20_463));
        assert_eq!((declared.started_at, declared.finished_at), (Some(1_795_500_644), None));
        assert_eq!(declared.command, ["sleep", "3600"]);
        assert_eq!(declared.environment, ["DB_PASSWORD", "FOO"]);
        assert_eq!(declared.secret_like_environment, ["DB_PASSWORD"]);
        assert_eq!((declared.health.as_deref(), declared.stop_timeout), (Some("healthy"), Some(30)));
        assert_eq!(declared.stop_signal.as_deref(), Some("SIGQUIT"));
        assert_eq!((declared.restart_count, declared.runtime.as_str()), (2, "runc"));
        assert_eq!(declared.mounts[0].target, "/data");
        assert_eq!(declared.ports[0].host_port, 13_306);
        assert_eq!(declared.networks["bridge"].ipv4, "172.17.0.2");
        assert_eq!(declared.layer_dirs, ["/l/x/diff", "/l/x-init/diff"]);
        assert_eq!(declared.host_config.masked_paths.unwrap(), ["/proc/kcore"]);
        assert!(!serde_json::to_string(&read(RUNNING)).unwrap().contains("FOO=bar"));
    }

    #[test]
    fn a_stopped_container_shows_what_it_would_publish() {
        let stopped = RUNNING.replace("\"running\"", "\"exited\"");
        let port = &read(&stopped).ports[0];
        assert_eq!((port.container_port, port.host_port, port.host_address.as_str()), (80, 0, ""));
        let all = stopped.replace("\"Binds\": null", "\"PublishAllPorts\": true");
        assert_eq!(read(&all).ports.len(), 1);
    }

    #[test]
    fn what_no_rule_rests_on_may_be_anything() {
        let odd = RUNNING
            .replace(r#""Labels": {"a": "b"}"#, r#""Labels": [1]"#)
            .replace(r#""Health": {"Status": "healthy", "Log": []}"#, r#""Health": {"Status": ""}"#)
            .replace(r#""StopTimeout": 30"#, r#""StopTimeout": "soon""#)
            .replace(r#""Created": "2026-11-24T06:10:44.703233446Z""#, r#""Created": 5"#)
            .replace(r#""Healthcheck": {"Test": ["CMD", "true"], "Interval": 1}"#, r#""Healthcheck": null"#);
        let declared = read(&odd);
        assert_eq!((declared.created_at, declared.health, declared.stop_timeout), (None, None, None));
        assert!(declared.labels.is_empty() && declared.healthcheck.is_none());
        assert_eq!(declared.user, "app");
    }

    #[test]
    fn labels_are_bounded() {
        let labels = (0..2 * MAX_LABELS).map(|n| (n.to_string(), "x".repeat(2 * MAX_LABEL))).collect();
        let kept = bounded(labels);
        assert_eq!(kept.len(), MAX_LABELS);
        assert!(kept.values().all(|value| value.len() == MAX_LABEL));
    }
}
