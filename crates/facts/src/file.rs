//! Files and sockets whose ownership and mode matter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Fact;

/// A file, directory or socket that an attacker would change, with everything that grants access to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FileFact {
    /// The part that it plays.
    pub role: FileRole,
    /// The path by which it is known.
    pub path: String,
    /// What it is, after symbolic links; absent where there is no such file.
    pub stat: Fact<FileStat>,
}

/// The part that a file plays; one per family of questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileRole {
    /// Not classified.
    #[default]
    Other,
    /// The systemd unit of the engine, or a drop-in of it.
    EngineService,
    /// The systemd socket unit of the engine.
    EngineSocketUnit,
    /// The engine's configuration directory (`/etc/docker`).
    EngineConfigDir,
    /// A registry's CA or client certificate below `certs.d`.
    RegistryCertificate,
    /// A registry's client key below `certs.d`.
    RegistryKey,
    /// The engine's TLS CA certificate.
    TlsCaCertificate,
    /// The engine's TLS server certificate.
    TlsServerCertificate,
    /// The engine's TLS server key.
    TlsServerKey,
    /// The engine's listening unix socket.
    EngineSocket,
    /// The engine's configuration file (`daemon.json`).
    EngineConfig,
    /// `/etc/default/docker`.
    DefaultsFile,
    /// `/etc/sysconfig/docker`.
    SysconfigFile,
    /// containerd's listening unix socket.
    ContainerdSocket,
    /// containerd's configuration file.
    ContainerdConfig,
    /// The engine's data directory (`/var/lib/docker`).
    DataRoot,
    /// An engine or runtime program.
    Program,
}

/// What `statx` and the ACL of a file say, after symbolic links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FileStat {
    /// The path after symbolic links.
    pub resolved: String,
    /// What kind of file it is.
    pub kind: FileKind,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Name of the owner in the host's passwd file, where there is one.
    pub user: Option<String>,
    /// Name of the group in the host's group file, where there is one.
    pub group: Option<String>,
    /// Permission bits, set-id and sticky bits included (`st_mode & 0o7777`). Next to an ACL the bits of the group
    /// are its mask (acl(5)).
    pub mode: u32,
    /// Device number, as `major:minor`.
    pub device: String,
    /// Inode number.
    pub inode: u64,
    /// POSIX access ACL entries beyond the mode, as `user:UID:rw-` or `group:GID:r--` (acl(5)).
    pub acl: Vec<String>,
    /// Directories on the way to it, those of symbolic links included, in which somebody other than root can replace
    /// entries: may write and it is not sticky, or owns the directory. Nearest last.
    pub replaceable_through: Vec<String>,
}

/// Kind of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// Regular file.
    #[default]
    Regular,
    /// Directory.
    Directory,
    /// Unix socket.
    Socket,
    /// Symbolic link that leads nowhere.
    Symlink,
    /// Block device.
    BlockDevice,
    /// Character device.
    CharDevice,
    /// Named pipe.
    Fifo,
}
