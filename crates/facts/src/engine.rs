//! An engine: who serves its socket, how it is configured three ways, and what it holds.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Container, Fact, Image, ListeningProgram, Network, Socket};

/// One engine on the host, identified by the socket that it answers on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Engine {
    /// The engine's own id (`GET /info`), or its endpoint where it did not answer.
    pub id: String,
    /// `unix:///var/run/docker.sock`, `tcp://…`, `ssh://…`.
    pub endpoint: String,
    /// Whether it is on another host than the collector: process ids in its answers mean nothing here.
    pub remote: bool,
    /// Whose API it is.
    pub kind: EngineKind,
    /// The process that listens on the socket, found from the kernel's socket table, never by name.
    pub daemon: Fact<Daemon>,
    /// `GET /version`.
    pub version: Fact<EngineVersion>,
    /// `GET /info`.
    pub info: Fact<EngineInfo>,
    /// The daemon's configuration three ways, by the option's name in daemon.json.
    pub settings: BTreeMap<String, Setting>,
    /// The configuration file as it is on disk now. Absent where there is none.
    pub config_file: Fact<ConfigFile>,
    /// Sockets that the daemon's process listens on, read from the kernel.
    pub listeners: Fact<Vec<EngineListener>>,
    /// Networks.
    pub networks: Fact<Vec<Network>>,
    /// Volumes.
    pub volumes: Fact<Vec<Volume>>,
    /// Plugins.
    pub plugins: Fact<Vec<Plugin>>,
    /// Swarm; absent where the engine is not part of one.
    pub swarm: Fact<Swarm>,
    /// Images.
    pub images: Fact<Vec<Image>>,
    /// Containers, stopped ones too.
    pub containers: Fact<Vec<Container>>,
    /// Programs that listen in its containers.
    pub programs: Vec<ListeningProgram>,
}

/// Whose API an engine speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EngineKind {
    /// Did not answer.
    #[default]
    Unknown,
    /// Docker Engine (moby).
    Docker,
    /// podman's Docker-compatible API.
    Podman,
}

/// The process behind an engine's socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Daemon {
    /// Process id.
    pub pid: u32,
    /// Path of its program (`/proc/PID/exe`).
    pub exe: String,
    /// Command line.
    pub args: Vec<String>,
    /// Effective user id, in the collector's user namespace.
    pub uid: u32,
    /// When it started, in seconds since the Unix epoch.
    pub started_at: Option<i64>,
    /// `DOCKER_*`, `HTTP_PROXY`-like and `NOTIFY_SOCKET` names that are set in its environment; never values.
    pub environment: Vec<String>,
    /// Whether it runs in a user namespace of its own (rootless).
    pub in_user_namespace: Option<bool>,
}

/// `GET /version`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EngineVersion {
    /// Version of the engine.
    pub version: String,
    /// Highest API version that it speaks.
    pub api: String,
    /// Lowest API version that it speaks.
    pub min_api: String,
    /// Git commit as reported.
    pub commit: String,
    /// Build time as reported.
    pub build_time: String,
    /// Go version.
    pub go: String,
    /// Version of each component that the engine reports (`containerd`, `runc`, `docker-init`).
    pub components: BTreeMap<String, String>,
}

/// What matters of `GET /info`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EngineInfo {
    /// Storage driver.
    pub storage_driver: String,
    /// Storage driver's status lines.
    pub storage_status: Vec<(String, String)>,
    /// Data directory.
    pub data_root: String,
    /// Default logging driver.
    pub logging_driver: String,
    /// `cgroupfs`, `systemd` or `none`.
    pub cgroup_driver: String,
    /// `1` or `2`.
    pub cgroup_version: String,
    /// Security options, as reported (`name=seccomp,profile=default` …).
    pub security_options: Vec<String>,
    /// Runtimes by name → path.
    pub runtimes: BTreeMap<String, String>,
    /// Default runtime.
    pub default_runtime: String,
    /// Whether containers go on while the daemon is away.
    pub live_restore: bool,
    /// Whether the daemon was built or set experimental.
    pub experimental: bool,
    /// Debug mode.
    pub debug: bool,
    /// Registries that are spoken to without verified TLS, as CIDR or host names.
    pub insecure_registries: Vec<String>,
    /// Registry mirrors.
    pub registry_mirrors: Vec<String>,
    /// Authorization plugins.
    pub authorization_plugins: Vec<String>,
    /// The engine's own warnings.
    pub warnings: Vec<String>,
    /// Operating system as the engine sees it.
    pub operating_system: String,
    /// Kernel as the engine sees it.
    pub kernel_version: String,
    /// Number of containers and images as counted by the engine.
    pub containers: u64,
    /// Number of images.
    pub images: u64,
}

