//! From a name or a path to a policy with everything that it extends.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::{LoadError, Policy, parse};

/// The largest policy file, in bytes.
const LARGEST_FILE: u64 = 1 << 20;
/// The longest chain of policies that extend one another.
const LONGEST_CHAIN: usize = 8;

/// The ready-made policies: name and text.
pub const READY_MADE: [(&str, &str); 3] = [
    ("baseline", include_str!("../../../policies/baseline.toml")),
    ("strict", include_str!("../../../policies/strict.toml")),
    ("cis-docker", include_str!("../../../policies/cis-docker.toml")),
];

/// What a policy extends that does not say otherwise.
const DEFAULT: &str = "baseline";

impl Policy {
    /// The policy that applies where no other is named.
    ///
    /// # Errors
    /// None in a released build: the ready-made policies are tested.
    pub fn baseline() -> Result<Self, LoadError> {
        Self::open(Path::new(DEFAULT))
    }

    /// A ready-made policy by its name, or a file by its path (`./strict` for a file of such a name).
    ///
    /// # Errors
    /// When a file cannot be read, or one of them holds mistakes.
    pub fn open(name: &Path) -> Result<Self, LoadError> {
        open(name, LONGEST_CHAIN)
    }
}

fn open(name: &Path, chain: usize) -> Result<Policy, LoadError> {
    let Some(chain) = chain.checked_sub(1) else { return Err(LoadError::Endless { path: name.to_owned() }) };
    let ready_made = READY_MADE.into_iter().find(|(id, _)| Path::new(id) == name);
    let draft = match ready_made {
        Some((id, text)) => parse(text, id)?,
        None => parse(&read(name)?, &name.to_string_lossy())?,
    };
    let base = match (draft.extends, ready_made) {
        (Some(extends), _) => open(&beside(name, &extends), chain)?,
        (None, None) => open(Path::new(DEFAULT), chain)?,
        (None, Some(_)) => Policy::default(),
    };
    Ok(draft.policy.over(base))
}

/// A ready-made name stays one; a path is relative to the file that names it.
fn beside(file: &Path, extends: &str) -> PathBuf {
    if READY_MADE.iter().any(|(id, _)| *id == extends) {
        return PathBuf::from(extends);
    }
    file.parent().unwrap_or(Path::new("")).join(extends)
}

fn read(path: &Path) -> Result<String, LoadError> {
    let failed = |source| LoadError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(LoadError::TooLarge { path: path.to_owned(), limit: LARGEST_FILE });
    }
    String::from_utf8(bytes).map_err(|_| LoadError::NotText { path: path.to_owned() })
}
