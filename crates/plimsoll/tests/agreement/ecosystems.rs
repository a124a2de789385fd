//! A small root of each ecosystem, scanned with real advisories of all of them: what is found, and what is said of the
//! packages without a flaw.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::reference::{Dpkg, reference};
use crate::{World, found, plimsoll};

/// A flaw: package as reported, id, installed version, first fixed version, status.
type Flaw = (&'static str, &'static str, &'static str, Option<&'static str>, &'static str);

/// A root, what is wrong with its packages, and the others with their verdict and the reason for it.
struct Case(&'static str, &'static [Flaw], &'static [(&'static str, &'static str, &'static str)]);

const FIX: &str = "fix-available";

const CASES: [Case; 16] = [
    Case(
        "debian-12",
        &[("runc", "CVE-2024-21626", "1.1.5+ds1-1", Some("1.1.5+ds1-1+deb12u1"), FIX)],
        &[
            ("docker-ce", "not-covered", "published by docker.com"),
            ("golang-github-opencontainers-runc-dev", "fixed", ""),
        ],
    ),
    Case(
        "ubuntu-20.04",
        &[
            ("adminer", "CVE-2020-35572", "4.7.6-1", Some("4.7.6-1ubuntu0.1~esm1"), FIX),
            ("lemonldap-ng", "CVE-2021-35473", "2.0.7+ds-2", None, "no-fix"),
            ("openssl", "CVE-2020-1967", "1.1.1f-1ubuntu1", Some("1.1.1f-1ubuntu2"), FIX),
        ],
        // The archive has no fix; that of Ubuntu Pro is installed.
        &[("sympa", "fixed", "")],
    ),
    Case(
        "alpine-3.20",
        &[("openssl", "CVE-2024-12797", "3.3.2-r0", Some("3.3.3-r0"), FIX)],
        &[("musl", "not-affected", "")],
    ),
    Case(
        "wolfi",
        &[("haproxy-3.1", "CVE-2025-32464", "3.1.6-r0", Some("3.1.7-r0"), FIX)],
        &[("syncthing", "fixed", "")],
    ),
    Case(
        "chainguard",
        &[("haproxy-2.8", "CVE-2025-32464", "2.8.17-r1", Some("2.8.18-r0"), FIX)],
        // `fixed: 0` says that it never had the flaw.
        &[("syncthing-compat", "not-affected", "")],
    ),
    Case(
        "rhel-9",
        &[("sudo", "CVE-2025-32462", "1.9.5p2-9.el9", Some("0:1.9.5p2-10.el9_6.1"), FIX)],
        // curl's fix of 9.3 is told by the VEX document alone.
        &[("bash", "not-affected", ""), ("libcurl", "fixed", "")],
    ),
    Case(
        "almalinux-9",
        &[("runc", "CVE-2024-21626", "4:1.1.9-1.el9", Some("4:1.1.12-1.el9_3"), FIX)],
        &[("sudo", "fixed", "")],
    ),
    Case(
        "rocky-9",
        &[("sudo", "CVE-2023-22809", "1.9.5p2-7.el9", Some("1.9.5p2-7.el9_1.1"), FIX)],
        &[("bash", "not-affected", "")],
    ),
    Case(
        "sles-15.1",
        &[
            ("helm-mirror", "CVE-2018-16873", "0.2.0-1.4.1", Some("0.2.1-1.7.1"), FIX),
            ("helm-mirror", "CVE-2018-16874", "0.2.0-1.4.1", Some("0.2.1-1.7.1"), FIX),
            ("helm-mirror", "CVE-2018-16875", "0.2.0-1.4.1", Some("0.2.1-1.7.1"), FIX),
        ],
        &[],
    ),
    Case(
        "opensuse-leap-15.6",
        &[
            ("libicu-suse65_1", "CVE-2025-5222", "65.1-150200.4.10.1", Some("65.1-150200.4.15.1"), FIX),
            ("libicu65_1-ledata", "CVE-2025-5222", "65.1-150200.4.10.1", Some("65.1-150200.4.15.1"), FIX),
        ],
        &[],
    ),
    Case(
        "amazon-2023",
        &[],
        &[(
            "openssl-libs",
            "not-covered",
            "no advisories for Amazon Linux:2023 are there; OSV publishes none",
        )],
    ),
    Case(
        "go",
        &[
            ("golang.org/x/net", "CVE-2023-3978", "0.10.0", Some("0.13.0"), FIX),
            ("stdlib", "CVE-2023-39321", "1.21.0", Some("1.21.1"), FIX),
        ],
        &[("example.org/server", "not-affected", ""), ("golang.org/x/text", "not-affected", "")],
    ),
    Case(
        "python",
        &[("requests", "CVE-2023-32681", "2.30.0", Some("2.31.0"), FIX)],
        &[("urllib3", "not-affected", "")],
    ),
    Case(
        "npm",
        &[("ansi-html", "CVE-2021-23424", "0.0.7", Some("0.0.8"), FIX)],
        &[("ansi-html", "fixed", "")],
    ),
    Case(
        "rust",
        &[("time", "CVE-2020-26235", "0.1.45", Some("0.2.0"), FIX)],
        &[("serde", "not-affected", ""), ("server", "not-affected", "")],
    ),
    // 2.14.1 has the fixes of two older branches behind it, and not that of its own.
    Case(
        "java",
        &[("org.apache.logging.log4j:log4j-core", "CVE-2021-44228", "2.14.1", Some("2.15.0"), FIX)],
        &[("org.apache.logging.log4j:log4j-api", "not-affected", "")],
    ),
];

