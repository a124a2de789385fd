//! Ways from an open port to the host: what an attacker would do, step by step, and the cheapest change that ends each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One way in, step by step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AttackPath {
    /// What is won at its end.
    pub goal: PathGoal,
    /// The container that the last step leaves.
    pub container: String,
    /// Its id.
    pub container_id: String,
    /// The gate or flaw that the last step goes through: a gate's id, or a flaw's.
    pub boundary: String,
    /// How likely it is to be gone, from 1 to 1000, higher is more: exploited flaws and open gates weigh most.
    pub weight: u32,
    /// Whether each step rests on something that was found, not on an assumption.
    pub shown: bool,
    /// The steps, in order.
    pub steps: Vec<PathStep>,
    /// Changes that end it, each tried on the facts, the cheapest first.
    pub cuts: Vec<PathCut>,
}

/// What is won.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PathGoal {
    /// The host, and every container on it.
    #[default]
    Host,
    /// Another container.
    Neighbour,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PathStep {
    /// What kind of step it is.
    pub kind: StepKind,
    /// Where it is taken.
    pub at: String,
    /// What is done, in a few words.
    pub what: String,
    /// What shows that it can be.
    pub evidence: Vec<String>,
    /// Whether it is assumed: nothing was found that shows it.
    pub assumed: bool,
}

/// A kind of step.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// Connects from outside.
    #[default]
    Entry,
    /// Connects from one container to another.
    Connect,
    /// Runs code in a container by a flaw of its application.
    Break,
    /// Wins root in the container.
    Root,
    /// Goes through the wall between container and host.
    Boundary,
}

/// A change that ends a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PathCut {
    /// The change: options of `docker run`, or a command.
    pub change: String,
    /// What it disturbs.
    pub effort: String,
    /// How many paths of this host it ends.
    pub paths: u32,
}
