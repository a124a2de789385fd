//! Files of bbolt, the database in which containerd keeps what it knows, read while containerd may write to them.
//!
//! Format: go.etcd.io/bbolt, `internal/common` (`Meta`, `Page`, `InBucket`) of version 1.4. Numbers are those of a
//! little-endian machine; what a big-endian one wrote has another magic number and is refused.
//!
//! A writer never changes a page that the newest meta page leads to, and reuses it at the earliest in the transaction after
//! the next (copy on write). So what was read holds if the newest meta page is the same afterwards; else it is read again.

use std::io;

use crate::entry::Content;

const MAGIC: u32 = 0xed0c_daed;
const VERSION: u32 = 2;
/// Bytes in front of what a page holds.
const PAGE_HEADER: usize = 16;
/// Bytes of a meta page's content, the checksum at the end included.
const META: usize = 64;
/// Bytes in front of a bucket that stands inside its parent's page.
const BUCKET_HEADER: usize = 16;
const BRANCH: u16 = 1;
const LEAF: u16 = 2;
/// Flag of an entry whose value is a bucket.
const IS_BUCKET: u32 = 1;
const BRANCH_ENTRY: usize = 16;
const LEAF_ENTRY: usize = 16;
/// Page sizes that are looked for: 1 KiB to 64 KiB.
const PAGE_SIZES: std::ops::RangeInclusive<u32> = 10..=16;
/// Bound of one page with those that it flows over to, in bytes.
const MAX_PAGE: u64 = 16 << 20;
/// Bound of the pages between the root of a bucket and an entry.
const MAX_DEPTH: usize = 32;
/// How often a file is read that changes meanwhile.
const ATTEMPTS: usize = 8;

/// An open file.
pub(super) struct Bolt<'a> {
    file: &'a dyn Content,
}

/// The newest state that was written whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Meta {
    page_size: u64,
    root: u64,
    /// Number of pages that are in use.
    pages: u64,
    transaction: u64,
}

/// A file as it was at one moment.
pub(super) struct Snapshot<'a> {
    file: &'a dyn Content,
    meta: Meta,
}

/// Where the entries of a bucket are.
enum Bucket {
    Page(u64),
    /// A small bucket is kept in its parent's entry.
    Inline(Vec<u8>),
}

impl<'a> Bolt<'a> {
    pub(super) fn new(file: &'a dyn Content) -> Self {
        Self { file }
    }

    /// Looks something up in the newest state of the file, again where the file changed meanwhile.
    ///
    /// # Errors
    /// When it is no such file, does not hold, or changes too fast.
    pub(super) fn view<T>(&self, look: impl Fn(&Snapshot<'_>) -> io::Result<T>) -> io::Result<T> {
        for _ in 0..ATTEMPTS {
            let meta = Meta::newest(self.file)?;
            let found = look(&Snapshot { file: self.file, meta });
            if Meta::newest(self.file)? == meta {
                return found;
            }
        }
        Err(io::Error::other("it changes faster than it can be read"))
    }
}

impl Meta {
    /// Of the two meta pages the newer one that was written whole.
    fn newest(file: &dyn Content) -> io::Result<Self> {
        let first = Self::at(file, 0)?;
        let second = match first {
            Some(meta) => Self::at(file, meta.page_size)?,
            None => {
                let places = PAGE_SIZES.map(|bits| Self::at(file, 1 << bits).transpose());
                places.flatten().next().transpose()?
            }
        };
        first
            .into_iter()
            .chain(second)
            .max_by_key(|meta| meta.transaction)
            .ok_or_else(|| corrupt("it has no meta page that holds"))
    }

