//! What a policy does to a report.

use std::borrow::Cow;

use jiff::civil::{Date, date};
use plimsoll_policy::{FlawExceptions, Policy, parse};
use plimsoll_rules::{Concern, Confidence, Finding, Report, Severity, Status, Subject, SubjectKind};

const TODAY: Date = date(2026, 11, 23);

fn finding(name: &str, status: Status) -> Finding {
    Finding {
        rule: Cow::Borrowed("container-privileged"),
        concern: Concern::Isolation,
        severity: Severity::Critical,
        confidence: Confidence::High,
        status,
        subject: Subject {
            kind: SubjectKind::Container,
            name: name.into(),
            id: format!("{name}-id"),
            engine: String::new(),
        },
        message: String::new(),
        evidence: Vec::new(),
        remediation: Cow::Borrowed(""),
        exception: None,
    }
}

fn report(findings: impl IntoIterator<Item = Finding>) -> Report {
    Report { findings: findings.into_iter().collect(), gaps: Vec::new() }
}

fn policy(text: &str) -> Policy {
    parse(text, "plimsoll.toml").expect("a valid policy").policy
}

fn exception(subject: &str, expires: &str) -> String {
    format!(
        "[[exceptions]]\nrule = \"container-privileged\"\nsubject = \"{subject}\"\nowner = \"ops\"\n\
         reason = \"sensors\"\nexpires = {expires}\n"
    )
}

fn apply(policy: &Policy, today: Date, report: &mut Report) {
    plimsoll_policy::apply(policy, today, &FlawExceptions::new(policy, today), report);
}

fn excepted(report: &Report) -> usize {
    report.findings.iter().filter(|finding| finding.exception.is_some()).count()
}

/// Rule and status of the answers about the policy itself.
fn about_policy(report: &Report) -> Vec<(&str, Status)> {
    let own = report.findings.iter().filter(|finding| finding.subject.kind == SubjectKind::Policy);
    own.map(|finding| (finding.rule.as_ref(), finding.status)).collect()
}

#[test]
fn an_exception_covers_until_the_end_of_its_last_day() {
    let mut it = report([finding("agent", Status::Fail), finding("db", Status::Fail)]);
    apply(&policy(&exception("agent", "2026-11-23")), TODAY, &mut it);
    assert_eq!(excepted(&it), 1);
    let note = it.findings[0].exception.as_ref().expect("covered");
    assert_eq!((note.owner.as_str(), note.expires.as_str()), ("ops", "2026-11-23"));
    assert_eq!(it.findings[1].exception, None);
    assert!(about_policy(&it).is_empty());
}

#[test]
fn an_expired_exception_covers_nothing_and_is_reported_with_its_place() {
    let mut it = report([finding("agent", Status::Fail)]);
    apply(&policy(&exception("agent", "2026-11-22")), TODAY, &mut it);
    assert_eq!(excepted(&it), 0);
    assert_eq!(it.findings[0].exception, None);
    assert_eq!(about_policy(&it), [("exception-expired", Status::Fail)]);
    let expired = &it.findings[1];
    assert_eq!((expired.severity, expired.concern), (Severity::Medium, Concern::Isolation));
    assert_eq!(expired.evidence[0].source, "plimsoll.toml:1:1");
}

#[test]
fn an_expired_exception_that_covers_nothing_is_only_untidy() {
    let mut it = report([finding("agent", Status::Pass)]);
    apply(&policy(&exception("agent", "2026-11-22")), TODAY, &mut it);
    assert_eq!(it.findings[1].severity, Severity::Low);
}

#[test]
fn an_exception_that_covers_nothing_is_reported() {
    let mut it = report([finding("agent", Status::Pass)]);
    apply(&policy(&exception("agent", "2027-01-01")), TODAY, &mut it);
    assert_eq!(about_policy(&it), [("exception-unused", Status::Fail)]);
    assert!(it.findings[1].message.contains("nothing is wrong any more"));

    let mut it = report([finding("agent", Status::Fail)]);
    apply(&policy(&exception("agnet", "2027-01-01")), TODAY, &mut it);
    assert!(it.findings[1].message.contains("no subject of this name"));
}

#[test]
fn unknown_is_neither_accepted_nor_taken_for_mended() {
    let mut it = report([finding("agent", Status::Unknown)]);
    apply(&policy(&exception("agent", "2027-01-01")), TODAY, &mut it);
    assert_eq!(excepted(&it), 0);
    assert_eq!((it.findings[0].status, &it.findings[0].exception), (Status::Unknown, &None));
    assert_eq!(about_policy(&it), [("exception-unused", Status::Unknown)]);
}

#[test]
fn two_exceptions_for_one_failure_are_both_of_use() {
    let mut it = report([finding("agent", Status::Fail)]);
    let both = exception("agent", "2027-01-01") + &exception("agent-id", "2027-01-01");
    apply(&policy(&both), TODAY, &mut it);
    assert_eq!(excepted(&it), 1);
    assert!(about_policy(&it).is_empty());
}

#[test]
fn an_exception_for_a_rule_that_is_off_is_of_no_use() {
    let mut it = report([]);
    let text =
        "[rules.container-privileged]\nenabled = false\n".to_owned() + &exception("agent", "2027-01-01");
    apply(&policy(&text), TODAY, &mut it);
    assert_eq!(about_policy(&it), [("exception-unused", Status::Fail)]);
    assert!(it.findings[0].message.contains("switched off"));
}

#[test]
fn a_severity_holds_for_every_answer_of_the_rule() {
    let mut it = report([finding("agent", Status::Fail), finding("db", Status::Pass)]);
    apply(&policy("[rules.container-privileged]\nseverity = \"low\"\n"), TODAY, &mut it);
    assert!(it.findings.iter().all(|finding| finding.severity == Severity::Low));
}
