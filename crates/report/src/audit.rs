//! One audit, whole: what every format is written from.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use plimsoll_facts::{AttackPath, Collector, Facts, Gap, PackageFlaws};
use plimsoll_rules::{Concern, Finding, Report, Rule, Severity, Status, SubjectKind};
use plimsoll_upgrade::Effects;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CisView, blindness};

/// Version of the audit document that this build writes.
pub const AUDIT_SCHEMA: &str = "plimsoll.audit/1";

/// What an audit calls itself where it is about images alone.
const IMAGES: &str = "images";

/// One audit of one host, or of images alone. It carries the texts of the rules that answered, so that it can be read and shown
/// without the build that made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// Always [`AUDIT_SCHEMA`].
    pub schema: Cow<'static, str>,
    /// What judged.
    pub tool: Tool,
    /// What was judged.
    pub host: HostSummary,
    /// Who looked: a limited view must not be mistaken for the host's state.
    pub collector: Collector,
    /// What keeps plimsoll itself from seeing, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blindness: Vec<String>,
    /// When the facts were collected, RFC 3339, UTC.
    pub collected_at: String,
    /// How much was checked, and how it came out.
    pub coverage: Coverage,
    /// What the owner decided.
    #[serde(default)]
    pub policy: PolicySummary,
    /// The rules that gave an answer, by id.
    pub rules: Vec<RuleText>,
    /// Ways from an open port to the host, the likeliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attack_paths: Vec<AttackPath>,
    /// What each upgrade step does to the containers.
    #[serde(default)]
    pub effects: Effects,
    /// The answers by control of the CIS Docker Benchmark, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cis: Option<CisView>,
    /// The local advisories, and every published flaw of the packages of images, containers and host; `None` where no
    /// advisories are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_flaws: Option<PackageFlaws>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Every answer of every rule, worst first.
    pub findings: Vec<Finding>,
}

impl Audit {
    /// Puts the answers of `rules` about `facts` in order and counts them. Exceptions have been noted in the
    /// findings before.
    pub fn new<'r>(facts: &Facts, rules: impl IntoIterator<Item = &'r Rule>, report: Report) -> Self {
        let Report { mut findings, gaps } = report;
        findings.sort_by(|a, b| rank(a).cmp(&rank(b)));
        let mut rules: Vec<_> = rules.into_iter().map(RuleText::from).collect();
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        Self {
            schema: Cow::Borrowed(AUDIT_SCHEMA),
            tool: Tool::default(),
            host: HostSummary::of(facts),
            collector: facts.collector.clone(),
            blindness: blindness::of(facts),
            collected_at: rfc3339(facts.collected_at),
            coverage: Coverage::of(facts, &rules, &findings),
            policy: PolicySummary::default(),
            rules,
            attack_paths: facts.attack_paths.value().cloned().unwrap_or_default(),
            effects: Effects::default(),
            cis: None,
            package_flaws: facts.package_flaws.value().cloned(),
            gaps,
            findings,
        }
    }

    /// The same for facts that hold nothing but images: no host was looked at.
    pub fn of_images<'r>(facts: &Facts, rules: impl IntoIterator<Item = &'r Rule>, report: Report) -> Self {
        let mut audit = Self::new(facts, rules, report);
        audit.blindness.clear();
        audit.host = HostSummary { name: IMAGES.to_owned(), ..HostSummary::default() };
        audit.coverage.subjects.retain(|kind, _| *kind == SubjectKind::Image);
        audit
    }

    /// Whether images were looked at, and no host.
    pub fn is_of_images(&self) -> bool {
        !self.coverage.subjects.contains_key(&SubjectKind::Host)
    }

    /// The text of a rule.
    pub fn rule(&self, id: &str) -> Option<&RuleText> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// What is wrong and not excepted, worst first.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.with_status(Status::Fail).filter(|finding| finding.exception.is_none())
    }

    /// What is wrong, with an exception in the policy.
    pub fn excepted(&self) -> impl Iterator<Item = &Finding> {
        self.with_status(Status::Fail).filter(|finding| finding.exception.is_some())
    }

    /// The answers with this status.
    pub fn with_status(&self, status: Status) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.status == status)
    }

    /// The worst severity among the failures.
    pub fn worst(&self) -> Option<Severity> {
        self.failures().map(|finding| finding.severity).max()
    }
}

/// Order of a report: worst first, then what makes it stable.
fn rank(finding: &Finding) -> impl Ord + '_ {
    (finding.status, finding.exception.is_some(), Reverse(finding.severity), &finding.rule, &finding.subject)
}

/// What judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Always `plimsoll`.
    pub name: Cow<'static, str>,
    /// Version of the build that judged.
    pub version: Cow<'static, str>,
}

impl Default for Tool {
    fn default() -> Self {
        Self { name: Cow::Borrowed("plimsoll"), version: Cow::Borrowed(env!("CARGO_PKG_VERSION")) }
    }
}

/// Which host was judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostSummary {
    /// Node name.
    pub name: String,
    /// Release of the running kernel, where it could be read.
    pub kernel: Option<String>,
    /// Distribution by its own pretty name, where it could be read.
    pub os: Option<String>,
    /// The engines, by endpoint, with their version where they answered.
    pub engines: Vec<EngineSummary>,
}

