//! A container: what the engine was asked for, and what the kernel enforces.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel_types::holding;
use crate::{Authenticity, Capabilities, Fact, Mount, Namespaces, PackageInventory, Socket};

/// One container of an engine, running or not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Container {
    /// Container id.
    pub id: String,
    /// Name, without the leading slash.
    pub name: String,
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    pub state: String,
    /// What the engine was asked for. A gap where the container vanished between list and inspect.
    pub declared: Fact<Declared>,
    /// What the kernel enforces. Absent where the container does not run.
    pub effective: Fact<Effective>,
    /// Its packages, where it runs and something in it changed what its image brought. Absent: they are its image's.
    pub packages: Fact<PackageInventory>,
    /// Who vouches for what it runs from, where somebody was asked.
    pub authenticity: Option<Authenticity>,
}

impl Container {
    /// Whether the container has a process.
    pub fn is_running(&self) -> bool {
        matches!(self.state.as_str(), "running" | "paused" | "restarting")
    }
}

/// What matters of `GET /containers/{id}/json`, or of a create request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Declared {
    /// When it was created, in seconds since the Unix epoch.
    pub created_at: Option<i64>,
    /// When it last started, in seconds since the Unix epoch.
    pub started_at: Option<i64>,
    /// When it last ended, in seconds since the Unix epoch.
    pub finished_at: Option<i64>,
    /// Init process as the engine reports it; 0 where it does not run.
    pub pid: u32,
    /// Image id.
    pub image_id: String,
    /// Image reference as the user wrote it.
    pub image: String,
    /// `Path` and `Args`: what is run.
    pub command: Vec<String>,
    /// `Config.User`.
    pub user: String,
    /// Environment, names only.
    pub environment: Vec<String>,
    /// Names of variables whose name or value looks like a secret.
    pub secret_like_environment: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// `Config.Healthcheck.Test`, or the image's; `["NONE"]` is switched off.
    pub healthcheck: Option<Vec<String>>,
    /// `State.Health.Status`.
    pub health: Option<String>,
    /// `Config.StopSignal`.
    pub stop_signal: Option<String>,
    /// `Config.StopTimeout`, in seconds; `None` is the engine's default of 10.
    pub stop_timeout: Option<i64>,
    /// `State.RestartCount`.
    pub restart_count: u64,
    /// `AppArmorProfile`.
    pub apparmor_profile: String,
    /// `ExecIDs`: exec sessions that the engine knows of.
    pub exec_ids: Vec<String>,
    /// Exec sessions that run now, with what they were asked for (`GET /exec/{id}/json`).
    pub execs: Vec<ExecSession>,
    /// Runtime by name.
    pub runtime: String,
    /// `HostConfig`.
    pub host_config: HostConfig,
    /// `Mounts`.
    pub mounts: Vec<DeclaredMount>,
    /// Published ports as they are bound now, or would be (`NetworkSettings.Ports`, `PortBindings`).
    pub ports: Vec<PublishedPort>,
    /// Ports that the image or the request exposes (`80/tcp`).
    pub exposed_ports: Vec<String>,
    /// Networks by name.
    pub networks: BTreeMap<String, Endpoint>,
    /// Storage driver of the container's own file system.
    pub storage_driver: String,
    /// Overlay directories on the host, topmost first.
    pub layer_dirs: Vec<String>,
}

/// A running `docker exec`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExecSession {
    /// Exec id.
    pub id: String,
    /// Process id in the host's PID namespace.
    pub pid: u32,
    /// `ProcessConfig.user`.
    pub user: String,
    /// `ProcessConfig.privileged`.
    pub privileged: bool,
}

