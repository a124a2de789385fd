//! The audit as JUnit XML, for the test views of CI systems: a suite a concern, a case a rule and subject.

use std::io::{self, Write};

use plimsoll_rules::{Concern, ExceptionNote, Finding, Status};

use crate::{Audit, escape, words};

/// Writes the audit as one JUnit document.
///
/// # Errors
/// What the writer answers.
pub fn write(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let all = Counts::of(audit.findings.iter());
    writeln!(out, r#"<testsuites name="plimsoll" {}>"#, all.attributes())?;
    for concern in Concern::ALL {
        suite(audit, concern, out)?;
    }
    writeln!(out, "</testsuites>")
}

fn suite(audit: &Audit, concern: Concern, out: &mut dyn Write) -> io::Result<()> {
    let findings = || audit.findings.iter().filter(|finding| finding.concern == concern);
    let counts = Counts::of(findings());
    if counts.tests == 0 {
        return Ok(());
    }
    writeln!(
        out,
        r#"  <testsuite name="{}" {} timestamp="{}" hostname="{}">"#,
        concern.id(),
        counts.attributes(),
        escape::markup(audit.collected_at.trim_end_matches('Z')),
        escape::markup(&audit.host.name),
    )?;
    for finding in findings() {
        case(audit, finding, out)?;
    }
    writeln!(out, "  </testsuite>")
}

#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn of<'a>(findings: impl Iterator<Item = &'a Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            counts.tests += 1;
            match finding.status {
                Status::Fail if finding.exception.is_none() => counts.failures += 1,
                Status::Unknown => counts.errors += 1,
                Status::Fail | Status::NotAutomated | Status::NotApplicable => counts.skipped += 1,
                Status::Pass => {}
            }
        }
        counts
    }

    fn attributes(&self) -> String {
        let Self { tests, failures, errors, skipped } = self;
        format!(r#"tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}""#)
    }
}

fn case(audit: &Audit, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        r#"    <testcase classname="plimsoll.{}.{}" name="{}""#,
        finding.concern.id(),
        escape::markup(&finding.rule),
        escape::markup(&words::subject_with_kind(audit, &finding.subject)),
    )?;
    match (finding.status, &finding.exception) {
        (Status::Pass, _) => return writeln!(out, "/>"),
        (Status::Fail, None) => failure(finding, out)?,
        (Status::Fail, Some(exception)) => skipped(&accepted(finding, exception), out)?,
        (Status::Unknown, _) => {
            write!(out, r#"><error type="unknown" message="{}"/>"#, escape::markup(&finding.message))?;
        }
        (Status::NotAutomated, _) => skipped(&format!("needs a person: {}", finding.message), out)?,
        (Status::NotApplicable, _) => skipped(&format!("not applicable: {}", finding.message), out)?,
    }
    writeln!(out, "</testcase>")
}

fn failure(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        r#"><failure type="{}" message="{}">"#,
        finding.severity.id(),
        escape::markup(&finding.message),
    )?;
    for fact in &finding.evidence {
        writeln!(out, "{}", escape::markup(&words::evidence(fact)))?;
    }
    write!(out, "fix: {}</failure>", escape::lines(&finding.remediation, escape::markup, "\n"))
}

fn skipped(reason: &str, out: &mut dyn Write) -> io::Result<()> {
    write!(out, r#"><skipped message="{}"/>"#, escape::markup(reason))
}

fn accepted(finding: &Finding, exception: &ExceptionNote) -> String {
    let ExceptionNote { owner, reason, expires } = exception;
    format!("accepted until {expires} by {owner} ({reason}): {}", finding.message)
}
