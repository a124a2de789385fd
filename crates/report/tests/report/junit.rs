//! The audit as JUnit XML: well-formed with hostile names, and its counts are true.

use crate::sample;

use plimsoll_report::{Audit, junit};

fn written(audit: &Audit) -> String {
    let mut out = Vec::new();
    junit::write(audit, &mut out).expect("written to memory");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn counts_are_those_of_the_cases() {
    let audit = sample::audit(30);
    let text = written(&audit);
    let count = |pattern: &str| text.matches(pattern).count();
    assert_eq!(count("<testcase "), audit.findings.len());
    assert_eq!(count("<failure "), audit.coverage.failed);
    assert_eq!(count("<error "), audit.coverage.unknown);
    let top = format!(
        r#"<testsuites name="plimsoll" tests="{}" failures="{}" errors="{}" skipped="{}">"#,
        audit.findings.len(),
        count("<failure "),
        count("<error "),
        count("<skipped ")
    );
    assert!(text.contains(&top), "{top}");
}

#[test]
fn it_is_well_formed() {
    let text = written(&sample::audit(30));
    let document = roxmltree::Document::parse(&text).unwrap();
    let names: Vec<_> =
        document.descendants().filter_map(|node| node.attribute("name")).map(str::to_owned).collect();
    assert!(names.contains(&format!("container {}", sample::HOSTILE[1])));
    assert!(names.iter().any(|name| name.contains("\\x1b[31m")));
}
