//! One pass over the archive of a layer: what is kept of it, what was seen in it, and what it hides of those below.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::sync::Arc;

use super::stream::{Unpacked, Window};
use super::tar::{self, Header, Source, Type, padded};
use super::wanted;
use crate::entry::{Attributes, Content, Entry, Kind, Region, too_large};
use crate::overlay::union::WHITEOUT_PREFIX;
use crate::packages::MAX_DATABASE;
use crate::survey::{Look, Survey};

/// Bound of the entries of one layer.
const MAX_ENTRIES: u64 = 4_000_000;
/// Bound of the components of a path.
const MAX_DEPTH: usize = 512;
/// Bound of the files that are kept of one layer, in bytes.
const MAX_KEPT: u64 = 512 << 20;
const OPAQUE: &[u8] = b".wh..wh..opq";
/// Marks of aufs itself.
const AUFS_PREFIX: &[u8] = b".wh..wh.";

/// A source of a layer that may be a region of a file.
pub(super) trait LayerSource<'a>: Source {
    /// The next so many bytes as a region of a file; `None` where they must be read in order.
    fn region(&self, size: u64) -> Option<Region<&'a std::fs::File>>;
}

impl<'a> LayerSource<'a> for Window<'a> {
    fn region(&self, size: u64) -> Option<Region<&'a std::fs::File>> {
        Some(Self::region(self, size))
    }
}

impl<'a, R: Read> LayerSource<'a> for Unpacked<R> {
    fn region(&self, _size: u64) -> Option<Region<&'a std::fs::File>> {
        None
    }
}

/// What is kept of a layer. Paths are without leading slash.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) survey: Arc<Survey>,
    pub(super) files: BTreeMap<Vec<u8>, Kept>,
    /// Links on the way to files that may be kept: path → target. A hard link's is from the root.
    pub(super) links: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) paths: Paths,
}

/// A file that is kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) bytes: Vec<u8>,
    pub(super) modified_at: i64,
}

/// Every path of a layer, as hashes: what an upper layer has hides what a lower one has. Eight bytes a path, so that
/// millions of files are no problem; keyed at random, so that nobody can make them collide.
#[derive(Debug, Default)]
pub(super) struct Paths {
    entries: Vec<u64>,
    whiteouts: HashSet<u64>,
    opaque: HashSet<u64>,
    /// Nothing is remembered of the lowest layer, which hides nothing.
    pub(super) is_lowest: bool,
}

const DIRECTORY: u64 = 1;

impl Paths {
    fn add(&mut self, hasher: &RandomState, path: &[u8], is_directory: bool) {
        if !self.is_lowest {
            self.entries.push(hasher.hash_one(path) & !DIRECTORY | u64::from(is_directory));
        }
    }

    fn finish(&mut self) {
        self.entries.sort_unstable();
        self.entries.dedup();
        self.entries.shrink_to_fit();
    }

    /// Whether the layer has something here; `Some(true)`: a directory.
    pub(super) fn get(&self, hash: u64) -> Option<bool> {
        let has = |key| self.entries.binary_search(&key).is_ok();
        let hash = hash & !DIRECTORY;
        // Where an archive has both, the directory hides less.
        if has(hash | DIRECTORY) { Some(true) } else { has(hash).then_some(false) }
    }

    /// Whether the layer deletes what is here.
    pub(super) fn deletes(&self, hash: u64) -> bool {
        self.whiteouts.contains(&hash)
    }

    /// Whether nothing of the layers below is visible in this directory.
    pub(super) fn is_opaque(&self, hash: u64) -> bool {
        self.opaque.contains(&hash)
    }
}

/// Reads a whole layer.
///
/// # Errors
/// When the archive does not hold, leads out of the layer, or exceeds a bound: what would be left out is not known.
pub(super) fn read<'a>(
    source: &mut dyn LayerSource<'a>,
    hasher: &RandomState,
    is_lowest: bool,
) -> io::Result<Layer> {
    let mut reading = Reading::new(hasher.clone(), is_lowest);
    reading.add(source, b"")?;
    Ok(reading.finish())
}

/// A layer as far as it was read, from one archive or several.
pub(super) struct Reading {
    hasher: RandomState,
    layer: Layer,
    survey: Survey,
    entries: u64,
    kept: u64,
    /// Room for the content of one entry after the other.
    room: Vec<u8>,
}

