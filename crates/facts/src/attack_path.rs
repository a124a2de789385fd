//! Ways from an open port to the host or to another container: what an attacker would do, step by step, and the cheapest
//! change that ends each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One way in, step by step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AttackPath {
    /// What is won at its end.
    pub goal: PathGoal,
    /// The containers that are won before the last one: the first of them has the open port.
    pub before: Vec<PathPlace>,
    /// The container that the last step leaves, or that it wins.
    pub container: String,
    /// Its id.
    pub container_id: String,
    /// What the last step goes through: a gate's id, a flaw's, or how one container leads to the other.
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

impl AttackPath {
    /// Id of the container whose port lets in.
    pub fn entry_id(&self) -> &str {
        self.before.first().map_or(&self.container_id, |place| &place.id)
    }

    /// Names of the containers on the way, in order.
    pub fn through(&self) -> impl Iterator<Item = &str> {
        self.before.iter().map(|place| place.name.as_str()).chain([self.container.as_str()])
    }
}

/// A container on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PathPlace {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
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
    /// Another container than the one with the open port.
    Neighbour,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PathStep {
    /// What kind of step it is.
    pub kind: StepKind,
    /// Name of the container where it is taken.
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
    /// Goes from one container to another.
    Connect,
    /// Runs code in a container.
    Break,
    /// Wins more in the container: its root, or to be rid of what confines it.
    Root,
    /// Goes through the wall between container and host.
    Boundary,
}

/// A change that ends a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PathCut {
    /// Name of the container that is made with it; `None` where the host is changed.
    pub container: Option<String>,
    /// The change: options of `docker run`, or a command.
    pub change: String,
    /// What it disturbs.
    pub effort: String,
    /// How many paths of this host it ends.
    pub paths: u32,
    /// Whether the way stays for whoever has a flaw that nobody published yet: only what is known is mended.
    pub assumed_left: bool,
}
