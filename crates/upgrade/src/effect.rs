//! What a step does to each container, and the traps on the way.

use plimsoll_facts::{ComponentKind, Gap};
use plimsoll_rules::Evidence;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every step that an administrator may have to take on this host, and what it does to the containers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effects {
    /// Steps: what is pending first, then the questions that are always asked ("if the host is rebooted").
    pub steps: Vec<Step>,
    /// What makes a step worse than it looks, and how to disarm it beforehand.
    pub traps: Vec<Trap>,
}

/// One step: a restart of one layer, and its effect on each container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// To what.
    pub layer: Layer,
    /// The engine whose daemon it is, or whose host it is where that is another one, by endpoint; empty where the
    /// step concerns this whole host.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub engine: String,
    /// Whether there is a reason to take it.
    pub pending: Pending,
    /// The version that runs now, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The version that runs afterwards, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// One sentence: why it is pending, why that is unknown, or the question that the row answers.
    pub why: String,
    /// What that rests on.
    pub evidence: Vec<Evidence>,
    /// Containers, worst effect first. Stopped containers appear only where the step starts or removes them.
    pub containers: Vec<ContainerEffects>,
    /// What could not be read, so that containers may be missing here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

impl Step {
    /// Containers on which the step has any effect, or an unknown one.
    pub fn affected(&self) -> impl Iterator<Item = &ContainerEffects> {
        self.containers.iter().filter(|container| container.worst() != EffectKind::None)
    }
}

/// What an administrator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Restarts the engine's daemon in an orderly way (`systemctl restart docker`).
    RestartEngine,
    /// Nothing: the daemon crashes, or is killed (out of memory, systemd's stop time-out).
    EngineCrash,
    /// Restarts containerd.
    RestartContainerd,
    /// Restarts single containers, so that they are held by the new shim.
    RestartContainers,
    /// Installs a program that nothing holds in memory: the next start of a container uses it.
    Install,
    /// Reboots the host.
    Reboot,
}

impl Action {
    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::RestartEngine => "restart-engine",
            Self::EngineCrash => "engine-crash",
            Self::RestartContainerd => "restart-containerd",
            Self::RestartContainers => "restart-containers",
            Self::Install => "install",
            Self::Reboot => "reboot",
        }
    }

    /// The step in words, for a table.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::RestartEngine => "restart the daemon",
            Self::EngineCrash => "crash of the daemon",
            Self::RestartContainerd => "restart containerd",
            Self::RestartContainers => "restart containers",
            Self::Install => "install",
            Self::Reboot => "reboot",
        }
    }
}

/// What a step renews.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Layer {
    /// The kernel, and with it everything.
    Kernel,
    /// One program.
    Component {
        /// What it is.
        component: ComponentKind,
        /// Its path on disk; empty where it was not found.
        path: String,
    },
}

impl Layer {
    /// Its name, for a table.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Component { component, .. } => component.name(),
        }
    }
}

/// Whether there is a reason to take a step. The order is that of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pending {
    /// Another version is on disk than runs: only the step is missing.
    Installed,
    /// The package manager offers a newer version.
    Offered,
    /// Could not be told.
    Unknown,
    /// No reason: the row answers what the step would do.
    No,
}

impl Pending {
    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Offered => "offered",
            Self::Unknown => "unknown",
            Self::No => "no",
        }
    }
}

/// Everything that a step does to one container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerEffects {
    /// The container.
    pub container: ContainerRef,
    /// Effects, worst first; at least one, which may be [`EffectKind::None`].
    pub effects: Vec<Effect>,
}

impl ContainerEffects {
    /// The worst effect.
    pub fn worst(&self) -> EffectKind {
        self.effects.iter().map(|effect| effect.kind).min().unwrap_or(EffectKind::Unknown)
    }
}

/// Names a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ContainerRef {
    /// Name. Hostile: whoever may start a container chooses it.
    pub name: String,
    /// Container id.
    pub id: String,
    /// The engine that holds it, by endpoint.
    pub engine: String,
}

/// One effect on one container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    /// What happens.
    pub kind: EffectKind,
    /// Why, in one sentence.
    pub reason: String,
    /// For how long, where the effect passes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// What happens to a container. The order is from worst to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// It stops and is removed with its own volumes (`--rm`).
    Removed,
    /// It stops and does not start by itself.
    StaysDown,
    /// It cannot be told; the reason says why.
    Unknown,
    /// It does not stop when asked, and is killed after its stop time-out.
    Killed,
    /// It stops and starts again.
    Restart,
    /// It was stopped by hand, and starts again.
    Starts,
    /// Goes on, but commands that were started with `docker exec` lose their client.
    CutExec,
    /// Goes on, but connections through docker-proxy (clients on the host's 127.0.0.1) are cut.
    CutLoopback,
    /// Goes on, but names of other containers are not resolved meanwhile.
    CutDns,
    /// Goes on, undisturbed.
    None,
}

impl EffectKind {
    /// All kinds, worst first.
    pub const ALL: [Self; 10] = [
        Self::Removed,
        Self::StaysDown,
        Self::Unknown,
        Self::Killed,
        Self::Restart,
        Self::Starts,
        Self::CutExec,
        Self::CutLoopback,
        Self::CutDns,
        Self::None,
    ];

    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::StaysDown => "stays-down",
            Self::Unknown => "unknown",
            Self::Killed => "killed",
            Self::Restart => "restart",
            Self::Starts => "starts",
            Self::CutExec => "cut-exec",
            Self::CutLoopback => "cut-loopback",
            Self::CutDns => "cut-dns",
            Self::None => "none",
        }
    }

    /// Whether the container stops, were it for a moment.
    pub fn stops(self) -> bool {
        matches!(self, Self::Removed | Self::StaysDown | Self::Killed | Self::Restart)
    }
}

/// How long an effect lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// Expected length, in seconds.
    pub seconds: f64,
    /// The longest that configured time-outs allow, in seconds, where there is such a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// What the number rests on.
    pub basis: Basis,
    /// How it comes about: `10 s stop time-out of web + 3 s to start`.
    pub explanation: String,
}

/// What an estimate rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Measured with a small database on a 2-core host: yours differs, the order of magnitude does not.
    Measured,
    /// Follows from this host's configured time-outs, plus a measured start.
    Configured,
    /// Nobody measured it here.
    Assumed,
}

impl Basis {
    /// The basis in words, for a table.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Measured => "measured on a small 2-core host",
            Self::Configured => "from this host's time-outs",
            Self::Assumed => "assumed",
        }
    }
}

/// Something that makes a step worse than it looks, and how to disarm it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trap {
    /// Kebab-case name of the trap.
    pub id: String,
    /// The engine that it concerns, by endpoint.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub engine: String,
    /// The containers that it concerns; empty where it is all of the engine's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<ContainerRef>,
    /// What happens.
    pub message: String,
    /// What to do beforehand, and what that costs.
    pub remedy: String,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}
