//! What `plimsoll scan` finds, against a reference that is slow and obvious: both must find the same flaws in the same
//! packages.
//!
//! The packages are those of a fixture, of small roots of every ecosystem, and of Debian 11, 12 and 13 as `tests/live/debian-roots.sh` makes them (root and
//! a Debian source are needed; made once, then kept below `target`). `PLIMSOLL_TEST_DATA=FOLDER`, with
//! `advisories/Debian/all.zip` inside, adds all of Debian's records.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests fail and tell")]

mod ecosystems;
#[path = "../../../advisories/tests/records/mod.rs"]
mod records;
mod reference;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::reference::{Dpkg, Found, reference};

const SUITES: [(&str, &str); 3] = [("bullseye", "11"), ("bookworm", "12"), ("trixie", "13")];

#[test]
fn on_the_fixture() {
    let world = World::of_fixture();
    let found = world.agree("Debian:12", &fixture());
    assert!(found.len() > 5, "{found:?}");
}

#[test]
fn on_three_releases_of_debian() {
    let Some(roots) = roots() else { return };
    let world = World::of_everything();
    for (suite, version) in SUITES {
        let found = world.agree(&format!("Debian:{version}"), &roots.join(suite));
        eprintln!("Debian {version}: {} records, {} flaws", world.records.len(), found.len());
        assert!(found.len() >= world.least, "Debian {version}: only {} flaws", found.len());
    }
}

/// Records, and the database that plimsoll makes of them.
struct World {
    records: Vec<Value>,
    /// Flaws that every release of Debian has at least.
    least: usize,
    folder: tempfile::TempDir,
}

impl World {
    fn of_fixture() -> Self {
        Self::of(&fixture().join("records.json"))
    }

    /// Of a file with a list of records.
    fn of(path: &Path) -> Self {
        let records: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("records");
        fs::create_dir(&source).unwrap();
        for record in &records {
            let name = format!("{}.json", record["id"].as_str().unwrap().replace(':', "-"));
            fs::write(source.join(name), record.to_string()).unwrap();
        }
        Self { records, least: 0, folder }.imported(&source)
    }

    fn of_everything() -> Self {
        let Some(data) = std::env::var_os("PLIMSOLL_TEST_DATA") else {
            eprintln!("PLIMSOLL_TEST_DATA names no folder: the fixture's records alone");
            return Self::of_fixture();
        };
        let archive = PathBuf::from(data).join("advisories/Debian/all.zip");
        let records = records::all_records(&archive);
        Self { records, least: 50, folder: tempfile::tempdir().unwrap() }.imported(&archive)
    }

    fn imported(self, source: &Path) -> Self {
        plimsoll(&["db", "import", "--db", self.database().to_str().unwrap(), source.to_str().unwrap()]);
        self
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("db")
    }

    /// Scans a root as it is and as it was released, and holds what is found against the reference.
    fn agree(&self, ecosystem: &str, root: &Path) -> Found {
        let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
        let status = read("var/lib/dpkg/status");
        let mut dpkg = Dpkg::default();
        let mut all = Found::new();
        for (name, status) in [("now", status.clone()), ("released", as_released(&status))] {
            let copy = self.folder.path().join(name);
            fs::create_dir_all(copy.join("var/lib/dpkg")).unwrap();
            fs::create_dir_all(copy.join("etc")).unwrap();
            fs::write(copy.join("etc/os-release"), read("etc/os-release")).unwrap();
            fs::write(copy.join("var/lib/dpkg/status"), &status).unwrap();
            let expected = reference(&mut dpkg, &self.records, &[ecosystem], &status);
            let found = found(&self.scan(&copy));
            let (missing, invented) = (&expected - &found, &found - &expected);
            assert!(
                missing.is_empty() && invented.is_empty(),
                "{ecosystem} {name}: missing {missing:?}, invented {invented:?}"
            );
            all.extend(found);
        }
        all
    }

    /// The report of a scan.
    fn scan(&self, root: &Path) -> Value {
        let name = format!("dir:{}", root.display());
        let database = self.database();
        let args = ["scan", "--db", database.to_str().unwrap(), "--format", "json", &name];
        serde_json::from_str(&plimsoll(&args)).unwrap()
    }
}

fn found(report: &Value) -> Found {
    let flaws = report["vulnerabilities"].as_array().unwrap();
    let text = |flaw: &Value, key: &str| flaw[key].as_str().unwrap().to_owned();
    flaws.iter().map(|flaw| (text(flaw, "package"), text(flaw, "id"))).collect()
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agreement/fixture")
}

/// The folder with the roots, made where they are missing. Skipped where they cannot be made; in CI that is a failure.
fn roots() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian-roots");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/live/debian-roots.sh");
    let made = Command::new(script).arg(&folder).args(SUITES.map(|(suite, _)| suite)).output().unwrap();
    if made.status.success() {
        return Some(folder);
    }
    let reason = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(std::env::var_os("CI").is_none(), "the releases of Debian cannot be made: {reason}");
    eprintln!("skipped: on_three_releases_of_debian: {reason}");
    None
}

/// What plimsoll writes to standard output. It may have findings or know too little, but must not fail.
fn plimsoll(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(args).output().unwrap();
    let failed = matches!(output.status.code(), Some(2 | 3) | None);
    assert!(!failed, "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The packages as the release came out, before its updates: many more flaws to agree about.
fn as_released(status: &str) -> String {
    let mut text = String::new();
    for line in status.lines() {
        let end = line.find("+deb").filter(|_| line.starts_with("Version:") || line.starts_with("Source:"));
        let closing = if line.ends_with(')') { ")" } else { "" };
        match end {
            Some(end) => text.extend([&line[..end], closing, "\n"]),
            None => text.extend([line, "\n"]),
        }
    }
    text
}
