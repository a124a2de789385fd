//! What a policy decides.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use plimsoll_rules::{Concern, ExceptionNote, Rule, Severity};

use crate::{FlawPattern, Place, SubjectPattern, TrustRule};

/// What the owner decided, with everything that the file extends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Name of the ready-made policy, or path of the file.
    pub name: String,
    /// The severity from which findings make an audit fail.
    pub fail_on: Option<Severity>,
    /// Restricts the audit to rules that answer controls of a catalogue.
    pub controls: Option<Controls>,
    /// Concerns that are switched on or off.
    pub concerns: BTreeMap<Concern, bool>,
    /// Settings of single rules, by id. They win over those of concerns and controls.
    pub rules: BTreeMap<String, RuleSetting>,
    /// Exceptions, those of the extended policies first.
    pub exceptions: Vec<Exception>,
    /// Connections that are expected, those of the extended policies first. Where there is one, no other is.
    pub connections: Vec<ExpectedConnection>,
    /// Who must vouch for images, the nearest policy's first.
    pub trust: Vec<TrustRule>,
}

/// A catalogue of controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controls {
    /// The CIS Docker Benchmark.
    CisDocker,
}

impl Controls {
    /// The identifier, as in plimsoll.toml.
    pub fn id(self) -> &'static str {
        match self {
            Self::CisDocker => "cis-docker",
        }
    }
}

/// The setting of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleSetting {
    /// Whether it is asked.
    pub enabled: Option<bool>,
    /// How bad its findings are, whatever the rule says.
    pub severity: Option<Severity>,
}

/// Something that the owner accepts for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// What.
    pub covers: Covers,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
    /// Where it is written.
    pub place: Place,
}

impl Exception {
    /// What a finding or a flaw that it covers says about it.
    pub(crate) fn note(&self) -> ExceptionNote {
        ExceptionNote {
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            expires: self.expires.to_string(),
        }
    }
}

/// What an exception covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Covers {
    /// Failures of one rule.
    Rule {
        /// The rule.
        rule: String,
        /// About which subjects.
        subject: SubjectPattern,
    },
    /// Published flaws of packages.
    Flaws(FlawPattern),
}

impl fmt::Display for Covers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule { rule, subject } => write!(f, "{rule} on {subject}"),
            Self::Flaws(pattern) => write!(f, "{pattern}"),
        }
    }
}

/// A connection that the owner expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedConnection {
    /// Who connects: the pattern as it was written, and what it covers.
    pub from: (String, SubjectPattern),
    /// To whom.
    pub to: (String, SubjectPattern),
    /// Port of the listener; `None` is any.
    pub port: Option<u16>,
    /// Why.
    pub reason: String,
    /// Where it is written.
    pub place: Place,
}

impl Policy {
    /// Whether the policy wants this rule to be asked.
    pub fn enables(&self, rule: &Rule) -> bool {
        if let Some(enabled) = self.rules.get(rule.id).and_then(|setting| setting.enabled) {
            return enabled;
        }
        let wanted = match self.controls {
            None => true,
            Some(Controls::CisDocker) => !rule.cis.is_empty(),
        };
        wanted && self.concerns.get(&rule.concern).copied().unwrap_or(true)
    }

    /// The severity that the policy gives to a rule's findings, where it does.
    pub fn severity(&self, rule: &str) -> Option<Severity> {
        self.rules.get(rule)?.severity
    }

    /// Who must vouch for the images of a repository, named in full: the most specific pattern decides; of those that
    /// are equally so, the nearest policy's first.
    pub fn trust_of(&self, repository: &str) -> Option<&TrustRule> {
        let covers = |rule: &&TrustRule| rule.repository.matches(repository);
        // Of several the last counts as the maximum.
        self.trust.iter().rev().filter(covers).max_by_key(|rule| rule.repository.specificity())
    }

    /// This policy on top of the one that it extends.
    #[must_use]
    pub(crate) fn over(self, base: Self) -> Self {
        let mut merged = base;
        merged.name = self.name;
        merged.fail_on = self.fail_on.or(merged.fail_on);
        merged.controls = self.controls.or(merged.controls);
        merged.concerns.extend(self.concerns);
        for (id, setting) in self.rules {
            let below = merged.rules.entry(id).or_default();
            below.enabled = setting.enabled.or(below.enabled);
            below.severity = setting.severity.or(below.severity);
        }
        merged.exceptions.extend(self.exceptions);
        merged.connections.extend(self.connections);
        merged.trust.splice(0..0, self.trust);
        merged
    }
}
