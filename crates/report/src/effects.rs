//! What each upgrade step that is due would stop.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step of an upgrade, and what it does to the containers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UpgradeStep {
    /// What is done: `restart dockerd`, `reboot`.
    pub step: String,
    /// Why it is due: which version runs, and which is installed.
    pub reason: String,
    /// What it does to each container that it touches.
    pub effects: Vec<ContainerEffect>,
    /// What else to know before doing it.
    pub notes: Vec<String>,
}

/// What one step does to one container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerEffect {
    /// Name of the container.
    pub container: String,
    /// What happens, in a word or two: `stops`, `stays down`, `loses DNS`.
    pub effect: String,
    /// Why, and how long.
    pub detail: String,
}
