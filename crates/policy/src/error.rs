//! What can be wrong with a policy file, and what to try next.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a policy could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("could not read the policy {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than any policy.
    #[error("the policy {} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound.
        limit: u64,
    },
    /// The file is not text.
    #[error("the policy {} is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The file extends itself, through others or not, or the chain is longer than anyone can follow.
    #[error("the policy {} extends too many others, or itself", path.display())]
    Endless {
        /// The file at which reading stopped.
        path: PathBuf,
    },
    /// The file says something that is not understood.
    #[error("{0}")]
    Invalid(#[from] Mistakes),
}

/// Everything that is wrong in one file, in its order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: MistakeKind,
    /// What to try next.
    pub hint: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.kind)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MistakeKind {
    /// Not TOML.
    #[error("not valid TOML: {0}")]
    Syntax(String),
    /// A key that means nothing here.
    #[error("unknown key {key:?} in {table}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The table that holds it.
        table: String,
    },
    /// A mandatory key is missing.
    #[error("{key:?} is missing in {table}")]
    Missing {
        /// The key.
        key: &'static str,
        /// The table that should hold it.
        table: String,
    },
    /// A key that does not go together with another.
    #[error("{key:?} does not go together with {other:?}")]
    Excludes {
        /// The key.
        key: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A value that cannot mean anything.
    #[error("{key:?} cannot be used: {why}")]
    Unfit {
        /// The key.
        key: &'static str,
        /// Why.
        why: String,
    },
    /// A value of another type.
    #[error("{key:?} must be {expected}, not {found}")]
    Type {
        /// The key.
        key: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A rule that does not exist.
    #[error("there is no rule {0:?}")]
    UnknownRule(String),
    /// A concern that does not exist.
    #[error("there is no concern {0:?}")]
    UnknownConcern(String),
    /// A value that is not among those allowed.
    #[error("{key:?} cannot be {value:?}")]
    UnknownValue {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
    },
    /// An empty text where a decision must be explained.
    #[error("{0:?} must not be empty")]
    Empty(&'static str),
    /// Not a day of the calendar.
    #[error("{0:?} is not a date")]
    Date(String),
    /// A text that is longer than anything sensible.
    #[error("{key:?} is longer than {limit} characters")]
    TooLong {
        /// The key.
        key: &'static str,
        /// The bound.
        limit: usize,
    },
}

/// A place in a policy file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it was named.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// `did you mean …?`, where one of the names is near.
pub(crate) fn did_you_mean<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let near = names
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(wrong, name), name))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    near.map(|(_, name)| format!("did you mean {name:?}?"))
}
