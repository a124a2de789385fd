//! Which published flaws the packages of a host and its containers have, as facts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AdvisorySource, Gap, Vulnerability};

/// Flaws that are kept of one inventory; the rest is counted.
pub const MAX_FLAWS: usize = 5_000;

/// The outcome of holding inventories against the local advisories.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PackageFlaws {
    /// The advisories.
    pub database: AdvisoryDatabase,
    /// One entry for each inventory that could be read.
    pub inventories: Vec<InventoryFlaws>,
}

impl PackageFlaws {
    /// The outcome of one inventory.
    pub fn of(&self, holder: &str) -> Option<&InventoryFlaws> {
        self.inventories.iter().find(|it| it.holder == holder)
    }
}

/// What the local advisories are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AdvisoryDatabase {
    /// The folder that holds them.
    pub folder: String,
    /// The releases that they cover, by name.
    pub sources: Vec<AdvisorySource>,
    /// Files that are there and cannot be used, and why.
    pub damaged: Vec<Gap>,
    /// How many flaws CISA's catalogue lists as exploited (KEV). `None`: it was never imported.
    pub exploited: Option<u32>,
    /// How many flaws have a probability of exploitation (EPSS). `None`: they were never imported.
    pub scored: Option<u32>,
}

/// What is known about the packages of one image, one container or the host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InventoryFlaws {
    /// Id of the image or container that holds them; `host` for the host.
    pub holder: String,
    /// Number of packages.
    pub packages: u32,
    /// Number of those about which a source speaks.
    pub covered: u32,
    /// Why no source speaks about the others, most frequent first.
    pub not_covered: Vec<NotCovered>,
    /// Releases that were asked, by name.
    pub sources: Vec<String>,
    /// Flaws, worst first, at most [`MAX_FLAWS`].
    pub flaws: Vec<Vulnerability>,
    /// Flaws beyond that.
    pub left_out: u32,
    /// What could not be read of the inventory or the advisories.
    pub gaps: Vec<Gap>,
}

/// Packages about which no source speaks, for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NotCovered {
    /// Why.
    pub reason: String,
    /// How many.
    pub count: u32,
    /// Some of them, by name.
    pub examples: Vec<String>,
}
