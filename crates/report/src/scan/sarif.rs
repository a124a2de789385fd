//! The scan as SARIF 2.1.0: one result a flaw of a package of an image.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use plimsoll_facts::Vulnerability;
use plimsoll_rules::Severity;
use serde::{Serialize, Serializer};

use super::{OfImage, Scan, ScannedImage};
use crate::sarif::model::{
    self, Configuration, Described, Descriptor, DescriptorProperties, Driver, Identified, Invocation,
    Location, Notification, ResultObject, Run, SUBJECTS, Suppression, Tool, level, security_severity, text,
};
use crate::{escape, words};

/// The rule of images whose distribution has ended.
const END_OF_LIFE: &str = "image-end-of-life";

/// Writes the scan as one SARIF log.
///
/// # Errors
/// What the writer answers.
pub fn write(scan: &Scan, out: &mut dyn Write) -> io::Result<()> {
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: &scan.tool.name,
                semantic_version: &scan.tool.version,
                rules: descriptors(scan),
            },
        },
        automation_details: Identified { id: "plimsoll/scan/".to_owned() },
        invocations: [Invocation {
            execution_successful: true,
            start_time_utc: &scan.scanned_at,
            machine: None,
            tool_execution_notifications: notifications(scan),
        }],
        original_uri_base_ids: BTreeMap::from([(
            SUBJECTS,
            Described { description: text("Images and their packages, by name; these are no files.") },
        )]),
        results: Results(scan),
    };
    model::write_log(run, out)
}

fn notifications(scan: &Scan) -> Vec<Notification> {
    let mut told: Vec<Notification> = scan
        .gaps
        .iter()
        .map(|gap| Notification::warning(&format!("{}: {}", gap.subject, words::gap(gap))))
        .collect();
    for image in &scan.images {
        for (reason, count) in scan.not_covered(Some(&image.name)) {
            let packages = words::count(count, "package");
            told.push(Notification::warning(&format!("{}: {packages} not covered: {reason}", image.name)));
        }
    }
    told.extend(scan.vex_unmatched.iter().map(|statement| {
        Notification::warning(&format!("VEX statement about nothing that was found: {statement}"))
    }));
    told.extend(scan.exceptions_expired.iter().map(|exception| Notification::warning(exception)));
    told
}

/// One rule for each flaw, as it is rated where it is worst, and one for the distribution's end.
fn descriptors(scan: &Scan) -> Vec<Descriptor<'_>> {
    let mut seen = HashMap::new();
    let mut rules = Vec::new();
    if scan.images.iter().any(|image| image.end_of_life.is_some()) {
        rules.push(end_of_life_rule());
    }
    for OfImage { item: flaw, .. } in &scan.vulnerabilities {
        if seen.insert(&*flaw.id, ()).is_none() {
            rules.push(descriptor(flaw));
        }
    }
    rules
}

fn end_of_life_rule() -> Descriptor<'static> {
    Descriptor {
        id: END_OF_LIFE,
        short_description: text("The image's distribution gets no fixes any more"),
        full_description: text(
            "Flaws that are found after a distribution's end are neither fixed nor listed.",
        ),
        help: text("Build the image on a release that is still maintained."),
        default_configuration: Configuration { level: "error" },
        properties: DescriptorProperties {
            security_severity: security_severity(Severity::High),
            tags: vec!["security", "vulnerability"],
        },
    }
}

fn descriptor(flaw: &Vulnerability) -> Descriptor<'_> {
    let summary = match flaw.summary.as_str() {
        "" => flaw.id.clone(),
        summary => escape::sarif(summary),
    };
    let severity = severity(flaw);
    let help =
        format!("{}. Record: {}", escape::sarif(&super::remedy(flaw)), super::record_url(&flaw.advisory));
    Descriptor {
        id: &flaw.id,
        short_description: text(summary.clone()),
        full_description: text(summary),
        help: text(help),
        default_configuration: Configuration { level: severity.map_or("warning", level) },
        properties: DescriptorProperties {
            security_severity: match flaw.score {
                Some(score) => Some(format!("{score:.1}")),
                None => severity.and_then(security_severity),
            },
            tags: vec!["security", "vulnerability"],
        },
    }
}

/// `None` for a flaw that nobody rated.
fn severity(flaw: &Vulnerability) -> Option<Severity> {
    match flaw.severity.as_str() {
        "negligible" => Some(Severity::Info),
        word => Severity::WORST_FIRST.into_iter().find(|severity| severity.id() == word),
    }
}

/// The results, made while they are written.
struct Results<'a>(&'a Scan);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ended = self.0.images.iter().filter_map(ended);
        let flaws = self.0.vulnerabilities.iter().map(result);
        serializer.collect_seq(ended.chain(flaws))
    }
}

#[derive(Serialize)]
struct Properties<'a> {
    image: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vulnerability: Option<&'a Vulnerability>,
}

fn ended(image: &ScannedImage) -> Option<ResultObject<'_, Properties<'_>>> {
    let day = image.end_of_life.as_deref()?;
    let path = format!("image/{}", escape::uri_segment(&image.name));
    Some(ResultObject {
        rule_id: END_OF_LIFE,
        rule_index: None,
        kind: "fail",
        level: "error",
        message: text(escape::sarif(&format!("{}: {}", image.name, super::end_of_life(day)))),
        partial_fingerprints: BTreeMap::from([("flawAndPackage/v1", format!("{END_OF_LIFE}/{path}"))]),
        locations: [Location::new(&image.name, path, "image")],
        suppressions: Vec::new(),
        properties: Properties { image: &image.name, vulnerability: None },
    })
}

fn result(flaw: &OfImage<Vulnerability>) -> ResultObject<'_, Properties<'_>> {
    let OfImage { image, item } = flaw;
    let path = format!("image/{}/{}", escape::uri_segment(image), escape::uri_segment(&item.package));
    ResultObject {
        rule_id: &item.id,
        rule_index: None,
        kind: "fail",
        level: severity(item).map_or("warning", level),
        message: text(message(image, item)),
        partial_fingerprints: BTreeMap::from([("flawAndPackage/v1", fingerprint(item, &path))]),
        locations: [Location::new(&item.package, path, "package")],
        suppressions: super::said(item)
            .filter(|_| item.is_suppressed())
            .map(|said| Suppression {
                kind: "external",
                status: "accepted",
                justification: escape::sarif(&said),
            })
            .into_iter()
            .collect(),
        properties: Properties { image, vulnerability: Some(item) },
    }
}

/// What makes two results of different runs the same: the flaw, the image's name, and the package. Two versions of
/// one package in one image are two.
fn fingerprint(flaw: &Vulnerability, path: &str) -> String {
    format!("{}/{path}/{}", flaw.id, escape::uri_segment(&flaw.installed))
}

fn message(image: &str, flaw: &Vulnerability) -> String {
    let exploited = flaw.exploited.as_ref().map_or(String::new(), |day| format!("; exploited since {day}"));
    escape::sarif(&format!(
        "{image}: {} {} has {}: {} ({}; recorded in {}{exploited})",
        flaw.package,
        flaw.installed,
        flaw.id,
        super::remedy(flaw),
        flaw.evidence,
        flaw.location,
    ))
}
