//! Asks every rule about every subject.

use std::borrow::Cow;

use plimsoll_facts::{Component, Container, Engine, Fact, Facts, Gap, Image};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Confidence, EngineContext, Finding, Holder, Judge, Judgement, Outcome, Rule, Status, Subject, SubjectKind,
};

/// Every answer of every rule, and every gap: those that collecting met and those that kept a rule from
/// deciding are the same, each named once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Answers.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Asks each of `rules` about each subject in `facts`.
pub fn judge<'r>(facts: &Facts, rules: impl IntoIterator<Item = &'r Rule>) -> Report {
    let mut findings = Vec::new();
    for rule in rules {
        match rule.judge {
            Judge::Host(f) => findings.push(finding(rule, host_subject(facts), f(facts))),
            Judge::Manual(look_at) => findings.push(finding(
                rule,
                host_subject(facts),
                Ok(Outcome::NotAutomated(look_at.to_owned())),
            )),
            Judge::Component(kinds, f) => {
                let programs = facts.components.iter().filter(|component| kinds.contains(&component.kind));
                findings.extend(programs.map(|c| finding(rule, component_subject(c), f(facts, c))));
            }
            Judge::Engine(f) => {
                findings.extend(facts.engines.iter().map(|e| finding(rule, engine_subject(e), f(facts, e))));
            }
            _ => findings.extend(facts.engines.iter().flat_map(|engine| within_engine(rule, facts, engine))),
        }
    }
    Report { findings, gaps: facts.gaps.clone() }
}

fn within_engine(rule: &Rule, facts: &Facts, engine: &Engine) -> Vec<Finding> {
    let cx = EngineContext { facts, engine };
    match rule.judge {
        Judge::Container(f) => each(rule, engine, &engine.containers, container_subject, |c| f(&cx, c)),
        Judge::Packages(f) => {
            let mut found = each(rule, engine, &engine.images, image_subject, |i| f(&cx, Holder::Image(i)));
            let changed = containers_with_own_packages(engine);
            found.extend(
                changed.map(|c| finding(rule, container_subject(engine, c), f(&cx, Holder::Container(c)))),
            );
            found
        }
        Judge::Image(f) => each(rule, engine, &engine.images, image_subject, |i| f(&cx, i)),
        Judge::Network(f) => each(
            rule,
            engine,
            &engine.networks,
            |engine, n| subject(SubjectKind::Network, &n.name, &n.id, &engine.endpoint),
            |n| f(&cx, n),
        ),
        Judge::Service(f) => match engine.swarm.get() {
            Err(gap) => vec![finding(rule, engine_subject(engine), Err(gap))],
            Ok(None) => Vec::new(),
            Ok(Some(swarm)) => swarm
                .services
                .iter()
                .map(|s| {
                    finding(rule, subject(SubjectKind::Service, &s.name, &s.id, &engine.endpoint), f(&cx, s))
                })
                .collect(),
        },
        Judge::Host(_) | Judge::Component(..) | Judge::Engine(_) | Judge::Manual(_) => Vec::new(),
    }
}

/// Running containers whose packages are not, or may not be, those of their image.
fn containers_with_own_packages(engine: &Engine) -> impl Iterator<Item = &Container> {
    let containers = engine.containers.value().into_iter().flatten();
    containers.filter(|c| c.is_running() && !matches!(c.packages, Fact::Absent { .. }))
}

/// One answer for each member of a list; where the list itself could not be read, one `unknown` about the engine.
fn each<T>(
    rule: &Rule,
    engine: &Engine,
    list: &Fact<Vec<T>>,
    name: impl Fn(&Engine, &T) -> Subject,
    ask: impl Fn(&T) -> Judgement,
) -> Vec<Finding> {
    match list.get() {
        Ok(members) => members
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(|member| finding(rule, name(engine, member), ask(member)))
            .collect(),
        Err(gap) => vec![finding(rule, engine_subject(engine), Err(gap))],
    }
}

fn finding(rule: &Rule, subject: Subject, judgement: Judgement) -> Finding {
    let mut finding = Finding {
        rule: Cow::Borrowed(rule.id),
        concern: rule.concern,
        severity: rule.severity,
        confidence: Confidence::High,
        status: Status::Pass,
        subject,
        message: String::new(),
        evidence: Vec::new(),
        remediation: Cow::Borrowed(rule.fix),
        exception: None,
    };
    match judgement {
        Ok(Outcome::Pass(evidence)) => finding.evidence = evidence,
        Ok(Outcome::NotApplicable(why)) => {
            finding.status = Status::NotApplicable;
            finding.message = why;
        }
        Ok(Outcome::NotAutomated(look_at)) => {
            finding.status = Status::NotAutomated;
            finding.message = look_at;
        }
        Ok(Outcome::Fail(problem)) => {
            finding.status = Status::Fail;
            finding.message = problem.message;
            finding.evidence = problem.evidence;
            finding.confidence = problem.confidence;
            finding.severity = problem.severity.unwrap_or(rule.severity);
            finding.exception = problem.exception;
            if let Some(remediation) = problem.remediation {
                finding.remediation = Cow::Owned(remediation);
            }
        }
        Err(gap) => {
            finding.status = Status::Unknown;
            finding.message = match gap.source.as_str() {
                "" => gap.reason,
                source => format!("{source}: {}", gap.reason),
            };
        }
    }
    finding
}

fn subject(kind: SubjectKind, name: &str, id: &str, engine: &str) -> Subject {
    Subject { kind, name: name.to_owned(), id: id.to_owned(), engine: engine.to_owned() }
}

fn host_subject(facts: &Facts) -> Subject {
    let name = facts.host.hostname.value().map_or("host", String::as_str);
    subject(SubjectKind::Host, name, name, "")
}

fn component_subject(component: &Component) -> Subject {
    subject(SubjectKind::Component, component.kind.name(), &component.path, "")
}

fn engine_subject(engine: &Engine) -> Subject {
    subject(SubjectKind::Engine, &engine.endpoint, &engine.id, &engine.endpoint)
}

fn container_subject(engine: &Engine, container: &Container) -> Subject {
    subject(SubjectKind::Container, &container.name, &container.id, &engine.endpoint)
}

fn image_subject(engine: &Engine, image: &Image) -> Subject {
    subject(SubjectKind::Image, &image.name(), &image.id, &engine.endpoint)
}
