//! The verification as SARIF 2.1.0: one result a subject for which nobody vouches.

use std::collections::BTreeMap;
use std::io::{self, Write};

use plimsoll_facts::{Authenticity, TrustOutcome};
use plimsoll_rules::Severity;
use serde::Serialize;

use super::{Verification, VerifiedSubject};
use crate::escape;
use crate::sarif::model::{
    self, Configuration, Described, Descriptor, DescriptorProperties, Driver, Identified, Invocation,
    Location, ResultObject, Run, SUBJECTS, Tool, level, security_severity, text,
};

/// Each outcome that is told: the rule's id, how bad it is, and what it means.
const RULES: [(TrustOutcome, &str, Severity, &str); 8] = [
    (
        TrustOutcome::BadSignature,
        "image-bad-signature",
        Severity::Critical,
        "A signature of the image does not hold",
    ),
    (
        TrustOutcome::UntrustedKey,
        "image-untrusted-key",
        Severity::High,
        "The image is signed by a key that is not trusted",
    ),
    (TrustOutcome::Unsigned, "image-unsigned", Severity::Medium, "Nobody signed the image"),
    (
        TrustOutcome::Stale,
        "image-signature-stale",
        Severity::Medium,
        "What vouches for the image is past its date",
    ),
    (TrustOutcome::Denied, "image-denied", Severity::Medium, "The policy does not admit the image"),
    (TrustOutcome::Local, "image-local", Severity::Medium, "The image is known to no registry"),
    (
        TrustOutcome::Unavailable,
        "image-trust-unavailable",
        Severity::Medium,
        "Who vouches for the image could not be asked",
    ),
    (
        TrustOutcome::Unsupported,
        "image-trust-unsupported",
        Severity::Medium,
        "The image is signed in a way that is not verified",
    ),
];

/// Writes the verification as one SARIF log.
///
/// # Errors
/// What the writer answers.
pub fn write(verification: &Verification, out: &mut dyn Write) -> io::Result<()> {
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: &verification.tool.name,
                semantic_version: &verification.tool.version,
                rules: RULES
                    .iter()
                    .map(|(_, id, severity, title)| descriptor(id, *severity, title))
                    .collect(),
            },
        },
        automation_details: Identified { id: "plimsoll/verify/".to_owned() },
        invocations: [Invocation {
            execution_successful: true,
            start_time_utc: &verification.verified_at,
            machine: None,
            tool_execution_notifications: Vec::new(),
        }],
        original_uri_base_ids: BTreeMap::from([(
            SUBJECTS,
            Described { description: text("Images, containers and services, by name; these are no files.") },
        )]),
        results: verification.subjects.iter().filter_map(result).collect::<Vec<_>>(),
    };
    model::write_log(run, out)
}

fn descriptor<'a>(id: &'a str, severity: Severity, title: &str) -> Descriptor<'a> {
    Descriptor {
        id,
        short_description: text(title),
        full_description: text(title),
        help: text(
            "Let whoever builds the image sign it, and run it by the digest that is signed; see docs/verify.md.",
        ),
        default_configuration: Configuration { level: level(severity) },
        properties: DescriptorProperties {
            security_severity: security_severity(severity),
            tags: vec!["security", "authenticity"],
        },
    }
}

#[derive(Serialize)]
struct Properties<'a> {
    authenticity: &'a Authenticity,
}

fn result(subject: &VerifiedSubject) -> Option<ResultObject<'_, Properties<'_>>> {
    let found = &subject.authenticity;
    let index = RULES.iter().position(|(outcome, ..)| *outcome == found.outcome)?;
    let (outcome, id, severity, _) = RULES.get(index)?;
    let path = format!("{}/{}", subject.kind.id(), escape::uri_segment(&subject.name));
    let known = !outcome.is_unknown();
    Some(ResultObject {
        rule_id: id,
        rule_index: Some(index),
        kind: if known { "fail" } else { "open" },
        level: if known { level(*severity) } else { "none" },
        message: text(escape::sarif(&format!("{} {}: {}", subject.kind.id(), subject.name, found.reason))),
        partial_fingerprints: BTreeMap::from([("outcomeAndSubject/v1", format!("{id}/{path}"))]),
        locations: [Location::new(&subject.name, path, subject.kind.id())],
        suppressions: Vec::new(),
        properties: Properties { authenticity: found },
    })
}
