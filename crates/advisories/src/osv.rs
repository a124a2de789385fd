//! OSV records (the OSV schema 1.x), strictly bounded and tolerant of what does not matter.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::advisory::{Advisory, Affected, Range, RangeEnd, Severity};
use crate::cvss;

/// The largest record that is read. The largest public one, with every version listed, has 9 MB.
pub const LARGEST_RECORD: usize = 32 << 20;
/// Bounds on what is kept of one record.
const MAX_AFFECTED: usize = 20_000;
const MAX_RANGES: usize = 2_000;
const MAX_VERSIONS: usize = 20_000;
const MAX_NAMES: usize = 64;
const MAX_SUMMARY: usize = 160;

/// Why a record is not used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is not JSON, or not of the schema's shape.
    #[error("not an OSV record: {0}")]
    Shape(#[from] serde_json::Error),
    /// It has more than is ever published.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// It has no id.
    #[error("it has no id")]
    NoId,
    /// It is something else.
    #[error("{0}")]
    Other(String),
}

/// What a record says.
#[derive(Debug, PartialEq)]
pub struct Record {
    /// The advisory.
    pub advisory: Advisory,
    /// It was withdrawn: nothing is affected any more.
    pub withdrawn: bool,
    /// What is affected: the ecosystem as the record writes it (`Debian:12`), the package, and where.
    pub affected: Vec<(String, String, Affected)>,
}

/// Reads one record.
///
/// # Errors
/// When it is no OSV record, or beyond every bound.
pub fn parse(bytes: &[u8]) -> Result<Record, RecordError> {
    if bytes.len() > LARGEST_RECORD {
        return Err(RecordError::TooMany { what: "bytes", limit: LARGEST_RECORD });
    }
    let wire: Wire = serde_json::from_slice(bytes)?;
    if wire.id.is_empty() {
        return Err(RecordError::NoId);
    }
    if wire.affected.len() > MAX_AFFECTED {
        return Err(RecordError::TooMany { what: "affected packages", limit: MAX_AFFECTED });
    }
    let withdrawn = wire.withdrawn.is_some();
    let advisory = wire.advisory();
    let affected = wire.affected.into_iter().map(WireAffected::into_affected).collect::<Result<_, _>>()?;
    Ok(Record { advisory, withdrawn, affected })
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    id: String,
    #[serde(default)]
    modified: Option<String>,
    #[serde(default)]
    published: Option<String>,
    #[serde(default)]
    withdrawn: Option<IgnoredAny>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    upstream: Vec<String>,
    #[serde(default)]
    related: Vec<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    severity: Vec<WireSeverity>,
    #[serde(default)]
    affected: Vec<WireAffected>,
}

#[derive(Deserialize)]
struct WireSeverity {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    score: String,
}

#[derive(Deserialize)]
struct WireAffected {
    #[serde(default)]
    package: WirePackage,
    #[serde(default)]
    ranges: Vec<WireRange>,
    #[serde(default)]
    versions: Vec<String>,
    /// Where the record itself has none.
    #[serde(default)]
    severity: Vec<WireSeverity>,
    #[serde(default)]
    ecosystem_specific: Specific,
    #[serde(default)]
    database_specific: Specific,
}

#[derive(Default, Deserialize)]
struct WirePackage {
    #[serde(default)]
    ecosystem: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct WireRange {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<WireEvent>,
}

#[derive(Deserialize)]
struct WireEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    // `limit` bounds enumeration in git ranges only.
}

/// The keys that distributions use beside the schema's own.
#[derive(Default, Deserialize)]
struct Specific {
    #[serde(default, deserialize_with = "text")]
    urgency: Option<String>,
    #[serde(default, deserialize_with = "text")]
    tracker_status: Option<String>,
    #[serde(default, deserialize_with = "text")]
    module: Option<String>,
    #[serde(default, deserialize_with = "text")]
    plimsoll_source: Option<String>,
}

/// A string; any other type is nothing.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Text {
        Text(String),
        Other(IgnoredAny),
    }
    Ok(match Text::deserialize(deserializer)? {
        Text::Text(text) => Some(text),
        Text::Other(_) => None,
    })
}

impl Wire {
    fn advisory(&self) -> Advisory {
        let of_package = self.affected.first().into_iter().flat_map(|affected| &affected.severity);
        let mut told = self.severity.iter().chain(of_package);
        let scored = told.clone().filter_map(|s| Some((cvss::base_score(&s.score)?, &s.score))).next_back();
        let word = told.find(|s| !s.kind.starts_with("CVSS")).map(|s| s.score.as_str());
        let (score, vector) = scored.map_or((0, None), |(score, vector)| (score, Some(vector.clone())));
        let severity = match (score, word, self.affected.first()) {
            (0, Some(word), _) => Severity::of_word(word),
            (0, None, _) => self.summary.as_deref().map_or(Severity::Unknown, severity_of_title),
            (score, ..) => Severity::of_score(score),
        };
        Advisory {
            id: self.id.clone(),
            names: self.names(),
            severity,
            score,
            vector,
            summary: one_line(self.summary.as_deref().or(self.details.as_deref()).unwrap_or_default()),
            published: seconds(self.published.as_deref()),
            modified: seconds(self.modified.as_deref()),
        }
    }

