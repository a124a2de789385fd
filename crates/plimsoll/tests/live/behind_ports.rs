//! Which flaws attack paths go by: those of what listens on the port, not whatever is in the image.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cuts::{FLAW, SERVER, advisories};
use crate::docker::{self, BASE, MARIADB, docker};
use crate::scene::{Test, plimsoll};

/// How long the database may take to listen.
const START: Duration = Duration::from_secs(120);

pub(crate) fn tests() -> impl Iterator<Item = Test> {
    [Test::new("attack_paths_go_by_flaws_of_what_listens", what_listens)].into_iter()
}

fn name(of: &str) -> String {
    format!("plt-behind-{}-{of}", std::process::id())
}

/// A published front in Perl; behind it a database in whose image Perl is, too, and a program that no package owns, with
/// modules that one does.
fn what_listens() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let network = name("net");
    docker(&["network", "create", "--label", &docker::label(), &network])?;
    docker::run(&name("front"), &["--network", &network, "-p", "8080"], BASE, &SERVER)?;
    docker::run(&name("db"), &["--network", &network], MARIADB, &[])?;
    let copied = "cp /usr/bin/perl /opt/server && exec /opt/server \"$@\"";
    let command = [&["sh", "-c", copied][..], &SERVER].concat();
    docker::run(&name("copy"), &["--network", &network], BASE, &command)?;
    until_it_listens(&name("db"))?;

    let of_perl = paths(&advisories(folder.path(), "perl")?)?;
    if let Some(path) = to("db", &of_perl) {
        return Err(format!("the database does not run perl: {path:#}"));
    }
    let copy = to("copy", &of_perl).ok_or_else(|| format!("no path to the copy: {of_perl:#?}"))?;
    broken(copy, 1, false, "perl (/usr/bin/perl, package perl-base 5.36")?;
    broken(copy, 3, false, "server (/opt/server) uses perl-base 5.36")?;

    let of_tar = paths(&advisories(folder.path(), "tar")?)?;
    if let Some(path) = to("db", &of_tar) {
        return Err(format!("the database does not run tar: {path:#}"));
    }
    let copy = to("copy", &of_tar).ok_or_else(|| format!("no path to the copy: {of_tar:#?}"))?;
    broken(copy, 3, true, "/opt/server: it belongs to no known package")?;

    let of_mariadb = paths(&advisories(folder.path(), "mariadb")?)?;
    let db = to("db", &of_mariadb).ok_or_else(|| format!("no path to the database: {of_mariadb:#?}"))?;
    broken(db, 3, false, "mariadbd (/usr/sbin/mariadbd, package mariadb-server-core 1:10.11")?;
    match to("copy", &of_mariadb) {
        None => Ok(()),
        Some(path) => Err(format!("the base image has no MariaDB: {path:#}")),
    }
}

fn until_it_listens(container: &str) -> Result<(), String> {
    let begin = Instant::now();
    while !docker(&["exec", container, "cat", "/proc/net/tcp"])?.contains(":0CEA ") {
        if begin.elapsed() > START {
            return Err(format!("{container} does not listen: {}", docker(&["logs", container])?));
        }
        sleep(Duration::from_millis(500));
    }
    Ok(())
}

fn paths(database: &str) -> Result<Vec<Value>, String> {
    let output = plimsoll(&["audit", "--format", "json", "--host", docker::SOCKET, "--db", database])?;
    let document: Value = serde_json::from_str(&output).map_err(|error| error.to_string())?;
    // The document leaves the list out where it is empty.
    Ok(document["attack_paths"].as_array().cloned().unwrap_or_default())
}

/// The path by the flaw to a container.
fn to<'p>(of: &str, paths: &'p [Value]) -> Option<&'p Value> {
    paths.iter().find(|path| path["container"] == name(of).as_str() && path["boundary"] == FLAW)
}

/// Holds a step by which code is run in what listens against what it should say.
fn broken(path: &Value, step: usize, assumed: bool, evidence: &str) -> Result<(), String> {
    let step = &path["steps"][step];
    let shown = step["evidence"].to_string();
    match step["kind"] == "break" && step["assumed"] == assumed && shown.contains(evidence) {
        true => Ok(()),
        false => Err(format!("wanted {evidence}, assumed: {assumed}: {path:#}")),
    }
}