/// What matters of `HostConfig`. Numbers are the engine's: 0 is "not set".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HostConfig {
    /// `--privileged`.
    pub privileged: bool,
    /// `CapAdd`.
    pub cap_add: Vec<String>,
    /// `CapDrop`.
    pub cap_drop: Vec<String>,
    /// `SecurityOpt`.
    pub security_opt: Vec<String>,
    /// `NetworkMode`.
    pub network_mode: String,
    /// `PidMode`.
    pub pid_mode: String,
    /// `IpcMode`.
    pub ipc_mode: String,
    /// `UTSMode`.
    pub uts_mode: String,
    /// `UsernsMode`.
    pub userns_mode: String,
    /// `CgroupnsMode`.
    pub cgroupns_mode: String,
    /// `CgroupParent`.
    pub cgroup_parent: String,
    /// `ReadonlyRootfs`.
    pub readonly_rootfs: bool,
    /// `Binds`, as written.
    pub binds: Vec<String>,
    /// `Memory`, in bytes.
    pub memory: i64,
    /// `MemorySwap`, in bytes; -1 unlimited.
    pub memory_swap: i64,
    /// `MemoryReservation`, in bytes.
    pub memory_reservation: i64,
    /// `NanoCpus`.
    pub nano_cpus: i64,
    /// `CpuShares`.
    pub cpu_shares: i64,
    /// `CpuQuota`, in microseconds.
    pub cpu_quota: i64,
    /// `CpuPeriod`, in microseconds.
    pub cpu_period: i64,
    /// `CpusetCpus`.
    pub cpuset_cpus: String,
    /// `PidsLimit`; `None` or 0 or -1 is unlimited.
    pub pids_limit: Option<i64>,
    /// `BlkioWeight`.
    pub blkio_weight: u16,
    /// Whether any block device limit is set.
    pub blkio_limits: bool,
    /// `OomKillDisable`.
    pub oom_kill_disable: bool,
    /// `OomScoreAdj`.
    pub oom_score_adj: i64,
    /// `Ulimits`: name → (soft, hard).
    pub ulimits: BTreeMap<String, (i64, i64)>,
    /// `Devices`: host path → cgroup permissions.
    pub devices: BTreeMap<String, String>,
    /// `DeviceCgroupRules`.
    pub device_cgroup_rules: Vec<String>,
    /// `DeviceRequests`: driver and capabilities (GPUs, CDI).
    pub device_requests: Vec<String>,
    /// `MaskedPaths`; `None` where the engine does not tell.
    pub masked_paths: Option<Vec<String>>,
    /// `ReadonlyPaths`; `None` where the engine does not tell.
    pub readonly_paths: Option<Vec<String>>,
    /// `RestartPolicy.Name`.
    pub restart_policy: String,
    /// `RestartPolicy.MaximumRetryCount`.
    pub restart_max_retries: i64,
    /// `LogConfig.Type`.
    pub log_driver: String,
    /// `LogConfig.Config`.
    pub log_options: BTreeMap<String, String>,
    /// `Sysctls`.
    pub sysctls: BTreeMap<String, String>,
    /// `GroupAdd`.
    pub group_add: Vec<String>,
    /// `ExtraHosts`.
    pub extra_hosts: Vec<String>,
    /// `AutoRemove`.
    pub auto_remove: bool,
    /// `Init`.
    pub init: Option<bool>,
    /// `Tmpfs`: target → options.
    pub tmpfs: BTreeMap<String, String>,
    /// `VolumesFrom`.
    pub volumes_from: Vec<String>,
    /// `Links`.
    pub links: Vec<String>,
}

/// One of `Mounts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DeclaredMount {
    /// `bind`, `volume`, `tmpfs`, `npipe`, `cluster`.
    pub kind: String,
    /// Volume name.
    pub name: String,
    /// Host path.
    pub source: String,
    /// Path in the container.
    pub target: String,
    /// Whether it may be written.
    pub rw: bool,
    /// Propagation.
    pub propagation: String,
}

impl DeclaredMount {
    /// The one that holds a path, as [`crate::Mount::holding`].
    pub fn holding<'m>(mounts: &'m [Self], path: &str) -> Option<&'m Self> {
        holding(mounts, path, |mount| &mount.target)
    }
}

/// A published port.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PublishedPort {
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// Port in the container.
    pub container_port: u16,
    /// Host address; empty, `0.0.0.0` and `::` are every interface.
    pub host_address: String,
    /// Host port; 0 where it is chosen at start.
    pub host_port: u16,
}

/// A container's endpoint on a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Endpoint {
    /// Network id.
    pub network_id: String,
    /// IPv4 address.
    pub ipv4: String,
    /// IPv6 address.
    pub ipv6: String,
    /// Aliases.
    pub aliases: Vec<String>,
}

