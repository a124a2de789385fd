//! 108 repositories as a notary served them, each with what a client had seen before and the verdict that is due.
//!
//! `real/` was recorded from Debian's notary-server 0.7.0 and the docker client 28.2.2, `gen/` has the same form with
//! keys made for it. `strict` is the verdict of an independent verifier; `docker` is what the client said.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use jiff::Timestamp;
use plimsoll_trust::RefusalKind;
use plimsoll_trust::tuf::{Fetch, FetchError, RepositoryState, Role, RootTrust};
use serde::Deserialize;

/// One vector.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) about: About,
    pub(crate) served: Files,
    seen: Files,
}

/// Files by their name without `.json`.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// `VECTOR.json`.
#[derive(Deserialize)]
pub(crate) struct About {
    pub(crate) gun: String,
    pub(crate) tag: String,
    /// The time of the verification, so that no vector ages.
    pub(crate) now: Timestamp,
    /// The digest that is accepted, or `refuse`.
    pub(crate) strict: String,
    /// Why the independent verifier refuses.
    strict_reason: String,
    pub(crate) docker: String,
}

/// All vectors.
pub(crate) fn all() -> Vec<Vector> {
    let mut folders: BTreeMap<String, Files> = BTreeMap::new();
    let mut archive = tar::Archive::new(GzDecoder::new(&include_bytes!("vectors.tar.gz")[..]));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().trim_start_matches("./").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let (name, file) = path.match_indices('/').nth(1).map(|(at, _)| path.split_at(at)).unwrap();
        let file = file.trim_start_matches('/').trim_end_matches(".json").to_owned();
        folders.entry(name.to_owned()).or_default().insert(file, bytes);
    }
    folders.into_iter().map(|(name, files)| Vector::new(name, &files)).collect()
}

impl Vector {
    fn new(name: String, files: &Files) -> Self {
        let below = |folder: &str| {
            let inside = files.iter().filter_map(|(path, bytes)| Some((path.strip_prefix(folder)?, bytes)));
            inside.map(|(path, bytes)| (path.to_owned(), bytes.clone())).collect()
        };
        let about = serde_json::from_slice(&files["VECTOR"]).unwrap();
        Self { name, about, served: below("server/"), seen: below("client/") }
    }

    /// What the client had seen before, where it had seen anything.
    pub(crate) fn state(&self) -> Option<RepositoryState> {
        if self.seen.is_empty() {
            return None;
        }
        let mut state = RepositoryState {
            gun: self.about.gun.clone(),
            first_use: true,
            checked_at: self.about.now,
            ..RepositoryState::default()
        };
        for role in [Role::Root, Role::Timestamp, Role::Snapshot, Role::Targets, Role::Releases] {
            let Some(bytes) = self.seen.get(role.name()) else { continue };
            let file: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            state.versions.insert(role, file["signed"]["version"].as_u64().unwrap());
            state.files.insert(role, String::from_utf8(bytes.clone()).unwrap());
        }
        Some(state)
    }

    /// Which kind of refusal the reason of the independent verifier is.
    pub(crate) fn kind(&self) -> RefusalKind {
        let reason = self.about.strict_reason.as_str();
        let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        if has(&["root: not on the server", "is not signed"]) && !reason.starts_with('2') {
            RefusalKind::Unsigned
        } else if has(&["not on the server"]) {
            RefusalKind::Unavailable
        } else if has(&["expired"]) {
            RefusalKind::Stale
        } else if has(&["no valid root certificate", "another root", "by previous root"]) {
            RefusalKind::UntrustedKey
        } else {
            RefusalKind::BadSignature
        }
    }

    /// The first root is believed, as the docker client does.
    pub(crate) fn trust() -> RootTrust {
        RootTrust { pins: Vec::new(), first_use: true }
    }
}

/// What is served under a name: a file that is asked for by its hash is given whatever its hash is.
pub(crate) fn serve<'f>(files: &'f Files, file: &str) -> Option<&'f Vec<u8>> {
    let name = file.trim_end_matches(".json");
    files.get(name).or_else(|| files.get(name.rsplit_once('.')?.0))
}

/// A server of one vector.
pub(crate) struct FromFiles<'f>(pub(crate) &'f Files);

impl Fetch for FromFiles<'_> {
    fn fetch(&self, file: &str, _: u64) -> Result<Vec<u8>, FetchError> {
        serve(self.0, file).cloned().ok_or(FetchError::NotFound)
    }
}
