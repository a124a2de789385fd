//! The scan and its bills of materials in every format, with hostile names.

use plimsoll_facts::{
    AdvisorySource, Gap, InstalledPackage, OsRelease, PackageLocation, PackageVerdict, Verdict, VexNote,
    Vulnerabilities, Vulnerability,
};
use plimsoll_report::TerminalOptions;
use plimsoll_report::sbom::{Bill, cyclonedx, spdx};
use plimsoll_report::scan::{Scan, ScannedImage, html, markdown, sarif, terminal};
use serde_json::Value;

const HOSTILE: &str = "<script>x</script>|`\u{1b}[31m[a](b) \u{202e}@team";

fn package(name: &str) -> InstalledPackage {
    InstalledPackage {
        name: name.into(),
        version: "1:2.36-9+deb12u4".into(),
        source_name: Some("glibc".into()),
        source_version: Some("2.36-9+deb12u4".into()),
        architecture: Some("amd64".into()),
        vendor: Some(format!("{HOSTILE} <glibc@debian.org>")),
        location: PackageLocation { path: "var/lib/dpkg/status".into(), stanza: Some(7) },
        ..InstalledPackage::default()
    }
}

fn flaw(id: &str, severity: &str, score: Option<f32>, vex: Option<&str>) -> Vulnerability {
    Vulnerability {
        id: id.into(),
        advisory: format!("DEBIAN-{id}"),
        package: "glibc".into(),
        installed_as: vec!["libc6".into(), HOSTILE.into()],
        installed: "2.36-9+deb12u4".into(),
        fixed: (severity == "high").then(|| "2.36-9+deb12u7".into()),
        status: if severity == "high" { Verdict::FixAvailable } else { Verdict::NoFix },
        state: Some("postponed".into()),
        severity: severity.into(),
        score,
        vector: score.map(|_| "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:C/C:H/I:H/A:H".into()),
        exploited: Some("2024-01-01".into()),
        epss: Some(0.5),
        summary: HOSTILE.into(),
        source: "Debian:12".into(),
        evidence: "2.36-9+deb12u4 < 2.36-9+deb12u7".into(),
        location: "var/lib/dpkg/status:7".into(),
        vex: vex.map(|status| VexNote {
            status: status.into(),
            justification: Some(HOSTILE.into()),
            source: "ours.json".into(),
        }),
        ..Vulnerability::default()
    }
}

fn scan(images: &[&str]) -> Scan {
    let mut scan = Scan::new("2026-01-02T03:04:05.678Z".into());
    for name in images {
        let found = Vulnerabilities {
            packages: ["libc6", HOSTILE]
                .map(|name| PackageVerdict { package: package(name), ..PackageVerdict::default() })
                .into(),
            vulnerabilities: vec![
                flaw("CVE-1", "high", Some(8.6), None),
                flaw("CVE-2", "unknown", None, None),
                flaw("CVE-3", "negligible", None, Some("not_affected")),
                flaw("CVE-4", "low", None, Some("fixed")),
            ],
            sources: vec![AdvisorySource { release: "Debian:12".into(), ..AdvisorySource::default() }],
            gaps: vec![Gap { subject: String::new(), source: "var/lib/x".into(), reason: HOSTILE.into() }],
        };
        let image = ScannedImage {
            name: (*name).into(),
            id: Some("sha256:0".into()),
            source: "folder".into(),
            os: Some(OsRelease {
                id: "debian".into(),
                version_id: Some("12".into()),
                pretty_name: Some(HOSTILE.into()),
                ..OsRelease::default()
            }),
            end_of_life: Some("2028-06-30".into()),
            long_term_since: None,
        };
        scan.add(image, found);
    }
    scan.vex_unmatched = vec![HOSTILE.into()];
    scan
}

fn text(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("written to memory");
    String::from_utf8(out).expect("UTF-8")
}

fn document(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Value {
    serde_json::from_str(&text(write)).expect("JSON")
}

fn errors(schema: &str, others: &[(&str, &str)], document: &Value) -> Vec<String> {
    let parsed = |text| serde_json::from_str::<Value>(text).expect("a schema");
    let mut options = jsonschema::options().should_validate_formats(true);
    for (uri, text) in others {
        let resource = jsonschema::Resource::from_contents(parsed(text)).expect("a schema");
        options = options.with_resource(*uri, resource);
    }
    let validator = options.build(&parsed(schema)).expect("a schema");
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path)).collect()
}

const BOTH: [&[&str]; 2] = [&["a:1"], &["a:1", HOSTILE]];

