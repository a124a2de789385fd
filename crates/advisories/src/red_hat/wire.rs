//! What is read of a CSAF 2.0 document.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Wire {
    pub(super) document: Head,
    #[serde(default)]
    pub(super) product_tree: ProductTree,
    #[serde(default)]
    pub(super) vulnerabilities: Vec<Flaw>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Head {
    pub(super) category: String,
    pub(super) title: String,
    pub(super) publisher: Publisher,
    pub(super) tracking: Tracking,
    pub(super) aggregate_severity: AggregateSeverity,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Publisher {
    pub(super) namespace: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Tracking {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) initial_release_date: String,
    pub(super) current_release_date: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AggregateSeverity {
    pub(super) text: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ProductTree {
    pub(super) branches: Vec<Branch>,
    pub(super) relationships: Vec<Relationship>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Branch {
    pub(super) branches: Vec<Branch>,
    pub(super) product: Option<Product>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Product {
    pub(super) product_id: String,
    pub(super) product_identification_helper: Helper,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Helper {
    pub(super) cpe: Option<String>,
    pub(super) purl: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Relationship {
    pub(super) full_product_name: Product,
    pub(super) product_reference: String,
    pub(super) relates_to_product_reference: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Flaw {
    pub(super) product_status: ProductStatus,
    pub(super) remediations: Vec<Remediation>,
    pub(super) scores: Vec<Score>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ProductStatus {
    pub(super) fixed: Vec<String>,
    pub(super) known_affected: Vec<String>,
    pub(super) under_investigation: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Remediation {
    pub(super) category: String,
    pub(super) details: String,
    pub(super) product_ids: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Score {
    pub(super) cvss_v3: Option<Cvss>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Cvss {
    #[serde(rename = "vectorString")]
    pub(super) vector: String,
}