/// One engine of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineSummary {
    /// Endpoint.
    pub endpoint: String,
    /// Version; `None` where it did not answer.
    pub version: Option<String>,
    /// Why it did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl HostSummary {
    fn of(facts: &Facts) -> Self {
        let host = &facts.host;
        Self {
            name: host.hostname.value().cloned().unwrap_or_else(|| "host".to_owned()),
            kernel: host.kernel.running.value().map(|kernel| kernel.release.clone()),
            os: host.os.value().map(|os| os.pretty_name.clone().unwrap_or_else(|| os.id.clone())),
            engines: facts
                .engines
                .iter()
                .map(|engine| EngineSummary {
                    endpoint: engine.endpoint.clone(),
                    version: engine.version.value().map(|version| version.version.clone()),
                    error: engine.version.get().err().map(|gap| gap.reason),
                })
                .collect(),
        }
    }
}

/// How much was checked, and how it came out. Unknown is not counted as checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Coverage {
    /// Rules that were asked.
    pub rules: usize,
    /// Subjects that they were asked about, by kind.
    pub subjects: BTreeMap<SubjectKind, usize>,
    /// Answers that decide: passed, failed or excepted.
    pub checked: usize,
    /// It is right.
    pub passed: usize,
    /// It is wrong, and no exception covers it.
    pub failed: usize,
    /// It is wrong, and the owner accepts it.
    pub excepted: usize,
    /// It could not be checked.
    pub unknown: usize,
    /// A person has to look.
    pub not_automated: usize,
    /// The question does not arise.
    pub not_applicable: usize,
    /// The failures that no exception covers, by severity.
    pub failed_by_severity: BTreeMap<Severity, usize>,
}

impl Coverage {
    fn of(facts: &Facts, rules: &[RuleText], findings: &[Finding]) -> Self {
        let mut coverage = Self { rules: rules.len(), subjects: subjects(facts), ..Self::default() };
        for finding in findings {
            match finding.status {
                Status::Fail if finding.exception.is_some() => coverage.excepted += 1,
                Status::Fail => {
                    coverage.failed += 1;
                    *coverage.failed_by_severity.entry(finding.severity).or_default() += 1;
                }
                Status::Unknown => coverage.unknown += 1,
                Status::NotAutomated => coverage.not_automated += 1,
                Status::Pass => coverage.passed += 1,
                Status::NotApplicable => coverage.not_applicable += 1,
            }
        }
        coverage.checked = coverage.passed + coverage.failed + coverage.excepted;
        coverage
    }
}

fn subjects(facts: &Facts) -> BTreeMap<SubjectKind, usize> {
    let mut counts = BTreeMap::from([
        (SubjectKind::Host, 1),
        (SubjectKind::Component, facts.components.len()),
        (SubjectKind::Engine, facts.engines.len()),
    ]);
    for engine in &facts.engines {
        let services = engine.swarm.value().map_or(0, |swarm| swarm.services.len());
        for (kind, count) in [
            (SubjectKind::Network, engine.networks.value().map_or(0, Vec::len)),
            (SubjectKind::Image, engine.images.value().map_or(0, Vec::len)),
            (SubjectKind::Container, engine.containers.value().map_or(0, Vec::len)),
            (SubjectKind::Service, services),
        ] {
            *counts.entry(kind).or_default() += count;
        }
    }
    counts.retain(|_, count| *count > 0);
    counts
}

/// What the owner decided, as far as a reader of the report must know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PolicySummary {
    /// Name of a ready-made policy, or path of the file. Empty: the built-in defaults.
    pub name: String,
    /// Rules that it switches off.
    pub rules_off: Vec<String>,
}

/// The texts of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleText {
    /// Kebab-case identifier.
    pub id: Cow<'static, str>,
    /// What is wrong where it fails.
    pub title: Cow<'static, str>,
    /// The concern that it belongs to.
    pub concern: Concern,
    /// How bad it is, unless a finding says otherwise.
    pub severity: Severity,
    /// Why it matters.
    pub why: Cow<'static, str>,
    /// How to fix it.
    pub fix: Cow<'static, str>,
    /// Where the claim can be checked.
    pub references: Vec<Cow<'static, str>>,
    /// Controls of the CIS Docker Benchmark 1.8 that it answers.
    pub cis: Vec<Cow<'static, str>>,
}

impl From<&Rule> for RuleText {
    fn from(rule: &Rule) -> Self {
        let all = |texts: &'static [&'static str]| texts.iter().copied().map(Cow::Borrowed).collect();
        Self {
            id: Cow::Borrowed(rule.id),
            title: Cow::Borrowed(rule.title),
            concern: rule.concern,
            severity: rule.severity,
            why: Cow::Borrowed(rule.why),
            fix: Cow::Borrowed(rule.fix),
            references: all(rule.references),
            cis: all(rule.cis),
        }
    }
}

/// Seconds since the Unix epoch as RFC 3339 in UTC; out of range, the number itself.
fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
