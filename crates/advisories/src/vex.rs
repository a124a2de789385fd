//! What somebody says about flaws in products: OpenVEX 0.2 and CSAF 2.0 (profile VEX) documents.

use std::collections::HashMap;

use plimsoll_facts::{InstalledPackage, VexNote, Vulnerabilities, Vulnerability};
use serde::Deserialize;
use serde_json::Value;

/// The largest document that is read, in bytes.
pub const LARGEST_VEX: u64 = 64 << 20;
/// Statements that are kept of one document.
const MAX_STATEMENTS: usize = 100_000;
/// Branches inside branches of a CSAF product tree that are followed.
const MAX_DEPTH: usize = 32;

/// Why a document is not used.
#[derive(Debug, thiserror::Error)]
pub enum VexError {
    /// It is no JSON, or not of its format's shape.
    #[error("no VEX document: {0}")]
    Shape(#[from] serde_json::Error),
    /// It is neither of the two formats.
    #[error("neither OpenVEX (`statements`) nor CSAF 2.0 (`document` and `vulnerabilities`)")]
    Format,
    /// It says more than is ever published.
    #[error("more than {MAX_STATEMENTS} statements")]
    TooMany,
}

/// One flaw in one product.
#[derive(Clone, Debug)]
pub struct VexStatement {
    ids: Vec<String>,
    product: String,
    note: VexNote,
    /// It was about something that was found.
    used: bool,
}

impl VexStatement {
    /// What it says, in one line; `None` once it was about something that was found.
    pub fn unmatched(&self) -> Option<String> {
        let id = self.ids.first().map_or("?", String::as_str);
        let VexNote { status, source, .. } = &self.note;
        (!self.used).then(|| format!("{id} in {}: {status} ({source})", self.product))
    }

