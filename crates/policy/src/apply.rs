//! Puts the owner's decisions on a report.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use plimsoll_rules::{
    Concern, Confidence, Evidence, Finding, Judge, Report, Rule, Severity, Status, Subject, SubjectKind,
};

use crate::{Covers, Exception, FlawExceptions, Policy, SubjectPattern};

const ANSWERED_ELSEWHERE: Judge = Judge::Manual("answered from the policy file, not from facts");

/// The rules about the policy itself, for reference pages and reports. [`apply`] answers them, not `judge`.
pub const RULES: [Rule; 3] = [
    Rule {
        id: "exception-expired",
        title: "An exception in the policy has expired",
        concern: Concern::Engine,
        severity: Severity::Medium,
        why: "An exception is a loan: it was granted until a day, and the day is over. What it covered counts \
              again, and whoever owns the exception should decide anew.",
        fix: "Mend what the exception covered and remove it; or have its owner decide on a new date in expires. \
              Neither stops anything.",
        references: &["docs/policy.md"],
        cis: &[],
        judge: ANSWERED_ELSEWHERE,
    },
    Rule {
        id: "exception-unused",
        title: "An exception in the policy covers nothing",
        concern: Concern::Engine,
        severity: Severity::Low,
        why: "Either the problem was mended, and the exception waits to hide the next one of the same name; or its \
              subject is misspelt, and what it should cover counts.",
        fix: "Remove the exception, or correct its subject. Neither stops anything.",
        references: &["docs/policy.md"],
        cis: &[],
        judge: ANSWERED_ELSEWHERE,
    },
    crate::expect::UNUSED,
];
const EXPIRED: &Rule = &RULES[0];
const UNUSED: &Rule = &RULES[1];

/// Applies a policy to the answers of the rules that it wants: sets severities, notes exceptions on the failures that
/// they cover, and reports exceptions that have expired or cover nothing. An exception covers failures only: what is
/// unknown stays unknown. `today` decides which exceptions still hold; `flaws` says what those for published flaws did.
pub fn apply(policy: &Policy, today: Date, flaws: &FlawExceptions<'_>, report: &mut Report) {
    for finding in &mut report.findings {
        if let Some(severity) = policy.severity(&finding.rule) {
            finding.severity = severity;
        }
    }
    let covered = note_exceptions(policy, today, report);
    let about_policy: Vec<_> = policy
        .exceptions
        .iter()
        .enumerate()
        .zip(covered)
        .filter_map(|((number, exception), covers)| {
            let covers = covers || flaws.covers(number);
            if exception.expires < today {
                return Some(expired(exception, today, covers));
            }
            if covers { None } else { Some(unused(policy, exception, flaws, report)) }
        })
        .collect();
    report.findings.extend(about_policy);
}

/// Notes on each failure the first exception that holds for it. Answers for each exception, in order, whether it
/// covers any failure, or would if it had not expired.
fn note_exceptions(policy: &Policy, today: Date, report: &mut Report) -> Vec<bool> {
    let mut covers = vec![false; policy.exceptions.len()];
    let mut by_rule: BTreeMap<&str, Vec<(usize, &Exception, &SubjectPattern)>> = BTreeMap::new();
    for (number, exception) in policy.exceptions.iter().enumerate() {
        if let Covers::Rule { rule, subject } = &exception.covers {
            by_rule.entry(rule).or_default().push((number, exception, subject));
        }
    }
    for finding in report.findings.iter_mut().filter(|finding| finding.status == Status::Fail) {
        for (number, exception, subject) in by_rule.get(finding.rule.as_ref()).into_iter().flatten() {
            if !subject.matches(&finding.subject) {
                continue;
            }
            if let Some(covers) = covers.get_mut(*number) {
                *covers = true;
            }
            if exception.expires >= today && finding.exception.is_none() {
                finding.exception = Some(exception.note());
            }
        }
    }
    covers
}

fn expired(exception: &Exception, today: Date, covers: bool) -> Finding {
    let (message, severity) = match covers {
        true => (
            format!(
                "the exception of {} for {} expired on {}: what it covered counts again",
                exception.owner, exception.covers, exception.expires
            ),
            EXPIRED.severity,
        ),
        false => (
            format!(
                "the exception of {} for {} expired on {} and covers nothing any more",
                exception.owner, exception.covers, exception.expires
            ),
            Severity::Low,
        ),
    };
    let evidence = Evidence::new("expires", exception.expires.to_string(), exception.place.to_string())
        .expected(format!("{today} or later"));
    Finding { severity, ..finding(EXPIRED, Status::Fail, exception, message, evidence) }
}

/// Nothing fails that the exception covers, as far as is known.
fn unused(policy: &Policy, exception: &Exception, flaws: &FlawExceptions<'_>, report: &Report) -> Finding {
    let (status, found) = match &exception.covers {
        Covers::Rule { rule, subject } => no_failure(policy, rule, subject, report),
        Covers::Flaws(_) if flaws.is_whole() => (Status::Fail, "no package here has such a flaw"),
        Covers::Flaws(_) => (
            Status::Unknown,
            "not every package could be held against advisories, so that it may still be needed",
        ),
    };
    let message = format!("the exception of {} for {}: {found}", exception.owner, exception.covers);
    let evidence = Evidence::new("what it covers", "nothing", exception.place.to_string())
        .expected(format!("at least one of {}", exception.covers));
    finding(UNUSED, status, exception, message, evidence)
}

/// Why a rule fails on no subject of a pattern. Where an answer of it is unknown, that is not known for sure.
fn no_failure(
    policy: &Policy,
    rule: &str,
    subject: &SubjectPattern,
    report: &Report,
) -> (Status, &'static str) {
    let answers = || report.findings.iter().filter(|finding| finding.rule == rule);
    let off = plimsoll_rules::find(rule).is_some_and(|rule| !policy.enables(rule));
    let passes = answers().any(|finding| {
        matches!(finding.status, Status::Pass | Status::NotApplicable) && subject.matches(&finding.subject)
    });
    if off {
        (Status::Fail, "its rule is switched off")
    } else if answers().any(|finding| finding.status == Status::Unknown) {
        (Status::Unknown, "its rule could not answer about everything, so that it may still be needed")
    } else if passes {
        (Status::Fail, "nothing is wrong any more with what it covers")
    } else {
        (Status::Fail, "its rule answered about no subject of this name or id")
    }
}

fn finding(
    rule: &'static Rule,
    status: Status,
    exception: &Exception,
    message: String,
    evidence: Evidence,
) -> Finding {
    Finding {
        rule: Cow::Borrowed(rule.id),
        concern: match &exception.covers {
            Covers::Rule { rule: id, .. } => plimsoll_rules::find(id).map_or(rule.concern, |it| it.concern),
            Covers::Flaws(_) => Concern::Freshness,
        },
        severity: rule.severity,
        confidence: Confidence::High,
        status,
        subject: Subject {
            kind: SubjectKind::Policy,
            name: exception.place.path.clone(),
            id: exception.place.to_string(),
            engine: String::new(),
        },
        message,
        evidence: vec![evidence],
        remediation: Cow::Borrowed(rule.fix),
        exception: None,
    }
}
