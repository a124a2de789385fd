//! A bill as CycloneDX 1.6 (ECMA-424) JSON.

use std::io::{self, Write};

use plimsoll_facts::{Ecosystem, InstalledPackage, OsRelease, Verdict, Vulnerability};
use serde_json::{Map, Value, json};

use super::{Bill, BillImage, whole_seconds};
use crate::json;

/// Name of the property that says which distribution's package a language package belongs to.
const OWNED_BY: &str = "plimsoll:owned-by";

/// Writes the bill.
///
/// # Errors
/// What the writer answers.
pub fn write(bill: &Bill<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut components = Vec::new();
    let mut vulnerabilities = Vec::new();
    let mut incomplete = Vec::new();
    for (number, image) in bill.images.iter().enumerate() {
        let packages = components_of(number, image);
        match bill.images.len() {
            1 => components.extend(packages),
            _ => {
                let mut component = container(number, image);
                component.insert("components".to_owned(), packages.into());
                components.push(component.into());
            }
        }
        vulnerabilities.extend(image.flaws.iter().map(|flaw| vulnerability(number, image, flaw)));
        if !image.gaps.is_empty() {
            incomplete.push(image_ref(number));
        }
    }
    let mut metadata = json!({
        "timestamp": whole_seconds(bill.made_at),
        "tools": {"components": [
            {"type": "application", "name": bill.tool.name, "version": bill.tool.version}
        ]},
    });
    if let [image] = bill.images.as_slice() {
        metadata["component"] = container(0, image).into();
    }
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": components,
    });
    if !vulnerabilities.is_empty() {
        document["vulnerabilities"] = vulnerabilities.into();
    }
    if !incomplete.is_empty() {
        document["compositions"] = json!([{"aggregate": "incomplete", "assemblies": incomplete}]);
    }
    json::write_document(&document, out)
}

fn image_ref(number: usize) -> String {
    format!("image-{number}")
}

fn package_ref(image: usize, place: usize) -> String {
    format!("package-{image}-{place}")
}

fn container(number: usize, image: &BillImage<'_>) -> Map<String, Value> {
    let mut component = Map::new();
    component.insert("type".to_owned(), "container".into());
    component.insert("bom-ref".to_owned(), image_ref(number).into());
    component.insert("name".to_owned(), image.image.name.as_str().into());
    if let Some(id) = &image.image.id {
        component.insert("version".to_owned(), id.as_str().into());
    }
    let mut properties = vec![property("plimsoll:read-from", &image.image.source)];
    if let Some(day) = &image.image.end_of_life {
        properties.push(property("plimsoll:end-of-life", day));
    }
    properties.extend(image.gaps.iter().map(|gap| {
        let text = format!("{}: {}", gap.source, gap.reason);
        property("plimsoll:gap", &text)
    }));
    component.insert("properties".to_owned(), properties.into());
    component
}

fn components_of(number: usize, image: &BillImage<'_>) -> Vec<Value> {
    let os = image.image.os.as_ref();
    let mut components = Vec::with_capacity(image.packages.len() + 1);
    components.extend(os.map(|os| operating_system(number, os)));
    let packages = image.packages.iter().enumerate();
    components.extend(packages.map(|(place, package)| component(package_ref(number, place), package, os)));
    components
}

fn operating_system(number: usize, os: &OsRelease) -> Value {
    let mut component = json!({
        "type": "operating-system",
        "bom-ref": format!("os-{number}"),
        "name": os.id,
    });
    if let Some(version) = &os.version_id {
        component["version"] = version.as_str().into();
    }
    if let Some(name) = &os.pretty_name {
        component["description"] = name.as_str().into();
    }
    component
}

fn component(reference: String, package: &InstalledPackage, os: Option<&OsRelease>) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference,
        "name": package.name,
        "version": package.version,
    });
    if let Some(purl) = package.purl(os) {
        component["purl"] = purl.into();
    }
    if let Some(vendor) = &package.vendor {
        component["publisher"] = vendor.as_str().into();
    }
    if !package.location.path.is_empty() {
        let mut occurrence = json!({"location": package.location.path});
        // What is a line number for dpkg and apk is a record's for rpm, which the format has no word for.
        if let Some(line) = package.location.stanza.filter(|_| package.ecosystem != Ecosystem::Rpm) {
            occurrence["line"] = line.into();
        }
        component["evidence"] = json!({"occurrences": [occurrence]});
    }
    if let Some(owner) = &package.owned_by {
        component["properties"] = json!([property(OWNED_BY, owner)]);
    }
    component
}

fn property(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn vulnerability(number: usize, image: &BillImage<'_>, flaw: &Vulnerability) -> Value {
    let affects: Vec<Value> = image
        .affected_by(flaw)
        .map(|place| {
            let version = image.packages.get(place).map_or("", |package| package.version.as_str());
            json!({"ref": package_ref(number, place), "versions": [{"version": version, "status": "affected"}]})
        })
        .collect();
    let mut entry = json!({
        "id": flaw.id,
        "source": {"name": flaw.source},
        "references": [{
            "id": flaw.advisory,
            "source": {"name": "OSV", "url": crate::scan::record_url(&flaw.advisory)},
        }],
        "ratings": [rating(flaw)],
        "affects": affects,
        "analysis": analysis(flaw),
        "properties": properties(flaw),
    });
    if !flaw.summary.is_empty() {
        entry["description"] = flaw.summary.as_str().into();
    }
    if let Some(fixed) = &flaw.fixed {
        entry["recommendation"] = format!("update {} to {fixed} or later", flaw.package).into();
    }
    entry
}

fn rating(flaw: &Vulnerability) -> Value {
    let severity = match flaw.severity.as_str() {
        known @ ("critical" | "high" | "medium" | "low") => known,
        "negligible" => "info",
        _ => "unknown",
    };
    let mut rating = json!({"severity": severity});
    if let Some(score) = flaw.score {
        // Tenths, which a 32-bit number does not hold exactly.
        rating["score"] = (f64::from((score * 10.0).round()) / 10.0).into();
    }
    if let Some(vector) = &flaw.vector {
        rating["vector"] = vector.as_str().into();
        rating["method"] = match vector.get(..9) {
            Some("CVSS:3.1/") => "CVSSv31",
            Some("CVSS:3.0/") => "CVSSv3",
            Some("CVSS:4.0/") => "CVSSv4",
            _ if vector.starts_with("AV:") => "CVSSv2",
            _ => "other",
        }
        .into();
    }
    rating
}

fn analysis(flaw: &Vulnerability) -> Value {
    let mut analysis = json!({"state": "in_triage", "detail": flaw.evidence});
    if flaw.status == Verdict::FixAvailable {
        analysis["response"] = json!(["update"]);
    }
    let Some(note) = &flaw.vex else { return analysis };
    analysis["state"] = match note.status.as_str() {
        "not_affected" => "not_affected",
        "fixed" => "resolved",
        "affected" => "exploitable",
        _ => "in_triage",
    }
    .into();
    let because = note.justification.as_deref().unwrap_or("no justification is given");
    analysis["detail"] = format!("{}; {because}, says {}", flaw.evidence, note.source).into();
    analysis
}

fn properties(flaw: &Vulnerability) -> Vec<Value> {
    let mut properties = Vec::new();
    if let Some(day) = &flaw.exploited {
        properties.push(property("plimsoll:exploited-since", day));
    }
    if let Some(epss) = flaw.epss {
        properties.push(property("plimsoll:epss", &epss.to_string()));
    }
    if let Some(state) = &flaw.state {
        properties.push(property("plimsoll:state", state));
    }
    properties
}
