//! A bill as SPDX 2.3 (ISO/IEC 5962) JSON.

use std::io::{self, Write};

use plimsoll_facts::{InstalledPackage, OsRelease, Vulnerability};
use serde_json::{Value, json};

use super::{Bill, BillImage, whole_seconds};
use crate::{escape, json};

/// Writes the bill.
///
/// # Errors
/// What the writer answers.
pub fn write(bill: &Bill<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut parts = Parts { made_at: whole_seconds(bill.made_at), ..Parts::default() };
    parts.tool = format!("Tool: {}-{}", bill.tool.name, bill.tool.version);
    for (number, image) in bill.images.iter().enumerate() {
        parts.image(number, image);
    }
    let names: Vec<&str> = bill.images.iter().map(|image| image.image.name.as_str()).collect();
    let name = names.join(", ");
    let document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": namespace(bill),
        "creationInfo": {"created": parts.made_at, "creators": [parts.tool]},
        "packages": parts.packages,
        "relationships": parts.relationships,
    });
    json::write_document(&document, out)
}

/// A name for this document alone: of what, and when.
fn namespace(bill: &Bill<'_>) -> String {
    let of: Vec<_> = bill
        .images
        .iter()
        .map(|image| escape::uri_segment(image.image.id.as_deref().unwrap_or(&image.image.name)))
        .collect();
    format!("urn:plimsoll:sbom:{}:{}", of.join(":"), escape::uri_segment(bill.made_at))
}

#[derive(Default)]
struct Parts {
    made_at: String,
    tool: String,
    packages: Vec<Value>,
    relationships: Vec<Value>,
}

impl Parts {
    fn image(&mut self, number: usize, image: &BillImage<'_>) {
        let id = format!("SPDXRef-Image-{number}");
        self.packages.push(container(&id, image));
        self.relate("SPDXRef-DOCUMENT", "DESCRIBES", &id);
        let os = image.image.os.as_ref();
        if let Some(os) = os {
            let os_id = format!("SPDXRef-OperatingSystem-{number}");
            self.packages.push(operating_system(&os_id, os));
            self.relate(&id, "CONTAINS", &os_id);
        }
        let mut flaws: Vec<Vec<&Vulnerability>> = vec![Vec::new(); image.packages.len()];
        for flaw in &image.flaws {
            for place in image.affected_by(flaw) {
                flaws.get_mut(place).into_iter().for_each(|of| of.push(flaw));
            }
        }
        for ((place, package), flaws) in image.packages.iter().enumerate().zip(flaws) {
            let package_id = format!("SPDXRef-Package-{number}-{place}");
            let entry = self.package(&package_id, package, os, &flaws);
            self.packages.push(entry);
            self.relate(&id, "CONTAINS", &package_id);
        }
    }

    fn relate(&mut self, from: &str, kind: &str, to: &str) {
        self.relationships.push(json!({
            "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to,
        }));
    }

    fn package(
        &self,
        id: &str,
        package: &InstalledPackage,
        os: Option<&OsRelease>,
        flaws: &[&Vulnerability],
    ) -> Value {
        let mut entry = named(id, &package.name, Some(&package.version));
        let purl = package.purl(os).map(|purl| {
            json!({
                "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl,
            })
        });
        let references: Vec<Value> =
            purl.into_iter().chain(flaws.iter().map(|flaw| advisory(flaw))).collect();
        if !references.is_empty() {
            entry["externalRefs"] = references.into();
        }
        if let Some(vendor) = package.vendor.as_ref().filter(|vendor| !vendor.trim().is_empty()) {
            entry["supplier"] = format!("Organization: {}", escape::visible(vendor)).into();
        }
        if !package.location.path.is_empty() {
            let place = match package.location.stanza {
                Some(stanza) => format!("recorded in {}, {stanza}", package.location.path),
                None => format!("recorded in {}", package.location.path),
            };
            entry["sourceInfo"] = place.into();
        }
        if let Some(owner) = &package.owned_by {
            entry["annotations"] = json!([{
                "annotationType": "OTHER", "annotator": self.tool, "annotationDate": self.made_at,
                "comment": format!("owned-by: {owner}"),
            }]);
        }
        entry
    }
}

fn named(id: &str, name: &str, version: Option<&str>) -> Value {
    let mut entry = json!({
        "SPDXID": id,
        "name": name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
    });
    if let Some(version) = version {
        entry["versionInfo"] = version.into();
    }
    entry
}

fn container(id: &str, image: &BillImage<'_>) -> Value {
    let mut entry = named(id, &image.image.name, image.image.id.as_deref());
    entry["primaryPackagePurpose"] = "CONTAINER".into();
    let mut remarks: Vec<String> =
        image.gaps.iter().map(|gap| format!("not read: {}: {}", gap.source, gap.reason)).collect();
    remarks.extend(image.image.end_of_life.as_ref().map(|day| format!("no fixes since {day}")));
    if !remarks.is_empty() {
        entry["comment"] = remarks.join("\n").into();
    }
    entry
}

fn operating_system(id: &str, os: &OsRelease) -> Value {
    let mut entry = named(id, &os.id, os.version_id.as_deref());
    entry["primaryPackagePurpose"] = "OPERATING-SYSTEM".into();
    entry
}

fn advisory(flaw: &Vulnerability) -> Value {
    let fix = match &flaw.fixed {
        Some(fixed) => format!("fixed in {fixed}"),
        None => "no fix".to_owned(),
    };
    let vex =
        flaw.vex.as_ref().map_or(String::new(), |note| format!(", {} says {}", note.status, note.source));
    json!({
        "referenceCategory": "SECURITY",
        "referenceType": "advisory",
        "referenceLocator": crate::scan::record_url(&flaw.advisory),
        "comment": format!("{} ({}), {fix}{vex}", flaw.id, flaw.severity),
    })
}
