//! Headers of tar archives (POSIX `pax` interchange format, GNU tar's long names), one after the other.
//!
//! The archives are somebody else's: names and records of the pax format are bounded, and whatever would make another
//! reader see another archive than this one (a size that a pax record changes, sparse files) is an error, not a guess.

use std::io::{self, Read};

/// Size of a header, and what sizes are rounded up to.
pub(crate) const BLOCK: u64 = 512;
/// Bound of the records in front of one entry, in bytes: room for the longest path and for extended attributes.
const MAX_EXTENSION: u64 = 1 << 20;

/// Bytes that can be passed over.
pub(crate) trait Source: Read {
    /// Passes over so many bytes.
    ///
    /// # Errors
    /// When there are fewer, or they cannot be read.
    fn skip(&mut self, bytes: u64) -> io::Result<()>;
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    File,
    HardLink,
    Symlink,
    Directory,
    /// Devices and pipes.
    Special,
}

/// The header of one entry, pax records and long names applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Type,
    /// Path as it is written.
    pub(crate) path: Vec<u8>,
    /// Target of a link as it is written.
    pub(crate) link: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
    /// Seconds since the Unix epoch.
    pub(crate) modified_at: i64,
    /// Value of `SCHILY.xattr.security.capability`.
    pub(crate) capability: Option<Vec<u8>>,
}

/// The next header; `None` at the end. What follows it, `size` bytes rounded up to blocks, is left to the caller.
///
/// # Errors
/// When there is no whole header, its sum is wrong, or it is one that is not covered.
pub(crate) fn next(source: &mut dyn Source) -> io::Result<Option<Header>> {
    let mut extensions = Extensions::default();
    loop {
        let Some(block) = block(source)? else { return Ok(None) };
        let size = number(&block, 124..136).ok_or_else(|| invalid("the size of an entry is not a number"))?;
        match block[156] {
            b'L' => extensions.long_path = Some(text(&extension(source, size)?).to_vec()),
            b'K' => extensions.long_link = Some(text(&extension(source, size)?).to_vec()),
            b'x' => extensions.pax = Pax::parse(&extension(source, size)?)?,
            // Records for all that follows: Docker writes comments only, and Go's reader does not apply them either.
            b'g' => drop(extension(source, size)?),
            b'S' => return Err(invalid("a sparse file, which is not covered")),
            kind => return header(&block, kind, size, extensions).map(Some),
        }
    }
}

/// Bytes that the content of an entry takes up.
pub(crate) fn padded(size: u64) -> u64 {
    size.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX)
}

/// What stands in front of an entry. Where both say something, GNU's names win and later pax records replace earlier
/// ones, as for Go's reader, which is that of the engines.
#[derive(Default)]
struct Extensions {
    long_path: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    pax: Pax,
}

#[derive(Default)]
struct Pax {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    modified_at: Option<i64>,
    capability: Option<Vec<u8>>,
}

impl Pax {
    /// `LENGTH KEYWORD=VALUE\n`, the length being that of the whole record.
    fn parse(mut records: &[u8]) -> io::Result<Self> {
        const BAD: &str = "a pax record does not hold";
        let mut pax = Self::default();
        while !records.is_empty() {
            let space = records.iter().position(|byte| *byte == b' ').ok_or_else(|| invalid(BAD))?;
            let length = decimal(&records[..space]).and_then(|length| usize::try_from(length).ok());
            let (record, rest) =
                length.and_then(|length| records.split_at_checked(length)).ok_or_else(|| invalid(BAD))?;
            let record = record.get(space + 1..).and_then(|record| record.strip_suffix(b"\n"));
            let record = record.ok_or_else(|| invalid(BAD))?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(|| invalid(BAD))?;
            pax.set(&record[..equals], &record[equals + 1..])?;
            records = rest;
        }
        Ok(pax)
    }

