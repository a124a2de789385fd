//! From a root that is believed down to the tags: timestamp, snapshot, targets, releases, each held against the one
//! before it and against what was seen earlier.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::document::{Authority, Document, FileMeta};
use super::repository::{Repository, Signed};
use super::state::RepositoryState;
use super::{Role, TufError};

/// Gives a file by its role and the hash that its parent names.
pub(super) type Get<'a> = &'a dyn Fn(Role, &[u8]) -> Result<Vec<u8>, TufError>;

/// What is seen on the way down.
pub(super) struct Chain<'a> {
    state: Option<&'a RepositoryState>,
    now: Timestamp,
    get: Get<'a>,
    versions: BTreeMap<Role, u64>,
    files: BTreeMap<Role, String>,
    expires: Option<Timestamp>,
}

impl<'a> Chain<'a> {
    pub(super) fn new(state: Option<&'a RepositoryState>, now: Timestamp, get: Get<'a>) -> Self {
        let versions = state.map(|state| state.versions.clone()).unwrap_or_default();
        Self { state, now, get, versions, files: BTreeMap::new(), expires: None }
    }

    /// The repository that these files describe.
    pub(super) fn judge(
        &mut self,
        gun: &str,
        root: &Document,
        root_bytes: Vec<u8>,
        timestamp_bytes: Vec<u8>,
    ) -> Result<Repository, TufError> {
        self.note(root, &root_bytes);
        let timestamp = Document::parse(Role::Timestamp, &timestamp_bytes)?;
        self.accept(&timestamp, &root.authority(Role::Timestamp)?, "the keys that root names")?;
        self.note(&timestamp, &timestamp_bytes);
        let Signed { document: snapshot, .. } =
            self.named(&timestamp, Role::Snapshot, &root.authority(Role::Snapshot)?)?;
        require_named(&meta_of(&snapshot, Role::Root)?, &root_bytes, Role::Root, Role::Snapshot)?;
        let targets = self.named(&snapshot, Role::Targets, &root.authority(Role::Targets)?)?;
        let releases = self.releases(&snapshot, &targets.document)?;
        Ok(Repository {
            gun: gun.to_owned(),
            root_keys: root.authority(Role::Root)?.ids(),
            expires: self.expires.unwrap_or(self.now),
            offline_since: None,
            targets,
            releases,
        })
    }

    /// The highest versions, and the files.
    pub(super) fn into_seen(self) -> (BTreeMap<Role, u64>, BTreeMap<Role, String>) {
        (self.versions, self.files)
    }

    /// The releases role, where targets delegates to it and it has signed something.
    fn releases(
        &mut self,
        snapshot: &Document,
        targets: &Document,
    ) -> Result<Option<(Signed, Vec<String>)>, TufError> {
        let Some((authority, paths)) = targets.releases()? else { return Ok(None) };
        match snapshot.meta(Role::Releases)? {
            Some(_) => Ok(Some((self.named(snapshot, Role::Releases, &authority)?, paths))),
            None if self.seen(Role::Releases) > 0 => Err(TufError::ReleasesVanished),
            None => Ok(None),
        }
    }

    /// The file of a role that its parent names, from the last time where it is still the same.
    fn named(&mut self, parent: &Document, role: Role, authority: &Authority) -> Result<Signed, TufError> {
        let meta = meta_of(parent, role)?;
        let bytes = match self.state.and_then(|state| state.file(role)) {
            Some(known) if meta.difference(known).is_none() => known.to_vec(),
            _ => (self.get)(role, &meta.sha256)?,
        };
        require_named(&meta, &bytes, role, parent.role)?;
        let document = Document::parse(role, &bytes)?;
        let by =
            if role == Role::Releases { "the keys that targets names" } else { "the keys that root names" };
        let signers = self.accept(&document, authority, by)?;
        self.note(&document, &bytes);
        Ok(Signed { document, signers })
    }

    fn accept(
        &self,
        document: &Document,
        authority: &Authority,
        by: &'static str,
    ) -> Result<Vec<String>, TufError> {
        let signers = document.require_signatures(authority, by)?;
        document.require_version(self.seen(document.role))?;
        document.require_fresh(self.now)?;
        Ok(signers)
    }

    fn seen(&self, role: Role) -> u64 {
        self.state.map_or(0, |state| state.version(role))
    }

    fn note(&mut self, document: &Document, bytes: &[u8]) {
        self.versions.insert(document.role, document.version);
        // What is no text did not parse.
        self.files.insert(document.role, String::from_utf8_lossy(bytes).into_owned());
        self.expires = Some(self.expires.map_or(document.expires, |earlier| earlier.min(document.expires)));
    }
}

fn meta_of(parent: &Document, role: Role) -> Result<FileMeta, TufError> {
    let unnamed = || TufError::Malformed { role: parent.role, why: format!("it does not name {role}") };
    parent.meta(role)?.ok_or_else(unnamed)
}

fn require_named(meta: &FileMeta, bytes: &[u8], role: Role, parent: Role) -> Result<(), TufError> {
    match meta.difference(bytes) {
        None => Ok(()),
        Some(what) => Err(TufError::Mismatch { role, what, parent }),
    }
}