    /// A product is an installed package by its package URL (of any version where it has none), or the source package
    /// that the flaw is in. Anything else is nothing that plimsoll finds.
    fn is_about(&self, flaw: &Vulnerability, packages: &[&InstalledPackage]) -> bool {
        if !self.ids.iter().any(|id| *id == flaw.id || *id == flaw.advisory) {
            return false;
        }
        let (product, version) = match InstalledPackage::from_purl(&self.product) {
            Ok((product, _)) => (product, true),
            // The version is the one thing that a product may leave out.
            Err(_) => match InstalledPackage::from_purl(&with_a_version(&self.product)) {
                Ok((product, _)) => (product, false),
                Err(_) => return false,
            },
        };
        if product.ecosystem != flaw.ecosystem {
            return false;
        }
        let is_source = product.name == flaw.package && (!version || product.version == flaw.installed);
        // What is said about one binary package does not speak for others of the same source.
        let is_every_package = !packages.is_empty()
            && packages.iter().all(|package| {
                package.name == product.name && (!version || package.version == product.version)
            });
        is_source || is_every_package
    }
}

fn with_a_version(purl: &str) -> String {
    let end = purl.find(['?', '#']).unwrap_or(purl.len());
    let (name, rest) = purl.split_at(end);
    format!("{name}@0{rest}")
}

/// Reads a document; `source` is what messages call it.
///
/// # Errors
/// When it is of neither format.
pub fn read_vex(bytes: &[u8], source: &str) -> Result<Vec<VexStatement>, VexError> {
    let document: Value = serde_json::from_slice(bytes)?;
    let statements = if document.get("statements").is_some() {
        open_vex(&document, source)?
    } else if document.get("document").is_some() && document.get("vulnerabilities").is_some() {
        csaf(&document, source)?
    } else {
        return Err(VexError::Format);
    };
    if statements.len() > MAX_STATEMENTS { Err(VexError::TooMany) } else { Ok(statements) }
}

/// Notes on each flaw what statements say. The last statement about a flaw counts.
pub fn apply_vex(statements: &mut [VexStatement], found: &mut Vulnerabilities) {
    for flaw in &mut found.vulnerabilities {
        let packages: Vec<&InstalledPackage> = found
            .packages
            .iter()
            .map(|verdict| &verdict.package)
            .filter(|package| {
                package.ecosystem == flaw.ecosystem && flaw.installed_as.contains(&package.name)
            })
            .collect();
        for statement in statements.iter_mut() {
            if statement.is_about(flaw, &packages) {
                statement.used = true;
                flaw.vex = Some(statement.note.clone());
            }
        }
    }
}

#[derive(Deserialize)]
struct OpenVex {
    statements: Vec<OpenStatement>,
}

#[derive(Deserialize)]
struct OpenStatement {
    vulnerability: Value,
    #[serde(default)]
    products: Vec<Value>,
    status: String,
    justification: Option<String>,
    impact_statement: Option<String>,
}

fn open_vex(document: &Value, source: &str) -> Result<Vec<VexStatement>, VexError> {
    let document = OpenVex::deserialize(document)?;
    let mut statements = Vec::new();
    for statement in document.statements {
        let vulnerability = &statement.vulnerability;
        // Up to 0.0.1 it was a text.
        let name = vulnerability.as_str().or_else(|| vulnerability["name"].as_str());
        let aliases = vulnerability["aliases"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let ids: Vec<String> = name.into_iter().chain(aliases).map(str::to_owned).collect();
        let note = VexNote {
            status: statement.status,
            justification: statement.justification.or(statement.impact_statement),
            source: source.to_owned(),
        };
        for product in &statement.products {
            let inside = product["subcomponents"].as_array().filter(|list| !list.is_empty());
            let named = inside.map_or(vec![product], |list| list.iter().collect());
            for product in named.into_iter().filter_map(identifier) {
                statements.push(VexStatement {
                    ids: ids.clone(),
                    product: product.to_owned(),
                    note: note.clone(),
                    used: false,
                });
            }
        }
    }
    Ok(statements)
}

fn identifier(product: &Value) -> Option<&str> {
    let purl = product["identifiers"]["purl"].as_str();
    purl.or_else(|| product["@id"].as_str()).or_else(|| product.as_str())
}

/// CSAF's words for OpenVEX's.
const STATUSES: [(&str, &str); 4] = [
    ("known_not_affected", "not_affected"),
    ("fixed", "fixed"),
    ("known_affected", "affected"),
    ("under_investigation", "under_investigation"),
];

fn csaf(document: &Value, source: &str) -> Result<Vec<VexStatement>, VexError> {
    let mut products = HashMap::new();
    products_of(&document["product_tree"], 0, &mut products);
    let mut statements = Vec::new();
    for vulnerability in document["vulnerabilities"].as_array().into_iter().flatten() {
        let ids = vulnerability["ids"].as_array().into_iter().flatten().filter_map(|id| id["text"].as_str());
        let ids: Vec<String> =
            vulnerability["cve"].as_str().into_iter().chain(ids).map(str::to_owned).collect();
        for (word, status) in STATUSES {
            let named = vulnerability["product_status"][word].as_array().into_iter().flatten();
            for product in named.filter_map(Value::as_str) {
                let note = VexNote {
                    status: status.to_owned(),
                    justification: flag(vulnerability, product),
                    source: source.to_owned(),
                };
                let product = products.get(product).copied().unwrap_or(product).to_owned();
                statements.push(VexStatement { ids: ids.clone(), product, note, used: false });
            }
        }
    }
    Ok(statements)
}

/// The justification that a flag gives a product.
fn flag(vulnerability: &Value, product: &str) -> Option<String> {
    let mut flags = vulnerability["flags"].as_array().into_iter().flatten();
    let flag = flags
        .find(|flag| flag["product_ids"].as_array().is_some_and(|ids| ids.iter().any(|id| id == product)))?;
    flag["label"].as_str().map(str::to_owned)
}

/// The package URLs of a product tree's products, by their ids.
fn products_of<'d>(node: &'d Value, depth: usize, products: &mut HashMap<&'d str, &'d str>) {
    let own =
        [&node["product"]].into_iter().chain(node["full_product_names"].as_array().into_iter().flatten());
    for product in own {
        let purl = product["product_identification_helper"]["purl"].as_str();
        products.extend(product["product_id"].as_str().zip(purl));
    }
    if depth < MAX_DEPTH {
        let branches = node["branches"].as_array().into_iter().flatten();
        branches.for_each(|branch| products_of(branch, depth + 1, products));
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::PackageVerdict;

    use super::*;

    fn found() -> Vulnerabilities {
        let package = InstalledPackage {
            name: "libc6".into(),
            version: "2.36-9".into(),
            ..InstalledPackage::default()
        };
        let flaw = Vulnerability {
            id: "CVE-2024-1".into(),
            package: "glibc".into(),
            installed: "2.36-9".into(),
            installed_as: vec!["libc6".into()],
            ..Vulnerability::default()
        };
        Vulnerabilities {
            packages: vec![PackageVerdict { package, ..PackageVerdict::default() }],
            vulnerabilities: vec![flaw],
            ..Vulnerabilities::default()
        }
    }

    fn open(id: &str, product: &str) -> String {
        format!(
            r#"{{"@context": "https://openvex.dev/ns/v0.2.0", "statements": [{{"vulnerability": {{"name": "{id}"}},
            "products": [{{"@id": "pkg:oci/app", "subcomponents": [{{"@id": "{product}"}}]}}],
            "status": "not_affected", "justification": "vulnerable_code_not_present"}}]}}"#
        )
    }

    #[test]
    fn a_statement_is_about_the_package_and_version_that_it_names() {
        for (id, product, about) in [
            ("CVE-2024-1", "pkg:deb/debian/libc6@2.36-9?arch=amd64", true),
            ("CVE-2024-1", "pkg:deb/debian/glibc", true),
            ("CVE-2024-1", "pkg:deb/debian/libc6@2.36-10", false),
            ("CVE-2024-1", "pkg:rpm/redhat/glibc", false),
            ("CVE-2024-1", "glibc", false),
            ("CVE-2024-2", "pkg:deb/debian/glibc", false),
        ] {
            let mut statements = read_vex(open(id, product).as_bytes(), "v.json").unwrap();
            let mut found = found();
            apply_vex(&mut statements, &mut found);
            assert_eq!(found.vulnerabilities[0].is_suppressed(), about, "{id} {product}");
            assert_eq!(statements[0].unmatched().is_none(), about, "{id} {product}");
        }
    }

    #[test]
    fn csaf_names_products_in_a_tree() {
        let text = r#"{"document": {"category": "csaf_vex"}, "product_tree": {"branches": [{"branches": [{"product": {
            "product_id": "P1", "product_identification_helper": {"purl": "pkg:deb/debian/libc6@2.36-9"}}}]}]},
            "vulnerabilities": [{"cve": "CVE-2024-1", "product_status": {"known_not_affected": ["P1"], "fixed": ["P2"]},
            "flags": [{"label": "component_not_present", "product_ids": ["P1"]}]}]}"#;
        let mut statements = read_vex(text.as_bytes(), "c.json").unwrap();
        let mut found = found();
        apply_vex(&mut statements, &mut found);
        let note = found.vulnerabilities[0].vex.as_ref().unwrap();
        assert_eq!(note.justification.as_deref(), Some("component_not_present"));
        assert_eq!(statements.iter().filter_map(VexStatement::unmatched).count(), 1);
    }

    #[test]
    fn what_is_no_vex_is_an_error() {
        for text in ["", "[]", "{}", r#"{"statements": [{}]}"#, r#"{"statements": 4}"#] {
            assert!(read_vex(text.as_bytes(), "x").is_err(), "{text}");
        }
    }
}
