//! Red Hat's VEX documents (CSAF 2.0, one a flaw, `security.access.redhat.com/data/csaf/v2/vex`): what it knows of flaws
//! that have no fix, which its errata do not say, and the fixes beside.
//!
//! A document becomes a [`Record`] of releases that are named `Red Hat VEX:9`. A source package is called `curl.src`
//! there, as Red Hat calls it: what is said about it holds for every package that is built from it.

mod tree;
mod wire;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use self::tree::{Component, Tree};
use self::wire::{Flaw, Head, ProductStatus, Remediation, Wire};
use crate::cvss;
use crate::order::Order;
use crate::osv::{LARGEST_RECORD, Record, RecordError, one_line, seconds};
use crate::{Advisory, Affected, Range, RangeEnd, Severity};

/// The ecosystem of these releases.
pub(crate) const ECOSYSTEM: &str = "Red Hat VEX";

/// Bounds of one document; the largest published ones have some 60,000 products.
const MAX_PRODUCTS: usize = 1_000_000;
/// Reads one document.
///
/// # Errors
/// When it is no VEX document of Red Hat, or beyond every bound.
pub(crate) fn parse(bytes: &[u8]) -> Result<Record, RecordError> {
    if bytes.len() > LARGEST_RECORD {
        return Err(RecordError::TooMany { what: "bytes", limit: LARGEST_RECORD });
    }
    let wire: Wire = serde_json::from_slice(bytes)?;
    let head = &wire.document;
    if head.category != "csaf_vex" || !head.publisher.namespace.contains("redhat.com") {
        return Err(RecordError::Other(format!(
            "a CSAF document of category {:?} by {:?}: only Red Hat's VEX documents are imported, and `plimsoll scan --vex` takes others",
            one_line(&head.category),
            one_line(&head.publisher.namespace)
        )));
    }
    let tree = Tree::of(&wire.product_tree)?;
    let mut affected = Vec::new();
    for flaw in &wire.vulnerabilities {
        affected.extend(Statements::of(flaw, &tree)?.affected());
    }
    Ok(Record { advisory: wire.advisory(), withdrawn: head.tracking.status == "deleted", affected })
}

impl Wire {
    fn advisory(&self) -> Advisory {
        let Head { title, tracking, aggregate_severity, .. } = &self.document;
        let vectors = self.vulnerabilities.iter().flat_map(|flaw| &flaw.scores);
        let vector = vectors.filter_map(|score| Some(score.cvss_v3.as_ref()?.vector.as_str())).next();
        let score = vector.and_then(cvss::base_score);
        Advisory {
            id: format!("{} (VEX)", tracking.id),
            names: vec![tracking.id.clone()],
            // Red Hat's own rating knows how it builds and ships; the score does not.
            severity: match Severity::of_word(&aggregate_severity.text) {
                Severity::Unknown => Severity::of_score(score.unwrap_or(0)),
                rated => rated,
            },
            score: score.unwrap_or(0),
            vector: score.and(vector).map(str::to_owned),
            summary: one_line(title),
            published: seconds(Some(&tracking.initial_release_date)),
            modified: seconds(Some(&tracking.current_release_date)),
        }
    }
}

/// What a document says about one flaw: for each package of a release, its fixes and its state.
#[derive(Default)]
struct Statements(BTreeMap<(String, String, Option<String>), Statement>);

#[derive(Default)]
struct Statement {
    /// Fixed versions, and whether each is one of a stream beside the main release.
    fixed: Vec<(bool, String)>,
    /// Why there is none.
    state: Option<String>,
}

impl Statements {
    fn of(flaw: &Flaw, tree: &Tree<'_>) -> Result<Self, RecordError> {
        let ProductStatus { fixed, known_affected, under_investigation } = &flaw.product_status;
        let unfixed = known_affected.len() + under_investigation.len();
        if fixed.len() + unfixed > MAX_PRODUCTS {
            return Err(RecordError::TooMany { what: "products", limit: MAX_PRODUCTS });
        }
        let mut states: HashMap<&str, &Remediation> = HashMap::new();
        for remediation in &flaw.remediations {
            if matches!(remediation.category.as_str(), "none_available" | "no_fix_planned") {
                states.extend(remediation.product_ids.iter().map(|id| (id.as_str(), remediation)));
            }
        }
        let mut statements = Self::default();
        for id in fixed {
            let Some(component) = tree.component(id) else { continue };
            let Some(version) = component.version.clone() else { continue };
            statements.at(&component).fixed.push((component.stream, version));
        }
        let investigated = under_investigation.iter().map(|id| (id, true));
        for (id, investigated) in known_affected.iter().map(|id| (id, false)).chain(investigated) {
            let Some(component) = tree.component(id).filter(|component| !component.stream) else { continue };
            let state = match states.get(id.as_str()) {
                _ if investigated => "under investigation".to_owned(),
                Some(remediation) => state(remediation),
                None => "affected".to_owned(),
            };
            statements.at(&component).state.get_or_insert(state);
        }
        statements.only_sources();
        Ok(statements)
    }

