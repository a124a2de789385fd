//! Which files of an image are a package's.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Paths that packages list. Only hashes are kept: a large image lists a million files, and nobody asks for their names.
/// The hash is keyed at random, so that an image cannot be made to collide with it.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    names: Vec<String>,
    files: HashMap<u64, u32, Unhashed>,
    hasher: RandomState,
    known: bool,
    unwanted: bool,
}

/// The keys are hashes already.
#[derive(Clone, Default, Debug)]
pub(crate) struct Unhashed;

impl BuildHasher for Unhashed {
    type Hasher = Identity;

    fn build_hasher(&self) -> Identity {
        Identity(0)
    }
}

/// Gives a 64-bit key back.
pub(crate) struct Identity(u64);

impl std::hash::Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

impl Owners {
    /// For somebody who asks for no owners: no list need be read.
    pub(crate) fn unwanted() -> Self {
        Self { unwanted: true, ..Self::default() }
    }

    /// Whether lists are to be read.
    pub(crate) fn are_wanted(&self) -> bool {
        !self.unwanted
    }

    /// Adds the files that a package lists, without leading slash.
    pub(crate) fn add<'a>(&mut self, package: &str, files: impl Iterator<Item = &'a [u8]>) {
        self.known = true;
        let index = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(package.to_owned());
        self.files.extend(files.map(|file| (self.hasher.hash_one(file), index)));
    }

    /// Whether any list was found: where there is none, nothing is known about owners.
    pub(crate) fn is_known(&self) -> bool {
        self.known
    }

    /// The package that lists this path, without leading slash. On a system where `/bin` is a link to `/usr/bin`,
    /// packages that were built before list `/bin/su` for what is `/usr/bin/su`.
    pub(crate) fn owner(&self, path: &[u8], merged_usr: bool) -> Option<&str> {
        let before_merge = path.strip_prefix(b"usr/").filter(|_| merged_usr);
        let index = [Some(path), before_merge].into_iter().flatten().find_map(|p| self.index(p))?;
        self.names.get(index as usize).map(String::as_str)
    }

    fn index(&self, path: &[u8]) -> Option<u32> {
        self.files.get(&self.hasher.hash_one(path)).copied()
    }
}