impl Reading {
    pub(super) fn new(hasher: RandomState, is_lowest: bool) -> Self {
        let layer = Layer { paths: Paths { is_lowest, ..Paths::default() }, ..Layer::default() };
        Self { hasher, layer, survey: Survey::default(), entries: 0, kept: 0, room: Vec::new() }
    }

    /// Adds an archive whose paths are below the directory `base`, which has no leading slash.
    pub(super) fn add<'a>(&mut self, source: &mut dyn LayerSource<'a>, base: &[u8]) -> io::Result<()> {
        let mut parent = Vec::new();
        while let Some(mut header) = tar::next(as_source(source))? {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(io::Error::other(format!("more than {MAX_ENTRIES} entries in a layer")));
            }
            let path = below(base, clean(&header.path)?);
            if header.kind == Type::HardLink {
                header.link = below(base, header.link);
            }
            let size = padded(header.size);
            if path.is_empty() {
                source.skip(size)?;
                continue;
            }
            let (dir, name) = split(&path);
            if parent != dir {
                self.layer.add_parents(&self.hasher, dir);
                parent = dir.to_vec();
            }
            if self.layer.mark(&self.hasher, dir, name) {
                source.skip(size)?;
                continue;
            }
            self.layer.paths.add(&self.hasher, &path, header.kind == Type::Directory);
            let place = Place { dir, name, room: &mut self.room };
            self.kept += self.layer.entry(source, &mut self.survey, &header, place)?;
            if self.kept > MAX_KEPT {
                let what = format!("more than {MAX_KEPT} bytes of package databases in a layer");
                return Err(io::Error::other(what));
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Layer {
        self.layer.paths.finish();
        self.survey.finish();
        self.layer.survey = Arc::new(self.survey);
        self.layer
    }
}

fn below(base: &[u8], path: Vec<u8>) -> Vec<u8> {
    if base.is_empty() || path.is_empty() { path } else { [base, b"/", &path].concat() }
}

/// The same source without its regions.
fn as_source<'s, 'a>(source: &'s mut (dyn LayerSource<'a> + 's)) -> &'s mut (dyn Source + 's) {
    source
}

impl Layer {
    /// Directories that an archive does not name are there all the same.
    fn add_parents(&mut self, hasher: &RandomState, dir: &[u8]) {
        let slashes = dir.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        for end in slashes.chain([dir.len()]).filter(|end| *end > 0) {
            self.paths.add(hasher, &dir[..end], true);
        }
    }

    /// Notes a whiteout or opaque mark (OCI image specification, "Layer Filesystem Changeset"); `false`: it is none.
    fn mark(&mut self, hasher: &RandomState, dir: &[u8], name: &[u8]) -> bool {
        if name == OPAQUE {
            self.paths.opaque.insert(hasher.hash_one(dir));
        } else if name.starts_with(AUFS_PREFIX) {
            // Nothing to a union file system of today.
        } else if let Some(hidden) = name.strip_prefix(WHITEOUT_PREFIX) {
            let mut path = dir.to_vec();
            crate::entry::push_component(&mut path, hidden);
            self.paths.whiteouts.insert(hasher.hash_one(path.as_slice()));
        } else {
            return false;
        }
        true
    }

    /// Looks at one entry and passes over it; answers with how many bytes of it are kept.
    fn entry<'a>(
        &mut self,
        source: &mut dyn LayerSource<'a>,
        survey: &mut Survey,
        header: &Header,
        place: Place<'_>,
    ) -> io::Result<u64> {
        let Place { dir, name, room } = place;
        let body = match source.region(header.size) {
            Some(region) => Body::Region(region),
            None => Body::Stream { source: as_source(source), room, read: 0 },
        };
        let mut entry = TarEntry { header, dir, name, body };
        let path = entry.path();
        // Whatever was here before in the same archive, this replaces it.
        self.files.remove(&path);
        self.links.remove(&path);
        let mut kept = 0;
        match header.kind {
            Type::Directory => {}
            Type::Symlink | Type::HardLink if wanted::leads_to_wanted(dir, name) => {
                let absolute = |link: &[u8]| [b"/", link].concat();
                let hard = header.kind == Type::HardLink;
                self.links.insert(path, if hard { absolute(&header.link) } else { header.link.clone() });
            }
            Type::File if wanted::is_wanted(dir, name) => {
                let bytes = entry.content(MAX_DATABASE)?.all(MAX_DATABASE)?;
                kept = bytes.len() as u64;
                self.files.insert(path, Kept { bytes, modified_at: header.modified_at });
            }
            _ => {}
        }
        let look = Look { audit: true, languages: true };
        // Who owns what is known when all layers were seen.
        survey.visit(look, &|_| false, &mut entry);
        let read = match entry.body {
            Body::Region(_) => 0,
            Body::Stream { read, .. } => read as u64,
        };
        source.skip(padded(header.size) - read)?;
        Ok(kept)
    }
}

/// Where an entry is, and room for its content.
struct Place<'p> {
    dir: &'p [u8],
    name: &'p [u8],
    room: &'p mut Vec<u8>,
}

