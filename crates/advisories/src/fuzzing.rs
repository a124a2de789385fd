//! Entrances for the fuzz targets of `/fuzz`: what publishers of advisories send, and what is kept of it.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use crate::boundary::UpstreamVersion;
use crate::store::{ReleaseFile, StoreError};
use crate::{Database, ExploitProbability, Exploited, cvss, import, osv, red_hat};

/// Name of a fuzz target, and its entrance.
pub type Target = (&'static str, fn(&[u8]));

/// Every entrance.
pub const TARGETS: [Target; 4] = [
    ("advisories_archive", archive),
    ("advisories_lists", lists),
    ("advisories_record", record),
    ("advisories_store", store),
];

/// A source of records: an archive or one record, imported whole.
pub fn archive(bytes: &[u8]) {
    in_folder("archive", |folder| {
        let source = folder.join("source");
        if fs::write(&source, bytes).is_ok() {
            let _ = import(&source, &folder.join("database"), 0, &|_, _| {});
        }
    });
}

/// CISA's catalogue, the scores of FIRST, and both as they are kept.
pub fn lists(bytes: &[u8]) {
    in_folder("lists", |folder| {
        let look = |folder: &Path| {
            let database = Database::new(folder);
            let _ = database.exploited().map(|list| (list.count(), list.listed("CVE-2024-21626").is_some()));
            let _ = database.exploit_probability().map(|list| (list.count(), list.of("CVE-2024-21626")));
        };
        let _ = Exploited::import(bytes, folder);
        let _ = ExploitProbability::import(&String::from_utf8_lossy(bytes), folder);
        look(folder);
        for name in ["exploited.list", "exploit-probability.list"] {
            let _ = fs::write(folder.join(name), bytes);
        }
        look(folder);
    });
}

/// One record of OSV or document of Red Hat, and the small languages in them and in the knowledge of the boundary.
pub fn record(bytes: &[u8]) {
    let _ = osv::parse(bytes);
    let _ = red_hat::parse(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = cvss::base_score(text);
        let _ = UpstreamVersion::parse(text);
    }
}

/// A file of advisories: opened, and everything in it looked up.
pub fn store(bytes: &[u8]) {
    in_folder("store", |folder| {
        let path = folder.join("release");
        let _ = fs::write(&path, bytes).map(|()| look_up(&path));
    });
}

fn look_up(path: &Path) -> Result<(), StoreError> {
    let file = ReleaseFile::open(path)?;
    for name in ["", "bash", "runc", "\u{10ffff}"] {
        for affected in file.package(name)? {
            file.names(affected?.advisory)?;
        }
    }
    for number in 0..file.about().advisories.min(16) {
        let _ = file.advisory(number);
    }
    Ok(())
}

/// Runs `act` in an empty folder of this process, and removes it.
fn in_folder(name: &str, act: impl FnOnce(&Path)) {
    let folder: PathBuf = env::temp_dir().join(format!("plimsoll-fuzz-{name}-{}", process::id()));
    if fs::create_dir_all(&folder).is_ok() {
        act(&folder);
        let _ = fs::remove_dir_all(&folder);
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod tests;
