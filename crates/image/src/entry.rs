//! One file of a layer, whether a directory or an archive holds it.

use std::borrow::Borrow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rawzip::ReaderAt;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    File,
    Link,
    Other,
}

/// Mode, owner and size of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attributes {
    /// Permission bits (`st_mode & 0o7777`).
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
}

/// One entry of a layer. Everything that costs a system call or a read is asked for when it is
/// needed.
pub(crate) trait Entry {
    /// Path of the directory that it is in, without a leading slash; empty for the root.
    fn dir(&self) -> &[u8];

    /// Its name.
    fn name(&self) -> &[u8];

    /// What it is.
    fn kind(&self) -> Kind;

    /// Mode, owner and size. `None`: it is gone meanwhile, or belongs to another file system that is mounted there.
    fn attributes(&mut self) -> io::Result<Option<Attributes>>;

    /// The value of its extended attribute `security.capability`.
    fn capability(&mut self) -> io::Result<Option<Vec<u8>>>;

    /// The first bytes, at most `length`.
    fn head(&mut self, length: usize) -> io::Result<Vec<u8>>;

    /// All of it, to be read in any order; where it must be held in memory for that, at most `limit` bytes.
    fn content(&mut self, limit: u64) -> io::Result<Box<dyn Content + '_>>;

    /// Path from the layer's root, without a leading slash.
    fn path(&self) -> Vec<u8> {
        let mut path = self.dir().to_vec();
        push_component(&mut path, self.name());
        path
    }
}

/// The bytes of a file, in any order.
pub(crate) trait Content {
    /// How many.
    fn size(&self) -> u64;

    /// Reads some of them; 0 at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl Content for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// A region of an open file.
pub(crate) struct Region<F> {
    pub(crate) file: F,
    pub(crate) start: u64,
    pub(crate) size: u64,
}

impl<F: Borrow<File>> Content for Region<F> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = self.size.saturating_sub(offset);
        let length = usize::try_from(rest).unwrap_or(usize::MAX).min(buffer.len());
        self.file.borrow().read_at(&mut buffer[..length], self.start.saturating_add(offset))
    }
}

impl ReaderAt for &dyn Content {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buffer, offset)
    }
}

impl dyn Content + '_ {
    /// Exactly these bytes.
    ///
    /// # Errors
    /// When there are fewer, or they cannot be read.
    pub(crate) fn bytes(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        if offset.saturating_add(length as u64) > self.size() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = vec![0; length];
        ReaderAt::read_exact_at(&self, &mut bytes, offset)?;
        Ok(bytes)
    }

    /// All of them, at most `limit`.
    ///
    /// # Errors
    /// When there are more, or they cannot be read.
    pub(crate) fn all(&self, limit: u64) -> io::Result<Vec<u8>> {
        match usize::try_from(self.size()) {
            Ok(length) if self.size() <= limit => self.bytes(0, length),
            _ => Err(too_large(limit)),
        }
    }
}

/// The error of a file that is larger than somebody is ready to read.
pub(crate) fn too_large(limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than the bound of {limit} bytes"))
}

pub(crate) fn push_component(path: &mut Vec<u8>, name: &[u8]) {
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}
