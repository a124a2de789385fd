//! What is wrong: by concern, by rule, with what shows it and what to do.

use std::io;

use plimsoll_rules::{Finding, Severity};

use super::names;
use crate::group::{self, RuleGroup, Same};
use crate::layout::{self, BOLD, DIM, PLAIN, Page, REMEDY, TerminalOptions, span, whole};
use crate::{Audit, words};

/// Different messages of one rule that are shown, unless all are asked for.
const MESSAGES: usize = 2;
/// From this severity on, a finding is shown with what was seen; what is milder, only with what is wrong and how
/// to mend it, unless all is asked for.
const SEEN_FROM: Severity = Severity::Medium;
/// Names in a list.
const NAMES: usize = 6;
/// Facts below a message.
const FACTS: usize = 3;

pub(super) fn write(page: &mut Page<'_>, audit: &Audit, options: &TerminalOptions) -> io::Result<()> {
    for concern in group::by_concern(audit.failures()) {
        let failures = concern.rules.iter().map(|rule| rule.findings.len()).sum();
        page.heading(words::concern(concern.concern), &words::count(failures, "failure"))?;
        for (number, rule) in concern.rules.iter().enumerate() {
            if number > 0 {
                page.blank()?;
            }
            write_rule(page, audit, rule, options)?;
        }
    }
    Ok(())
}

fn write_rule(
    page: &mut Page<'_>,
    audit: &Audit,
    group: &RuleGroup<'_>,
    options: &TerminalOptions,
) -> io::Result<()> {
    let text = audit.rule(group.rule);
    let title = text.map_or(group.rule, |rule| &rule.title);
    page.labelled(group.severity.id(), layout::severity(group.severity), &[span(title, BOLD)])?;
    page.beside(&[span(group.rule, DIM), span(&format!(" · {}", words::subjects(&group.findings)), DIM)])?;

    let fix = text.map_or("", |rule| &rule.fix);
    let same = group::by_message(&group.findings);
    let most = if group.severity < SEEN_FROM { 1 } else { MESSAGES };
    let shown = options.shown(same.len(), most);
    for message in &same[..shown] {
        write_message(page, audit, message, group, options)?;
        write_remedies(page, message, fix)?;
    }
    let rest: Vec<_> = same[shown..].iter().flat_map(|message| &message.findings).collect();
    if !rest.is_empty() {
        let named: Vec<_> = rest.iter().map(|finding| words::subject(audit, &finding.subject)).collect();
        let list = names(named.iter().map(|name| &**name), NAMES, options);
        page.labelled("also", DIM, &[span(&list, PLAIN)])?;
    }
    if group.findings.iter().any(|finding| finding.remediation == fix) {
        write_fix(page, fix)?;
    }
    Ok(())
}

fn write_message(
    page: &mut Page<'_>,
    audit: &Audit,
    same: &Same<'_>,
    group: &RuleGroup<'_>,
    options: &TerminalOptions,
) -> io::Result<()> {
    let Some(first) = same.findings.first() else { return Ok(()) };
    let named: Vec<_> = same.findings.iter().map(|finding| words::subject(audit, &finding.subject)).collect();
    let list = names(named.iter().map(|name| &**name), NAMES, options);
    let mut spans = vec![span(same.message, PLAIN)];
    if same.findings.len() == 1 {
        spans.splice(..0, [span(&list, BOLD), span(": ", PLAIN)]);
    } else {
        page.labelled("in", DIM, &[span(&list, BOLD)])?;
    }
    let severity = format!(" ({})", first.severity.id());
    if first.severity != group.severity {
        spans.push(span(&severity, layout::severity(first.severity)));
    }
    let confidence = format!(" ({} confidence)", first.confidence.id());
    if first.confidence != plimsoll_rules::Confidence::High {
        spans.push(span(&confidence, DIM));
    }
    let several = same.findings.len() > 1;
    page.labelled(if several { "" } else { "in" }, DIM, &spans)?;
    if !options.full && group.severity < SEEN_FROM {
        return Ok(());
    }
    write_evidence(page, first, if several { "e.g." } else { "seen" }, options)
}

fn write_evidence(
    page: &mut Page<'_>,
    finding: &Finding,
    label: &str,
    options: &TerminalOptions,
) -> io::Result<()> {
    let facts = &finding.evidence;
    let shown = options.shown(facts.len(), FACTS);
    for (number, fact) in facts[..shown].iter().enumerate() {
        let expected = words::expected(fact);
        let source = format!("[{}]", fact.source);
        page.labelled(
            if number == 0 { label } else { "" },
            DIM,
            &[
                span(&fact.fact, PLAIN),
                span(" = ", DIM),
                span(&fact.value, PLAIN),
                span(&expected, PLAIN),
                span(" ", PLAIN),
                whole(&source, DIM),
            ],
        )?;
    }
    if shown < facts.len() {
        let more = format!("and {}", words::count(facts.len() - shown, "more fact"));
        page.beside(&[span(&more, DIM)])?;
    }
    Ok(())
}

/// The first remedy that is more exact than the rule's own.
fn write_remedies(page: &mut Page<'_>, same: &Same<'_>, fix: &str) -> io::Result<()> {
    match same.findings.iter().find(|finding| finding.remediation != fix) {
        Some(finding) => write_fix(page, &finding.remediation),
        None => Ok(()),
    }
}

fn write_fix(page: &mut Page<'_>, fix: &str) -> io::Result<()> {
    for (number, line) in fix.lines().enumerate() {
        page.labelled(if number == 0 { "fix" } else { "" }, REMEDY, &[span(line, PLAIN)])?;
    }
    Ok(())
}
