//! The merged view of layers that were read from archives, as far as they were kept.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher, RandomState};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::layer::{Kept, Layer, split};
use crate::error::{Error, Result, not_a, too_large};
use crate::survey::Survey;
use crate::tree::{Tree, as_path};

/// Symbolic links that one path may take.
const MAX_LINKS: u32 = 40;
/// Components that one path may have, those of its links included.
const MAX_COMPONENTS: u32 = 2048;

/// The merged view, topmost layer first.
#[derive(Debug)]
pub(super) struct Squashed {
    layers: Vec<Arc<Layer>>,
    hasher: RandomState,
}

impl Squashed {
    pub(super) fn new(layers: Vec<Arc<Layer>>, hasher: RandomState) -> Self {
        Self { layers, hasher }
    }

    /// What was seen in each layer, topmost first.
    pub(super) fn surveys(&self) -> Vec<Arc<Survey>> {
        self.layers.iter().map(|layer| Arc::clone(&layer.survey)).collect()
    }

    /// The layer whose file or link is visible at this path; `None` where nothing is, or a directory.
    fn find(&self, path: &[u8]) -> Option<usize> {
        self.topmost(path).filter(|(_, is_directory)| *is_directory != Some(true)).map(|(index, _)| index)
    }

    /// The topmost layer that has something at this path, and whether that is a directory: of the lowest layer, which keeps
    /// no paths, neither is known.
    fn topmost(&self, path: &[u8]) -> Option<(usize, Option<bool>)> {
        let hash = |path: &[u8]| self.hasher.hash_one(path);
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let ancestors: Vec<u64> =
            std::iter::once(hash(b"")).chain(ends.map(|end| hash(&path[..end]))).collect();
        let own = hash(path);
        for (index, layer) in self.layers.iter().enumerate() {
            let paths = &layer.paths;
            if paths.is_lowest {
                return Some((index, None));
            }
            if let Some(is_directory) = paths.get(own) {
                return Some((index, Some(is_directory)));
            }
            let hides = |ancestor: &u64| {
                paths.deletes(*ancestor) || paths.is_opaque(*ancestor) || paths.get(*ancestor) == Some(false)
            };
            if paths.deletes(own) || ancestors.iter().any(hides) {
                return None;
            }
        }
        None
    }

    fn link(&self, path: &[u8]) -> Option<&Vec<u8>> {
        self.layers.get(self.find(path)?)?.links.get(path)
    }

    fn kept(&self, path: &[u8]) -> Option<&Kept> {
        self.layers.get(self.find(path)?)?.files.get(path)
    }

    /// A path with all links resolved.
    fn resolve(&self, path: &Path) -> Result<Vec<u8>> {
        let looping = || Error::Loop { path: path.to_owned() };
        let mut pending: Vec<Vec<u8>> = components(path.as_os_str().as_bytes());
        let mut resolved: Vec<u8> = Vec::new();
        let (mut links, mut steps) = (0, 0);
        while let Some(component) = pending.pop() {
            steps += 1;
            if steps > MAX_COMPONENTS {
                return Err(looping());
            }
            if component == b".." {
                resolved = split(&resolved).0.to_vec();
                continue;
            }
            let parent = resolved.len();
            crate::entry::push_component(&mut resolved, &component);
            if let Some(target) = self.link(&resolved) {
                links += 1;
                if links > MAX_LINKS {
                    return Err(looping());
                }
                resolved.truncate(if target.starts_with(b"/") { 0 } else { parent });
                pending.extend(components(target));
            }
        }
        Ok(resolved)
    }

    fn file(&self, path: &Path) -> Result<&Kept> {
        let resolved = self.resolve(path)?;
        if let Some(kept) = self.kept(&resolved) {
            return Ok(kept);
        }
        // A link to a place where nothing is kept is not the same as no file.
        if resolved
            != components(path.as_os_str().as_bytes()).into_iter().rev().collect::<Vec<_>>().join(&b'/')
        {
            return Err(Error::NotKept { path: path.to_owned(), target: as_path(&resolved).to_owned() });
        }
        Err(Error::NotFound { path: path.to_owned() })
    }
}

/// The components of a path, last first.
fn components(path: &[u8]) -> Vec<Vec<u8>> {
    let named = path.split(|byte| *byte == b'/').filter(|component| !matches!(*component, b"" | b"."));
    named.rev().map(<[u8]>::to_vec).collect()
}

impl Tree for Squashed {
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>> {
        let kept = self.file(path)?;
        if kept.bytes.len() as u64 > limit {
            return Err(too_large(path, limit));
        }
        Ok(kept.bytes.clone())
    }

    fn names(&self, dir: &Path, limit: usize) -> Result<Vec<OsString>> {
        let resolved = self.resolve(dir)?;
        if self.kept(&resolved).is_some() {
            return Err(not_a(dir, "directory"));
        }
        let start = [&resolved, b"/".as_slice()].concat();
        let mut names = BTreeSet::new();
        for layer in &self.layers {
            let from = layer.files.range(start.clone()..).map(|(path, _)| path);
            let links = layer.links.range(start.clone()..).map(|(path, _)| path);
            for path in from
                .take_while(|path| path.starts_with(&start))
                .chain(links.take_while(|path| path.starts_with(&start)))
            {
                let name = &path[start.len()..];
                if !name.contains(&b'/') && self.find(path).is_some() {
                    names.insert(OsString::from_vec(name.to_vec()));
                }
                if names.len() > limit {
                    return Err(too_large(dir, limit as u64));
                }
            }
        }
        if names.is_empty() {
            return Err(Error::NotFound { path: dir.to_owned() });
        }
        Ok(names.into_iter().collect())
    }

    fn modified_at(&self, path: &Path) -> Result<i64> {
        Ok(self.file(path)?.modified_at)
    }

    fn layer_of(&self, path: &Path) -> Result<usize> {
        let found = self.find(path.as_os_str().as_bytes());
        found.ok_or_else(|| Error::NotFound { path: PathBuf::from(path) })
    }

    fn layer_of_directory(&self, path: &Path) -> Result<usize> {
        match self.topmost(path.as_os_str().as_bytes()) {
            Some((_, Some(false))) => Err(not_a(path, "directory")),
            Some((index, _)) => Ok(index),
            None => Err(Error::NotFound { path: PathBuf::from(path) }),
        }
    }

    fn is_link(&self, path: &Path) -> bool {
        self.link(OsStr::as_bytes(path.as_os_str())).is_some()
    }
}
