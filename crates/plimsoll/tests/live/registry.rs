//! Images of a real registry, into which the engine pushed them: what is read from there is what the engine has.

#[path = "../../../../tests/live/docker_registry.rs"]
pub(crate) mod docker_registry;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use docker_registry::DockerRegistry;
use serde_json::Value;

use crate::docker::{MARIADB, docker};
use crate::scene::{PREFIX, Test};

/// Ends with an error.
const ERROR: i32 = 3;

/// The tests.
pub(crate) fn tests() -> Vec<Test> {
    vec![
        Test::new("a_registry_has_the_image_that_the_engine_has", same_as_the_engine),
        Test::new("lint_of_a_registry_is_that_of_the_engine", same_lint_as_the_engine),
        Test::new("a_layer_that_was_tampered_with_in_the_registry", tampered_layer),
        Test::new("an_image_that_only_a_registry_may_have", absent_image),
    ]
}

fn same_as_the_engine() -> Result<(), String> {
    let registry = DockerRegistry::start(None)?;
    let pushed = registry.push(MARIADB, "plimsoll-live/mariadb:1")?;
    let of_engine = scan(MARIADB)?;
    let of_registry = scan(&format!("registry:{pushed}"))?;
    for member in ["packages", "vulnerabilities", "gaps"] {
        if of_engine[member] != of_registry[member] {
            return Err(format!("{member} differ"));
        }
    }
    let (engine, registry) = (&of_engine["images"][0], &of_registry["images"][0]);
    if engine["id"] != registry["id"] || engine["os"] != registry["os"] {
        return Err(format!("{engine} and {registry}"));
    }
    let count = of_registry["packages"].as_array().map_or(0, Vec::len);
    if count < 100 { Err(format!("{count} packages are too few")) } else { Ok(()) }
}

/// The scan of an image, without the names that it goes by.
fn scan(image: &str) -> Result<Value, String> {
    let output = plimsoll(&["scan", image, "--format", "json"])?;
    let mut scan: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    for member in ["packages", "vulnerabilities", "gaps"] {
        for entry in scan[member].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            entry.remove("image");
            entry.remove("subject");
        }
    }
    Ok(scan)
}

fn same_lint_as_the_engine() -> Result<(), String> {
    let registry = DockerRegistry::start(None)?;
    let pushed = registry.push(MARIADB, "plimsoll-live/mariadb:bookworm")?;
    let of_engine = lint(MARIADB)?;
    let of_registry = lint(&format!("registry:{pushed}"))?;
    if of_engine != of_registry {
        let (missed, more) = (of_engine.difference(&of_registry), of_registry.difference(&of_engine));
        return Err(format!(
            "missed {:#?}, told besides {:#?}",
            Vec::from_iter(missed),
            Vec::from_iter(more)
        ));
    }
    let is_told = |rule: &str| of_registry.iter().any(|(id, status, _)| id == rule && status == "fail");
    if is_told("image-setid-files") { Ok(()) } else { Err(format!("{of_registry:#?}")) }
}

/// Rule, status and message of all that lint says about an image.
fn lint(image: &str) -> Result<BTreeSet<(String, String, String)>, String> {
    let output = plimsoll(&["lint", "--policy", "baseline", "--format", "json", image])?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let findings = report["findings"].as_array().into_iter().flatten();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    Ok(findings.map(|it| (text(it, "rule"), text(it, "status"), text(it, "message"))).collect())
}

fn tampered_layer() -> Result<(), String> {
    let registry = DockerRegistry::start(None)?;
    let image = format!("{PREFIX}registry-small:1");
    let import = "tar -cC /etc debian_version | docker import - \"$1\"";
    let made = Command::new("sh").args(["-ec", import, "sh", &image]).output().map_err(|e| e.to_string())?;
    crate::docker::text(made)?;
    let pushed = registry.push(&image, "plimsoll-live/small:1");
    docker(&["rmi", &image])?;
    let pushed = format!("registry:{}", pushed?);
    let before = plimsoll(&["sbom", &pushed])?;
    if before.status.code() == Some(ERROR) {
        return Err(String::from_utf8_lossy(&before.stderr).into_owned());
    }
    let layer = gzip_blob(&registry.dir().join("data")).ok_or("no layer in the registry's store")?;
    let mut bytes = fs::read(&layer).map_err(|error| error.to_string())?;
    // The time in the header of a gzip file (RFC 1952): what it unpacks to stays the same.
    bytes[4] ^= 1;
    fs::write(&layer, bytes).map_err(|error| error.to_string())?;
    fails_with(&plimsoll(&["sbom", &pushed])?, "another digest")
}

/// The first blob below a directory that is a layer.
fn gzip_blob(dir: &Path) -> Option<PathBuf> {
    let mut pending = vec![dir.to_owned()];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(path).ok()?.flatten().map(|entry| entry.path()));
        } else if path.ends_with("data")
            && fs::read(&path).is_ok_and(|bytes| bytes.starts_with(&[0x1f, 0x8b]))
        {
            return Some(path);
        }
    }
    None
}

fn absent_image() -> Result<(), String> {
    let registry = DockerRegistry::start(None)?;
    let name = format!("{}/plimsoll-live/absent", registry.authority);
    let hint = format!("registry:{name}:latest would read it");
    fails_with(&plimsoll(&["scan", &name])?, &hint)?;
    fails_with(&plimsoll(&["scan", &format!("registry:{name}:latest")])?, "the registry does not have it")?;
    // A tag of the image that is called registry, which this engine does not have.
    fails_with(&plimsoll(&["scan", "registry:plimsoll-live-absent"])?, "the engine has no image")
}

fn plimsoll(arguments: &[&str]) -> Result<Output, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(arguments).env("PLIMSOLL_DB", "/nonexistent").env("DOCKER_CONFIG", "/nonexistent");
    command.output().map_err(|error| format!("plimsoll: {error}"))
}

fn fails_with(output: &Output, words: &str) -> Result<(), String> {
    let complaint = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(ERROR) && complaint.contains(words) {
        return Ok(());
    }
    Err(format!("{}, without {words:?}: {complaint}", output.status))
}