#[test]
fn sarif_is_valid() {
    for images in BOTH {
        let log = document(|out| sarif::write(&scan(images), out));
        assert_eq!(errors(include_str!("schema/sarif-2.1.0.json"), &[], &log), [""; 0]);
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), images.len() * 5);
        assert_eq!(results.iter().filter(|it| it.get("suppressions").is_some()).count(), images.len() * 2);
    }
}

#[test]
fn cyclonedx_is_valid() {
    for images in BOTH {
        let scan = scan(images);
        let bill = document(|out| cyclonedx::write(&Bill::of(&scan), out));
        let others = [
            (
                "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json",
                include_str!("schema/spdx-licenses.json"),
            ),
            (
                "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json",
                include_str!("schema/jsf-0.82.json"),
            ),
        ];
        assert_eq!(errors(include_str!("schema/cyclonedx-1.6.json"), &others, &bill), [""; 0]);
        let vulnerabilities = bill["vulnerabilities"].as_array().unwrap();
        assert!(vulnerabilities.iter().all(|it| it["affects"].as_array().unwrap().len() == 2));
        assert_eq!(bill["compositions"][0]["aggregate"], "incomplete");
    }
}

/// By the schema, and by what the specification asks beside it (SPDX 2.3, chapters 6, 7 and 11).
#[test]
fn spdx_is_valid() {
    for images in BOTH {
        let scan = scan(images);
        let bill = document(|out| spdx::write(&Bill::of(&scan), out));
        assert_eq!(errors(include_str!("schema/spdx-2.3.json"), &[], &bill), [""; 0]);
        assert_eq!(bill["spdxVersion"], "SPDX-2.3");
        assert_eq!(bill["dataLicense"], "CC0-1.0");
        assert_eq!(bill["creationInfo"]["created"], "2026-01-02T03:04:05Z");
        assert!(!bill["documentNamespace"].as_str().unwrap().contains('#'));
        let packages = bill["packages"].as_array().unwrap();
        let ids: Vec<&str> = packages.iter().map(|it| it["SPDXID"].as_str().unwrap()).collect();
        assert_eq!(packages.len(), images.len() * 4);
        for relation in bill["relationships"].as_array().unwrap() {
            assert!(ids.contains(&relation["relatedSpdxElement"].as_str().unwrap()));
        }
        for reference in packages.iter().filter_map(|it| it["externalRefs"].as_array()).flatten() {
            let kind =
                (reference["referenceCategory"].as_str().unwrap(), reference["referenceType"].as_str());
            assert!(matches!(kind, ("PACKAGE-MANAGER", Some("purl")) | ("SECURITY", Some("advisory"))));
            assert!(!reference["referenceLocator"].as_str().unwrap().contains(' '));
        }
    }
}

#[test]
fn what_vex_calls_harmless_does_not_count() {
    let scan = scan(&["a:1"]);
    assert_eq!(scan.counted().count(), 2);
    let page = text(|out| terminal::write(&scan, &TerminalOptions::default(), out));
    assert!(page.contains("Verdict: 1 high, 1 unknown"), "{page}");
    assert!(page.contains("not_affected"), "{page}");
}

#[test]
fn names_are_names_in_every_format() {
    let scan = scan(&[HOSTILE]);
    let pages = [
        text(|out| html::write(&scan, out)),
        text(|out| markdown::write(&scan, true, out)),
        text(|out| terminal::write(&scan, &TerminalOptions::default(), out)),
        text(|out| sarif::write(&scan, out)),
        text(|out| cyclonedx::write(&Bill::of(&scan), out)),
        text(|out| spdx::write(&Bill::of(&scan), out)),
    ];
    for page in &pages {
        assert!(!page.contains(['\u{1b}', '\u{202e}']), "{page}");
    }
    assert!(!pages[0].contains("<script"));
    assert!(pages[0].contains("no fixes since 2028-06-30") && pages[1].contains("no fixes since 2028"));
    let rows = pages[1].lines().filter(|line| line.starts_with("| high"));
    assert!(rows.map(|row| row.replace("\\|", "").matches('|').count()).all(|bars| bars == 7));
    let formatted = pulldown_cmark::Parser::new_ext(&pages[1], pulldown_cmark::Options::ENABLE_TABLES)
        .any(|event| matches!(event, pulldown_cmark::Event::Html(_) | pulldown_cmark::Event::InlineHtml(_)));
    assert!(!formatted, "{}", pages[1]);
}