    /// The meta page at a place; `None` where there is none, or one that was not written whole.
    fn at(file: &dyn Content, place: u64) -> io::Result<Option<Self>> {
        let mut page = [0; PAGE_HEADER + META];
        let mut filled = 0;
        while filled < page.len() {
            match file.read_at(&mut page[filled..], place + filled as u64)? {
                0 => return Ok(None),
                read => filled += read,
            }
        }
        let meta = &page[PAGE_HEADER..];
        let holds = number32(meta, 0) == Some(MAGIC)
            && number32(meta, 4) == Some(VERSION)
            && number64(meta, META - 8) == Some(fnv1a(&meta[..META - 8]));
        let read = || {
            let page_size = number32(meta, 8)?;
            let is_size = page_size.is_power_of_two() && PAGE_SIZES.contains(&page_size.trailing_zeros());
            is_size.then_some(Self {
                page_size: page_size.into(),
                root: number64(meta, 16)?,
                pages: number64(meta, 40)?,
                transaction: number64(meta, 48)?,
            })
        };
        // Each page says where the other one is.
        Ok(read().filter(|meta| holds && (place == 0 || place == meta.page_size)))
    }
}

impl Snapshot<'_> {
    /// The value of `key` in the bucket that `path` leads to; `None` where there is none.
    ///
    /// # Errors
    /// When the file does not hold.
    pub(super) fn get(&self, path: &[&[u8]], key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let mut bucket = Bucket::Page(self.meta.root);
        for name in path {
            match self.find(&bucket, name)? {
                Some((IS_BUCKET, value)) => bucket = Bucket::of(&value)?,
                _ => return Ok(None),
            }
        }
        Ok(self.find(&bucket, key)?.and_then(|(flags, value)| (flags == 0).then_some(value)))
    }

    /// The entry of a bucket with this key: its flags and its value.
    fn find(&self, bucket: &Bucket, key: &[u8]) -> io::Result<Option<(u32, Vec<u8>)>> {
        let mut page = match bucket {
            Bucket::Page(number) => self.page(*number)?,
            Bucket::Inline(page) => page.clone(),
        };
        for _ in 0..MAX_DEPTH {
            match flags(&page)? {
                LEAF => return leaf(&page, key),
                BRANCH => page = self.page(child(&page, key)?)?,
                _ => return Err(corrupt("a page is neither a branch nor a leaf")),
            }
        }
        Err(corrupt("its pages lead on and on"))
    }

    /// A page, with those that it flows over to.
    fn page(&self, number: u64) -> io::Result<Vec<u8>> {
        let size = self.meta.page_size;
        if number >= self.meta.pages {
            return Err(corrupt("a page is beyond the end"));
        }
        let place = number.checked_mul(size).ok_or_else(|| corrupt("a page is beyond the end"))?;
        let header = self.file.bytes(place, PAGE_HEADER)?;
        if number64(&header, 0) != Some(number) {
            return Err(corrupt("a page has another number than its place"));
        }
        let more = number32(&header, 12).map_or(0, u64::from);
        let length = (more + 1) * size;
        if length > MAX_PAGE {
            return Err(corrupt("a page is larger than any that is needed"));
        }
        self.file.bytes(place, usize::try_from(length).unwrap_or_default())
    }
}

impl Bucket {
    fn of(value: &[u8]) -> io::Result<Self> {
        let root = number64(value, 0).ok_or_else(|| corrupt("a bucket is cut off"))?;
        let page = value.get(BUCKET_HEADER..).ok_or_else(|| corrupt("a bucket is cut off"))?;
        Ok(if root == 0 { Self::Inline(page.to_vec()) } else { Self::Page(root) })
    }
}

fn flags(page: &[u8]) -> io::Result<u16> {
    page.get(8..10)
        .map(|flags| u16::from_le_bytes([flags[0], flags[1]]))
        .ok_or_else(|| corrupt("a page is cut off"))
}

/// The places of a page's entries, each of `size` bytes.
fn entries(page: &[u8], size: usize) -> impl Iterator<Item = usize> {
    let count = page.get(10..12).map_or(0, |count| u16::from_le_bytes([count[0], count[1]]));
    (0..usize::from(count)).map(move |index| PAGE_HEADER + index * size)
}

