//! The objects of SARIF that plimsoll writes, whatever the document is about.

use std::collections::BTreeMap;
use std::io::{self, Write};

use plimsoll_facts::Gap;
use plimsoll_rules::Severity;
use serde::Serialize;

use crate::{escape, json, words};

/// Writes a log with one run.
pub(crate) fn write_log<R: Serialize>(run: Run<'_, R>, out: &mut dyn Write) -> io::Result<()> {
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [run],
    };
    json::write_document(&log, out)
}

#[derive(Serialize)]
struct Log<'a, R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a, R>; 1],
}

/// One run; `results` is whatever serialises as a list of [`ResultObject`]s.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run<'a, R> {
    pub(crate) tool: Tool<'a>,
    pub(crate) automation_details: Identified,
    pub(crate) invocations: [Invocation<'a>; 1],
    pub(crate) original_uri_base_ids: BTreeMap<&'static str, Described>,
    pub(crate) results: R,
}

#[derive(Serialize)]
pub(crate) struct Tool<'a> {
    pub(crate) driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Driver<'a> {
    pub(crate) name: &'a str,
    pub(crate) semantic_version: &'a str,
    pub(crate) rules: Vec<Descriptor<'a>>,
}

#[derive(Serialize)]
pub(crate) struct Identified {
    pub(crate) id: String,
}

#[derive(Serialize)]
pub(crate) struct Described {
    pub(crate) description: Text,
}

#[derive(Serialize)]
pub(crate) struct Text {
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) markdown: Option<String>,
}

pub(crate) fn text(text: impl Into<String>) -> Text {
    Text { text: text.into(), markdown: None }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Invocation<'a> {
    pub(crate) execution_successful: bool,
    pub(crate) start_time_utc: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) machine: Option<String>,
    pub(crate) tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
pub(crate) struct Notification {
    level: &'static str,
    message: Text,
}

impl Notification {
    pub(crate) fn of(gap: &Gap) -> Self {
        Self::warning(&words::gap(gap))
    }

    pub(crate) fn warning(message: &str) -> Self {
        Self { level: "warning", message: text(escape::sarif(message)) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor<'a> {
    pub(crate) id: &'a str,
    pub(crate) short_description: Text,
    pub(crate) full_description: Text,
    pub(crate) help: Text,
    pub(crate) default_configuration: Configuration,
    pub(crate) properties: DescriptorProperties<'a>,
}

#[derive(Serialize)]
pub(crate) struct Configuration {
    pub(crate) level: &'static str,
}

#[derive(Serialize)]
pub(crate) struct DescriptorProperties<'a> {
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    pub(crate) security_severity: Option<String>,
    pub(crate) tags: Vec<&'a str>,
}

pub(crate) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The middle of the CVSS range that code scanning shows under the same word.
pub(crate) fn security_severity(severity: Severity) -> Option<String> {
    let middle = match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => return None,
    };
    Some(middle.to_owned())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultObject<'a, P> {
    pub(crate) rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule_index: Option<usize>,
    pub(crate) kind: &'static str,
    pub(crate) level: &'static str,
    pub(crate) message: Text,
    pub(crate) locations: [Location; 1],
    pub(crate) partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) suppressions: Vec<Suppression>,
    pub(crate) properties: P,
}

#[derive(Serialize)]
pub(crate) struct Suppression {
    pub(crate) kind: &'static str,
    pub(crate) status: &'static str,
    pub(crate) justification: String,
}

/// The base of the locations' relative URIs.
pub(crate) const SUBJECTS: &str = "SUBJECTS";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Location {
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
    /// Where something is, that is no file: by a path of kind and names whose segments are URI segments.
    pub(crate) fn new(name: &str, path: String, kind: &'static str) -> Self {
        Self {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation { uri: path.clone(), uri_base_id: SUBJECTS },
            },
            logical_locations: [LogicalLocation {
                name: escape::visible(name).into_owned(),
                fully_qualified_name: path,
                kind,
            }],
        }
    }
}
