//! Where trust is kept between two runs: one file a repository, and the pins.
//!
//! A file that is damaged is an error, never "nothing known": forgetting the highest versions would let a server roll
//! back.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use plimsoll_rootdir::read_at_most;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::hex;
use crate::tuf::RepositoryState;

/// Folders by what their files are about; another form of the files has another folder.
const CONTENT_TRUST: &str = "dct-1";
const ACCEPTED: &str = "accepted-1";
/// The largest file: the largest files of metadata, escaped.
const LARGEST: u64 = 160 << 20;
/// The most repositories that are listed.
const MOST_LISTED: usize = 100_000;

/// The folder of what is trusted. Its files are readable by their owner alone.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// Why trust cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A file is not what this version of plimsoll writes.
    #[error("{}: {why}; `plimsoll trust forget` removes what is known of a repository", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// Ids of root keys that are pinned, by repository.
pub type Pins = BTreeMap<String, Vec<String>>;

/// What is known of one repository, while no other process may change it.
#[derive(Debug)]
pub struct Held<T> {
    path: PathBuf,
    state: Option<T>,
    _lock: File,
}

/// What was accepted last for each tag of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Registry and repository.
    pub repository: String,
    /// By tag.
    pub tags: BTreeMap<String, AcceptedTag>,
}

/// What was accepted last for a tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedTag {
    /// Digest of the manifest or index.
    pub digest: String,
    /// When it was signed or made.
    pub time: Timestamp,
    /// When it was accepted.
    pub at: Timestamp,
}

impl Store {
    /// The store in this folder, which need not exist yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The trust data that is known of a repository. Waits while another process holds it.
    ///
    /// # Errors
    /// When the folder cannot be made, or the file cannot be read.
    pub fn hold(&self, gun: &str) -> Result<Held<RepositoryState>, StoreError> {
        self.held(CONTENT_TRUST, gun, |state: &RepositoryState| &state.gun)
    }

    /// What was accepted for the tags of a repository. Waits while another process holds it.
    pub(crate) fn hold_accepted(&self, repository: &str) -> Result<Held<Accepted>, StoreError> {
        let mut held = self.held(ACCEPTED, repository, |accepted: &Accepted| &accepted.repository)?;
        held.state
            .get_or_insert_with(|| Accepted { repository: repository.to_owned(), ..Accepted::default() });
        Ok(held)
    }

    fn held<T: DeserializeOwned>(
        &self,
        kind: &str,
        repository: &str,
        about: impl Fn(&T) -> &String,
    ) -> Result<Held<T>, StoreError> {
        let path = self.file(kind, repository)?;
        let lock_path = path.with_extension("lock");
        let lock = File::options().create(true).append(true).open(&lock_path).and_then(|file| {
            file.lock()?;
            Ok(file)
        });
        let lock = lock.map_err(|source| StoreError::Io { path: lock_path, source })?;
        let state: Option<T> = read(&path)?;
        if let Some(other) = state.as_ref().map(about).filter(|other| *other != repository) {
            return Err(StoreError::Damaged { path, why: format!("it is about {other}") });
        }
        Ok(Held { path, state, _lock: lock })
    }

    /// The root keys that are pinned.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pins(&self) -> Result<Pins, StoreError> {
        Ok(read(&self.folder.join("pins.json"))?.unwrap_or_default())
    }

    /// Replaces the root keys that are pinned for a repository; none removes its pins. Answers those before.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn pin(&self, gun: &str, ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        make(&self.folder)?;
        let mut pins = self.pins()?;
        let before = match ids.is_empty() {
            true => pins.remove(gun),
            false => pins.insert(gun.to_owned(), ids),
        };
        write(&self.folder.join("pins.json"), &pins)?;
        Ok(before.unwrap_or_default())
    }

    /// Forgets what is known of a repository, a damaged file included. Answers whether anything was.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn forget(&self, gun: &str) -> Result<bool, StoreError> {
        let mut was_known = false;
        for kind in [CONTENT_TRUST, ACCEPTED] {
            let path = self.file(kind, gun)?;
            match fs::remove_file(&path) {
                Ok(()) => was_known = true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(StoreError::Io { path, source }),
            }
        }
        Ok(was_known)
    }

    /// All repositories of which something is known, by name; for each file that cannot be read the reason.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Result<RepositoryState, StoreError>>, StoreError> {
        self.listed(CONTENT_TRUST, |state: &RepositoryState| &state.gun)
    }

    /// What was accepted for tags, by repository; for each file that cannot be read the reason.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list_accepted(&self) -> Result<Vec<Result<Accepted, StoreError>>, StoreError> {
        self.listed(ACCEPTED, |accepted: &Accepted| &accepted.repository)
    }

    fn listed<T: DeserializeOwned>(
        &self,
        kind: &str,
        about: impl Fn(&T) -> &String,
    ) -> Result<Vec<Result<T, StoreError>>, StoreError> {
        let folder = self.folder.join(kind);
        let failed = |source| StoreError::Io { path: folder.clone(), source };
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut found = Vec::new();
        for entry in entries.take(MOST_LISTED) {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                found.extend(read::<T>(&path).transpose());
            }
        }
        found.sort_by_key(|one| one.as_ref().map_or(String::new(), |one| about(one).clone()));
        Ok(found)
    }

    /// The file of a repository: the hash of its name, because a name may be longer than that of a file.
    fn file(&self, kind: &str, gun: &str) -> Result<PathBuf, StoreError> {
        let folder = self.folder.join(kind);
        make(&folder)?;
        Ok(folder.join(format!("{}.json", hex(&Sha256::digest(gun)))))
    }
}