/// An entry of an archive.
struct TarEntry<'e, 'a> {
    header: &'e Header,
    dir: &'e [u8],
    name: &'e [u8],
    body: Body<'e, 'a>,
}

enum Body<'e, 'a> {
    Region(Region<&'a std::fs::File>),
    /// What follows, and how much of it was read into the room.
    Stream {
        source: &'e mut dyn Source,
        room: &'e mut Vec<u8>,
        read: usize,
    },
}

/// How much room is made at once: what a header says may not be true.
const STEP: usize = 1 << 20;

impl Body<'_, '_> {
    /// Reads a stream up to so many bytes from the start of the entry.
    fn read_to(&mut self, end: u64) -> io::Result<()> {
        let Self::Stream { source, room, read } = self else { return Ok(()) };
        let end = usize::try_from(end).map_err(|_| too_large(u64::MAX))?;
        while *read < end {
            let next = end.min(*read + STEP);
            if room.len() < next {
                room.resize(next, 0);
            }
            source.read_exact(&mut room[*read..next])?;
            *read = next;
        }
        Ok(())
    }
}

impl Entry for TarEntry<'_, '_> {
    fn dir(&self) -> &[u8] {
        self.dir
    }

    fn name(&self) -> &[u8] {
        self.name
    }

    fn kind(&self) -> Kind {
        match self.header.kind {
            Type::File => Kind::File,
            Type::Symlink => Kind::Link,
            // The file that a hard link names is in the same layer and is seen there.
            Type::HardLink | Type::Special => Kind::Other,
            Type::Directory => Kind::Directory,
        }
    }

    fn attributes(&mut self) -> io::Result<Option<Attributes>> {
        let Header { mode, uid, gid, size, .. } = *self.header;
        Ok(Some(Attributes { mode, uid, gid, size }))
    }

    fn capability(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.header.capability.clone())
    }

    fn head(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let length = self.header.size.min(length as u64);
        self.body.read_to(length)?;
        let length = usize::try_from(length).unwrap_or_default();
        match &self.body {
            Body::Region(region) => (region as &dyn Content).bytes(0, length),
            Body::Stream { room, .. } => Ok(room.get(..length).unwrap_or_default().to_vec()),
        }
    }

    fn content(&mut self, limit: u64) -> io::Result<Box<dyn Content + '_>> {
        let size = self.header.size;
        if matches!(self.body, Body::Stream { .. }) && size > limit {
            return Err(too_large(limit));
        }
        self.body.read_to(size)?;
        match &self.body {
            Body::Region(region) => Ok(Box::new(Region { ..*region })),
            Body::Stream { room, read, .. } => Ok(Box::new(&room[..*read])),
        }
    }
}

/// A path as engines take it: without `.`, empty components and the leading slash, `..` resolved.
fn clean(path: &[u8]) -> io::Result<Vec<u8>> {
    let is_absolute = path.starts_with(b"/");
    let mut components: Vec<&[u8]> = Vec::new();
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." if components.pop().is_none() && !is_absolute => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a path leads out of the layer"));
            }
            b".." => {}
            component => components.push(component),
        }
        if components.len() > MAX_DEPTH {
            return Err(io::Error::other(format!("a path of more than {MAX_DEPTH} components")));
        }
    }
    Ok(components.join(&b'/'))
}

/// Directory and name of a cleaned path.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_and_kept_inside() {
        for (path, cleaned) in [
            ("./etc/./passwd", "etc/passwd"),
            ("/etc//passwd/", "etc/passwd"),
            ("a/../b", "b"),
            ("/../../etc", "etc"),
            ("./", ""),
        ] {
            assert_eq!(clean(path.as_bytes()).unwrap(), cleaned.as_bytes(), "{path}");
        }
        assert!(clean(b"../etc/passwd").is_err());
        assert!(clean(b"a/../../b").is_err());
        assert!(clean(&b"a/".repeat(MAX_DEPTH + 1)).is_err());
    }
}
