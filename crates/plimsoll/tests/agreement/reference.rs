//! The reference: straight from the records' JSON, without a line of plimsoll; versions are compared by dpkg itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Command;

use serde_json::Value;

/// (source package, CVE).
pub(crate) type Found = BTreeSet<(String, String)>;

/// A flaw is there when a record says so, and no record says that this version has it fixed.
pub(crate) fn reference(dpkg: &mut Dpkg, records: &[Value], ecosystem: &str, status: &str) -> Found {
    let packages = installed(status);
    let mut said: BTreeMap<(String, String), (bool, bool)> = BTreeMap::new();
    for record in records.iter().filter(|record| record.get("withdrawn").is_none()) {
        for affected in record["affected"].as_array().into_iter().flatten() {
            let about = &affected["package"];
            if about["ecosystem"] != ecosystem {
                continue;
            }
            for (source, version) in packages.iter().filter(|(source, _)| about["name"] == *source) {
                let (inside, behind) = judge(dpkg, affected, version);
                for cve in cves(record) {
                    let entry = said.entry((source.clone(), cve)).or_default();
                    entry.0 |= inside;
                    entry.1 |= behind && !inside;
                }
            }
        }
    }
    said.into_iter().filter(|(_, (inside, behind))| *inside && !behind).map(|(key, _)| key).collect()
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
