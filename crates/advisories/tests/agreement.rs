//! The matcher against a reference that is slow and obvious: straight from the records' JSON, every record asked for
//! every source package, versions compared by dpkg itself. Both must find the same flaws in the same packages.
//!
//! `PLIMSOLL_TEST_DATA=FOLDER` (with `advisories/Debian/all.zip` inside) adds the whole archive, on the packages of the
//! image `plimsoll-test/mariadb:bookworm` where an engine has it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod records;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll_advisories::{Database, import, match_packages};
use plimsoll_facts::{Ecosystem, InstalledPackage, OsRelease, PackageInventory};
use serde_json::Value;

/// (source package, CVE).
type Found = BTreeSet<(String, String)>;

const IMAGE: &str = "plimsoll-test/mariadb:bookworm";
const ECOSYSTEM: &str = "Debian:12";

#[test]
fn on_the_fixture() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agreement");
    let records: Vec<Value> =
        serde_json::from_slice(&fs::read(folder.join("records.json")).unwrap()).unwrap();
    let status = fs::read_to_string(folder.join("status")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("records");
    fs::create_dir(&source).unwrap();
    for record in &records {
        let name = format!("{}.json", record["id"].as_str().unwrap());
        fs::write(source.join(name), record.to_string()).unwrap();
    }
    let database = dir.path().join("db");
    import(&source, &database, 0, &|_, _| ()).unwrap();
    for status in [status.clone(), as_released(&status)] {
        let (reference, ours) = compare(&records, &status, &database);
        assert_eq!(ours, reference);
        assert!(reference.len() > 5, "{reference:?}");
    }
}

#[test]
fn on_the_whole_archive() {
    let Some(data) = std::env::var_os("PLIMSOLL_TEST_DATA") else {
        return eprintln!("skipped: PLIMSOLL_TEST_DATA names no folder");
    };
    let archive = PathBuf::from(data).join("advisories/Debian/all.zip");
    let read = Command::new("docker")
        .args(["run", "--rm", "--network", "none", "--entrypoint", "cat", IMAGE, "/var/lib/dpkg/status"])
        .output();
    let status = match read {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        _ => return eprintln!("skipped: no engine has {IMAGE}"),
    };
    let records = records::all_records(&archive);
    let dir = tempfile::tempdir().unwrap();
    import(&archive, dir.path(), 0, &|_, _| ()).unwrap();
    for status in [status.clone(), as_released(&status)] {
        let (reference, ours) = compare(&records, &status, dir.path());
        eprintln!("{} records, {} flaws", records.len(), reference.len());
        let (missing, invented) = (&reference - &ours, &ours - &reference);
        assert!(missing.is_empty() && invented.is_empty(), "missing {missing:?}, invented {invented:?}");
    }
}

/// The packages as Debian 12 was released, before its security updates: many more flaws to agree about.
fn as_released(status: &str) -> String {
    let mut text = String::new();
    for line in status.lines() {
        let end =
            line.find("+deb12u").filter(|_| line.starts_with("Version:") || line.starts_with("Source:"));
        let closing = if line.ends_with(')') { ")" } else { "" };
        match end {
            Some(end) => text.extend([&line[..end], closing, "\n"]),
            None => text.extend([line, "\n"]),
        }
    }
    text
}

fn compare(records: &[Value], status: &str, database: &Path) -> (Found, Found) {
    let packages = installed(status);
    let reference = reference(records, &packages);
    let found = match_packages(&inventory(&packages), &Database::new(database));
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    let ours = found.vulnerabilities.into_iter().map(|flaw| (flaw.package, flaw.id)).collect();
    (reference, ours)
}

struct Stanza {
    name: String,
    version: String,
    source: String,
    source_version: String,
}

fn installed(status: &str) -> Vec<Stanza> {
    let mut packages = Vec::new();
    for stanza in status.split("\n\n") {
        let field = |wanted: &str| {
            stanza.lines().find_map(|line| line.strip_prefix(wanted)?.strip_prefix(": ")).map(str::to_owned)
        };
        if field("Status").as_deref() != Some("install ok installed") {
            continue;
        }
        let (name, version) = (field("Package").unwrap(), field("Version").unwrap());
        let source = field("Source").unwrap_or_else(|| name.clone());
        let (source, source_version) = match source.split_once(" (") {
            Some((source, version)) => (source.to_owned(), version.trim_end_matches(')').to_owned()),
            None => (source, version.clone()),
        };
        packages.push(Stanza { name, version, source, source_version });
    }
    packages
}

