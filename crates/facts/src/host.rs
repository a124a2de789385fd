//! The host: kernel, cgroups, accounts, audit rules, files.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Fact, FileFact, Mount, Namespaces, Package, PackageInventory, Seccomp, SigningPractice, Socket};

/// The host itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Host {
    /// Node name.
    pub hostname: Fact<String>,
    /// Distribution, from os-release(5).
    pub os: Fact<OsRelease>,
    /// The kernel.
    pub kernel: Kernel,
    /// Which cgroup hierarchy owns which controller.
    pub cgroups: Fact<CgroupLayout>,
    /// The host's own namespaces (those of kernel threads, which nobody can move).
    pub namespaces: Fact<Namespaces>,
    /// Memory in bytes (`MemTotal`).
    pub memory: Fact<u64>,
    /// Number of CPUs online.
    pub cpus: Fact<u32>,
    /// The host's mounts.
    pub mounts: Fact<Vec<Mount>>,
    /// Who may use the engine's socket through its group, and who is root.
    pub accounts: Fact<Accounts>,
    /// The kernel's audit rules.
    pub audit: Fact<Audit>,
    /// Files whose owner and mode matter.
    pub files: Vec<FileFact>,
    /// Listening TCP and UDP sockets in the host's network namespace.
    pub listeners: Fact<Vec<Socket>>,
    /// Whether the distribution's own marker asks for a reboot, and for which packages
    /// (`/run/reboot-required.pkgs`).
    pub reboot_required: Fact<Vec<String>>,
    /// The packages that containers rest on: runtimes, and what isolates, connects and stores for them. Others are left
    /// out.
    pub packages: Fact<PackageInventory>,
    /// The seccomp filters of the processes of all containers.
    pub seccomp: Seccomp,
    /// What clients are told about signatures of images.
    pub signing: SigningPractice,
}

/// Distribution, from os-release(5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OsRelease {
    /// `ID`.
    pub id: String,
    /// `ID_LIKE`.
    pub id_like: Vec<String>,
    /// `VERSION_ID`.
    pub version_id: Option<String>,
    /// `VERSION_CODENAME`.
    pub codename: Option<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
    /// Last day with fixes that everybody gets, `YYYY-MM-DD`, by the table of the plimsoll that judges; nothing where it
    /// does not know the release, or where the distribution has none.
    pub mended_until: Option<String>,
}

/// The kernel: what runs, what is installed, how it is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Kernel {
    /// The kernel that runs.
    pub running: Fact<RunningKernel>,
    /// The package that owns the running kernel's image.
    pub package: Fact<Package>,
    /// Kernels installed on disk, newest first.
    pub installed: Fact<Vec<InstalledKernel>>,
    /// When the host booted, in seconds since the Unix epoch.
    pub boot_time: Fact<i64>,
    /// Command line.
    pub cmdline: Fact<String>,
    /// Build configuration: `CONFIG_X` → `y`, `m`, `n`, or a value.
    pub config: Fact<BTreeMap<String, String>>,
    /// Sysctls that matter to containers, by dotted name; absent where this kernel has none.
    pub sysctls: BTreeMap<String, Fact<String>>,
    /// Security modules that are active, in order.
    pub lsms: Fact<Vec<String>>,
    /// Lockdown mode: `none`, `integrity`, `confidentiality`.
    pub lockdown: Fact<String>,
    /// `/sys/devices/system/cpu/vulnerabilities`: name → state.
    pub cpu_vulnerabilities: Fact<BTreeMap<String, String>>,
    /// Live patches that are loaded: name → whether it is enabled.
    pub livepatches: Fact<BTreeMap<String, bool>>,
    /// Modules that are loaded.
    pub modules: Fact<Vec<String>>,
    /// Ways into the kernel that it serves, beside its own: `i386` and `x32` on x86_64. Tried, not looked up.
    pub other_abis: Fact<Vec<String>>,
    /// Each of [`WATCHED_MODULES`]: whether the running kernel could load it from disk.
    pub modules_on_disk: Fact<BTreeMap<String, ModuleOnDisk>>,
}

