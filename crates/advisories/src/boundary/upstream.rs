//! Versions as the projects themselves number them: `1.0.0-rc93`, `6.12.85`, `29.5.1`.

use std::cmp::Ordering;

use super::entry::{Upstream, UpstreamRange};

/// Most numbers of a version.
const MAX_NUMBERS: usize = 6;

/// A project's version. What follows it in a distribution's or a builder's notation (`+ds1-1`, `-amd64`) is not part of
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamVersion {
    numbers: Vec<u64>,
    stage: Stage,
}

/// How far a version is from its release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Before every pre-release: `-0`, where a branch begins.
    Start,
    Alpha(u64),
    Beta(u64),
    Candidate(u64),
    Release,
}

impl UpstreamVersion {
    /// Reads the project's part of a version text; nothing where it has none, or is a build between two versions.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split_once(':').map_or(text, |(_, rest)| rest).trim_start_matches('v');
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (numbers, rest) = text.split_at(end);
        let numbers = numbers.split('.').map(|n| n.parse().ok()).collect::<Option<Vec<u64>>>()?;
        if numbers.len() > MAX_NUMBERS {
            return None;
        }
        Some(Self { numbers, stage: stage(rest)? })
    }

    /// The series that a project mends together: the first two numbers.
    pub(super) fn branch(&self) -> (u64, u64) {
        let number = |i| self.numbers.get(i).copied().unwrap_or_default();
        (number(0), number(1))
    }
}

fn stage(rest: &str) -> Option<Stage> {
    let Some(rest) = rest.strip_prefix(['-', '~']) else { return Some(Stage::Release) };
    let word_end = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
    let (word, rest) = rest.split_at(word_end);
    let digits = rest.strip_prefix('.').unwrap_or(rest);
    let digits = digits.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    let number = digits.parse().unwrap_or_default();
    match word {
        "rc" => Some(Stage::Candidate(number)),
        "beta" => Some(Stage::Beta(number)),
        "alpha" => Some(Stage::Alpha(number)),
        // Go's pseudo-versions (`1.7.28-0.20250101120000-abcdef`) lie somewhere before the version that they name.
        "" if rest.starts_with("0.") => None,
        "dev" => None,
        "" if rest == "0" => Some(Stage::Start),
        _ => Some(Stage::Release),
    }
}

impl Ord for UpstreamVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.numbers.len().max(other.numbers.len());
        let padded = |version: &Self| {
            version.numbers.iter().copied().chain(std::iter::repeat(0)).take(length).collect::<Vec<_>>()
        };
        padded(self).cmp(&padded(other)).then(self.stage.cmp(&other.stage))
    }
}

impl PartialOrd for UpstreamVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a project's own ranges say about a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// In a range: what fixes that branch, and whether anybody says since when the flaw is there.
    Affected { fixed: Option<String>, since_known: bool },
    /// At or behind the end of a range.
    Fixed { fixed: String },
    /// Before the first version with the flaw, or in a branch that never had it.
    NotAffected,
    /// No version can be judged by what is published.
    Unknown { reason: String },
}

impl Upstream {
    /// Where a version stands among the ranges.
    pub(super) fn standing(&self, version: &UpstreamVersion) -> Standing {
        if let Some(published) = &self.unstructured {
            return Standing::Unknown { reason: format!("what is published gives no ranges: {published}") };
        }
        let since_known = self.ranges.iter().all(|range| range.introduced.is_some());
        let mut fixed_before = None;
        for range in &self.ranges {
            let bound = |text: &Option<String>| text.as_deref().and_then(UpstreamVersion::parse);
            if bound(&range.introduced).is_some_and(|introduced| *version < introduced) {
                continue;
            }
            if bound(range.end()).is_some_and(|end| *version < end) {
                return Standing::Affected { fixed: range.fixed.clone(), since_known };
            }
            fixed_before = range.fixed.clone().or(fixed_before);
        }
        fixed_before.map_or(Standing::NotAffected, |fixed| Standing::Fixed { fixed })
    }
}

