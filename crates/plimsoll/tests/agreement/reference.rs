//! The reference: straight from the records' JSON, without a line of plimsoll; versions are compared by dpkg itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Command;

use serde_json::Value;

/// (source package, CVE).
pub(crate) type Found = BTreeSet<(String, String)>;

/// A flaw is there when the version is inside of one of its ranges, and none of its fixes that the version has came after
/// the begin of that range.
pub(crate) fn reference(dpkg: &mut Dpkg, records: &[Value], ecosystems: &[&str], status: &str) -> Found {
    let packages = installed(status);
    let mut said: BTreeMap<(String, String, String), Said> = BTreeMap::new();
    for record in records.iter().filter(|record| record.get("withdrawn").is_none()) {
        for affected in record["affected"].as_array().into_iter().flatten() {
            let about = &affected["package"];
            if !ecosystems.iter().any(|ecosystem| about["ecosystem"] == **ecosystem) {
                continue;
            }
            for (source, version) in packages.iter().filter(|(source, _)| about["name"] == *source) {
                for cve in cves(record) {
                    let key = (source.clone(), version.clone(), cve);
                    said.entry(key).or_default().add(dpkg, affected, version);
                }
            }
        }
    }
    let there = said.into_iter().filter(|(_, said)| said.is_there(dpkg));
    there.map(|((source, _, cve), _)| (source, cve)).collect()
}

/// What all records say about one flaw and one version.
#[derive(Default)]
struct Said {
    /// Begins of the ranges that the version is inside of.
    inside: Vec<String>,
    /// Fixes that the version has.
    fixes: Vec<String>,
}

/// Source packages with their versions, but for the kernel: that of an image does not run.
fn installed(status: &str) -> BTreeSet<(String, String)> {
    let mut packages = BTreeSet::new();
    for stanza in status.split("\n\n") {
        let field = |wanted: &str| {
            stanza.lines().find_map(|line| line.strip_prefix(wanted)?.strip_prefix(": ")).map(str::to_owned)
        };
        if field("Status").as_deref() != Some("install ok installed") {
            continue;
        }
        let (name, version) = (field("Package").unwrap(), field("Version").unwrap());
        let source = field("Source").unwrap_or(name);
        packages.insert(match source.split_once(" (") {
            Some((source, version)) => (source.to_owned(), version.trim_end_matches(')').to_owned()),
            None => (source, version),
        });
    }
    packages.retain(|(source, _)| source != "linux");
    packages
}

impl Said {
    fn add(&mut self, dpkg: &mut Dpkg, affected: &Value, version: &str) {
        for range in affected["ranges"].as_array().into_iter().flatten() {
            let mut since: Option<&str> = None;
            for event in range["events"].as_array().into_iter().flatten() {
                if let Some(from) = event["introduced"].as_str() {
                    if from == "0" || dpkg.reaches(version, from) {
                        since = Some(from);
                    }
                } else if let Some(fixed) = event["fixed"].as_str() {
                    if fixed == "0" {
                        since = None;
                    } else if since.is_some() && dpkg.reaches(version, fixed) {
                        since = None;
                        self.fixes.push(fixed.to_owned());
                    }
                }
            }
            self.inside.extend(since.map(str::to_owned));
        }
        let none = affected["ranges"].as_array().is_none_or(Vec::is_empty);
        if none && affected["versions"].as_array().into_iter().flatten().any(|it| it == version) {
            self.inside.push(version.to_owned());
        }
    }

    fn is_there(&self, dpkg: &mut Dpkg) -> bool {
        let mut comes_after = |fix: &str, begin: &str| begin == "0" || !dpkg.reaches(begin, fix);
        self.inside.iter().any(|begin| !self.fixes.iter().any(|fix| comes_after(fix, begin)))
    }
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
pub(crate) struct Dpkg(HashMap<(String, String), bool>);

impl Dpkg {
    fn reaches(&mut self, version: &str, other: &str) -> bool {
        let ask = |(a, b): &(String, String)| {
            Command::new("dpkg").args(["--compare-versions", a, "ge", b]).status().unwrap().success()
        };
        let key = (version.to_owned(), other.to_owned());
        *self.0.entry(key).or_insert_with_key(ask)
    }
}
