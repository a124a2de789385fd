//! Images in containerd's own directories: unpacked layers in place, else the blobs that they came as.
//!
//! containerd (`core/metadata/buckets.go`, `core/snapshots/storage/bolt.go`) knows each unpacked layer by its chain id (OCI
//! image specification, "Layer ChainID"), the name of a snapshot, which a snapshotter keeps in a directory with a number.

mod bolt;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use plimsoll_rootdir::RootDir;

use crate::archive::{Archive, ReadImage, sha256};
use crate::entry::{Content, Region};
use crate::error::{Error, Result};
use crate::overlay::LayeredRoot;
use crate::overlay::union::Union;
use bolt::Bolt;

const METADATA: &str = "io.containerd.metadata.v1.bolt/meta.db";
const CONTENT: &str = "io.containerd.content.v1.content";
/// Snapshotter that copies everything into each snapshot.
const NATIVE: &str = "native";
/// `snapshots.KindCommitted`.
const COMMITTED: u8 = 3;

/// The directory in which a containerd keeps everything.
pub struct Containerd {
    root: RootDir,
}

/// Where the snapshots of one snapshotter are, by number.
struct Snapshots {
    dir: PathBuf,
    database: File,
}

/// A snapshot as its snapshotter knows it.
#[derive(Debug, PartialEq, Eq)]
struct Snapshot {
    number: u64,
    parent: Vec<u8>,
}

impl Containerd {
    /// A containerd whose `root` directory is `path` below a host's root.
    ///
    /// # Errors
    /// When there is none, or it cannot be opened.
    pub fn open(host: &RootDir, path: &Path) -> Result<Self> {
        let root = host.open_root(path)?;
        root.stat(METADATA, true)?;
        Ok(Self { root })
    }

    /// The unpacked layers with these digests (`diff_ids`, lowest first), as the snapshotter keeps them.
    ///
    /// # Errors
    /// When the layers are not unpacked, or their databases cannot be read or do not hold.
    pub fn unpacked(
        &self,
        namespace: &str,
        snapshotter: &str,
        union: Union,
        diff_ids: &[String],
    ) -> Result<LayeredRoot> {
        let chain = chain_id(diff_ids)
            .ok_or_else(|| Error::Document { what: "the image names no layers".to_owned() })?;
        let path = [b"v1", namespace.as_bytes(), b"snapshots", snapshotter.as_bytes(), chain.as_bytes()];
        let name = view(&self.root.open_file(METADATA)?, METADATA, |file| {
            file.view(|snapshot| snapshot.get(&path, b"name"))
        })?;
        let name = name.ok_or_else(|| Error::Document {
            what: format!("snapshotter {snapshotter} of containerd has no snapshot {chain}"),
        })?;
        let snapshots = Snapshots::open(&self.root, snapshotter)?;
        let numbers = snapshots.numbers(&name, diff_ids.len())?;
        let dirs: Vec<PathBuf> = if snapshotter == NATIVE {
            numbers.first().map(|number| snapshots.dir.join(number.to_string())).into_iter().collect()
        } else {
            numbers.iter().map(|number| snapshots.dir.join(number.to_string()).join("fs")).collect()
        };
        LayeredRoot::open(&self.root, &dirs, union)
    }

    /// Reads the image whose manifest, or index, has this digest, from its blobs. Of an index, it is the image with these
    /// layers.
    ///
    /// # Errors
    /// When a blob is missing, is not what its digest says, or does not hold.
    pub fn packed(&self, digest: &str, diff_ids: &[String]) -> Result<ReadImage> {
        let archive = Archive::of_store(self.root.open_root(CONTENT)?, digest)?;
        let image = archive.images().iter().find(|image| image.diff_ids() == diff_ids);
        let image = image.ok_or_else(|| Error::Document {
            what: format!("{digest}: no image with these layers is in containerd's content store"),
        })?;
        archive.read(image)
    }
}

impl Snapshots {
    fn open(root: &RootDir, snapshotter: &str) -> Result<Self> {
        let dir = PathBuf::from(format!("io.containerd.snapshotter.v1.{snapshotter}"));
        let database = root.open_file(dir.join("metadata.db"))?;
        Ok(Self { dir: dir.join("snapshots"), database })
    }

    /// Numbers of the snapshot with this name and of all below it, topmost first: as many as there are layers.
    fn numbers(&self, name: &[u8], count: usize) -> Result<Vec<u64>> {
        let what = self.dir.with_file_name("metadata.db").display().to_string();
        view(&self.database, &what, |file| chain(file, name, count))
    }
}

