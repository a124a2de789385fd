//! The audit as JSON: it says the same when it is read back, and its schema describes it.

use crate::sample;

use plimsoll_report::{Audit, json};

fn written(audit: &Audit) -> Vec<u8> {
    let mut out = Vec::new();
    json::write(audit, &mut out).expect("written to memory");
    out
}

#[test]
fn reading_back_gives_the_same_audit() {
    let audit = sample::audit(12);
    assert_eq!(serde_json::from_slice::<Audit>(&written(&audit)).unwrap(), audit);
}

#[test]
fn nothing_in_it_acts_on_a_terminal() {
    let mut text = String::from_utf8(written(&sample::audit(12))).unwrap();
    assert_eq!(text.pop(), Some('\n'));
    assert_eq!(plimsoll_report::escape::visible(&text), text);
    assert!(text.contains("\\u202e"), "the name itself is kept");
}

#[test]
fn the_top_has_what_the_schema_promises() {
    let audit: serde_json::Value = serde_json::from_slice(&written(&sample::audit(3))).unwrap();
    assert_eq!(audit["schema"], "plimsoll.audit/1");
    for key in ["tool", "host", "collected_at", "findings", "coverage", "gaps", "effects", "policy"] {
        assert!(audit.get(key).is_some(), "{key}");
    }
    let first = &audit["findings"][0];
    for key in ["rule", "concern", "severity", "confidence", "status", "subject", "evidence", "remediation"] {
        assert!(first.get(key).is_some(), "{key}");
    }
    assert_eq!(audit["coverage"]["subjects"]["container"], 3);
}

#[test]
fn what_is_written_matches_the_schema() {
    let schema = serde_json::from_str(&json::schema_json()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let audit = serde_json::from_slice(&written(&sample::audit(12))).unwrap();
    let errors: Vec<_> = validator.iter_errors(&audit).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn findings_are_sorted_worst_first() {
    let audit = sample::audit(30);
    let order: Vec<_> = audit
        .findings
        .iter()
        .map(|finding| (finding.status, finding.exception.is_some(), std::cmp::Reverse(finding.severity)))
        .collect();
    assert!(order.is_sorted());
}
