//! The shape of `data/end-of-life.toml`. Days are `YYYY-MM-DD`.

use serde::{Deserialize, Serialize};

/// The whole table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// One entry a distribution.
    #[serde(rename = "distribution")]
    pub distributions: Vec<Distribution>,
}

/// One distribution.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// `ID` of os-release(5).
    pub id: String,
    /// Where the days are published.
    pub source: String,
    /// It has no releases, and so no end.
    #[serde(default)]
    pub rolling: bool,
    /// Its releases.
    #[serde(default)]
    pub releases: Vec<SupportedRelease>,
}

/// One release.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SupportedRelease {
    /// `VERSION_ID`, or its beginning up to a dot.
    pub version: String,
    /// Last day of regular support.
    pub until: String,
    /// Last day of free long-term support.
    #[serde(default)]
    pub long_term_until: Option<String>,
}
