//! Bills of materials read back: CycloneDX and SPDX JSON with package URLs, as an inventory.

use std::io::Read;

use plimsoll_facts::{Gap, InstalledPackage, OsRelease, PackageInventory, PackageLocation};
use serde::Deserialize;

/// The largest bill that is read, in bytes.
pub const LARGEST_SBOM: u64 = 256 << 20;
/// Packages that are kept.
const MAX_PACKAGES: usize = 1_000_000;
/// Components inside components that are followed.
const MAX_DEPTH: usize = 16;
/// Packages that cannot be matched which are named one by one.
const MAX_NAMED: usize = 100;

/// Why a bill is not read.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is larger than any real bill.
    #[error("larger than {LARGEST_SBOM} bytes")]
    TooLarge,
    /// It is no JSON, or not of a bill's shape.
    #[error("no bill of materials in JSON: {0}")]
    Shape(#[from] serde_json::Error),
    /// It is neither of the two formats.
    #[error("neither CycloneDX (`bomFormat`) nor SPDX 2 (`spdxVersion`)")]
    Format,
}

/// Reads a bill of materials. A component that no package URL makes a package of is a gap.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn read_sbom(source: impl Read) -> Result<PackageInventory, SbomError> {
    let mut bytes = Vec::new();
    source.take(LARGEST_SBOM + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_SBOM {
        return Err(SbomError::TooLarge);
    }
    let bill: Bill = serde_json::from_slice(&bytes)?;
    let mut reading = Reading::default();
    match (bill.bom_format.as_deref(), bill.spdx_version.as_deref()) {
        (Some("CycloneDX"), _) => {
            reading.done.source = "CycloneDX".to_owned();
            reading.aggregates(&bill.compositions);
            bill.components.into_iter().for_each(|component| reading.component(component, 0));
        }
        (_, Some(version)) if version.starts_with("SPDX-2") => {
            reading.done.source = "SPDX".to_owned();
            bill.packages.into_iter().for_each(|package| reading.spdx(package));
        }
        _ => return Err(SbomError::Format),
    }
    Ok(reading.finish())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bill {
    bom_format: Option<String>,
    spdx_version: Option<String>,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    compositions: Vec<Composition>,
    #[serde(default)]
    packages: Vec<SpdxPackage>,
}

#[derive(Deserialize)]
struct Composition {
    #[serde(default)]
    aggregate: String,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    version: Option<String>,
    purl: Option<String>,
    publisher: Option<String>,
    evidence: Option<Evidence>,
    #[serde(default)]
    properties: Vec<Property>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Evidence {
    #[serde(default)]
    occurrences: Vec<Occurrence>,
}

#[derive(Deserialize)]
struct Occurrence {
    #[serde(default)]
    location: String,
    line: Option<u64>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpdxPackage {
    #[serde(default)]
    name: String,
    version_info: Option<String>,
    supplier: Option<String>,
    source_info: Option<String>,
    primary_package_purpose: Option<String>,
    #[serde(default)]
    external_refs: Vec<Reference>,
    #[serde(default)]
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    reference_type: String,
    #[serde(default)]
    reference_locator: String,
}

#[derive(Deserialize)]
struct Annotation {
    #[serde(default)]
    comment: String,
}

#[derive(Default)]
struct Reading {
    done: PackageInventory,
    /// Distribution that package URLs name, where no component does.
    of_purl: Option<OsRelease>,
    refused: usize,
}

impl Reading {
    fn aggregates(&mut self, compositions: &[Composition]) {
        if compositions.iter().any(|it| it.aggregate.starts_with("incomplete")) {
            self.gap("compositions", "the bill says that it is incomplete".to_owned());
        }
    }

    fn component(&mut self, component: Component, depth: usize) {
        let Component { kind, name, version, purl, publisher, evidence, properties, components } = component;
        match kind.as_str() {
            "operating-system" => {
                let os = OsRelease { id: name.clone(), version_id: version, ..OsRelease::default() };
                self.done.os.get_or_insert(os);
            }
            "library" | "application" | "framework" => {
                let occurrence = evidence.and_then(|it| it.occurrences.into_iter().next());
                let location = occurrence.map_or_else(PackageLocation::default, |it| PackageLocation {
                    path: it.location,
                    stanza: it.line,
                });
                let owned_by = properties.into_iter().find(|it| it.name == "plimsoll:owned-by");
                self.package(&name, purl, |package| {
                    package.vendor = publisher;
                    package.location = location;
                    package.owned_by = owned_by.map(|property| property.value);
                });
            }
            _ => {}
        }
        match depth < MAX_DEPTH {
            true => components.into_iter().for_each(|inner| self.component(inner, depth + 1)),
            false if components.is_empty() => {}
            false => self.gap(&name, format!("components more than {MAX_DEPTH} deep")),
        }
    }

    fn spdx(&mut self, package: SpdxPackage) {
        match package.primary_package_purpose.as_deref() {
            Some("OPERATING-SYSTEM" | "OPERATING_SYSTEM") => {
                let os =
                    OsRelease { id: package.name, version_id: package.version_info, ..OsRelease::default() };
                self.done.os.get_or_insert(os);
                return;
            }
            Some("CONTAINER" | "FILE" | "SOURCE" | "ARCHIVE") => return,
            _ => {}
        }
        let purl = package.external_refs.into_iter().find(|it| it.reference_type == "purl");
        let vendor = package.supplier.and_then(|text| {
            let (_, vendor) = text.split_once(": ")?;
            Some(vendor.to_owned())
        });
        let owner = package
            .annotations
            .iter()
            .find_map(|annotation| annotation.comment.strip_prefix("owned-by: ").map(str::to_owned));
        let location = package.source_info.as_deref().map(place).unwrap_or_default();
        self.package(&package.name, purl.map(|it| it.reference_locator), |package| {
            package.vendor = vendor;
            package.location = location;
            package.owned_by = owner;
        });
    }

    fn package(&mut self, name: &str, purl: Option<String>, fill: impl FnOnce(&mut InstalledPackage)) {
        let read = match purl {
            Some(purl) => InstalledPackage::from_purl(&purl),
            None => Err("it has no package URL, so that nobody knows which package it is".to_owned()),
        };
        match read {
            _ if self.done.packages.len() >= MAX_PACKAGES => self.refused += 1,
            Ok((mut package, os)) => {
                fill(&mut package);
                if self.of_purl.is_none() {
                    self.of_purl = os;
                }
                self.done.packages.push(package);
            }
            Err(reason) => self.gap(name, reason),
        }
    }

    fn gap(&mut self, component: &str, reason: String) {
        if self.done.gaps.len() >= MAX_NAMED {
            self.refused += 1;
            return;
        }
        let source = match component {
            "" => "a component without a name".to_owned(),
            name => name.chars().take(200).collect(),
        };
        self.done.gaps.push(Gap { subject: "bill of materials".to_owned(), source, reason });
    }

    fn finish(mut self) -> PackageInventory {
        if self.refused > 0 {
            let reason = format!("{} more components are not covered", self.refused);
            self.done.gaps.push(Gap {
                subject: "bill of materials".to_owned(),
                source: String::new(),
                reason,
            });
        }
        if self.done.os.is_none() {
            self.done.os = self.of_purl;
        }
        self.done.packages.sort();
        self.done
    }
}

/// What plimsoll writes as `recorded in PATH, LINE`; anything else as it stands.
fn place(text: &str) -> PackageLocation {
    let rest = text.strip_prefix("recorded in ").unwrap_or(text);
    match rest.rsplit_once(", ").and_then(|(path, line)| Some((path, line.parse().ok()?))) {
        Some((path, line)) => PackageLocation { path: path.to_owned(), stanza: Some(line) },
        None => PackageLocation { path: rest.to_owned(), stanza: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cyclonedx() {
        let text = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
            {"type": "operating-system", "name": "debian", "version": "12"},
            {"type": "container", "name": "x", "components": [
                {"type": "library", "name": "bash", "version": "5.2.15-2+b7", "publisher": "D <d@debian.org>",
                 "purl": "pkg:deb/debian/bash@5.2.15-2%2Bb7?distro=debian-12&upstream=bash%405.2.15-2"}]},
            {"type": "library", "name": "left"},
            {"type": "library", "name": "right", "purl": "pkg:hex/right@1"},
            {"type": "file", "name": "/etc/passwd"}]}"#;
        let read = read_sbom(text.as_bytes()).unwrap();
        assert_eq!(read.os.unwrap().version_id.unwrap(), "12");
        let [bash] = read.packages.as_slice() else { panic!("{:?}", read.packages) };
        assert_eq!(bash.source_version.as_deref(), Some("5.2.15-2"));
        let unknown: Vec<_> = read.gaps.iter().map(|gap| gap.source.as_str()).collect();
        assert_eq!(unknown, ["left", "right"]);
    }

    #[test]
    fn spdx() {
        let text = r#"{"spdxVersion": "SPDX-2.3", "packages": [
            {"name": "img", "primaryPackagePurpose": "CONTAINER"},
            {"name": "musl", "versionInfo": "1.2.5-r0", "supplier": "Person: T <t@alpinelinux.org>",
             "sourceInfo": "recorded in lib/apk/db/installed, 7", "externalRefs": [
                {"referenceType": "purl", "referenceLocator": "pkg:apk/alpine/musl@1.2.5-r0?distro=alpine-3.20.3"}]}]}"#;
        let read = read_sbom(text.as_bytes()).unwrap();
        assert_eq!(read.os.unwrap().id, "alpine");
        assert_eq!(read.packages[0].location.stanza, Some(7));
        assert!(read.gaps.is_empty());
    }

    #[test]
    fn what_is_no_bill_is_an_error() {
        for text in ["", "[]", "{}", r#"{"spdxVersion": "SPDX-3.0"}"#, r#"{"bomFormat": 4}"#] {
            assert!(read_sbom(text.as_bytes()).is_err(), "{text}");
        }
        let deep =
            format!("{}{}", r#"{"bomFormat":"CycloneDX","components":[{"components":["#.repeat(200), "]");
        assert!(read_sbom(deep.as_bytes()).is_err());
    }
}
