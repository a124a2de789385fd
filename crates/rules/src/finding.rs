//! What a rule answers: findings with evidence, and the three other outcomes.

use std::borrow::Cow;

pub use plimsoll_facts::ExceptionNote;
use plimsoll_facts::Gap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The nine concerns, the sections of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Concern {
    /// Known bugs and settings of the kernel in what containers rest on.
    Kernel,
    /// Namespaces, capabilities, seccomp, LSM, mounts; who can connect to whom.
    Isolation,
    /// CPU, memory, IO and pids limits in force.
    Limits,
    /// runC, containerd, shims, crun.
    Runtime,
    /// Docker itself.
    Engine,
    /// Who vouches for an image.
    Authenticity,
    /// As whom the processes run.
    Privilege,
    /// Age and pending updates.
    Freshness,
    /// From which open port a path leads to the host.
    Exposure,
}

impl Concern {
    /// All concerns, in the order of a report.
    pub const ALL: [Self; 9] = [
        Self::Kernel,
        Self::Isolation,
        Self::Limits,
        Self::Runtime,
        Self::Engine,
        Self::Authenticity,
        Self::Privilege,
        Self::Freshness,
        Self::Exposure,
    ];

    /// The identifier, as in JSON and in plimsoll.toml.
    pub fn id(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Isolation => "isolation",
            Self::Limits => "limits",
            Self::Runtime => "runtime",
            Self::Engine => "engine",
            Self::Authenticity => "authenticity",
            Self::Privilege => "privilege",
            Self::Freshness => "freshness",
            Self::Exposure => "exposure",
        }
    }
}

/// How bad it is where it is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Defence in depth.
    Low,
    /// Weakens a wall.
    Medium,
    /// Removes a wall.
    High,
    /// Hands over the host.
    Critical,
}

impl Severity {
    /// All severities, worst first.
    pub const WORST_FIRST: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// One step less bad.
    #[must_use]
    pub fn milder(self) -> Self {
        match self {
            Self::Critical => Self::High,
            Self::High => Self::Medium,
            Self::Medium => Self::Low,
            Self::Low | Self::Info => Self::Info,
        }
    }

    /// The identifier, as in JSON and in plimsoll.toml.
    pub fn id(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How sure the rule is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A guess from names or conventions.
    Low,
    /// Declared, but not seen in the kernel's state.
    Medium,
    /// Read from the kernel's state, or from the thing itself.
    #[default]
    High,
}

impl Confidence {
    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What a rule says about one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Checked, and it is wrong.
    Fail,
    /// Could not be checked.
    Unknown,
    /// No fact can decide it: a person has to look.
    NotAutomated,
    /// Checked, and it is right.
    Pass,
    /// The question does not arise here.
    NotApplicable,
}

impl Status {
    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotAutomated => "not-automated",
            Self::Pass => "pass",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// What a subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// The host.
    Host,
    /// A program that makes or runs containers.
    Component,
    /// An engine.
    Engine,
    /// A network of an engine.
    Network,
    /// An image.
    Image,
    /// A container.
    Container,
    /// A swarm service.
    Service,
    /// The policy file itself.
    Policy,
}

impl SubjectKind {
    /// The identifier, as in JSON and in plimsoll.toml.
    pub fn id(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Component => "component",
            Self::Engine => "engine",
            Self::Network => "network",
            Self::Image => "image",
            Self::Container => "container",
            Self::Service => "service",
            Self::Policy => "policy",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// What it is.
    pub kind: SubjectKind,
    /// The name by which a person knows it. Hostile: whoever may start a container chooses it.
    pub name: String,
    /// The identifier that no one can choose.
    pub id: String,
    /// The engine that it belongs to, by endpoint; empty for the host and its components.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub engine: String,
}

/// One observation that a finding or a pass rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What was looked at, in words: `CapEff of process 4711 (mariadbd)`.
    pub fact: Cow<'static, str>,
    /// What was found.
    pub value: String,
    /// What it was held against, where there is a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Cow<'static, str>>,
    /// Where it was read.
    pub source: String,
    /// The control of the CIS Docker Benchmark 1.8 that this observation answers by itself, where a rule answers several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlAnswer>,
}

/// What one observation says about one control of the CIS Docker Benchmark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlAnswer {
    /// The control's number in benchmark 1.8.
    pub id: Cow<'static, str>,
    /// Whether it is met.
    pub met: bool,
}

impl Evidence {
    /// An observation with the place where it was made.
    pub fn new(
        fact: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
        source: impl Into<String>,
    ) -> Self {
        Self { fact: fact.into(), value: value.into(), expected: None, source: source.into(), control: None }
    }

    /// The same, with the bound that it is held against.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<Cow<'static, str>>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// The same, as the answer to one of the controls that its rule answers.
    #[must_use]
    pub fn answers(mut self, control: impl Into<Cow<'static, str>>, met: bool) -> Self {
        self.control = Some(ControlAnswer { id: control.into(), met });
        self
    }
}

/// What is wrong with one subject, as a rule reports it; the engine of rules adds the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// One sentence that names what is wrong here.
    pub message: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// Where this case is worse or milder than the rule's own severity.
    pub severity: Option<Severity>,
    /// How sure it is.
    pub confidence: Confidence,
    /// A command or setting that mends this case, where it is more exact than the rule's own.
    pub remediation: Option<String>,
    /// The exception in the policy, where one covers all that is wrong here.
    pub exception: Option<ExceptionNote>,
}

impl Problem {
    /// A problem of the rule's own severity, seen with high confidence.
    pub fn new(message: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        Self {
            message: message.into(),
            evidence,
            severity: None,
            confidence: Confidence::High,
            remediation: None,
            exception: None,
        }
    }

    /// Another severity than the rule's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Less sure than seen in the kernel's state.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// A remedy for exactly this case.
    #[must_use]
    pub fn remediation(mut self, remediation: impl Into<String>) -> Self {
        self.remediation = Some(remediation.into());
        self
    }
}

/// A rule's outcome for one subject. What could not be read is the error side of [`Judgement`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Checked, and it is right, with what shows it.
    Pass(Vec<Evidence>),
    /// Checked, and it is wrong.
    Fail(Problem),
    /// The question does not arise, and why.
    NotApplicable(String),
    /// The question arises, but a person has to answer it: what to look at, and where.
    NotAutomated(String),
}

/// What a rule's function returns: an outcome, or the fact that is missing. `?` on [`plimsoll_facts::Fact`]'s
/// `get` and `require` makes a missing fact `unknown`.
pub type Judgement = Result<Outcome, Gap>;

/// A rule's answer about one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule.
    pub rule: Cow<'static, str>,
    /// Its concern.
    pub concern: Concern,
    /// How bad it is, or would be.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What was found.
    pub status: Status,
    /// About what.
    pub subject: Subject,
    /// One sentence: what is wrong, why it is unknown, why it does not apply.
    pub message: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What to do about it.
    pub remediation: Cow<'static, str>,
    /// The exception in the policy that covers it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<ExceptionNote>,
}

impl Finding {
    /// What it says about one control: where observations answer controls by themselves, those that answer this one.
    pub fn status_for(&self, control: &str) -> Status {
        let mut answers = self.evidence.iter().filter_map(|evidence| evidence.control.as_ref()).peekable();
        if answers.peek().is_none() {
            return self.status;
        }
        let here: Vec<bool> =
            answers.filter(|answer| answer.id == control).map(|answer| answer.met).collect();
        match here.as_slice() {
            [] => Status::NotApplicable,
            met if met.iter().all(|met| *met) => Status::Pass,
            _ => self.status,
        }
    }
}
