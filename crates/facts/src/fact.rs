//! One thing read from the system: known, absent, or unreadable with the reason.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing read from the system, with where it was read.
///
/// The default is *unreadable: not collected*, so that a facts file which lacks a field makes a rule answer
/// `unknown`, never `pass`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Fact<T> {
    /// The source was read and holds this value.
    Known {
        /// What was read.
        value: T,
        /// Where: a path, an Engine API call, or a netlink query.
        source: String,
    },
    /// The source was read (or looked for) and there is no such thing on this system.
    Absent {
        /// Where it would have been.
        source: String,
    },
    /// The source could not be read: every rule that needs it answers `unknown`.
    Unreadable {
        /// Where it would have been.
        source: String,
        /// Why it could not be read, as a sentence for the administrator.
        reason: String,
    },
}

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self::Unreadable { source: String::new(), reason: "not collected".to_owned() }
    }
}

impl<T> Fact<T> {
    /// A value together with where it was read.
    pub fn known(value: T, source: impl Into<String>) -> Self {
        Self::Known { value, source: source.into() }
    }

    /// There is no such thing on this system.
    pub fn absent(source: impl Into<String>) -> Self {
        Self::Absent { source: source.into() }
    }

    /// The source could not be read.
    pub fn unreadable(source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Unreadable { source: source.into(), reason: reason.into() }
    }

    /// The value, where it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The value, where it is known, for completing it in place.
    pub fn value_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Known { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Where the fact was read, or would have been.
    pub fn source(&self) -> &str {
        match self {
            Self::Known { source, .. } | Self::Absent { source } | Self::Unreadable { source, .. } => source,
        }
    }

    /// `Some(None)` semantics for rules: the value, `None` where there is no such thing, or the gap.
    ///
    /// # Errors
    /// The gap, when the source could not be read.
    pub fn get(&self) -> Result<Option<&T>, Gap> {
        match self {
            Self::Known { value, .. } => Ok(Some(value)),
            Self::Absent { .. } => Ok(None),
            Self::Unreadable { source, reason } => {
                Err(Gap { subject: String::new(), source: source.clone(), reason: reason.clone() })
            }
        }
    }

    /// The value, for a rule that cannot judge without it.
    ///
    /// # Errors
    /// A gap, when the source is absent or could not be read.
    pub fn require(&self) -> Result<&T, Gap> {
        self.get()?.ok_or_else(|| Gap {
            subject: String::new(),
            source: self.source().to_owned(),
            reason: "not present on this system".to_owned(),
        })
    }

    /// The same fact about something derived from the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known { value, source } => Fact::Known { value: f(value), source },
            Self::Absent { source } => Fact::Absent { source },
            Self::Unreadable { source, reason } => Fact::Unreadable { source, reason },
        }
    }
}

/// A fact that could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// What the fact is about: `host`, `engine unix:///var/run/docker.sock`, `container NAME`. Empty until
    /// the collector or the rule engine fills it in.
    #[serde(default)]
    pub subject: String,
    /// Where the fact would have been read.
    pub source: String,
    /// Why it could not be.
    pub reason: String,
}