fn chain(file: &Bolt<'_>, name: &[u8], count: usize) -> io::Result<Vec<u64>> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    file.view(|at| {
        let mut numbers = Vec::new();
        let mut name = name.to_vec();
        while !name.is_empty() {
            if numbers.len() == count {
                return Err(invalid("a snapshot has more parents than the image has layers"));
            }
            let Snapshot { number, parent } =
                snapshot(at, &name)?.ok_or_else(|| invalid("a snapshot is missing, or not complete"))?;
            numbers.push(number);
            name = parent;
        }
        if numbers.len() == count { Ok(numbers) } else { Err(invalid("a snapshot has too few parents")) }
    })
}

fn snapshot(at: &bolt::Snapshot<'_>, name: &[u8]) -> io::Result<Option<Snapshot>> {
    let path: [&[u8]; 3] = [b"v1", b"snapshots", name];
    let number = at.get(&path, b"id")?.as_deref().and_then(unsigned);
    let is_committed = at.get(&path, b"kind")?.as_deref() == Some(&[COMMITTED]);
    let parent = at.get(&path, b"parent")?.unwrap_or_default();
    Ok(number.filter(|_| is_committed).map(|number| Snapshot { number, parent }))
}

fn view<T>(file: &File, what: &str, look: impl Fn(&Bolt<'_>) -> io::Result<T>) -> Result<T> {
    let failed = |cause| Error::Archive { what: what.to_owned(), cause };
    // While containerd writes, the file may grow.
    let whole: &dyn Content = &Region { file, start: 0, size: u64::MAX };
    look(&Bolt::new(whole)).map_err(failed)
}

/// A number as `binary.PutUvarint` of Go writes it.
fn unsigned(bytes: &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(index).ok()?)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The chain id of a stack of layers, lowest first (OCI image specification, "Layer ChainID").
fn chain_id(diff_ids: &[String]) -> Option<String> {
    let (first, rest) = diff_ids.split_first()?;
    Some(rest.iter().fold(first.clone(), |below, layer| {
        format!("sha256:{}", sha256(format!("{below} {layer}").as_bytes()))
    }))
}

/// Reads bytes as a snapshotter's database.
#[cfg(any(fuzzing, test))]
pub(crate) fn read_bytes(bytes: &[u8]) -> io::Result<Vec<u64>> {
    let name = b"moby/6/sha256:d15eb959517d40d028b9fb1b75adeb4b8f08843c8aa4c8412d9210eb4acf4d20";
    chain(&Bolt::new(&bytes), name, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the overlayfs snapshotter of containerd 2.1.9, to which an engine gave an image of three layers.
    pub(super) const DATABASE: &[u8] = include_bytes!("../../../../fuzz/seeds/image_containerd/metadata.db");
    const DIFF_IDS: [&str; 3] = [
        "sha256:97f037b1e609c297138eb90e692bad3031c9d5822b508608fbac549c9d4add7a",
        "sha256:4037ef1078a4453804bc4137a09850edb74d800de908efeaddb83bddff3637d6",
        "sha256:818d9d310b73d2b6a01c4e35a39d8ccc27d8fb01f5e947519f280ad0f6f4df83",
    ];

    #[test]
    fn snapshots_are_found_by_the_chain_of_their_layers() {
        let diff_ids = DIFF_IDS.map(str::to_owned);
        let name = format!("moby/6/{}", chain_id(&diff_ids).unwrap());
        let file = Bolt::new(&DATABASE);
        assert_eq!(chain(&file, name.as_bytes(), 3).unwrap(), [3, 2, 1]);
        for count in [0, 2, 4] {
            assert!(chain(&file, name.as_bytes(), count).is_err(), "{count}");
        }
        assert!(chain(&file, b"moby/7/sha256:0", 1).unwrap_err().to_string().contains("missing"));
    }

    #[test]
    fn whatever_the_bytes_are() {
        for length in (0..DATABASE.len()).step_by(97) {
            let _ = read_bytes(&DATABASE[..length]);
        }
        let mut bytes = DATABASE.to_vec();
        for at in (0..DATABASE.len()).step_by(3) {
            for bit in [1, 0x80] {
                bytes[at] ^= bit;
                // Wrong numbers are as good as right ones to whoever does not know them, but they are as many.
                assert!(read_bytes(&bytes).map_or(true, |numbers| numbers.len() == 3), "{at}");
                bytes[at] ^= bit;
            }
        }
    }

    #[test]
    fn numbers_as_go_writes_them() {
        assert_eq!(unsigned(&[3]), Some(3));
        assert_eq!(unsigned(&[0xac, 0x02]), Some(300));
        assert_eq!(unsigned(&[0x80]), None);
        assert_eq!(unsigned(&[0xff; 16]), None);
        assert_eq!(chain_id(&[]), None);
    }
}
