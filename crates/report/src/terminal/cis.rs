//! The controls of the CIS Docker Benchmark, one line each; what is wrong below its control.

use std::collections::HashMap;
use std::io;

use anstyle::Style;
use plimsoll_rules::Finding;

use super::names;
use crate::layout::{self, BOLD, DIM, GOOD, PLAIN, Page, TerminalOptions, UNKNOWN, span};
use crate::{Audit, CisControl, CisStatus, CisView, words};

/// Subjects of one rule that are named.
const NAMES: usize = 6;
/// Columns of a control's number.
const NUMBER: usize = 6;

pub(super) fn write(
    page: &mut Page<'_>,
    audit: &Audit,
    view: &CisView,
    options: &TerminalOptions,
) -> io::Result<()> {
    let mut failures: HashMap<&str, Vec<&Finding>> = HashMap::new();
    for finding in audit.failures() {
        failures.entry(&finding.rule).or_default().push(finding);
    }
    for (number, title, controls) in view.chapters() {
        let failed = controls.iter().filter(|control| control.status == CisStatus::Fail).count();
        page.heading(&format!("{number} {title}"), &format!("{failed} of {} failed", controls.len()))?;
        for control in controls {
            write_control(page, audit, control, &failures, options)?;
        }
    }
    page.heading(
        &format!("CIS Docker Benchmark {}", view.benchmark.id()),
        &words::count(view.controls.len(), "control"),
    )?;
    page.paragraph(&[span(&words::controls(view), PLAIN)])
}

fn write_control(
    page: &mut Page<'_>,
    audit: &Audit,
    control: &CisControl,
    failures: &HashMap<&str, Vec<&Finding>>,
    options: &TerminalOptions,
) -> io::Result<()> {
    let (label, style) = status(control.status);
    page.labelled_row(label, style, span(&control.id, BOLD), NUMBER, &[span(&control.title, PLAIN)])?;
    if options.full && control.status != CisStatus::Fail {
        let rules = control.rules.join(", ");
        page.row(span("", PLAIN), NUMBER, &[span(&rules, DIM)])?;
    }
    for rule in &control.rules {
        let Some(findings) = failures.get(rule.as_str()) else { continue };
        let named: Vec<_> = findings.iter().map(|finding| words::subject(audit, &finding.subject)).collect();
        let list = names(named.iter().map(|name| &**name), NAMES, options);
        let worst = findings.first().map_or(PLAIN, |finding| layout::severity(finding.severity));
        page.row(span("", PLAIN), NUMBER, &[span(rule, worst), span(": ", PLAIN), span(&list, PLAIN)])?;
    }
    Ok(())
}

fn status(status: CisStatus) -> (&'static str, Style) {
    match status {
        CisStatus::Fail => ("fail", layout::BAD),
        CisStatus::Unknown => ("unknown", UNKNOWN),
        CisStatus::NotAutomated => ("person", layout::WARNING),
        CisStatus::Excepted => ("accepted", layout::WARNING),
        CisStatus::Pass => ("pass", GOOD),
        CisStatus::NotApplicable => ("n/a", DIM),
        CisStatus::Off => ("off", DIM),
    }
}
