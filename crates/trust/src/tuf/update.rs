//! From what a server shows to a repository that is believed.

use jiff::{SignedDuration, Timestamp};

use super::chain::Chain;
use super::document::Document;
use super::fetch::{Fetch, FetchError};
use super::repository::Repository;
use super::root::{self, RootTrust};
use super::state::RepositoryState;
use super::{Role, TufError};
use crate::hex;

/// The most root rotations that are followed at once.
const MOST_ROTATIONS: u64 = 256;
/// A clock may be set back by so much.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(10);

/// Everything an update needs to know.
#[derive(Clone, Copy)]
pub struct Update<'a> {
    /// The repository's name with its registry.
    pub gun: &'a str,
    /// The server.
    pub server: &'a dyn Fetch,
    /// By what the first root is believed.
    pub trust: &'a RootTrust,
    /// The time.
    pub now: Timestamp,
}

impl Update<'_> {
    /// Asks the server, and believes it or not. Where it cannot be reached, what was accepted before still counts until
    /// it expires. Answers the repository and the state to keep; `state` is what an earlier update answered.
    ///
    /// # Errors
    /// What is not believed, and why. The old state stays then.
    pub fn run(&self, state: Option<&RepositoryState>) -> Result<(Repository, RepositoryState), TufError> {
        if let Some(state) = state.filter(|state| !root::allows(self.trust, &state.anchor)) {
            return Err(TufError::OtherThanPinned { ids: state.anchor.clone() });
        }
        if let Some(checked_at) = state.map(|state| state.checked_at)
            && checked_at.duration_since(self.now) > CLOCKS_DIFFER
        {
            return Err(TufError::ClockBack { now: self.now, checked_at });
        }
        let result = match self.online(state) {
            // The keys changed while the files were read.
            Err(TufError::Mismatch { role: Role::Root, .. }) => self.online(state),
            other => other,
        };
        match (result, state) {
            (Err(TufError::Unavailable { .. }), Some(state)) => Ok((self.offline(state)?, state.clone())),
            (result, _) => result,
        }
    }

    fn online(&self, state: Option<&RepositoryState>) -> Result<(Repository, RepositoryState), TufError> {
        let (root, root_bytes) = self.root(state)?;
        let fetch = |role: Role, hash: &[u8]| self.get(&format!("{role}.{}.json", hex(hash)), role);
        let mut chain = Chain::new(state, self.now, &fetch);
        let timestamp = self.get("timestamp.json", Role::Timestamp)?;
        let repository = chain.judge(self.gun, &root, root_bytes, timestamp)?;
        let (versions, files) = chain.into_seen();
        let kept = match state.cloned() {
            Some(known) => RepositoryState { checked_at: self.now, versions, files, ..known },
            None => RepositoryState {
                gun: self.gun.to_owned(),
                anchor: root::names(&root)?,
                first_use: self.trust.pins.is_empty(),
                since: self.now,
                checked_at: self.now,
                versions,
                files,
            },
        };
        Ok((repository, kept))
    }

    /// The files that were last accepted, held against the time once more.
    fn offline(&self, state: &RepositoryState) -> Result<Repository, TufError> {
        let kept = |role: Role| state.file(role).map(<[u8]>::to_vec).ok_or(TufError::NotKept { role });
        let root_bytes = kept(Role::Root)?;
        let root = Document::parse(Role::Root, &root_bytes)?;
        root.require_fresh(self.now)?;
        let fetch = |role: Role, _: &[u8]| kept(role);
        let mut chain = Chain::new(Some(state), self.now, &fetch);
        let mut repository = chain.judge(self.gun, &root, root_bytes, kept(Role::Timestamp)?)?;
        repository.offline_since = Some(state.checked_at);
        Ok(repository)
    }

    /// The newest root, by the roots that lead to it, and its bytes.
    fn root(&self, state: Option<&RepositoryState>) -> Result<(Document, Vec<u8>), TufError> {
        let newest = self.get("root.json", Role::Root).map_err(|error| match error {
            TufError::Missing { .. } if state.is_none() => TufError::NoTrustData,
            other => other,
        })?;
        let Some(known) = state.and_then(|state| state.file(Role::Root)) else {
            return Ok((root::first(&newest, self.gun, self.now, self.trust)?, newest));
        };
        let mut believed = Document::parse(Role::Root, known)?;
        let claimed = Document::parse(Role::Root, &newest)?.version;
        if claimed.saturating_sub(believed.version) > MOST_ROTATIONS {
            let known = believed.version;
            let why = format!("version {claimed} is more than {MOST_ROTATIONS} after the known {known}");
            return Err(TufError::Malformed { role: Role::Root, why });
        }
        for version in believed.version + 1..claimed {
            let bytes = self.get(&format!("{version}.root.json"), Role::Root)?;
            let next = root::next(&believed, &bytes, self.gun, None)?;
            if next.version != version {
                let why = format!("{version}.root.json is of version {}", next.version);
                return Err(TufError::Malformed { role: Role::Root, why });
            }
            believed = next;
        }
        Ok((root::next(&believed, &newest, self.gun, Some(self.now))?, newest))
    }

    fn get(&self, file: &str, role: Role) -> Result<Vec<u8>, TufError> {
        let limit = role.largest();
        let bytes = self.server.fetch(file, limit).map_err(|error| match error {
            FetchError::NotFound => TufError::Missing { file: file.to_owned() },
            FetchError::Unavailable(why) => TufError::Unavailable { file: file.to_owned(), why },
            FetchError::Answer(why) => TufError::Answer { file: file.to_owned(), why },
        })?;
        match bytes.len() as u64 > limit {
            true => Err(TufError::Malformed { role, why: format!("larger than {limit} bytes") }),
            false => Ok(bytes),
        }
    }
}
