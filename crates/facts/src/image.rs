//! An image: its configuration, its history, and what was read from its files in place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Authenticity, Fact, PackageInventory};

/// One image of an engine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Image {
    /// Image id (`sha256:…`).
    pub id: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Digests by which registries know it.
    pub digests: Vec<String>,
    /// When it was built, in seconds since the Unix epoch.
    pub created_at: Option<i64>,
    /// Size in bytes.
    pub size: u64,
    /// Configuration; a gap where the image vanished meanwhile.
    pub config: Fact<ImageConfig>,
    /// What was read from its files.
    pub content: Fact<ImageContent>,
    /// Its packages.
    pub packages: Fact<PackageInventory>,
    /// Who vouches for it under each of its names, where somebody was asked.
    pub authenticity: Option<Vec<Authenticity>>,
}

impl Image {
    /// The name by which a person knows it: the first tag, else the digest, else the short id.
    pub fn name(&self) -> String {
        self.tags
            .first()
            .or_else(|| self.digests.first())
            .cloned()
            .unwrap_or_else(|| self.id.trim_start_matches("sha256:").chars().take(12).collect())
    }
}

/// What matters of `GET /images/{id}/json` and its history (OCI image-spec, config.md).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ImageConfig {
    /// `User`, as written.
    pub user: String,
    /// `Entrypoint`.
    pub entrypoint: Vec<String>,
    /// `Cmd`.
    pub cmd: Vec<String>,
    /// `Env`, names only.
    pub environment: Vec<String>,
    /// Names of variables whose name or value looks like a secret.
    pub secret_like_environment: Vec<String>,
    /// `ExposedPorts`.
    pub exposed_ports: Vec<String>,
    /// `Volumes`.
    pub volumes: Vec<String>,
    /// `WorkingDir`.
    pub working_dir: String,
    /// `StopSignal`.
    pub stop_signal: String,
    /// `Healthcheck.Test`; `["NONE"]` switches an inherited one off.
    pub healthcheck: Option<Vec<String>>,
    /// Label keys.
    pub labels: Vec<String>,
    /// Keys of labels whose key or value looks like a secret.
    pub secret_like_labels: Vec<String>,
    /// Base image as recorded in `org.opencontainers.image.base.*`.
    pub base: Option<String>,
    /// Layers (`RootFS.Layers`, diff ids), lowest first.
    pub layers: Vec<String>,
    /// History, newest last: the instruction of each step, whole.
    pub history: Vec<HistoryStep>,
    /// Storage driver of the image's own graph driver data.
    pub storage_driver: String,
    /// Overlay directories on the host, topmost first, where the driver is an overlay.
    pub layer_dirs: Vec<String>,
    /// Architecture.
    pub architecture: String,
    /// Operating system.
    pub os: String,
}

/// One step of an image's history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HistoryStep {
    /// When, in seconds since the Unix epoch.
    pub created_at: i64,
    /// The instruction.
    pub created_by: String,
    /// Bytes that it added.
    pub size: u64,
    /// Comment.
    pub comment: String,
}

/// What was read from an image's files, in place, without running or exporting it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ImageContent {
    /// How it was read: `overlay directories`, `/proc/PID/root` …
    pub source: String,
    /// Distribution inside the image.
    pub os: Option<crate::OsRelease>,
    /// Accounts of the image's passwd file: (name, uid, gid), at most 1,000.
    pub accounts: Vec<(String, u32, u32)>,
    /// Groups of the image's group file: (name, gid), at most 1,000.
    pub groups: Fact<Vec<(String, u32)>>,
    /// Accounts whose password is empty, by passwd and shadow.
    pub empty_passwords: Fact<Vec<String>>,
    /// Whom sudoers lets run every command without a password: a user, `%group`, or an alias.
    pub passwordless_sudo: Fact<Vec<String>>,
    /// Numeric user that `User` resolves to through the image's passwd file.
    pub uid: Option<u32>,
    /// Set-id files and files with capabilities.
    pub privileged_files: Vec<PrivilegedFile>,
    /// Number of packages installed by the distribution's manager.
    pub packages: Option<u32>,
    /// Latest change of the package database, in seconds since the Unix epoch: when it was last updated.
    pub packages_changed_at: Option<i64>,
    /// Whether a password or key stands in a file where none should, by path.
    pub secret_files: Vec<String>,
    /// The same in lower layers, where a later layer deletes or replaces the file: whoever has the image has it still.
    pub deleted_secret_files: Vec<String>,
    /// Files and directories of the system that others than their owner may write.
    pub writable_paths: Fact<Vec<WritablePath>>,
    /// Files that hold keys by which somebody may log in (`authorized_keys`), by path.
    pub login_keys: Fact<Vec<String>>,
    /// Files and directories that belong to developers: repositories, histories of shells, Dockerfiles, core dumps.
    pub development_files: Fact<Vec<String>>,
    /// Caches and temporary files of the build, in all layers, deleted or not.
    pub leftovers: Fact<Vec<Leftover>>,
    /// Programs present that a service image does not need (`sshd`, `sudo` …), by path.
    pub unneeded_programs: Vec<String>,
    /// What could not be read, and why.
    pub gaps: Vec<String>,
}

/// A file in an image that raises privileges when it is run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PrivilegedFile {
    /// Path inside the image.
    pub path: String,
    /// Permission bits (`st_mode & 0o7777`).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// File capabilities (permitted set), where it has any.
    pub capabilities: Option<crate::Capabilities>,
    /// Whether a package of the distribution owns it. `None`: not determined.
    pub packaged: Option<bool>,
}

/// A path of the system that others than its owner may write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WritablePath {
    /// Path inside the image.
    pub path: String,
    /// Permission bits (`st_mode & 0o7777`).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// What a build left in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Leftover {
    /// The directory or file.
    pub path: String,
    /// Files in it, over all layers.
    pub files: u64,
    /// Bytes in it, over all layers.
    pub bytes: u64,
}