/// What the kernel enforces for a running container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Effective {
    /// Init process, checked against pid reuse by its start time.
    pub init_pid: u32,
    /// Every process in its cgroup or its namespaces.
    pub processes: Fact<Vec<Process>>,
    /// Namespaces of the init process.
    pub namespaces: Fact<Namespaces>,
    /// Limits that are in force: the minimum over the cgroup and its ancestors.
    pub limits: Fact<Limits>,
    /// The init process's mounts.
    pub mounts: Fact<Vec<Mount>>,
    /// Paths of the OCI default masks and read-only lists, as they really are.
    pub masks: Fact<Vec<PathMask>>,
    /// Host paths that are visible inside.
    pub host_paths: Fact<Vec<HostPath>>,
    /// Engine and runtime sockets that can be reached through the mounts.
    pub engine_sockets: Fact<Vec<EngineSocketMount>>,
    /// Devices that the cgroup allows.
    pub devices: Fact<DeviceAccess>,
    /// Device nodes in its `/dev` beyond the usual ones (null, zero, random, tty …), by path.
    pub device_nodes: Fact<Vec<String>>,
    /// Listening sockets in its network namespace.
    pub listeners: Fact<Vec<Socket>>,
    /// Open descriptors to directories or files of the host that no mount of the container shows.
    pub host_descriptors: Fact<Vec<HostDescriptor>>,
    /// User id map of the init process: (inside, outside, count) (user_namespaces(7)).
    pub uid_map: Fact<Vec<(u32, u32, u32)>>,
    /// Resource limits of the init process (proc_pid_limits(5)).
    pub rlimits: Fact<Rlimits>,
    /// The seccomp filter that its OCI bundle declares: the place in the host's list of seccomp filters. Only where the
    /// kernel showed its own, which it can be held against.
    pub declared_seccomp: Fact<u32>,
}

/// Resource limits: name as in `--ulimit` (`nofile`) → (soft, hard); `None` is unlimited.
pub type Rlimits = BTreeMap<String, (Option<u64>, Option<u64>)>;

/// One process of a container, seen from the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Process {
    /// Process id in the collector's PID namespace.
    pub pid: u32,
    /// Parent.
    pub ppid: u32,
    /// Thread id, where this row is a thread that differs from its leader.
    pub thread: Option<u32>,
    /// Name (`comm`).
    pub name: String,
    /// Program (`/proc/PID/exe`), as seen inside the container.
    pub exe: Option<String>,
    /// What that consists of, where it listens on a network: the place in [`crate::Engine::programs`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<u32>,
    /// Real, effective, saved and file-system uid, in the collector's user namespace.
    pub uids: [u32; 4],
    /// Real, effective, saved and file-system gid.
    pub gids: [u32; 4],
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Effective capabilities.
    pub cap_effective: Capabilities,
    /// Permitted capabilities.
    pub cap_permitted: Capabilities,
    /// Bounding set.
    pub cap_bounding: Capabilities,
    /// Ambient set.
    pub cap_ambient: Capabilities,
    /// Inheritable set.
    pub cap_inheritable: Capabilities,
    /// `NoNewPrivs`.
    pub no_new_privs: bool,
    /// Seccomp mode: 0 none, 1 strict, 2 filter.
    pub seccomp_mode: u32,
    /// Number of seccomp filters; `None` before Linux 5.9.
    pub seccomp_filters: Option<u32>,
    /// Its filter: the place in the host's list of seccomp filters; absent where it has none.
    pub seccomp: Fact<u32>,
    /// LSM label (`attr/current`), where a security module labels processes.
    pub lsm_label: Option<String>,
    /// How it belongs to the container.
    pub belongs: Belongs,
    /// Its namespaces, where they differ from the init process's.
    pub namespaces: Option<Namespaces>,
    /// Whether SIGTERM is ignored or, for the init process, not handled (`SigCgt`, `SigIgn`): such a
    /// container stops only when its time-out has passed.
    pub ignores_sigterm: bool,
    /// When it started, in clock ticks since boot: with the pid it names one process for ever.
    pub start_ticks: u64,
}

/// How a process belongs to a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Belongs {
    /// In the container's cgroup.
    #[default]
    Cgroup,
    /// Not in its cgroup, but in one or more of its own namespaces (`nsenter`).
    NamespaceOnly,
}