#[test]
fn each_ecosystem_from_its_root_to_its_flaws() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agreement/ecosystems");
    let world = World::of(&folder.join("records.json"));
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("../advisories/tests/data/red-hat-vex");
    plimsoll(&["db", "import", "--db", world.database().to_str().unwrap(), documents.to_str().unwrap()]);
    for Case(name, flaws, others) in CASES {
        let root = folder.join(name);
        let report = world.scan(&root);
        let expected: BTreeSet<Flaw> = flaws.iter().copied().collect();
        assert_eq!(told(&report), expected, "{name}");
        let rest = without_flaw(&report);
        let is_there = |other: &(&str, &str, &str)| rest.iter().any(|package| is(package, *other));
        assert!(rest.len() == others.len() && others.iter().all(is_there), "{name}: {rest:#?}");
        assert_eq!(report["gaps"], Value::Array(Vec::new()), "{name}");
        let ecosystems: &[&str] = match name {
            "debian-12" => &["Debian:12"],
            "ubuntu-20.04" => &["Ubuntu:20.04:LTS", "Ubuntu:Pro:20.04:LTS"],
            _ => continue,
        };
        let status = fs::read_to_string(root.join("var/lib/dpkg/status")).unwrap();
        let slow = reference(&mut Dpkg::default(), &world.records, ecosystems, &status);
        assert_eq!(found(&report), slow, "{name}");
    }
}

fn told(report: &Value) -> BTreeSet<(&str, &str, &str, Option<&str>, &str)> {
    let flaws = report["vulnerabilities"].as_array().unwrap().iter();
    flaws
        .map(|flaw| {
            let text = |key: &str| flaw[key].as_str();
            let must = |key| text(key).unwrap();
            (must("package"), must("id"), must("installed"), text("fixed"), must("status"))
        })
        .collect()
}

fn without_flaw(report: &Value) -> Vec<&Value> {
    let has_flaw = |verdict: &Value| verdict == FIX || verdict == "no-fix";
    report["packages"].as_array().unwrap().iter().filter(|it| !has_flaw(&it["verdict"])).collect()
}

/// Name, verdict, and the begin of the reason.
fn is(package: &Value, (name, verdict, reason): (&str, &str, &str)) -> bool {
    let given = package["reason"].as_str().unwrap_or_default();
    package["name"] == name && package["verdict"] == verdict && given.starts_with(reason)
}
