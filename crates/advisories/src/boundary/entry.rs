//! One boundary advisory as `knowledge/` writes it; `knowledge/README.md` says what each key means.

use serde::{Deserialize, Serialize};

/// A published way through the wall between containers and host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundaryAdvisory {
    /// CVE, or the publisher's id where there is none.
    pub id: String,
    /// What is wrong, in one sentence.
    pub title: String,
    /// Project that has the flaw: `kernel`, `runc`, `moby` …
    pub component: String,
    /// Part of it.
    #[serde(default)]
    pub subsystem: Option<String>,
    /// Programs that hold the flaw, where they are others than the project's main one.
    #[serde(default)]
    pub programs: Vec<String>,
    /// Other ids and names.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What an attacker gets.
    #[serde(default)]
    pub impact: Option<String>,
    /// CVSS base score as published.
    #[serde(default)]
    pub score: Option<f32>,
    /// Who published the score.
    #[serde(default)]
    pub scored_by: Option<String>,
    /// CVSS 3 vector as published.
    #[serde(default)]
    pub vector: Option<String>,
    /// Day on which CISA listed it as known to be exploited, `YYYY-MM-DD`.
    #[serde(default)]
    pub exploited: Option<String>,
    /// Public exploits that an index of them names; none does not mean that there is none.
    #[serde(default)]
    pub public_exploits: Option<u32>,
    /// Whether Metasploit has a module.
    #[serde(default)]
    pub metasploit: bool,
    /// Who has to do what.
    #[serde(default)]
    pub trigger: Option<String>,
    /// What has to hold for it to be exercised, in the language of `plimsoll_reach::precondition`. `None`: not known.
    #[serde(default)]
    pub precondition: Option<String>,
    /// Kernel options without any of which the flawed code is not built, without `CONFIG_`.
    #[serde(default)]
    pub kconfig: Vec<String>,
    /// What distributions say about their packages.
    #[serde(default)]
    pub distributions: Vec<DistributionNote>,
    /// Where the claims can be checked.
    pub sources: Vec<String>,
    /// The project's own versions.
    pub upstream: Upstream,
    /// What stops it by default.
    #[serde(default)]
    pub blocked_by: BlockedBy,
}

/// Which of the project's own versions have the flaw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Whose version numbers the ranges are in, where they are not the component's.
    #[serde(default)]
    pub project: Option<String>,
    /// The one distribution (`ID` of os-release) whose own changes brought the flaw; upstream never had it.
    #[serde(default)]
    pub only: Option<String>,
    /// What is published, where no range can be made from it: no version can be judged by it.
    #[serde(default)]
    pub unstructured: Option<String>,
    /// What a reader should know beside.
    #[serde(default)]
    pub note: Option<String>,
    /// Half-open ranges of versions that have the flaw, the oldest first.
    #[serde(default)]
    pub ranges: Vec<UpstreamRange>,
}

/// `introduced <= version < fixed` (or `before`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamRange {
    /// First version with the flaw. `None`: nobody says since when.
    #[serde(default)]
    pub introduced: Option<String>,
    /// First version of this branch without it.
    #[serde(default)]
    pub fixed: Option<String>,
    /// Where the branch ends without ever having been fixed.
    #[serde(default)]
    pub before: Option<String>,
}

/// What one distribution release says about one of its packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistributionNote {
    /// `debian:12`, `ubuntu:22.04`, `rhel:9` (and its rebuilds).
    pub release: String,
    /// Source package (Debian, Ubuntu) or package (Red Hat).
    pub package: String,
    /// What is said.
    pub status: DistributionStatus,
    /// The version that `status` is about.
    #[serde(default)]
    pub version: Option<String>,
    /// What it rests on, where that is not the distribution's own tracker.
    #[serde(default)]
    pub basis: Option<String>,
}

/// What a distribution says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DistributionStatus {
    /// Fixed in `version`; without one, fixed at a version that is not recorded.
    Fixed,
    /// Fixed in `version` or before it.
    FixedAtOrBefore,
    /// The release never had the flaw.
    NotAffected,
    /// Not fixed up to `version`, as its tracker says.
    Unfixed,
    /// No changelog entry up to `version` names the fix.
    NoFixNamed,
    /// Was open when the tracker was read; it may have been fixed since.
    Open,
    /// Will stay open.
    WillNotFix,
}

/// What stops it by default, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockedBy {
    /// The engine's default seccomp profile.
    #[serde(default)]
    pub seccomp: Option<String>,
    /// Mapping container root to another user of the host.
    #[serde(default)]
    pub userns_remap: Option<String>,
    /// AppArmor or SELinux.
    #[serde(default)]
    pub lsm: Option<String>,
}
