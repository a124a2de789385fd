//! Packages of images and of containers that changed theirs, held against advisories in an audit.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, process};

use serde_json::Value;

use crate::docker::{self, BASE, LABEL, docker, run, text};
use crate::scene::{PREFIX, Report, Test, plimsoll};

const FIXABLE: &str = "package-flaw-fixable";
const FLAW: &str = "CVE-2024-21626";
/// Of Debian 12, with that flaw and without.
const OLD: &str = "1.1.5+ds1-1";
const MENDED: &str = "1.1.5+ds1-1+deb12u1";

/// The tests.
pub(crate) fn tests() -> Vec<Test> {
    vec![
        Test::new("old_packages_of_images_and_containers", old_packages),
        Test::new("packages_without_a_database_are_unknown", no_database),
    ]
}

fn old_packages() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let database = database(folder.path())?;
    let image = image_with_old_package("packages-old")?;
    let name = |what: &str| format!("{PREFIX}packages-{what}-{}", process::id());
    let (runs, mends, adds) = (name("runs"), name("mends"), name("adds"));
    run(&runs, &[], &image, &["sleep", "600"])?;
    let mend = format!("sed -i 's/^Version: {}$/Version: {MENDED}/' /var/lib/dpkg/status", escaped(OLD));
    run(&mends, &[], &image, &["sh", "-ec", &format!("{mend}; touch /done; exec sleep 600")])?;
    let add = format!("printf '{}' >>/var/lib/dpkg/status", stanza("\\n"));
    run(&adds, &[], BASE, &["sh", "-ec", &format!("{add}; touch /done; exec sleep 600")])?;
    for container in [&mends, &adds] {
        docker(&["exec", container, "sh", "-c", "until test -e /done; do sleep 0.1; done"])?;
    }
    let report = Report::of(&["--host", docker::SOCKET, "--db", &database])?;
    report.matches_schema()?;
    let of_image = about(&report, &image)?;
    is(&of_image, "fail")?;
    let told = of_image.to_string();
    for wanted in [FLAW, OLD, MENDED, &runs, "/var/lib/dpkg/status"] {
        if !told.contains(wanted) {
            return Err(format!("nothing of {wanted} in {told}"));
        }
    }
    // What a container has mended is right in it alone, and what it has added is wrong in it alone.
    is(&about(&report, &mends)?, "pass")?;
    is(&about(&report, &adds)?, "fail")?;
    is(&about(&report, BASE)?, "pass")?;
    // One that runs as its image is has nothing of its own to tell.
    match report.answers(FIXABLE, &runs).as_slice() {
        [] => Ok(()),
        [answer] => is(answer, "not-applicable"),
        more => Err(format!("{more:#?}")),
    }
}

fn no_database() -> Result<(), String> {
    let image = image_with_old_package("packages-unknown")?;
    let report = Report::of(&["--host", docker::SOCKET, "--db", "/nonexistent/plimsoll"])?;
    report.is_incomplete()?;
    let answer = about(&report, &image)?;
    is(&answer, "unknown")?;
    let host = report.answers_about_host("advisories-outdated");
    if !host.iter().any(|answer| answer["status"] == "unknown") {
        return Err(format!("{host:#?}"));
    }
    let told = answer.to_string();
    if told.contains("plimsoll db update") { Ok(()) } else { Err(told) }
}

/// A database of the one record that is asked for here.
fn database(folder: &Path) -> Result<String, String> {
    let records = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agreement/ecosystems/records.json");
    let records = fs::read(records).map_err(|error| error.to_string())?;
    let records: Vec<Value> = serde_json::from_slice(&records).map_err(|error| error.to_string())?;
    let id = format!("DEBIAN-{FLAW}");
    let record = records.iter().find(|record| record["id"] == id).ok_or("no such record")?;
    let path = folder.join("record.json");
    fs::write(&path, record.to_string()).map_err(|error| error.to_string())?;
    let database = folder.join("db").display().to_string();
    plimsoll(&["db", "import", "--db", &database, &path.display().to_string()])?;
    Ok(database)
}

/// Debian's base system with a package that it does not have, as dpkg would list it.
fn image_with_old_package(name: &str) -> Result<String, String> {
    let image = format!("{PREFIX}{name}:{}", process::id());
    // Of the same content it would be one image with two names.
    let dockerfile =
        format!("FROM {BASE}\nLABEL name={image}\nRUN printf '{}' >>/var/lib/dpkg/status\n", stanza("\\n"));
    let mut build = Command::new("docker");
    build.args(["build", "--quiet", "--network", "none", "--label", LABEL, "--tag", &image, "-"]);
    build.env("DOCKER_BUILDKIT", "0").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut build = build.spawn().map_err(|error| error.to_string())?;
    let input = build.stdin.take().ok_or("no standard input")?;
    { input }.write_all(dockerfile.as_bytes()).map_err(|error| error.to_string())?;
    text(build.wait_with_output().map_err(|error| error.to_string())?)?;
    Ok(image)
}

fn stanza(line: &str) -> String {
    let maintainer = "Maintainer: Debian Go Packaging Team <pkg-go-maintainers@lists.alioth.debian.org>";
    let fields = ["", "Package: runc", "Status: install ok installed", maintainer, "Architecture: amd64"];
    let version = format!("Version: {OLD}");
    fields.into_iter().chain([version.as_str(), ""]).collect::<Vec<_>>().join(line)
}

/// As sed(1) takes it for itself.
fn escaped(version: &str) -> String {
    version.replace('.', "\\.")
}

fn about(report: &Report, subject: &str) -> Result<Value, String> {
    match report.answers(FIXABLE, subject).as_slice() {
        [answer] => Ok((*answer).clone()),
        other => Err(format!("about {subject}: {other:#?}")),
    }
}

fn is(answer: &Value, status: &str) -> Result<(), String> {
    if answer["status"] == status { Ok(()) } else { Err(format!("not {status}: {answer:#}")) }
}
