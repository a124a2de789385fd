//! Types that the kernel defines: capability sets, namespaces, mounts, seccomp modes.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Capability names by bit number, from `linux/capability.h` (Linux 5.9 added the last, `CHECKPOINT_RESTORE`).
pub const CAPABILITY_NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// A capability set: bit N is the capability with number N in `linux/capability.h`. Written as the
/// hexadecimal of `/proc/PID/status` (capabilities(7)).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(pub u64);

impl Capabilities {
    /// The fourteen capabilities that Docker grants by default (moby `oci/caps/defaults.go`).
    pub const DOCKER_DEFAULT: Self = Self(0xa804_25fb);

    /// Whether the capability of this name (without `CAP_`) is in the set.
    pub fn has(self, name: &str) -> bool {
        CAPABILITY_NAMES.iter().position(|n| *n == name).is_some_and(|bit| self.0 & (1 << bit) != 0)
    }

    /// The names in the set, without `CAP_`; bits that have no name yet are written `BIT_N`.
    pub fn names(self) -> Vec<String> {
        (0..64)
            .filter(|bit| self.0 & (1 << bit) != 0)
            .map(|bit| match CAPABILITY_NAMES.get(bit) {
                Some(name) => (*name).to_owned(),
                None => format!("BIT_{bit}"),
            })
            .collect()
    }

    /// What this set has and `other` has not.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether no capability is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Capabilities {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Capabilities {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Capabilities".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A capability set as the hexadecimal of /proc/PID/status",
            "type": "string",
            "pattern": "^[0-9a-f]{1,16}$",
        })
    }
}

/// Inode numbers of the namespaces of a process or thread (namespaces(7)); 0 where the kernel has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Namespaces {
    /// `cgroup`.
    pub cgroup: u64,
    /// `ipc`.
    pub ipc: u64,
    /// `mnt`.
    pub mnt: u64,
    /// `net`.
    pub net: u64,
    /// `pid`.
    pub pid: u64,
    /// `time`.
    pub time: u64,
    /// `user`.
    pub user: u64,
    /// `uts`.
    pub uts: u64,
}

/// One line of `/proc/PID/mountinfo` (proc_pid_mountinfo(5)), paths unescaped; bytes that are not UTF-8
/// become U+FFFD.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Mount {
    /// Unique id of the mount.
    pub id: u32,
    /// Id of the parent mount.
    pub parent: u32,
    /// Device number, `major:minor`.
    pub device: String,
    /// Path inside the file system that forms the root of this mount.
    pub root: String,
    /// Where it is mounted, relative to the root of the process.
    pub target: String,
    /// Per-mount options, comma separated.
    pub options: String,
    /// Peer group, where the mount is shared (`shared:N`).
    pub shared: Option<u32>,
    /// Master peer group, where the mount receives events (`master:N`).
    pub master: Option<u32>,
    /// File system type.
    pub fs_type: String,
    /// Source as the file system names it.
    pub source: String,
    /// Per-superblock options, comma separated.
    pub super_options: String,
}

/// What holds a path: of those with the longest target the last, which covers the others.
pub(crate) fn holding<'m, M>(
    mounts: &'m [M],
    path: &str,
    target: impl Fn(&'m M) -> &'m str,
) -> Option<&'m M> {
    let target = |mount: &'m M| target(mount).trim_end_matches('/');
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    let holds = |mount: &&'m M| path.strip_prefix(target(mount)).is_some_and(below);
    mounts.iter().filter(holds).max_by_key(|mount| target(mount).len())
}

impl Mount {
    /// The mount that holds a path: of those with the longest target the last, which covers the others.
    pub fn holding<'m>(mounts: &'m [Self], path: &str) -> Option<&'m Self> {
        holding(mounts, path, |mount| &mount.target)
    }

    /// Whether an option is in the per-mount options.
    pub fn has_option(&self, name: &str) -> bool {
        self.options.split(',').any(|option| option == name)
    }

    /// Whether nothing can be written through this mount: the mount or its superblock is read-only.
    pub fn is_read_only(&self) -> bool {
        self.has_option("ro") || self.super_options.split(',').any(|option| option == "ro")
    }
}
