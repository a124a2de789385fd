//! The audit as one self-contained HTML page: it works without network and, apart from the filter, without
//! scripts. Its content security policy lets nothing run but the page's own style and script, by their hashes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use askama::Template;
use plimsoll_facts::{Gap, StepKind};
use plimsoll_rules::{Concern, Finding, Severity, Status, Subject, SubjectKind};
use plimsoll_upgrade::{EffectKind, Pending, Step};

use crate::group::{self, ContainerLine, SameEffect, Tally};
use crate::holders::{self, HolderRows};
use crate::paths::{self, Drawing};
use crate::{Audit, CisControl, CisStatus, EngineSummary, RuleText, escape, hints, words};

pub(crate) const STYLE: &str = include_str!("../templates/report.css");
const SCRIPT: &str = include_str!("../templates/report.js");
/// SHA-256 of [`STYLE`] in base 64; a test holds it.
pub(crate) const STYLE_HASH: &str = "R423+DQqxCZ/aJesnMi9KkrCYk1+XhXTDHvQ4i+kJPQ=";
/// SHA-256 of [`SCRIPT`] in base 64; a test holds it.
const SCRIPT_HASH: &str = "AJ7+6/OppUGgcr6ltQ5JII1fhasKQB8uj6tXTqJMX7o=";

/// Rows of one rule that are open.
const ROWS: usize = 8;
/// Attack paths that are written out.
const PATHS: usize = 20;
/// Names of one effect that are open.
const NAMES: usize = 12;

/// Writes the audit as one HTML page.
///
/// # Errors
/// What the writer answers.
pub fn write(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    Page::of(audit).write_into(out)
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    audit: &'a Audit,
    verdict: String,
    verdict_class: &'static str,
    who: String,
    blindness: Option<String>,
    coverage: String,
    asked: String,
    rules_off: String,
    bar: Vec<BarPart>,
    severities: &'static [Severity],
    concerns: Vec<Concern>,
    containers: Vec<ContainerLine<'a>>,
    containers_summary: String,
    sections: Vec<Section<'a>>,
    drawing: Option<Drawing>,
    paths_summary: String,
    steps: Vec<StepRows<'a>>,
    packages: Vec<HolderRows<'a>>,
    tallies: Vec<(&'a RuleText, Tally)>,
    style: &'static str,
    style_hash: &'static str,
    script: &'static str,
    script_hash: &'static str,
}

impl<'a> Page<'a> {
    fn of(audit: &'a Audit) -> Self {
        let containers = group::containers(audit);
        let places = Places::of(&containers);
        let mut tallies = group::tallies(&audit.findings);
        let wrong = containers.iter().filter(|line| !line.failures.is_empty()).count();
        Self {
            audit,
            verdict: words::verdict(audit),
            verdict_class: verdict_class(audit),
            who: words::who(audit),
            blindness: (!audit.blindness.is_empty()).then(|| words::blindness(audit)),
            coverage: words::coverage(&audit.coverage),
            asked: words::asked(&audit.coverage),
            rules_off: audit.policy.rules_off.join(", "),
            bar: bar(audit),
            severities: &Severity::WORST_FIRST,
            concerns: Concern::ALL
                .into_iter()
                .filter(|concern| audit.findings.iter().any(|finding| finding.concern == *concern))
                .collect(),
            containers_summary: format!("{wrong} of {} with problems", containers.len()),
            sections: sections(audit, &places),
            drawing: paths::draw(&audit.attack_paths),
            paths_summary: words::paths(&audit.attack_paths),
            steps: audit.effects.steps.iter().map(|step| StepRows::of(audit, step)).collect(),
            packages: holders::of(audit),
            tallies: audit
                .rules
                .iter()
                .map(|rule| (rule, tallies.remove(&*rule.id).unwrap_or_default()))
                .collect(),
            containers,
            style: STYLE,
            style_hash: STYLE_HASH,
            script: SCRIPT,
            script_hash: SCRIPT_HASH,
        }
    }
}

fn verdict_class(audit: &Audit) -> &'static str {
    match audit.worst() {
        Some(worst) => worst.id(),
        None if audit.coverage.unknown > 0 || audit.coverage.checked == 0 => "unknown",
        None => "ok",
    }
}

/// One part of the coverage bar, in percent of its length.
struct BarPart {
    class: &'static str,
    label: &'static str,
    count: usize,
    from: String,
    width: String,
}

fn bar(audit: &Audit) -> Vec<BarPart> {
    let it = &audit.coverage;
    let parts = [
        ("failed", "failed", it.failed),
        ("excepted", "accepted by the policy", it.excepted),
        ("unknown", "could not be checked", it.unknown),
        ("person", "for a person", it.not_automated),
        ("passed", "passed", it.passed),
    ];
    let total: usize = parts.iter().map(|(_, _, count)| count).sum();
    let percent = |count: usize| format!("{:.3}", 100.0 * count as f64 / total.max(1) as f64);
    let mut before = 0;
    let mut bar = Vec::new();
    for (class, label, count) in parts {
        if count > 0 {
            bar.push(BarPart { class, label, count, from: percent(before), width: percent(count) });
        }
        before += count;
    }
    bar
}

/// Where each container stands in the overview: how the filter names it.
struct Places<'a>(HashMap<(&'a str, &'a str), usize>);

impl<'a> Places<'a> {
    fn of(containers: &[ContainerLine<'a>]) -> Self {
        let key = |line: &ContainerLine<'a>| (line.subject.engine.as_str(), line.subject.id.as_str());
        Self(containers.iter().enumerate().map(|(place, line)| (key(line), place)).collect())
    }

    fn get(&self, subject: &Subject) -> Option<usize> {
        match subject.kind {
            SubjectKind::Container => self.0.get(&(subject.engine.as_str(), subject.id.as_str())).copied(),
            _ => None,
        }
    }
}

/// The answers of one status.
struct Section<'a> {
    id: &'static str,
    title: &'static str,
    status: &'static str,
    count: usize,
    /// Whether the remedy of a rule is shown.
    remedies: bool,
    hints: Vec<String>,
    gaps: &'a [Gap],
    concerns: Vec<ConcernRows<'a>>,
}

