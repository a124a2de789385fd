//! What is kept of an advisory: enough to match a package and to show why.

use serde::{Deserialize, Serialize};

/// One published advisory, as far as a match needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// The record's own id (`DEBIAN-CVE-2024-1234`, `DSA-…`, `ALSA-…`, `GO-…`).
    pub id: String,
    /// The ids by which the world knows the flaw: `CVE-…` first, taken from `aliases`, `upstream` and `related`.
    pub names: Vec<String>,
    /// Severity by CVSS, or by the distribution where it gives no vector.
    pub severity: Severity,
    /// CVSS base score, times ten; 0 where there is none.
    pub score: u8,
    /// CVSS vector, where there is one.
    pub vector: Option<String>,
    /// One line of what it is.
    pub summary: String,
    /// When it was published, in seconds since the Unix epoch; 0 where the record does not say.
    pub published: i64,
    /// When it was last changed, in seconds since the Unix epoch.
    pub modified: i64,
}

impl Advisory {
    /// The id to show: the CVE where there is one.
    pub fn name(&self) -> &str {
        self.names.first().unwrap_or(&self.id)
    }

    /// Every flaw that it is about: one erratum often fixes several. Its own id where it names none.
    pub fn all_names(&self) -> impl Iterator<Item = &str> {
        all_names(&self.id, &self.names).map(String::as_str)
    }
}

/// The first fields of [`Advisory`], borrowed from the file: enough to tell flaws apart.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AdvisoryNames<'a> {
    /// As [`Advisory::id`].
    pub id: &'a str,
    /// As [`Advisory::names`].
    #[serde(borrow)]
    pub names: Vec<&'a str>,
}

impl<'a> AdvisoryNames<'a> {
    /// As [`Advisory::all_names`].
    pub fn all_names(&self) -> impl Iterator<Item = &'a str> {
        all_names(&self.id, &self.names).copied()
    }
}

fn all_names<'n, S>(id: &'n S, names: &'n [S]) -> impl Iterator<Item = &'n S> {
    names.iter().chain(names.is_empty().then_some(id))
}

/// How bad a flaw is in general, whatever it means on this host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nobody has said.
    #[default]
    Unknown,
    /// Negligible: the distribution calls it unimportant.
    Negligible,
    /// CVSS below 4.0.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 and above.
    Critical,
}

impl Severity {
    /// By the qualitative scale of CVSS 3.1, section 5, from a base score times ten.
    pub fn of_score(score: u8) -> Self {
        match score {
            0 => Self::Unknown,
            1..40 => Self::Low,
            40..70 => Self::Medium,
            70..90 => Self::High,
            _ => Self::Critical,
        }
    }

    /// The word by which a distribution rates a flaw.
    pub fn of_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "negligible" | "unimportant" => Self::Negligible,
            "low" => Self::Low,
            "medium" | "moderate" => Self::Medium,
            "high" | "important" => Self::High,
            "critical" => Self::Critical,
            _ => Self::Unknown,
        }
    }

    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What an advisory says about one package of one release. Its texts are owned, or borrowed from the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected<S = String> {
    /// Number of the advisory in its file.
    pub advisory: u32,
    /// Version ranges; a version in any of them is affected.
    pub ranges: Vec<Range<S>>,
    /// Versions that are affected one by one, where the record has no ranges.
    pub versions: Vec<S>,
    /// What the distribution says beside (`unimportant`, `end-of-life`, `needed`, `deferred` …); empty where nothing.
    pub state: S,
    /// Module that the package must belong to (`name:stream`), where the advisory is about one.
    pub module: Option<S>,
    /// Who made the range, where it was not the publisher (`database_specific`).
    pub provenance: Option<S>,
}

/// A range of versions (OSV schema, `affected[].ranges[].events`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range<S = String> {
    /// First version that is affected; `0` is every version from the beginning.
    pub introduced: S,
    /// Where it ends.
    pub end: RangeEnd<S>,
}

/// The end of a range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RangeEnd<S = String> {
    /// No fixed version is known.
    #[default]
    Open,
    /// First version that is not affected any more.
    Fixed(S),
    /// Last version that is affected.
    LastAffected(S),
}