/// The page below a branch in which a key is, if it is anywhere.
fn child(page: &[u8], wanted: &[u8]) -> io::Result<u64> {
    let mut below = None;
    for entry in entries(page, BRANCH_ENTRY) {
        let key = number32(page, entry).zip(number32(page, entry + 4));
        let key = key.and_then(|(at, length)| part(page, entry, at, length));
        let number = number64(page, entry + 8);
        let (key, number) = key.zip(number).ok_or_else(|| corrupt("an entry is cut off"))?;
        if below.is_some() && key > wanted {
            break;
        }
        below = Some(number);
    }
    below.ok_or_else(|| corrupt("a branch leads nowhere"))
}

fn leaf(page: &[u8], wanted: &[u8]) -> io::Result<Option<(u32, Vec<u8>)>> {
    for entry in entries(page, LEAF_ENTRY) {
        let numbers = || {
            let number = |at: usize| number32(page, entry + at);
            let (flags, at, key, value) = (number(0)?, number(4)?, number(8)?, number(12)?);
            Some((flags, part(page, entry, at, key)?, part(page, entry, at.checked_add(key)?, value)?))
        };
        let (flags, key, value) = numbers().ok_or_else(|| corrupt("an entry is cut off"))?;
        if key == wanted {
            return Ok(Some((flags, value.to_vec())));
        }
    }
    Ok(None)
}

/// Bytes of a page; places are told from the entry.
fn part(page: &[u8], entry: usize, at: u32, length: u32) -> Option<&[u8]> {
    let start = entry.checked_add(usize::try_from(at).ok()?)?;
    page.get(start..start.checked_add(usize::try_from(length).ok()?)?)
}

fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn number64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

/// FNV-1a of 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn corrupt(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::tests::DATABASE;
    use super::*;

    /// A file in which a transaction ends at every so many reads.
    struct Written {
        every: u64,
        reads: Cell<u64>,
    }

    impl Content for Written {
        fn size(&self) -> u64 {
            DATABASE.size()
        }

        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            self.reads.set(self.reads.get() + 1);
            let mut bytes = DATABASE.to_vec();
            let meta = &mut bytes[PAGE_HEADER..PAGE_HEADER + META];
            let transaction = number64(meta, 48).unwrap() + self.reads.get() / self.every;
            meta[48..56].copy_from_slice(&transaction.to_le_bytes());
            let sum = fnv1a(&meta[..META - 8]);
            meta[META - 8..].copy_from_slice(&sum.to_le_bytes());
            bytes.as_slice().read_at(buffer, offset)
        }
    }

    #[test]
    fn what_changes_is_read_again() {
        let look = |snapshot: &Snapshot<'_>| snapshot.get(&[b"v1"], b"none");
        for (every, is_found) in [(1, false), (12, true), (1000, true)] {
            let file = Written { every, reads: Cell::new(0) };
            assert_eq!(Bolt::new(&file).view(look).is_ok(), is_found, "{every}");
        }
    }

    #[test]
    fn the_newer_meta_page_counts_unless_it_was_not_written_whole() {
        let mut bytes = DATABASE.to_vec();
        assert_eq!(Meta::newest(&bytes.as_slice()).unwrap().transaction, 10);
        bytes[PAGE_HEADER + 20] ^= 1;
        assert_eq!(Meta::newest(&bytes.as_slice()).unwrap().transaction, 9);
        bytes[4096 + PAGE_HEADER + 20] ^= 1;
        assert!(Meta::newest(&bytes.as_slice()).is_err());
    }

    #[test]
    fn keys_are_found_in_every_kind_of_bucket() {
        let get = |path: &[&[u8]], key: &[u8]| Bolt::new(&DATABASE).view(|at| at.get(path, key)).unwrap();
        let name: &[u8] = b"moby/2/sha256:97f037b1e609c297138eb90e692bad3031c9d5822b508608fbac549c9d4add7a";
        assert_eq!(get(&[b"v1", b"snapshots", name], b"id"), Some(vec![1]));
        assert_eq!(get(&[b"v1", b"snapshots", name], b"none"), None);
        assert_eq!(get(&[b"v1", b"none"], b"id"), None);
        // A bucket is no value, and a value is no bucket.
        assert_eq!(get(&[b"v1"], b"snapshots"), None);
        assert_eq!(get(&[b"v1", b"snapshots", name, b"id"], b"id"), None);
    }
}
