//! The audit as SARIF: valid, and stable from run to run.

use crate::sample;

use plimsoll_report::{Audit, sarif};
use serde_json::Value;

fn log(audit: &Audit) -> Value {
    let mut out = Vec::new();
    sarif::write(audit, &mut out).expect("written to memory");
    serde_json::from_slice(&out).expect("JSON")
}

fn results(log: &Value) -> &[Value] {
    log["runs"][0]["results"].as_array().expect("results")
}

#[test]
fn it_is_valid_by_the_official_schema() {
    let schema = serde_json::from_str(include_str!("schema/sarif-2.1.0.json")).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let log = log(&sample::audit(30));
    let errors: Vec<_> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn failures_have_a_level_and_unknown_is_open() {
    let audit = sample::audit(30);
    let log = log(&audit);
    let of_kind = |kind: &str| results(&log).iter().filter(|result| result["kind"] == kind).count();
    assert_eq!(of_kind("fail"), audit.coverage.failed + audit.coverage.excepted);
    assert_eq!(of_kind("open"), audit.coverage.unknown);
    for result in results(&log) {
        assert_eq!(result["level"] == "none", result["kind"] == "open");
    }
}

#[test]
fn rule_indexes_point_at_their_rules() {
    let log = log(&sample::audit(30));
    let rules = &log["runs"][0]["tool"]["driver"]["rules"];
    for result in results(&log) {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}

#[test]
fn fingerprints_are_unique_and_survive_that_containers_are_made_anew() {
    let mut audit = sample::audit(30);
    let prints = |audit: &Audit| -> Vec<String> {
        results(&log(audit)).iter().map(|result| result["partialFingerprints"].to_string()).collect()
    };
    let before = prints(&audit);
    for finding in &mut audit.findings {
        if finding.subject.kind == plimsoll_rules::SubjectKind::Container {
            finding.subject.id = format!("new {}", finding.subject.id);
            finding.message.push_str(" with other words");
        }
    }
    assert_eq!(before, prints(&audit));
    let mut unique = before.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), before.len());
}

#[test]
fn exceptions_are_suppressions() {
    let log = log(&sample::audit(3));
    let suppressed: Vec<_> =
        results(&log).iter().filter(|result| result.get("suppressions").is_some()).collect();
    assert_eq!(suppressed.len(), 1);
    assert!(suppressed[0]["suppressions"][0]["justification"].as_str().unwrap().contains("2027-03-31"));
}

#[test]
fn names_make_no_links() {
    let log = log(&sample::audit(12));
    let messages: String = results(&log).iter().map(|result| result["message"]["text"].to_string()).collect();
    assert!(messages.contains("javascript:"));
    assert!(!messages.contains("[x](javascript:"));
}
