//! A file as memory: the one place of this crate that the compiler cannot check.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

/// A file, mapped for reading.
#[derive(Debug)]
pub(crate) struct Map(Mmap);

impl Map {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        // SAFETY: a mapped file must not change while it is mapped. plimsoll never writes to such a file again: it makes
        // a new one beside it and renames that over it, which leaves this mapping's inode as it was. Whoever else
        // may write to the folder is whoever runs plimsoll or root, and could replace the program as well; bytes that
        // change all the same are only ever decoded by bounded, checked code.
        #[expect(unsafe_code, reason = "memory-mapping is unsafe by nature; see SAFETY")]
        let map = unsafe { Mmap::map(&file) }?;
        Ok(Self(map))
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Map {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