/// One daemon option, three ways. A value is what JSON holds; flags are converted to the same shape.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Setting {
    /// In the configuration file on disk now.
    pub file: Option<Value>,
    /// On the command line of the running daemon.
    pub flag: Option<Value>,
    /// What the running daemon says or does (`GET /info`, the default bridge's options, its processes).
    pub loaded: Option<Value>,
    /// Where `loaded` was read.
    pub loaded_source: String,
}

/// The daemon's configuration file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ConfigFile {
    /// Its path.
    pub path: String,
    /// Why it is not a valid configuration, where it is not.
    pub error: Option<String>,
    /// When it was last changed, in seconds since the Unix epoch.
    pub modified_at: i64,
    /// Whether it was changed after the daemon started.
    pub newer_than_daemon: Option<bool>,
    /// Keys of the top level.
    pub keys: Vec<String>,
}

/// A socket that the daemon listens on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EngineListener {
    /// The socket.
    pub socket: Socket,
    /// What it serves: the API, metrics, swarm's control or gossip plane, or not known.
    pub purpose: ListenerPurpose,
    /// TLS state of an API listener on TCP.
    pub tls: TlsState,
}

/// What an engine's listening socket serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ListenerPurpose {
    /// Not told by configuration.
    #[default]
    Unknown,
    /// The Engine API.
    Api,
    /// `metrics-addr`.
    Metrics,
    /// Swarm.
    Swarm,
}

/// How an API listener protects itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TlsState {
    /// Not TCP: the file mode decides.
    #[default]
    NotApplicable,
    /// Plain: everybody who can connect is root.
    Plain,
    /// TLS without client certificates.
    ServerOnly,
    /// TLS with client certificates required.
    Mutual,
    /// Could not be told.
    Unknown,
}

/// A volume, as `GET /volumes` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Volume {
    /// Name.
    pub name: String,
    /// Driver.
    pub driver: String,
    /// Where it is on the host.
    pub mountpoint: String,
    /// Driver options (`o=bind,device=/etc` binds a host directory under a volume's name).
    pub options: BTreeMap<String, String>,
}

/// A plugin, as `GET /plugins` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Plugin {
    /// Name.
    pub name: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Interfaces that it implements.
    pub interfaces: Vec<String>,
    /// Capabilities that it was granted.
    pub capabilities: Vec<String>,
    /// Host paths that it mounts.
    pub mounts: Vec<String>,
    /// Whether it uses the host's network.
    pub host_network: bool,
}

/// What matters of a swarm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Swarm {
    /// Whether this node is a manager; the fields below are known on managers only.
    pub manager: bool,
    /// Address that the node advertises.
    pub node_address: String,
    /// Listen address of the management plane (`GET /info`, or the default).
    pub listen_address: String,
    /// Address of the data path, where it differs.
    pub data_path_address: String,
    /// Managers that are reachable.
    pub managers: u32,
    /// Nodes.
    pub nodes: u32,
    /// Whether managers are locked after a restart (`--autolock`).
    pub autolock: Option<bool>,
    /// Life of a node certificate, in seconds.
    pub node_certificate_seconds: Option<u64>,
    /// When the root CA was last rotated or made, in seconds since the Unix epoch.
    pub root_ca_issued_at: Option<i64>,
    /// Services.
    pub services: Vec<Service>,
    /// Number of secrets.
    pub secrets: Option<u32>,
}

/// A swarm service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Service {
    /// Service id.
    pub id: String,
    /// Service name.
    pub name: String,
    /// Published ports: (mode, published, target, protocol).
    pub ports: Vec<(String, u16, u16, String)>,
    /// Names of environment variables whose name suggests a secret.
    pub secret_like_environment: Vec<String>,
    /// Restart condition and attempts (`None`: unlimited).
    pub restart_condition: String,
    /// Attempts before giving up; `None` is unlimited.
    pub restart_attempts: Option<u64>,
}
