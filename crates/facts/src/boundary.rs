//! Which published flaws the wall between containers and this host has: the outcome of holding the host's programs and
//! kernel against what is known, as facts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What can be said about one program, or the kernel, and one boundary advisory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BoundaryVerdict {
    /// CVE, or the publisher's id where there is none.
    pub id: String,
    /// What is wrong, in one sentence.
    pub title: String,
    /// Project that has the flaw: `kernel`, `runc`, `moby` …
    pub component: String,
    /// Part of that project: `netfilter nf_tables`, `overlayfs`, `mount namespaces` …
    pub subsystem: Option<String>,
    /// Path of the program; `kernel` for the kernel.
    pub program: String,
    /// How it came out.
    pub status: BoundaryStatus,
    /// What the status rests on beside the versions; why it is unknown, where it is.
    pub reason: Option<String>,
    /// Whether it rests on what a publisher says about exactly this package or version, not on a conclusion.
    pub certain: bool,
    /// Version on disk; of the kernel, the one that runs.
    pub installed: String,
    /// Version that still runs, or that the next boot starts, where it is another one.
    pub other: Option<String>,
    /// First version without the flaw, in the notation of `source`.
    pub fixed: Option<String>,
    /// Package to upgrade, where a distribution's package owns the program.
    pub package: Option<String>,
    /// Who says so: `debian:12 (runc)`, `versions of runc`.
    pub source: String,
    /// `critical`, `high`, `medium`, `low` or `unknown`.
    pub severity: String,
    /// When CISA listed it as known to be exploited, `YYYY-MM-DD`.
    pub exploited: Option<String>,
    /// Whether Metasploit has a module for it.
    pub metasploit: bool,
    /// What an attacker gets.
    pub impact: Option<String>,
    /// What has to hold for it to be exercised, in the language of `knowledge/README.md`. `None`: not known.
    pub precondition: Option<String>,
    /// Kernel options without any of which the flawed code is not built, without `CONFIG_`.
    pub kconfig: Vec<String>,
}

/// How a program or the kernel came out.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum BoundaryStatus {
    /// Cannot be told: neither good nor bad.
    #[default]
    Unknown,
    /// Has the flaw, and nobody offers a fix for this series.
    NoFix,
    /// Has the flaw; a newer version does not.
    FixAvailable,
    /// What runs has the flaw; what is on disk does not.
    FixedAfterRestart,
    /// Had the flaw once; this version has the fix.
    Fixed,
    /// Never had it.
    NotAffected,
}

impl BoundaryStatus {
    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NoFix => "no-fix",
            Self::FixAvailable => "fix-available",
            Self::FixedAfterRestart => "fixed-after-restart",
            Self::Fixed => "fixed",
            Self::NotAffected => "not-affected",
        }
    }

    /// Whether what runs, or would run next, has the flaw.
    pub fn is_affected(self) -> bool {
        matches!(self, Self::NoFix | Self::FixAvailable | Self::FixedAfterRestart)
    }
}
