//! The findings by control of the CIS Docker Benchmark.

use std::borrow::Cow;
use std::collections::HashMap;

use plimsoll_rules::{Finding, Severity, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Audit;

/// A version of the CIS Docker Benchmark, which decides how controls are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Benchmark {
    /// 1.6.0.
    #[serde(rename = "1.6")]
    V1_6,
    /// 1.7.0.
    #[serde(rename = "1.7")]
    V1_7,
    /// 1.8.0.
    #[serde(rename = "1.8")]
    V1_8,
}

impl Benchmark {
    /// The version, as CIS writes it.
    pub fn id(self) -> &'static str {
        match self {
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
            Self::V1_8 => "1.8",
        }
    }
}

/// The controls of one version of the benchmark, and how each came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CisView {
    /// The version.
    pub benchmark: Benchmark,
    /// The controls, in the benchmark's order.
    pub controls: Vec<CisControl>,
}

/// One control. The number is the benchmark's, the words are not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CisControl {
    /// Its number in this version.
    pub id: Cow<'static, str>,
    /// What it asks for.
    pub title: Cow<'static, str>,
    /// The profiles that it belongs to.
    pub levels: Vec<u8>,
    /// How it came out.
    pub status: CisStatus,
    /// The worst severity among its failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The rules that answered it.
    pub rules: Vec<String>,
    /// Failures that no exception covers.
    pub failed: usize,
    /// Failures that an exception covers.
    pub excepted: usize,
    /// Answers that could not be given.
    pub unknown: usize,
    /// Passes.
    pub passed: usize,
}

/// How a control came out. The order is that of a report: worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CisStatus {
    /// A rule fails, and no exception covers it.
    Fail,
    /// A rule could not answer.
    Unknown,
    /// A person has to look.
    NotAutomated,
    /// Every failure is covered by an exception.
    Excepted,
    /// Every answer is right.
    Pass,
    /// There is nothing here that it is about.
    NotApplicable,
    /// The policy switches off every rule that answers it.
    Off,
}

impl CisStatus {
    /// All, in the order of a report.
    pub const ALL: [Self; 7] = [
        Self::Fail,
        Self::Unknown,
        Self::NotAutomated,
        Self::Excepted,
        Self::Pass,
        Self::NotApplicable,
        Self::Off,
    ];

    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotAutomated => "not-automated",
            Self::Excepted => "excepted",
            Self::Pass => "pass",
            Self::NotApplicable => "not-applicable",
            Self::Off => "off",
        }
    }

    fn of(finding: &Finding, control: &str) -> Self {
        match finding.status_for(control) {
            Status::Fail if finding.exception.is_some() => Self::Excepted,
            Status::Fail => Self::Fail,
            Status::Unknown => Self::Unknown,
            Status::NotAutomated => Self::NotAutomated,
            Status::Pass => Self::Pass,
            Status::NotApplicable => Self::NotApplicable,
        }
    }
}

/// What the chapters of the benchmark are about, by number.
pub(crate) const CHAPTERS: [(&str, &str); 7] = [
    ("1", "The host"),
    ("2", "The daemon"),
    ("3", "Files of the daemon"),
    ("4", "Images"),
    ("5", "Containers"),
    ("6", "Operations"),
    ("7", "Swarm"),
];

impl CisView {
    /// Orders the answers of an audit by the controls of a version of the benchmark.
    pub fn of(audit: &Audit, benchmark: Benchmark) -> Self {
        let mut answers: HashMap<&str, Vec<&Finding>> = HashMap::new();
        for finding in &audit.findings {
            answers.entry(&finding.rule).or_default().push(finding);
        }
        let controls = plimsoll_rules::cis::controls()
            .iter()
            .filter_map(|control| {
                let id = match benchmark {
                    Benchmark::V1_6 | Benchmark::V1_7 => control.earlier?,
                    Benchmark::V1_8 => control.id,
                };
                let mut it = CisControl::new(id, control.title, control.levels);
                for rule in audit.rules.iter().filter(|rule| rule.cis.iter().any(|cis| cis == control.id)) {
                    let findings = answers.get(&*rule.id).map_or(&[][..], Vec::as_slice);
                    it.add(&rule.id, control.id, findings);
                }
                Some(it)
            })
            .collect();
        Self { benchmark, controls }
    }

