//! What this host's clients are told about signatures of images.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Fact;

/// Whom docker's clients and Notation are told to believe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SigningPractice {
    /// Where variables of Docker Content Trust are set for those who log in.
    pub content_trust: Fact<Vec<ContentTrustSetting>>,
    /// Notation's trust policies of root and of those who have a home.
    pub notation: Fact<Vec<NotationPolicy>>,
}

/// A variable of Docker Content Trust, and where it is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ContentTrustSetting {
    /// `DOCKER_CONTENT_TRUST` or `DOCKER_CONTENT_TRUST_SERVER`.
    pub variable: String,
    /// Its value, as it is written.
    pub value: String,
    /// The file.
    pub path: String,
}

impl ContentTrustSetting {
    /// Whether it switches content trust on: any value does that the docker client does not read as false.
    pub fn is_on(&self) -> bool {
        self.variable == "DOCKER_CONTENT_TRUST"
            && !matches!(&*self.value, "" | "0" | "f" | "F" | "false" | "False" | "FALSE")
    }
}

/// A trust policy of Notation (Notary Project, "Trust policy").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NotationPolicy {
    /// The file.
    pub path: String,
    /// What it says.
    pub statements: Fact<Vec<NotationStatement>>,
}

/// One statement of a trust policy of Notation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NotationStatement {
    /// Its name.
    pub name: String,
    /// Repositories; `*` is all others.
    pub scopes: Vec<String>,
    /// `strict`, `permissive`, `audit`, `skip`.
    pub level: String,
    /// What it changes of its level: check → `enforce`, `log`, `skip`.
    pub overrides: BTreeMap<String, String>,
    /// Whom it trusts; `*` is everybody whose certificate is of a trusted root.
    pub identities: Vec<String>,
}