impl UpstreamRange {
    /// Where it ends, fixed or not.
    pub(super) fn end(&self) -> &Option<String> {
        if self.fixed.is_some() { &self.fixed } else { &self.before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> UpstreamVersion {
        UpstreamVersion::parse(text).unwrap()
    }

    #[test]
    fn the_order_of_releases() {
        let rising = [
            "0",
            "0.1.0",
            "1.0.0-0",
            "1.0.0-alpha.1",
            "1.0.0-beta.2",
            "1.0.0-rc3",
            "1.0.0-rc.93",
            "1.0.0",
            "1.0.1",
            "1.10",
            "3.15-rc5",
            "3.15",
            "18.09.2",
            "18.10-0",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).cmp(&version(b)), i.cmp(&j), "{a} with {b}");
            }
        }
        assert_eq!(version("1.27").cmp(&version("1.27.0")), Ordering::Equal);
    }

    #[test]
    fn the_projects_part_of_other_notations() {
        for (text, base) in [
            ("1.1.5+ds1-1+deb12u1", "1.1.5"),
            ("1.0.0~rc93+ds1-5+deb11u3", "1.0.0-rc93"),
            ("1.6.20~ds1", "1.6.20"),
            ("5:28.5.2-1~debian.12~bookworm", "28.5.2"),
            ("1.3.3-0ubuntu1~22.04.1", "1.3.3"),
            ("v2.0.7", "2.0.7"),
            ("6.12.48+deb13-amd64", "6.12.48"),
            ("6.19.0-rc1-custom", "6.19.0-rc1"),
            ("20.10.24+dfsg1", "20.10.24"),
        ] {
            assert_eq!(version(text).cmp(&version(base)), Ordering::Equal, "{text}");
        }
        for text in [
            "",
            "(devel)",
            "unknown",
            "1.7.28-0.20250101120000-abcdef",
            "1.1.12-dev",
            "1..2",
            "1.2.3.4.5.6.7",
        ] {
            assert!(UpstreamVersion::parse(text).is_none(), "{text}");
        }
    }

    fn range(introduced: Option<&str>, fixed: Option<&str>, before: Option<&str>) -> UpstreamRange {
        let text = |text: Option<&str>| text.map(str::to_owned);
        UpstreamRange { introduced: text(introduced), fixed: text(fixed), before: text(before) }
    }

    #[test]
    fn standing_by_branch() {
        let upstream = Upstream {
            ranges: vec![
                range(Some("4.19.316"), None, Some("4.20-0")),
                range(Some("5.10.198"), Some("5.10.215"), None),
                range(Some("6.5"), Some("6.6.26"), None),
                range(Some("6.7-0"), Some("6.8.5"), None),
            ],
            ..Upstream::default()
        };
        let of = |text| upstream.standing(&version(text));
        let affected =
            |fixed: Option<&str>| Standing::Affected { fixed: fixed.map(str::to_owned), since_known: true };
        assert_eq!(of("4.19.315"), Standing::NotAffected);
        assert_eq!(of("4.19.320"), affected(None));
        assert_eq!(of("4.20.1"), Standing::NotAffected);
        assert_eq!(of("5.10.200"), affected(Some("5.10.215")));
        assert_eq!(of("5.10.215"), Standing::Fixed { fixed: "5.10.215".into() });
        assert_eq!(of("6.5.3"), affected(Some("6.6.26")));
        assert_eq!(of("6.7.0-rc2"), affected(Some("6.8.5")));
        assert_eq!(of("6.9"), Standing::Fixed { fixed: "6.8.5".into() });
        let since_ever = Upstream {
            ranges: vec![range(None, Some("25.0.17"), None), range(Some("25.1-0"), Some("29.7.0"), None)],
            ..Upstream::default()
        };
        for (affected, fixed) in [("20.10.24", "25.0.17"), ("27.5.1", "29.7.0")] {
            assert_eq!(
                since_ever.standing(&version(affected)),
                Standing::Affected { fixed: Some(fixed.into()), since_known: false }
            );
        }
        let words = Upstream { unstructured: Some("some".into()), ..Upstream::default() };
        assert!(matches!(words.standing(&version("1")), Standing::Unknown { .. }));
    }
}