struct ConcernRows<'a> {
    id: &'static str,
    title: &'static str,
    rules: Vec<RuleRows<'a>>,
}

struct RuleRows<'a> {
    id: &'a str,
    title: &'a str,
    severity: Severity,
    text: Option<&'a RuleText>,
    about: String,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    first: &'a Finding,
    subjects: Vec<RowSubject<'a>>,
    own_fix: bool,
}

struct RowSubject<'a> {
    name: Cow<'a, str>,
    container: Option<usize>,
}

fn sections<'a>(audit: &'a Audit, places: &Places<'a>) -> Vec<Section<'a>> {
    let section = |id, title, status, remedies, findings: Vec<&'a Finding>| Section {
        id,
        title,
        status,
        count: findings.len(),
        remedies,
        hints: Vec::new(),
        gaps: &[],
        concerns: concern_rows(audit, places, findings),
    };
    let unknown = audit.with_status(Status::Unknown).collect();
    let mut unknown = section("unknown", "Could not be checked", "unknown", false, unknown);
    unknown.hints = hints::of(audit);
    unknown.gaps = &audit.gaps;
    let person = audit.with_status(Status::NotAutomated).collect();
    let mut sections = vec![
        section("failed", "What is wrong", "fail", true, audit.failures().collect()),
        unknown,
        section("accepted", "Accepted by the policy", "excepted", true, audit.excepted().collect()),
        section("person", "For a person to look at", "not-automated", false, person),
    ];
    sections.retain(|section| section.count > 0 || !section.hints.is_empty() || !section.gaps.is_empty());
    sections
}

fn concern_rows<'a>(
    audit: &'a Audit,
    places: &Places<'a>,
    findings: Vec<&'a Finding>,
) -> Vec<ConcernRows<'a>> {
    group::by_concern(findings.into_iter())
        .into_iter()
        .map(|concern| ConcernRows {
            id: concern.concern.id(),
            title: words::concern(concern.concern),
            rules: concern.rules.iter().map(|rule| rule_rows(audit, places, rule)).collect(),
        })
        .collect()
}

fn rule_rows<'a>(audit: &'a Audit, places: &Places<'a>, rule: &group::RuleGroup<'a>) -> RuleRows<'a> {
    let text = audit.rule(rule.rule);
    let rows = group::alike(&rule.findings)
        .into_iter()
        .filter_map(|same| {
            let first = *same.findings.first()?;
            let subjects = same.findings.iter().map(|finding| RowSubject {
                name: words::subject(audit, &finding.subject),
                container: places.get(&finding.subject),
            });
            Some(Row {
                first,
                subjects: subjects.collect(),
                own_fix: first.status == Status::Fail
                    && text.is_none_or(|text| text.fix != first.remediation),
            })
        })
        .collect();
    RuleRows {
        id: rule.rule,
        title: text.map_or(rule.rule, |text| &text.title),
        severity: rule.severity,
        text,
        about: words::subjects(&rule.findings),
        rows,
    }
}

struct StepRows<'a> {
    title: String,
    pending: &'static str,
    class: &'static str,
    why: &'a str,
    effects: Vec<SameEffect<'a>>,
}

impl<'a> StepRows<'a> {
    fn of(audit: &Audit, step: &'a Step) -> Self {
        Self {
            title: words::step(audit, step),
            pending: words::pending(step.pending),
            class: match step.pending {
                Pending::Installed | Pending::Offered => "medium",
                Pending::Unknown => "unknown",
                Pending::No => "plain",
            },
            why: &step.why,
            effects: group::by_effect(step),
        }
    }
}

/// What may act or hide is made visible; the template escapes what is markup.
pub(crate) fn show<T: AsRef<str> + ?Sized>(text: &T) -> Cow<'_, str> {
    escape::visible(text.as_ref())
}

/// The same for a remedy, whose lines are kept.
fn show_lines<T: AsRef<str> + ?Sized>(text: &T) -> String {
    escape::lines(text.as_ref(), escape::visible, "\n")
}

/// A dot for zero, so that the eye finds the numbers.
fn dash(number: &usize) -> String {
    match number {
        0 => "·".to_owned(),
        number => number.to_string(),
    }
}

fn failures(line: &ContainerLine<'_>, severity: &Severity) -> String {
    dash(&line.count(*severity))
}

fn effect(kind: &EffectKind) -> &'static str {
    words::effect(*kind)
}

fn step_kind(kind: &StepKind) -> &'static str {
    words::step_kind(*kind)
}

fn engine(engine: &EngineSummary) -> String {
    words::engine(engine)
}

fn control_status(control: &CisControl) -> &'static str {
    words::control_status(control.status)
}

/// The class that colours a control.
fn control_class(control: &CisControl) -> &'static str {
    match control.status {
        CisStatus::Fail => control.severity.map_or("high", Severity::id),
        CisStatus::Unknown => "unknown",
        CisStatus::NotAutomated | CisStatus::Excepted => "medium",
        CisStatus::Pass => "ok",
        CisStatus::NotApplicable | CisStatus::Off => "plain",
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use sha2::{Digest, Sha256};

    use super::{SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH};

    #[test]
    fn the_policy_names_the_style_and_the_script() {
        let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
        assert_eq!(STYLE_HASH, hash(STYLE));
        assert_eq!(SCRIPT_HASH, hash(SCRIPT));
    }
}