    fn names(&self) -> Vec<String> {
        let others = self.aliases.iter().chain(&self.upstream).chain(&self.related);
        let mut names: Vec<String> = Vec::new();
        for name in others.chain([&self.id]).filter(|name| name.starts_with("CVE-")) {
            if !names.contains(name) && names.len() < MAX_NAMES {
                names.push(name.clone());
            }
        }
        names
    }
}

/// Errata carry their rating as the first word of their title (`Important: runc security update`).
fn severity_of_title(title: &str) -> Severity {
    title.split_once(':').map_or(Severity::Unknown, |(word, _)| Severity::of_word(word))
}

impl WireAffected {
    fn into_affected(self) -> Result<(String, String, Affected), RecordError> {
        let mut ranges = Vec::new();
        for range in self.ranges.iter().filter(|range| range.kind != "GIT") {
            ranges.extend(intervals(&range.events));
        }
        if ranges.len() > MAX_RANGES {
            return Err(RecordError::TooMany { what: "ranges", limit: MAX_RANGES });
        }
        let versions = if ranges.is_empty() { self.versions } else { Vec::new() };
        if versions.len() > MAX_VERSIONS {
            return Err(RecordError::TooMany { what: "versions", limit: MAX_VERSIONS });
        }
        let (own, other) = (self.ecosystem_specific, self.database_specific);
        let state = own.urgency.or(own.tracker_status).or(other.urgency).or(other.tracker_status);
        let affected = Affected {
            advisory: 0,
            ranges,
            versions,
            state: state.filter(|state| state != "not yet assigned").unwrap_or_default(),
            module: own.module.or(other.module),
            provenance: other.plimsoll_source.or(own.plimsoll_source),
        };
        Ok((self.package.ecosystem, self.package.name, affected))
    }
}

/// Turns events into intervals. Events come in version order; an `introduced` that nothing ends is open.
fn intervals(events: &[WireEvent]) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    let mut open: Option<String> = None;
    for event in events {
        let end = match (&event.fixed, &event.last_affected) {
            (Some(fixed), _) => Some(RangeEnd::Fixed(fixed.clone())),
            (None, Some(last)) => Some(RangeEnd::LastAffected(last.clone())),
            (None, None) => None,
        };
        if let (Some(end), Some(introduced)) = (end, open.as_ref()) {
            ranges.push(Range { introduced: introduced.clone(), end });
            open = None;
        }
        if let Some(introduced) = &event.introduced
            && open.is_none()
        {
            open = Some(introduced.clone());
        }
    }
    ranges.extend(open.map(|introduced| Range { introduced, end: RangeEnd::Open }));
    ranges
}

pub(crate) fn one_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let end = line.floor_char_boundary(MAX_SUMMARY);
    line.get(..end).unwrap_or_default().to_owned()
}

pub(crate) fn seconds(time: Option<&str>) -> i64 {
    time.and_then(|time| time.parse::<jiff::Timestamp>().ok()).map_or(0, jiff::Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shortened from the public record of this id.
    const RUNC: &str = r#"{"schema_version": "1.6.0", "id": "DEBIAN-CVE-2024-21626", "modified": "2025-02-03T11:48:28Z",
        "upstream": ["CVE-2024-21626"], "details": "runc is a CLI tool\nfor spawning",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H"}],
        "affected": [{"package": {"ecosystem": "Debian:12", "name": "runc"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1.5+ds1-1+deb12u1"}]}],
            "versions": ["1.1.5+ds1-1"], "ecosystem_specific": {"urgency": "not yet assigned"}}]}"#;

    #[test]
    fn a_debian_record() {
        let record = parse(RUNC.as_bytes()).unwrap();
        assert_eq!(record.advisory.name(), "CVE-2024-21626");
        assert_eq!(record.advisory.summary, "runc is a CLI tool");
        assert_eq!((record.advisory.score, record.advisory.severity), (86, Severity::High));
        assert!(!record.withdrawn);
        let (ecosystem, package, affected) = &record.affected[0];
        assert_eq!((ecosystem.as_str(), package.as_str()), ("Debian:12", "runc"));
        let end = RangeEnd::Fixed("1.1.5+ds1-1+deb12u1".into());
        assert_eq!(affected.ranges, [Range { introduced: "0".into(), end }]);
        assert!(affected.versions.is_empty() && affected.state.is_empty());
    }

    #[test]
    fn events_become_intervals() {
        let events = r#"[{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "1.3"}, {"introduced": "1.4"}, {"last_affected": "1.9"}, {"introduced": "3"}]"#;
        let events: Vec<WireEvent> = serde_json::from_str(events).unwrap();
        let ends: Vec<_> = intervals(&events).into_iter().map(|r| (r.introduced, r.end)).collect();
        assert_eq!(
            ends,
            [
                ("0".into(), RangeEnd::Fixed("1.2".into())),
                ("1.3".into(), RangeEnd::LastAffected("1.9".into())),
                ("3".into(), RangeEnd::Open),
            ]
        );
    }

    #[test]
    fn what_is_no_record_is_an_error() {
        for text in ["", "[]", "{}", r#"{"id": 3}"#, r#"{"id": "X", "affected": {}}"#] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        let withdrawn = parse(br#"{"id": "X", "withdrawn": "2024-01-01T00:00:00Z", "modified": 7}"#);
        assert!(withdrawn.is_err(), "a time that is no text");
        assert!(parse(br#"{"id": "X", "withdrawn": "2024-01-01T00:00:00Z"}"#).unwrap().withdrawn);
    }
}