    fn at(&mut self, component: &Component) -> &mut Statement {
        let Component { major, name, module, .. } = component;
        self.0.entry((major.clone(), name.clone(), module.clone())).or_default()
    }

    /// Where sources are named, what is built from them says nothing more: a tenth of the rows is left. Without them
    /// (in some documents, for some releases), each package stands for itself.
    fn only_sources(&mut self) {
        let kind = |major: &str, said: &Statement| (major.to_owned(), said.fixed.is_empty());
        let with_sources: Vec<_> = self
            .0
            .iter()
            .filter(|((_, name, _), _)| name.ends_with(".src"))
            .map(|((major, ..), said)| kind(major, said))
            .collect();
        self.0.retain(|(major, name, _), said| {
            name.ends_with(".src") || !with_sources.contains(&kind(major, said))
        });
    }

    fn affected(self) -> impl Iterator<Item = (String, String, Affected)> {
        self.0.into_iter().map(|((major, name, module), said)| {
            let (ranges, state) = (said.ranges(), said.state.unwrap_or_default());
            (format!("{ECOSYSTEM}:{major}"), name, Affected { ranges, state, module, ..Affected::default() })
        })
    }
}

impl Statement {
    /// Up to each fix; those of the main release first, and of these the latest. What is fixed in a stream alone has no
    /// fix in the main release.
    fn ranges(&self) -> Vec<Range> {
        let mut fixed = self.fixed.clone();
        fixed.sort_by(|(stream, a), (other, b)| {
            stream.cmp(other).then_with(|| Order::Rpm.compare(b, a).unwrap_or(Ordering::Equal))
        });
        fixed.dedup();
        let main = fixed.iter().any(|(stream, _)| !stream);
        let open = (!main && (fixed.is_empty() || self.state.is_some())).then_some(RangeEnd::Open);
        let ends = fixed.into_iter().map(|(_, version)| RangeEnd::Fixed(version));
        open.into_iter().chain(ends).map(|end| Range { introduced: "0".to_owned(), end }).collect()
    }
}

/// Red Hat's word for why there is no fix.
fn state(remediation: &Remediation) -> String {
    let word = one_line(&remediation.details).to_lowercase();
    let known = ["affected", "will not fix", "fix deferred", "out of support scope"];
    match known.iter().find(|known| word == **known) {
        Some(known) => (*known).to_owned(),
        None if remediation.category == "no_fix_planned" => "will not fix".to_owned(),
        None => "affected".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shortened from the public document of this flaw, and from others of the same form.
    const DOCUMENT: &str = include_str!("../../tests/data/red-hat-vex/cve-2023-38545.json");

    #[test]
    fn fixes_and_states() {
        let record = parse(DOCUMENT.as_bytes()).unwrap();
        let advisory = &record.advisory;
        assert_eq!(
            (advisory.name(), advisory.severity, advisory.score),
            ("CVE-2023-38545", Severity::High, 88)
        );
        let said: Vec<String> = record
            .affected
            .iter()
            .map(|(release, name, affected)| {
                let ends = affected.ranges.iter().map(|range| match &range.end {
                    RangeEnd::Fixed(version) => version.as_str(),
                    _ => "open",
                });
                let module = affected.module.as_deref().unwrap_or("-");
                format!("{release} {name} {module} {} {}", ends.collect::<Vec<_>>().join(","), affected.state)
            })
            .collect();
        assert_eq!(
            said,
            [
                "Red Hat VEX:10 curl.src - open under investigation",
                "Red Hat VEX:7 curl - open out of support scope",
                "Red Hat VEX:7 libcurl - open out of support scope",
                "Red Hat VEX:8 nodejs nodejs:20 1:20.8.1-1.module+el8.9.0+20473+c4e3d824 ",
                "Red Hat VEX:8 nodejs.src nodejs:18 open will not fix",
                "Red Hat VEX:9 curl.src - 7.76.1-26.el9_3.2,7.76.1-23.el9_2.4,7.76.1-14.el9_0.9 ",
                "Red Hat VEX:9 tiny-curl.src - open,0.1-1.el9_0.1 affected",
            ]
        );
    }

    #[test]
    fn other_documents_are_named() {
        let advisory = DOCUMENT.replace("\"csaf_vex\"", "\"csaf_security_advisory\"");
        assert!(parse(advisory.as_bytes()).unwrap_err().to_string().contains("csaf_security_advisory"));
        let foreign = DOCUMENT.replace("https://www.redhat.com", "https://example.org");
        assert!(parse(foreign.as_bytes()).unwrap_err().to_string().contains("example.org"));
        for text in ["", "[]", "{}", r#"{"document": 4}"#] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn relationships_in_a_circle_end() {
        let text = DOCUMENT.replace(
            "\"relates_to_product_reference\": \"BaseOS-9.3.0.Z.MAIN\"",
            "\"relates_to_product_reference\": \"BaseOS-9.3.0.Z.MAIN:curl-0:7.76.1-26.el9_3.2.src\"",
        );
        assert_ne!(text, DOCUMENT);
        assert!(parse(text.as_bytes()).is_ok());
    }
}