    /// Controls that came out like this.
    pub fn count(&self, status: CisStatus) -> usize {
        self.controls.iter().filter(|control| control.status == status).count()
    }

    /// The controls of each chapter that has any.
    pub(crate) fn chapters(&self) -> impl Iterator<Item = (&'static str, &'static str, Vec<&CisControl>)> {
        CHAPTERS.into_iter().filter_map(|(number, title)| {
            let within = |control: &&CisControl| control.id.split('.').next() == Some(number);
            let controls: Vec<_> = self.controls.iter().filter(within).collect();
            (!controls.is_empty()).then_some((number, title, controls))
        })
    }
}

impl CisControl {
    fn new(id: &'static str, title: &'static str, levels: &[u8]) -> Self {
        Self {
            id: Cow::Borrowed(id),
            title: Cow::Borrowed(title),
            levels: levels.to_vec(),
            status: CisStatus::Off,
            severity: None,
            rules: Vec::new(),
            failed: 0,
            excepted: 0,
            unknown: 0,
            passed: 0,
        }
    }

    /// Adds a rule's answers, as far as they are about the control with this number in benchmark 1.8.
    fn add(&mut self, rule: &str, control: &str, findings: &[&Finding]) {
        self.rules.push(rule.to_owned());
        self.status = self.status.min(CisStatus::NotApplicable);
        for finding in findings {
            let status = CisStatus::of(finding, control);
            self.status = self.status.min(status);
            match status {
                CisStatus::Fail => {
                    self.failed += 1;
                    self.severity = self.severity.max(Some(finding.severity));
                }
                CisStatus::Excepted => self.excepted += 1,
                CisStatus::Unknown => self.unknown += 1,
                CisStatus::Pass => self.passed += 1,
                CisStatus::NotAutomated | CisStatus::NotApplicable | CisStatus::Off => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(status: Status) -> Finding {
        Finding {
            rule: Cow::Borrowed("a-rule"),
            concern: plimsoll_rules::Concern::Engine,
            severity: Severity::High,
            confidence: plimsoll_rules::Confidence::High,
            status,
            subject: plimsoll_rules::Subject {
                kind: plimsoll_rules::SubjectKind::Host,
                name: String::new(),
                id: String::new(),
                engine: String::new(),
            },
            message: String::new(),
            evidence: Vec::new(),
            remediation: Cow::Borrowed(""),
            exception: None,
        }
    }

    fn control(statuses: &[Status]) -> CisControl {
        let findings: Vec<_> = statuses.iter().map(|status| finding(*status)).collect();
        let mut control = CisControl::new("5.5", "", &[1]);
        control.add("a-rule", "", &findings.iter().collect::<Vec<_>>());
        control
    }

    #[test]
    fn the_worst_answer_decides() {
        assert_eq!(control(&[Status::Pass, Status::Fail, Status::Unknown]).status, CisStatus::Fail);
        assert_eq!(control(&[Status::Pass, Status::Unknown]).status, CisStatus::Unknown);
        assert_eq!(control(&[Status::Pass, Status::NotApplicable]).status, CisStatus::Pass);
    }

    #[test]
    fn nothing_to_ask_about_is_no_pass() {
        assert_eq!(control(&[]).status, CisStatus::NotApplicable);
        assert_eq!(CisControl::new("5.5", "", &[1]).status, CisStatus::Off);
    }

    #[test]
    fn an_accepted_failure_is_no_pass() {
        let accepted = Finding {
            exception: Some(plimsoll_rules::ExceptionNote {
                owner: String::new(),
                reason: String::new(),
                expires: String::new(),
            }),
            ..finding(Status::Fail)
        };
        let mut control = CisControl::new("5.5", "", &[1]);
        control.add("a-rule", "", &[&accepted, &finding(Status::Pass)]);
        assert_eq!((control.status, control.failed, control.excepted), (CisStatus::Excepted, 0, 1));
    }
}