/// Limits in force. `None` is unlimited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Limits {
    /// Cgroup of the container, per controller (v1) or once (v2), as path below the mount point.
    pub cgroup: String,
    /// Memory, in bytes.
    pub memory: Limit<u64>,
    /// Memory and swap together (v1), or swap alone (v2), in bytes.
    pub swap: Limit<u64>,
    /// Processes and threads.
    pub pids: Limit<u64>,
    /// CPUs, as quota / period.
    pub cpus: Limit<f64>,
    /// CPUs that it may run on.
    pub cpuset: Option<String>,
    /// CPU weight: shares (v1) or weight (v2).
    pub cpu_weight: Option<u64>,
    /// IO throttles: one line a device, as the kernel writes it.
    pub io: Vec<String>,
    /// Controllers that could not be read, with the reason.
    pub unreadable: BTreeMap<String, String>,
}

/// One limit and the cgroup that sets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limit<T> {
    /// The lowest value over the cgroup and its ancestors; `None` is unlimited.
    pub value: Option<T>,
    /// The file that holds it.
    #[serde(default)]
    pub source: String,
}

impl<T> Default for Limit<T> {
    fn default() -> Self {
        Self { value: None, source: String::new() }
    }
}

/// A path that the OCI runtime should have masked or made read-only, as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PathMask {
    /// Path inside the container.
    pub path: String,
    /// What should be there.
    pub wanted: MaskKind,
    /// What is there.
    pub found: MaskState,
}

/// What protects a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MaskKind {
    /// Hidden behind `/dev/null` or an empty read-only tmpfs.
    #[default]
    Masked,
    /// Mounted read-only.
    ReadOnly,
}

/// The state of a protected path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MaskState {
    /// Protected as wanted.
    #[default]
    InForce,
    /// Not protected.
    Open,
    /// The kernel has no such file.
    NoSuchFile,
}

/// A path of the host that is visible in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HostPath {
    /// Path on the host.
    pub host: String,
    /// Path in the container.
    pub target: String,
    /// Whether something can be written through it.
    pub writable: bool,
    /// Writable mounts below a read-only one.
    pub writable_below: Vec<String>,
    /// Propagation that lets later mounts through: `shared`, `slave` or empty.
    pub propagation: String,
    /// File system type.
    pub fs_type: String,
    /// Whether set-id bits have no effect (`nosuid`).
    pub nosuid: bool,
}

/// An engine's or runtime's socket that a container can connect to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EngineSocketMount {
    /// The socket's path on the host.
    pub host: String,
    /// The path inside the container.
    pub target: String,
    /// The program that listens on it.
    pub program: String,
}

/// Device access as the cgroup allows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DeviceAccess {
    /// Every device, without exception.
    pub all: bool,
    /// Rules in the notation of the v1 controller (`c 1:3 rwm`).
    pub rules: Vec<String>,
    /// Rules beyond what every container gets (moby's default list).
    pub extra: Vec<String>,
    /// Device nodes of the host that are mounted or made inside, by path: as `Effective::device_nodes`.
    pub nodes: Vec<String>,
}

impl DeviceAccess {
    /// What runC and moby allow every container: runc `specconv.AllowedDevices`, moby `oci/defaults.go`. TUN (10:200) is
    /// in the list of runC up to 1.1.
    pub const DEFAULT_RULES: [&str; 12] = [
        "c *:* m",
        "b *:* m",
        "c 1:3 rwm",
        "c 1:5 rwm",
        "c 1:7 rwm",
        "c 1:8 rwm",
        "c 1:9 rwm",
        "c 5:0 rwm",
        "c 5:1 rwm",
        "c 5:2 rwm",
        "c 136:* rwm",
        "c 10:200 rwm",
    ];
}

/// An open descriptor that leads out of the container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HostDescriptor {
    /// Process.
    pub pid: u32,
    /// Descriptor number; 0 for a working or root directory.
    pub fd: u32,
    /// Its name below `/proc/PID`: `fd/3`, `cwd`, `root`.
    pub link: String,
    /// What it points to, as `/proc/PID/fd/N` shows it.
    pub target: String,
    /// `directory`, `file`, `device`.
    pub kind: String,
    /// Why it counts as the host's: its mount is not among the container's.
    pub reason: String,
}
