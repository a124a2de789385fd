//! Brings the database up to date: one archive an ecosystem, fetched only when it changed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use plimsoll_rootdir::replace;
use serde::{Deserialize, Serialize};

use crate::fetch::{self, FetchError, Fetched, Validator};
use crate::import::{ImportError, Imported, import};

/// Where OSV publishes one archive an ecosystem (osv.dev, "data exports").
pub const OSV_EXPORTS: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// Ecosystems that are fetched where none is named.
pub const DEFAULT_ECOSYSTEMS: [&str; 11] = [
    "Debian",
    "Ubuntu",
    "Alpine",
    "AlmaLinux",
    "Rocky Linux",
    "Go",
    "PyPI",
    "npm",
    "crates.io",
    "Maven",
    "Bitnami",
];

/// Which version of each archive is in the database.
const STATE: &str = "sources.json";

/// Why an ecosystem was not brought up to date. What was there stays.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Its archive was not fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Its archive is not usable.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The database's folder cannot be written.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// What an update did.
#[derive(Debug)]
pub enum Updated {
    /// The publisher has nothing newer.
    Unchanged,
    /// It was fetched and imported.
    Imported(Imported),
}

#[derive(Default, Serialize, Deserialize)]
struct State {
    #[serde(default)]
    sources: BTreeMap<String, Validator>,
}

/// Fetches the archive of an ecosystem from `base` and imports it into `folder`. `progress` is told what is done, how
/// much of it, and of how much.
///
/// # Errors
/// When it is not fetched or not usable.
pub fn update(
    base: &str,
    ecosystem: &str,
    folder: &Path,
    now: i64,
    progress: &dyn Fn(&str, u64, Option<u64>),
) -> Result<Updated, UpdateError> {
    let folder_error = |source| UpdateError::Folder { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(folder_error)?;
    let url = format!("{}/{}/all.zip", base.trim_end_matches('/'), ecosystem.replace(' ', "%20"));
    let archive = folder.join(format!("{}.zip", crate::Release::new(ecosystem).file_name()));
    let mut state = read_state(folder);
    let known = state.sources.get(&url);
    let fetched = fetch::fetch(&fetch::agent(), &url, &archive, known, &|done, total| {
        progress("fetching", done, total)
    })?;
    let Fetched::New(validator) = fetched else { return Ok(Updated::Unchanged) };
    let imported = import(&archive, folder, now, &|done, total| progress("importing", done, total));
    // The archive has served: what it holds is in the database, or it is not usable.
    let _ = fs::remove_file(&archive);
    let imported = imported?;
    state.sources.insert(url, validator);
    let bytes = serde_json::to_vec_pretty(&state).unwrap_or_default();
    replace(&folder.join(STATE), |out| out.write_all(&bytes)).map_err(folder_error)?;
    Ok(Updated::Imported(imported))
}

/// Fetches one archive or record into `folder`, to be imported from there and removed; one that was broken off is gone
/// on with. `progress` is told bytes done and in all.
///
/// # Errors
/// When it is not fetched, or cannot be kept.
pub fn download(
    url: &str,
    folder: &Path,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<PathBuf, UpdateError> {
    fs::create_dir_all(folder).map_err(|source| UpdateError::Folder { path: folder.to_owned(), source })?;
    let target = folder.join(format!("{}.download", crate::Release::new(url).file_name()));
    fetch::fetch(&fetch::agent(), url, &target, None, progress)?;
    Ok(target)
}

/// A state that is missing or damaged means that everything is fetched.
fn read_state(folder: &Path) -> State {
    fs::read(folder.join(STATE))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}
