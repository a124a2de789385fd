//! Findings put together for a reader: by concern, by rule, by what is the same about many subjects.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use plimsoll_rules::{Concern, Finding, Severity, Status, Subject, SubjectKind};
use plimsoll_upgrade::{ContainerEffects, Effect, EffectKind, Step};

use crate::{Audit, words};

/// The findings of one concern.
pub(crate) struct ConcernGroup<'a> {
    pub(crate) concern: Concern,
    /// Worst first.
    pub(crate) rules: Vec<RuleGroup<'a>>,
}

/// The findings of one rule.
pub(crate) struct RuleGroup<'a> {
    pub(crate) rule: &'a str,
    /// The worst among them.
    pub(crate) severity: Severity,
    /// Worst first.
    pub(crate) findings: Vec<&'a Finding>,
}

/// Findings of a rule that say the same about several subjects.
pub(crate) struct Same<'a> {
    pub(crate) message: &'a str,
    pub(crate) findings: Vec<&'a Finding>,
}

/// Findings that are sorted worst first, by concern; the concern with the worst finding comes first.
pub(crate) fn by_concern<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<ConcernGroup<'a>> {
    let mut concerns: BTreeMap<Concern, Vec<RuleGroup<'a>>> = BTreeMap::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for finding in findings {
        let rules = concerns.entry(finding.concern).or_default();
        let place = *places.entry(&finding.rule).or_insert(rules.len());
        if place == rules.len() {
            rules.push(RuleGroup { rule: &finding.rule, severity: finding.severity, findings: Vec::new() });
        }
        rules[place].findings.push(finding);
    }
    let mut groups: Vec<_> =
        concerns.into_iter().map(|(concern, rules)| ConcernGroup { concern, rules }).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.rules.iter().map(|rule| rule.severity).max()));
    groups
}

/// Findings by message, in the order of their first appearance.
pub(crate) fn by_message<'a>(findings: &[&'a Finding]) -> Vec<Same<'a>> {
    let mut groups: Vec<Same<'a>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for &finding in findings {
        let place = *places.entry(&finding.message).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Same { message: &finding.message, findings: Vec::new() });
        }
        groups[place].findings.push(finding);
    }
    groups
}

/// Findings that differ in their subject alone, in the order of their first appearance.
pub(crate) fn alike<'a>(findings: &[&'a Finding]) -> Vec<Same<'a>> {
    type Said<'a> = (&'a str, &'a str, Severity, Vec<(&'a str, &'a str, &'a str)>, Option<&'a str>);
    let mut groups: Vec<Same<'a>> = Vec::new();
    let mut places: HashMap<Said<'a>, usize> = HashMap::new();
    for &finding in findings {
        let evidence =
            finding.evidence.iter().map(|fact| (&*fact.fact, &*fact.value, &*fact.source)).collect();
        let said = (
            &*finding.message,
            &*finding.remediation,
            finding.severity,
            evidence,
            finding.exception.as_ref().map(|exception| &*exception.reason),
        );
        let place = *places.entry(said).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Same { message: &finding.message, findings: Vec::new() });
        }
        groups[place].findings.push(finding);
    }
    groups
}

/// How the answers of one rule came out.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) failed: usize,
    pub(crate) excepted: usize,
    pub(crate) unknown: usize,
    pub(crate) not_automated: usize,
    pub(crate) passed: usize,
    pub(crate) not_applicable: usize,
}

/// The answers of every rule, counted.
pub(crate) fn tallies(findings: &[Finding]) -> HashMap<&str, Tally> {
    let mut tallies: HashMap<&str, Tally> = HashMap::new();
    for finding in findings {
        let tally = tallies.entry(&finding.rule).or_default();
        match finding.status {
            Status::Fail if finding.exception.is_some() => tally.excepted += 1,
            Status::Fail => tally.failed += 1,
            Status::Unknown => tally.unknown += 1,
            Status::NotAutomated => tally.not_automated += 1,
            Status::Pass => tally.passed += 1,
            Status::NotApplicable => tally.not_applicable += 1,
        }
    }
    tallies
}

/// How one container came out.
pub(crate) struct ContainerLine<'a> {
    pub(crate) subject: &'a Subject,
    /// What a person calls it.
    pub(crate) name: Cow<'a, str>,
    /// Failures that no exception covers, worst first.
    pub(crate) failures: Vec<&'a Finding>,
    /// Failures that an exception covers.
    pub(crate) excepted: usize,
    /// Answers that could not be given.
    pub(crate) unknown: usize,
}

impl ContainerLine<'_> {
    pub(crate) fn worst(&self) -> Option<Severity> {
        self.failures.first().map(|finding| finding.severity)
    }

    /// Failures of one severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.failures.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Every container that any rule was asked about, worst first.
pub(crate) fn containers(audit: &Audit) -> Vec<ContainerLine<'_>> {
    let mut lines: BTreeMap<(&str, &str), ContainerLine<'_>> = BTreeMap::new();
    for finding in audit.findings.iter().filter(|finding| finding.subject.kind == SubjectKind::Container) {
        let line =
            lines.entry((&finding.subject.engine, &finding.subject.id)).or_insert_with(|| ContainerLine {
                subject: &finding.subject,
                name: words::subject(audit, &finding.subject),
                failures: Vec::new(),
                excepted: 0,
                unknown: 0,
            });
        match finding.status {
            Status::Fail if finding.exception.is_some() => line.excepted += 1,
            Status::Fail => line.failures.push(finding),
            Status::Unknown => line.unknown += 1,
            Status::NotAutomated | Status::Pass | Status::NotApplicable => {}
        }
    }
    let mut lines: Vec<_> = lines.into_values().collect();
    lines.sort_by_cached_key(|line| {
        let by_severity = Severity::WORST_FIRST.map(|severity| line.count(severity));
        (std::cmp::Reverse((by_severity, line.unknown)), line.name.clone())
    });
    lines
}

/// Containers to which a step does the same.
pub(crate) struct SameEffect<'a> {
    pub(crate) kind: EffectKind,
    /// The effect on the first of them: reason and estimate of the others may differ in detail.
    pub(crate) first: &'a Effect,
    /// Names, in the order of the step.
    pub(crate) containers: Vec<&'a str>,
}

/// What a step does, worst first: the containers by the kind and the reason of each effect.
pub(crate) fn by_effect(step: &Step) -> Vec<SameEffect<'_>> {
    let mut groups: BTreeMap<(EffectKind, &str), SameEffect<'_>> = BTreeMap::new();
    for ContainerEffects { container, effects } in &step.containers {
        for effect in effects {
            // Why nothing happens to a container is no reason to tell it apart.
            let reason = if effect.kind == EffectKind::None { "" } else { effect.reason.as_str() };
            groups
                .entry((effect.kind, reason))
                .or_insert_with(|| SameEffect { kind: effect.kind, first: effect, containers: Vec::new() })
                .containers
                .push(&container.name);
        }
    }
    groups.into_values().collect()
}