/// Modules in which ways out of containers were found, or that bring what such a way needs.
pub const WATCHED_MODULES: [&str; 34] = [
    "6pack",
    "act_ct",
    "af_alg",
    "af_key",
    "af_packet",
    "can",
    "can_bcm",
    "cifs",
    "cls_route",
    "cls_u32",
    "dccp",
    "dccp_ipv4",
    "dccp_ipv6",
    "fuse",
    "ip_set",
    "ip_tables",
    "kvm",
    "n_gsm",
    "n_hdlc",
    "nf_tables",
    "openvswitch",
    "overlay",
    "ppp_generic",
    "rds",
    "rxrpc",
    "sch_drr",
    "sch_hfsc",
    "sch_qfq",
    "sctp",
    "tipc",
    "tls",
    "vsock",
    "xfrm_user",
    "xfs",
];

/// Whether a module could be loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ModuleOnDisk {
    /// Not among the modules of the running kernel.
    #[default]
    Missing,
    /// The kernel would have it loaded when something asks for it.
    Loadable,
    /// `modprobe.d` keeps it from being loaded by itself.
    Blocked {
        /// The line, and the file that it stands in.
        by: String,
    },
}

/// `uname(2)` and the build string.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RunningKernel {
    /// Release (`uname -r`).
    pub release: String,
    /// Build (`uname -v`): distributions put the package version here.
    pub build: String,
    /// Machine (`uname -m`).
    pub machine: String,
}

/// A kernel image on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InstalledKernel {
    /// Release that it will report when booted.
    pub release: String,
    /// Build string from the image's own header, where it could be read.
    pub build: Option<String>,
    /// Path of the image.
    pub path: String,
    /// The package that owns it.
    pub package: Option<Package>,
}

/// Which cgroup hierarchy owns which controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CgroupLayout {
    /// All controllers in v2, all in v1, or a mixture.
    pub mode: CgroupMode,
    /// Controller → where it lives. Named v1 hierarchies (`name=systemd`) are left out.
    pub controllers: BTreeMap<String, CgroupHome>,
    /// Mount point of the v2 hierarchy, where there is one, with or without controllers.
    pub v2_mount: Option<String>,
}

/// Which hierarchies are in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CgroupMode {
    /// No cgroup file system is mounted.
    #[default]
    None,
    /// Every controller is in a v1 hierarchy.
    V1,
    /// Every controller is in the v2 hierarchy.
    V2,
    /// Some controllers are in v1, others in v2.
    Hybrid,
}

/// Where a controller lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CgroupHome {
    /// 1 or 2.
    pub version: u8,
    /// Mount point of its hierarchy.
    pub mount: String,
}

/// Accounts that have, or can get, root through the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Accounts {
    /// Members of the `docker` group, primary group included.
    pub docker_group: Vec<GroupMember>,
    /// Numeric id of the `docker` group, where there is one.
    pub docker_gid: Option<u32>,
    /// Accounts with user id 0 other than `root`.
    pub extra_roots: Vec<String>,
    /// Subordinate user id ranges: name → (first, count) (subuid(5)).
    pub subuids: BTreeMap<String, Vec<(u32, u32)>>,
}

/// A member of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GroupMember {
    /// Account name.
    pub user: String,
    /// User id, where the account exists.
    pub uid: Option<u32>,
    /// Whether the group is the account's primary one.
    pub primary: bool,
}

/// The kernel's audit state (`NETLINK_AUDIT`, or the rules on disk).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Audit {
    /// 0 off, 1 on, 2 locked; `None` where only files were read.
    pub enabled: Option<u32>,
    /// Rules that are loaded.
    pub rules: Vec<AuditRule>,
}

/// One audit rule that watches a path (auditctl(8)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AuditRule {
    /// `exit`, `exclude` …
    pub list: String,
    /// `always` or `never`.
    pub action: String,
    /// Path of a file that is watched.
    pub path: Option<String>,
    /// Directory that is watched with all below it.
    pub dir: Option<String>,
    /// Watched accesses, of `rwxa`.
    pub permissions: String,
    /// The rule as auditctl writes it.
    pub text: String,
}
