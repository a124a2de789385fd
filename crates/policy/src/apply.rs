//! Puts the owner's decisions on a report.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use plimsoll_rules::{
    Concern, Confidence, Evidence, ExceptionNote, Finding, Judge, Report, Rule, Severity, Status, Subject,
    SubjectKind,
};

use crate::{Exception, Policy};

const ANSWERED_ELSEWHERE: Judge = Judge::Manual("answered from the policy file, not from facts");

/// The rules about the policy itself, for reference pages and reports. [`apply`] answers them, not `judge`.
pub const RULES: [Rule; 2] = [
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
];
const EXPIRED: &Rule = &RULES[0];
const UNUSED: &Rule = &RULES[1];

/// What a policy did to a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rules that were asked, but whose answers the policy does not want.
    pub rules_off: BTreeSet<Cow<'static, str>>,
    /// Answers of those rules, which were taken out of the report.
    pub ignored: usize,
    /// Failures that an exception covers.
    pub excepted: usize,
}

/// Applies a policy: takes out the answers of rules that are off, sets severities, notes exceptions on the failures
/// that they cover, and reports exceptions that have expired or cover nothing. An exception covers failures only:
/// what is unknown stays unknown. `today` decides which exceptions still hold.
pub fn apply(policy: &Policy, today: Date, report: &mut Report) -> Applied {
    let mut applied = Applied::default();
    take_out(policy, report, &mut applied);
    for finding in &mut report.findings {
        if let Some(severity) = policy.severity(&finding.rule) {
            finding.severity = severity;
        }
    }
    let covered = note_exceptions(policy, today, report, &mut applied);
    let about_policy: Vec<_> = policy
        .exceptions
        .iter()
        .zip(covered)
        .filter_map(|(exception, covers)| {
            if exception.expires < today {
                return Some(expired(exception, today, covers));
            }
            if covers { None } else { Some(unused(policy, exception, report)) }
        })
        .collect();
    report.findings.extend(about_policy);
    applied
}

fn take_out(policy: &Policy, report: &mut Report, applied: &mut Applied) {
    let off: BTreeSet<&str> =
        plimsoll_rules::all().filter(|rule| !policy.enables(rule)).map(|rule| rule.id).collect();
    report.findings.retain(|finding| {
        let wanted = !off.contains(finding.rule.as_ref());
        if !wanted {
            applied.ignored += 1;
            applied.rules_off.insert(finding.rule.clone());
        }
        wanted
    });
}

/// Notes on each failure the first exception that holds for it. Answers for each exception, in order, whether it
/// covers any failure, or would if it had not expired.
fn note_exceptions(policy: &Policy, today: Date, report: &mut Report, applied: &mut Applied) -> Vec<bool> {
    let mut covers = vec![false; policy.exceptions.len()];
    let mut by_rule: BTreeMap<&str, Vec<(usize, &Exception)>> = BTreeMap::new();
    for (number, exception) in policy.exceptions.iter().enumerate() {
        by_rule.entry(&exception.rule).or_default().push((number, exception));
    }
    for finding in report.findings.iter_mut().filter(|finding| finding.status == Status::Fail) {
        for (number, exception) in by_rule.get(finding.rule.as_ref()).into_iter().flatten() {
            if !exception.pattern.matches(&finding.subject) {
                continue;
            }
            if let Some(covers) = covers.get_mut(*number) {
                *covers = true;
            }
            if exception.expires >= today && finding.exception.is_none() {
                finding.exception = Some(note(exception));
                applied.excepted += 1;
            }
        }
    }
    covers
}

fn note(exception: &Exception) -> ExceptionNote {
    ExceptionNote {
        owner: exception.owner.clone(),
        reason: exception.reason.clone(),
        expires: exception.expires.to_string(),
    }
}

fn expired(exception: &Exception, today: Date, covers: bool) -> Finding {
    let (message, severity) = match covers {
        true => (
            format!(
                "the exception of {} for {} on {} expired on {}: what it covered counts again",
                exception.owner, exception.rule, exception.subject, exception.expires
            ),
            EXPIRED.severity,
        ),
        false => (
            format!(
                "the exception of {} for {} on {} expired on {} and covers nothing any more",
                exception.owner, exception.rule, exception.subject, exception.expires
            ),
            Severity::Low,
        ),
    };
    let evidence = Evidence::new("expires", exception.expires.to_string(), exception.place.to_string())
        .expected(format!("{today} or later"));
    Finding { severity, ..finding(EXPIRED, Status::Fail, exception, message, evidence) }
}

/// Nothing fails that the exception covers. Where an answer of its rule is unknown, that is not known for sure.
fn unused(policy: &Policy, exception: &Exception, report: &Report) -> Finding {
    let answers = || report.findings.iter().filter(|finding| finding.rule == exception.rule.as_str());
    let off = plimsoll_rules::find(&exception.rule).is_some_and(|rule| !policy.enables(rule));
    let passes = answers().any(|finding| {
        matches!(finding.status, Status::Pass | Status::NotApplicable)
            && exception.pattern.matches(&finding.subject)
    });
    let (status, found) = if off {
        (Status::Fail, "its rule is switched off")
    } else if answers().any(|finding| finding.status == Status::Unknown) {
        (Status::Unknown, "its rule could not answer about everything, so that it may still be needed")
    } else if passes {
        (Status::Fail, "nothing is wrong any more with what it covers")
    } else {
        (Status::Fail, "its rule answered about no subject of this name or id")
    };
    let message = format!(
        "the exception of {} for {} on {}: {found}",
        exception.owner, exception.rule, exception.subject
    );
    let evidence = Evidence::new("failures that it covers", "none", exception.place.to_string())
        .expected(format!("at least one of {} on {}", exception.rule, exception.subject));
    finding(UNUSED, status, exception, message, evidence)
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
        concern: plimsoll_rules::find(&exception.rule).map_or(rule.concern, |covered| covered.concern),
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