    fn set(&mut self, keyword: &[u8], value: &[u8]) -> io::Result<()> {
        // An empty value takes back what was said before, which is nothing.
        if value.is_empty() {
            return Ok(());
        }
        if value.contains(&0) && matches!(keyword, b"path" | b"linkpath") {
            return Err(invalid("a path with a NUL in it"));
        }
        let number = || decimal(value).ok_or_else(|| invalid("a number in a pax record is none"));
        let id = || number().map(|id| u32::try_from(id).unwrap_or(u32::MAX));
        match keyword {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(number()?),
            b"uid" => self.uid = Some(id()?),
            b"gid" => self.gid = Some(id()?),
            b"mtime" => self.modified_at = seconds(value),
            b"SCHILY.xattr.security.capability" => self.capability = Some(value.to_vec()),
            keyword if keyword.starts_with(b"GNU.sparse.") => {
                return Err(invalid("a sparse file, which is not covered"));
            }
            _ => {}
        }
        Ok(())
    }
}

fn header(block: &[u8; 512], kind: u8, size: u64, extensions: Extensions) -> io::Result<Header> {
    let kind = match kind {
        b'0' | 0 | b'7' => Type::File,
        b'1' => Type::HardLink,
        b'2' => Type::Symlink,
        b'5' => Type::Directory,
        b'3' | b'4' | b'6' => Type::Special,
        _ => return Err(invalid("an entry of a type that is not covered")),
    };
    let Extensions { long_path, long_link, pax } = extensions;
    if pax.size.is_some_and(|other| other != size) {
        return Err(invalid("an entry of more than 8 GiB, or with two sizes, which is not covered"));
    }
    let id = |field| number(block, field).map_or(u32::MAX, |id| u32::try_from(id).unwrap_or(u32::MAX));
    let modified_at =
        || number(block, 136..148).and_then(|time| i64::try_from(time).ok()).unwrap_or_default();
    let path = long_path.or(pax.path).unwrap_or_else(|| ustar_path(block));
    // Before POSIX, a slash at the end told a directory from a file.
    let kind = if kind == Type::File && path.ends_with(b"/") { Type::Directory } else { kind };
    Ok(Header {
        kind,
        path,
        link: long_link.or(pax.link).unwrap_or_else(|| text(&block[157..257]).to_vec()),
        mode: number(block, 100..108).map_or(0, |mode| u32::try_from(mode & 0o7777).unwrap_or_default()),
        uid: pax.uid.unwrap_or_else(|| id(108..116)),
        gid: pax.gid.unwrap_or_else(|| id(116..124)),
        // Links and directories have no content, whatever their header says (Go's reader does the same).
        size: if kind == Type::File { size } else { 0 },
        modified_at: pax.modified_at.unwrap_or_else(modified_at),
        capability: pax.capability,
    })
}

/// Name behind its prefix, where the header has one (`ustar`, but not GNU's older `ustar  `).
fn ustar_path(block: &[u8; 512]) -> Vec<u8> {
    let name = text(&block[..100]);
    let prefix = text(&block[345..500]);
    if &block[257..263] == b"ustar\0" && !prefix.is_empty() {
        return [prefix, b"/", name].concat();
    }
    name.to_vec()
}

/// The next block that is not empty. An archive ends with empty blocks, or where it ends.
fn block(source: &mut dyn Source) -> io::Result<Option<[u8; 512]>> {
    let mut block = [0; 512];
    let mut filled = 0;
    while filled < block.len() {
        match source.read(&mut block[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if block.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) })
        .sum();
    if number(&block, 148..156) != Some(sum) {
        return Err(invalid("not a tar header: its sum is wrong"));
    }
    Ok(Some(block))
}

/// What an extension header carries.
fn extension(source: &mut dyn Source, size: u64) -> io::Result<Vec<u8>> {
    if size > MAX_EXTENSION {
        return Err(invalid("a name or pax record longer than any that is needed"));
    }
    let mut bytes = Vec::new();
    source.take(size).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    source.skip(padded(size) - size)?;
    Ok(bytes)
}

/// Bytes up to a NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// An octal number, or a binary one where the first bit is set (GNU). Negative numbers are none.
fn number(block: &[u8; 512], field: std::ops::Range<usize>) -> Option<u64> {
    let field = &block[field];
    if field[0] & 0x80 != 0 {
        let bytes = std::iter::once(field[0] & 0x7f).chain(field[1..].iter().copied());
        return bytes
            .map(u64::from)
            .try_fold(0_u64, |number, byte| number.checked_mul(256)?.checked_add(byte));
    }
    let digits = text(field).trim_ascii();
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let digits = Some(digits).filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// Whole seconds of a pax time, which may have a fraction and a sign.
fn seconds(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.split('.').next()?.parse().ok()
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
