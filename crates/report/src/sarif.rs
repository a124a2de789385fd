//! The audit as SARIF 2.1.0: one run, with what is wrong and what could not be known.
//!
//! A failure has kind `fail` and a level by its severity; an unknown answer has kind `open`, which the
//! specification (§3.27.9) defines as evaluated with too little information to decide. Passes and questions
//! for a person are left out.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use plimsoll_facts::Gap;
use plimsoll_rules::{ExceptionNote, Finding, Severity, Status, Subject, SubjectKind};
use serde::{Serialize, Serializer};

use crate::{Audit, RuleText, escape, json, pages, words};

/// Writes the audit as one SARIF log.
///
/// # Errors
/// What the writer answers.
pub fn write(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [Run::of(audit)],
    };
    json::write_document(&log, out)
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    automation_details: Identified,
    invocations: [Invocation<'a>; 1],
    original_uri_base_ids: BTreeMap<&'static str, Described>,
    results: Results<'a>,
}

impl<'a> Run<'a> {
    fn of(audit: &'a Audit) -> Self {
        Self {
            tool: Tool {
                driver: Driver {
                    name: &audit.tool.name,
                    semantic_version: &audit.tool.version,
                    rules: audit.rules.iter().map(Descriptor::of).collect(),
                },
            },
            automation_details: Identified {
                id: format!("plimsoll/{}/", escape::uri_segment(&audit.host.name)),
            },
            invocations: [Invocation {
                execution_successful: true,
                start_time_utc: &audit.collected_at,
                machine: escape::visible(&audit.host.name).into_owned(),
                tool_execution_notifications: audit.gaps.iter().map(Notification::of).collect(),
            }],
            original_uri_base_ids: BTreeMap::from([(
                SUBJECTS,
                Described { description: text("What was audited, by kind and name; these are no files.") },
            )]),
            results: Results(audit),
        }
    }
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'a str,
    semantic_version: &'a str,
    rules: Vec<Descriptor<'a>>,
}

#[derive(Serialize)]
struct Identified {
    id: String,
}

#[derive(Serialize)]
struct Described {
    description: Text,
}

#[derive(Serialize)]
struct Text {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<String>,
}

fn text(text: impl Into<String>) -> Text {
    Text { text: text.into(), markdown: None }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    start_time_utc: &'a str,
    machine: String,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

impl Notification {
    fn of(gap: &Gap) -> Self {
        Self { level: "warning", message: text(escape::sarif(&words::gap(gap))) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    id: &'a str,
    short_description: Text,
    full_description: Text,
    help: Text,
    default_configuration: Configuration,
    properties: DescriptorProperties<'a>,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct DescriptorProperties<'a> {
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    security_severity: Option<&'static str>,
    tags: Vec<&'a str>,
}

impl<'a> Descriptor<'a> {
    fn of(rule: &'a RuleText) -> Self {
        Self {
            id: &rule.id,
            short_description: text(&*rule.title),
            full_description: text(&*rule.why),
            help: Text { text: pages::rule_plain(rule), markdown: Some(pages::rule_body(rule)) },
            default_configuration: Configuration { level: level(rule.severity) },
            properties: DescriptorProperties {
                security_severity: security_severity(rule.severity),
                tags: vec!["security", rule.concern.id()],
            },
        }
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The middle of the CVSS range that code scanning shows under the same word.
fn security_severity(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.0"),
        Severity::Info => None,
    }
}

/// The results, made while they are written.
struct Results<'a>(&'a Audit);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let index: HashMap<&str, usize> =
            self.0.rules.iter().enumerate().map(|(index, rule)| (&*rule.id, index)).collect();
        let told = self.0.findings.iter().filter_map(|finding| ResultObject::of(self.0, finding, &index));
        serializer.collect_seq(told)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultObject<'a> {
    rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    kind: &'static str,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    properties: ResultProperties<'a>,
}

#[derive(Serialize)]
struct ResultProperties<'a> {
    severity: &'static str,
    confidence: &'static str,
    subject: &'a Subject,
}

impl<'a> ResultObject<'a> {
    fn of(audit: &Audit, finding: &'a Finding, index: &HashMap<&str, usize>) -> Option<Self> {
        let (kind, level) = match finding.status {
            Status::Fail => ("fail", level(finding.severity)),
            Status::Unknown => ("open", "none"),
            Status::NotAutomated | Status::Pass | Status::NotApplicable => return None,
        };
        Some(Self {
            rule_id: &finding.rule,
            rule_index: index.get(&*finding.rule).copied(),
            kind,
            level,
            message: text(message(audit, finding)),
            locations: [Location::of(&finding.subject)],
            partial_fingerprints: BTreeMap::from([("ruleAndSubject/v1", fingerprint(finding))]),
            suppressions: finding.exception.iter().map(Suppression::of).collect(),
            properties: ResultProperties {
                severity: finding.severity.id(),
                confidence: finding.confidence.id(),
                subject: &finding.subject,
            },
        })
    }
}

fn message(audit: &Audit, finding: &Finding) -> String {
    let mut message =
        escape::sarif(&format!("{}: {}", words::subject_with_kind(audit, &finding.subject), finding.message));
    for fact in &finding.evidence {
        message.push('\n');
        message.push_str(&escape::sarif(&words::evidence(fact)));
    }
    if finding.status == Status::Fail {
        message.push_str("\nFix: ");
        message.push_str(&escape::lines(&finding.remediation, escape::sarif, "\n"));
    }
    message
}

/// What makes two results of different runs the same: the rule, and the subject by the name that survives its
/// being made anew.
fn fingerprint(finding: &Finding) -> String {
    format!("{}/{}", finding.rule, path(&finding.subject))
}

/// `container/<engine>/<name>`; components of one name differ in their path, exceptions in their place.
fn path(subject: &Subject) -> String {
    let name = match subject.kind {
        SubjectKind::Component | SubjectKind::Policy => &subject.id,
        _ => &subject.name,
    };
    let name = escape::uri_segment(name);
    match subject.engine.as_str() {
        "" => format!("{}/{name}", subject.kind.id()),
        engine => format!("{}/{}/{name}", subject.kind.id(), escape::uri_segment(engine)),
    }
}

/// The base of the locations' relative URIs.
const SUBJECTS: &str = "SUBJECTS";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    /// Some consumers refuse a result without one.
    physical_location: PhysicalLocation,
    logical_locations: [LogicalLocation; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

impl Location {
    fn of(subject: &Subject) -> Self {
        Self {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation { uri: path(subject), uri_base_id: SUBJECTS },
            },
            logical_locations: [LogicalLocation {
                name: escape::visible(&subject.name).into_owned(),
                fully_qualified_name: path(subject),
                kind: subject.kind.id(),
            }],
        }
    }
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

impl Suppression {
    fn of(exception: &ExceptionNote) -> Self {
        let ExceptionNote { owner, reason, expires } = exception;
        Self {
            kind: "external",
            status: "accepted",
            justification: escape::sarif(&format!("{reason} ({owner}, until {expires})")),
        }
    }
}
