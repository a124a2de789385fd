//! The ways to the files of an image that are not overlay directories of the engine: each must find what the system's
//! engine has in its directories, and say which way it was.

use std::path::Path;

use serde_json::Value;

use crate::docker::BASE;
use crate::own_engine::{OwnEngine, Setup, nothing};
use crate::scene::{Test, plimsoll};

/// Directory with the programs of an engine that can keep images in containerd (`tests/live/newer-engine.sh`).
const NEWER_ENGINE: &str = "PLIMSOLL_NEWER_ENGINE";

pub(crate) fn tests() -> impl Iterator<Item = Test> {
    let newer = std::env::var_os(NEWER_ENGINE).is_some().then(|| {
        [
            Test::new("ways_snapshots_of_containerd", || containerd(SNAPSHOTS)),
            Test::new("ways_copies_of_containerd", || containerd(COPIES)),
        ]
    });
    let old = Test::new("ways_files_that_the_engine_sends", sent);
    newer.into_iter().flatten().chain([old])
}

const SNAPSHOTS: &str = r#"{"features": {"containerd-snapshotter": true}, "storage-driver": "overlayfs"}"#;
const COPIES: &str = r#"{"features": {"containerd-snapshotter": true}, "storage-driver": "native"}"#;

/// No container runs: the layers are found in containerd's databases; without these, in the blobs.
fn containerd(config: &'static str) -> Result<(), String> {
    let programs = std::env::var_os(NEWER_ENGINE).ok_or("no newer engine")?;
    let setup = Setup { config, flags: &["-Hunix://{dir}/docker.sock"], before: nothing };
    let engine = OwnEngine::start_of(Path::new(&programs), &setup)?;
    engine.load(BASE)?;
    finds_all(&engine, "snapshots of containerd")?;
    let kept = engine.dir().join("data/containerd/daemon/io.containerd.metadata.v1.bolt");
    std::fs::rename(kept.join("meta.db"), kept.join("meta.db.gone")).map_err(|error| error.to_string())?;
    std::fs::write(kept.join("meta.db"), [0; 8192]).map_err(|error| error.to_string())?;
    finds_all(&engine, "blob store of containerd")
}

/// An engine whose storage driver has no layers in directories.
fn sent() -> Result<(), String> {
    let setup = Setup { config: "{}", flags: &["-Hunix://{dir}/docker.sock"], before: nothing };
    let engine = OwnEngine::start(&setup)?;
    engine.load(BASE)?;
    finds_all(&engine, "saved by the engine")?;
    engine.docker(&["create", "--network=none", BASE, "true"])?;
    finds_all(&engine, "sent by the engine")
}

fn finds_all(engine: &OwnEngine, way: &str) -> Result<(), String> {
    let (wanted, source) = scan(&[])?;
    if source != "overlay directories" {
        return Err(format!("the system's engine was read by another way: {source}"));
    }
    let (found, source) = scan(&["--host", &engine.host()])?;
    if !source.contains(way) {
        return Err(format!("wanted {way:?}, and it was {source:?}"));
    }
    if found.len() < 50 || found != wanted {
        return Err(format!("{way}: {} packages, and the system's engine has {}", found.len(), wanted.len()));
    }
    Ok(())
}

/// Name and version of every package of the base image, and where they were read.
fn scan(options: &[&str]) -> Result<(Vec<(String, String)>, String), String> {
    let output = plimsoll(&[&["scan", "--format", "json", BASE], options].concat())?;
    let scan: Value = serde_json::from_str(&output).map_err(|error| error.to_string())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = scan["packages"].as_array().ok_or("no packages")?.iter();
    let packages = packages.map(|package| (text(&package["name"]), text(&package["version"])));
    Ok((packages.collect(), text(&scan["images"][0]["source"])))
}