impl<T: Serialize + PartialEq> Held<T> {
    /// What was kept.
    pub fn state(&self) -> Option<&T> {
        self.state.as_ref()
    }

    /// Keeps a new state, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written; the old one stays then.
    pub fn keep(&mut self, state: T) -> Result<(), StoreError> {
        if self.state.as_ref() != Some(&state) {
            write(&self.path, &state)?;
            self.state = Some(state);
        }
        Ok(())
    }
}

fn make(folder: &Path) -> Result<(), StoreError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| StoreError::Io { path: folder.to_owned(), source })
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    let damaged = |why: String| StoreError::Damaged { path: path.to_owned(), why };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|source| StoreError::Io { path: path.to_owned(), source })?,
    };
    let bytes = read_at_most(file, path, LARGEST).map_err(|error| damaged(error.to_string()))?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(error.to_string()))
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let written = plimsoll_rootdir::replace_private(path, |out: &mut dyn Write| {
        serde_json::to_writer(&mut *out, value)?;
        out.write_all(b"\n")
    });
    written.map_err(|source| StoreError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn state(gun: &str) -> RepositoryState {
        RepositoryState { gun: gun.to_owned(), ..RepositoryState::default() }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn kept_for_the_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("trust");
        let store = Store::new(&folder);
        assert!(store.list().unwrap().is_empty());
        let mut held = store.hold("r.example/a").unwrap();
        assert_eq!(held.state(), None);
        held.keep(state("r.example/a")).unwrap();
        drop(held);
        assert_eq!(store.hold("r.example/a").unwrap().state(), Some(&state("r.example/a")));
        assert_eq!(mode(&store.file(CONTENT_TRUST, "r.example/a").unwrap()), 0o600);
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(store.list().unwrap().len(), 1);
        assert!(store.forget("r.example/a").unwrap());
        assert!(!store.forget("r.example/a").unwrap());
    }

    #[test]
    fn damage_is_not_nothing_known() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        store.hold("r.example/a").unwrap().keep(state("r.example/a")).unwrap();
        let path = store.file(CONTENT_TRUST, "r.example/a").unwrap();
        for damage in ["", "{", r#"{"gun":"r.example/a","versions":{"root":-1}}"#] {
            fs::write(&path, damage).unwrap();
            assert!(matches!(store.hold("r.example/a"), Err(StoreError::Damaged { .. })), "{damage}");
        }
        // Nor does one repository's file vouch for another.
        fs::copy(&path, store.file(CONTENT_TRUST, "r.example/b").unwrap()).unwrap();
        store.forget("r.example/a").unwrap();
        store.hold("r.example/a").unwrap().keep(state("r.example/a")).unwrap();
        fs::copy(&path, store.file(CONTENT_TRUST, "r.example/b").unwrap()).unwrap();
        assert!(matches!(store.hold("r.example/b"), Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn one_at_a_time_for_each_repository() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let held = store.hold("r.example/a").unwrap();
        store.hold("r.example/b").unwrap();
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| tell.send(store.hold("r.example/a").is_ok()));
            assert!(told.recv_timeout(Duration::from_millis(200)).is_err());
            drop(held);
            assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(true));
        });
    }

    #[test]
    fn pins_are_replaced_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path().join("new"));
        let pin =
            |ids: &[&str]| store.pin("r.example/a", ids.iter().map(|id| (*id).to_owned()).collect()).unwrap();
        assert!(pin(&["1"]).is_empty());
        assert_eq!(pin(&["2", "3"]), ["1"]);
        assert_eq!(store.pins().unwrap()["r.example/a"], ["2", "3"]);
        assert_eq!(pin(&[]), ["2", "3"]);
        assert!(store.pins().unwrap().is_empty());
    }
}
