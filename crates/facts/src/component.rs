//! The programs that make and run containers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Fact;

/// One program on disk (runc, containerd, a shim, dockerd …), with the processes that run it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Component {
    /// What it is.
    pub kind: ComponentKind,
    /// Path of the program on disk, after symbolic links.
    pub path: String,
    /// Version of the file on disk, read from the file itself (Go build information) without running it,
    /// from the owning package, or from the engine.
    pub version: Fact<String>,
    /// Version of the BuildKit that is compiled into it (dockerd), where its Go build information lists modules.
    pub buildkit: Option<String>,
    /// The package that owns the file.
    pub package: Fact<Package>,
    /// A newer version of the owning package that the package manager's own lists offer.
    pub candidate: Fact<String>,
    /// Processes that run it, or an older copy of it.
    pub running: Vec<RunningProgram>,
}

/// What a component is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentKind {
    /// Not classified.
    #[default]
    Other,
    /// OCI runtime runc.
    Runc,
    /// OCI runtime crun.
    Crun,
    /// containerd.
    Containerd,
    /// A containerd shim.
    ContainerdShim,
    /// The Docker daemon.
    Dockerd,
    /// Docker's userland proxy.
    DockerProxy,
    /// The docker command.
    DockerCli,
    /// BuildKit's daemon.
    Buildkitd,
    /// podman.
    Podman,
    /// The `docker-init` process (tini).
    DockerInit,
}

impl ComponentKind {
    /// The name of the program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Runc => "runc",
            Self::Crun => "crun",
            Self::Containerd => "containerd",
            Self::ContainerdShim => "containerd-shim",
            Self::Dockerd => "dockerd",
            Self::DockerProxy => "docker-proxy",
            Self::DockerCli => "docker",
            Self::Buildkitd => "buildkitd",
            Self::Podman => "podman",
            Self::DockerInit => "docker-init",
        }
    }
}

/// A distribution package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Package {
    /// `dpkg`, `rpm` or `apk`.
    pub manager: String,
    /// Binary package.
    pub name: String,
    /// Installed version, in the manager's own notation.
    pub version: String,
    /// Source package, where it differs or is recorded.
    pub source: Option<String>,
    /// Version of the source package, where the manager records one that differs from `version`.
    pub source_version: Option<String>,
    /// Maintainer or vendor as recorded: tells a distribution's package from a third party's.
    pub vendor: Option<String>,
}

/// A process that runs a component's program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RunningProgram {
    /// Process id in the collector's PID namespace.
    pub pid: u32,
    /// When it started, in seconds since the Unix epoch.
    pub started_at: Option<i64>,
    /// Whether it still runs the file that is on disk now.
    pub binary: RunningBinary,
    /// Version of the running bytes, read through `/proc/PID/exe`, where they carry one.
    pub version: Option<String>,
    /// For a shim: the container that it holds.
    pub container: Option<String>,
    /// For a shim: containerd's namespace of that container (`moby` is the Docker engine's).
    pub containerd_namespace: Option<String>,
    /// For a shim or proxy: the pid of its parent.
    pub parent: u32,
}

/// How a running program relates to the file on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum RunningBinary {
    /// Same device and inode as the file on disk.
    #[default]
    Current,
    /// The file was deleted or replaced; this path is where it was.
    Replaced {
        /// Target of `/proc/PID/exe` without ` (deleted)`.
        path: String,
    },
    /// Could not be compared.
    Unknown {
        /// Why.
        reason: String,
    },
}