fn inventory(packages: &[Stanza]) -> PackageInventory {
    let package = |stanza: &Stanza| InstalledPackage {
        ecosystem: Ecosystem::Dpkg,
        name: stanza.name.clone(),
        version: stanza.version.clone(),
        source_name: Some(stanza.source.clone()),
        source_version: Some(stanza.source_version.clone()),
        ..InstalledPackage::default()
    };
    PackageInventory {
        os: Some(OsRelease { id: "debian".into(), version_id: Some("12".into()), ..OsRelease::default() }),
        packages: packages.iter().map(package).collect(),
        ..PackageInventory::default()
    }
}

/// A flaw is there when a record says so, and no record says that this version has it fixed.
fn reference(records: &[Value], packages: &[Stanza]) -> Found {
    let mut dpkg = Dpkg::default();
    let mut said: BTreeMap<(String, String), (bool, bool)> = BTreeMap::new();
    let mut asked = BTreeSet::new();
    for package in packages {
        // The kernel of an image does not run.
        if package.source == "linux" || !asked.insert((&package.source, &package.source_version)) {
            continue;
        }
        for record in records.iter().filter(|record| record.get("withdrawn").is_none()) {
            for affected in record["affected"].as_array().into_iter().flatten() {
                let about = &affected["package"];
                if about["ecosystem"] != ECOSYSTEM || about["name"] != *package.source {
                    continue;
                }
                let (inside, behind) = judge(&mut dpkg, affected, &package.source_version);
                for cve in cves(record) {
                    let entry = said.entry((package.source.clone(), cve)).or_default();
                    entry.0 |= inside;
                    entry.1 |= behind && !inside;
                }
            }
        }
    }
    said.into_iter().filter(|(_, (inside, behind))| *inside && !behind).map(|(key, _)| key).collect()
}

/// Whether a version is inside a range, and whether it is behind the end of one.
fn judge(dpkg: &mut Dpkg, affected: &Value, version: &str) -> (bool, bool) {
    let (mut inside, mut behind) = (false, false);
    for range in affected["ranges"].as_array().into_iter().flatten() {
        let mut vulnerable = false;
        let mut passed = false;
        for event in range["events"].as_array().into_iter().flatten() {
            if let Some(from) = event["introduced"].as_str() {
                if from == "0" || dpkg.reaches(version, from) {
                    vulnerable = true;
                }
            } else if let Some(fixed) = event["fixed"].as_str()
                && fixed != "0"
                && dpkg.reaches(version, fixed)
            {
                passed |= vulnerable;
                vulnerable = false;
            } else if event["fixed"].as_str() == Some("0") {
                vulnerable = false;
            }
        }
        inside |= vulnerable;
        behind |= passed;
    }
    let none = affected["ranges"].as_array().is_none_or(Vec::is_empty);
    let listed = affected["versions"].as_array().into_iter().flatten().any(|it| it == version);
    (inside || (none && listed), behind)
}

fn cves(record: &Value) -> Vec<String> {
    let lists = ["aliases", "upstream", "related"].map(|key| record[key].as_array().cloned());
    let names = lists.into_iter().flatten().flatten().chain([record["id"].clone()]);
    let names: Vec<String> = names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .filter(|name| name.starts_with("CVE-"))
        .collect();
    if names.is_empty() { vec![record["id"].as_str().unwrap().to_owned()] } else { names }
}

/// dpkg's own comparison, each asked once.
#[derive(Default)]
struct Dpkg(HashMap<(String, String), bool>);

impl Dpkg {
    fn reaches(&mut self, version: &str, other: &str) -> bool {
        let ask = |(a, b): &(String, String)| {
            Command::new("dpkg").args(["--compare-versions", a, "ge", b]).status().unwrap().success()
        };
        let key = (version.to_owned(), other.to_owned());
        *self.0.entry(key).or_insert_with_key(ask)
    }
}
