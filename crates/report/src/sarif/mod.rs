//! The audit as SARIF 2.1.0: one run, with what is wrong and what could not be known.
//!
//! A failure has kind `fail` and a level by its severity; an unknown answer has kind `open`, which the
//! specification (§3.27.9) defines as evaluated with too little information to decide. Passes and questions
//! for a person are left out.

pub(crate) mod model;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use plimsoll_rules::{ExceptionNote, Finding, Status, Subject, SubjectKind};
use serde::{Serialize, Serializer};

use self::model::{
    Configuration, Described, Descriptor, DescriptorProperties, Driver, Identified, Invocation, Location,
    Notification, ResultObject, Run, SUBJECTS, Suppression, Text, Tool, level, security_severity, text,
};
use crate::{Audit, RuleText, escape, pages, words};

/// Writes the audit as one SARIF log.
///
/// # Errors
/// What the writer answers.
pub fn write(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    model::write_log(run(audit), out)
}

fn run(audit: &Audit) -> Run<'_, Results<'_>> {
    Run {
        tool: Tool {
            driver: Driver {
                name: &audit.tool.name,
                semantic_version: &audit.tool.version,
                rules: audit.rules.iter().map(descriptor).collect(),
            },
        },
        automation_details: Identified { id: format!("plimsoll/{}/", escape::uri_segment(&audit.host.name)) },
        invocations: [Invocation {
            execution_successful: true,
            start_time_utc: &audit.collected_at,
            machine: Some(escape::visible(&audit.host.name).into_owned()),
            tool_execution_notifications: audit.gaps.iter().map(Notification::of).collect(),
        }],
        original_uri_base_ids: BTreeMap::from([(
            SUBJECTS,
            Described { description: text("What was audited, by kind and name; these are no files.") },
        )]),
        results: Results(audit),
    }
}

fn descriptor(rule: &RuleText) -> Descriptor<'_> {
    Descriptor {
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

/// The results, made while they are written.
struct Results<'a>(&'a Audit);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let index: HashMap<&str, usize> =
            self.0.rules.iter().enumerate().map(|(index, rule)| (&*rule.id, index)).collect();
        let told = self.0.findings.iter().filter_map(|finding| result(self.0, finding, &index));
        serializer.collect_seq(told)
    }
}

#[derive(Serialize)]
struct ResultProperties<'a> {
    severity: &'static str,
    confidence: &'static str,
    subject: &'a Subject,
}

fn result<'a>(
    audit: &Audit,
    finding: &'a Finding,
    index: &HashMap<&str, usize>,
) -> Option<ResultObject<'a, ResultProperties<'a>>> {
    let (kind, level) = match finding.status {
        Status::Fail => ("fail", level(finding.severity)),
        Status::Unknown => ("open", "none"),
        Status::NotAutomated | Status::Pass | Status::NotApplicable => return None,
    };
    let subject = &finding.subject;
    Some(ResultObject {
        rule_id: &finding.rule,
        rule_index: index.get(&*finding.rule).copied(),
        kind,
        level,
        message: text(message(audit, finding)),
        locations: [Location::new(&subject.name, path(subject), subject.kind.id())],
        partial_fingerprints: BTreeMap::from([("ruleAndSubject/v1", fingerprint(finding))]),
        suppressions: finding.exception.iter().map(suppression).collect(),
        properties: ResultProperties {
            severity: finding.severity.id(),
            confidence: finding.confidence.id(),
            subject,
        },
    })
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

fn suppression(exception: &ExceptionNote) -> Suppression {
    let ExceptionNote { owner, reason, expires } = exception;
    Suppression {
        kind: "external",
        status: "accepted",
        justification: escape::sarif(&format!("{reason} ({owner}, until {expires})")),
    }
}
