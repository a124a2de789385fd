//! Sections and loaded segments of an ELF file (elf(5)), as far as build information is found by them.

use std::io::{self, Read, Seek, SeekFrom};

use object::elf::{FileHeader32, FileHeader64, PT_LOAD, SHT_NOBITS};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, FileKind, ReadCache};

use crate::entry::Content;

/// Nothing smaller than the header is a program.
pub(super) const MIN_SIZE: u64 = 52;
/// Largest piece that is read at once while tables are looked at: a full table of sections, or their names.
const MAX_PIECE: usize = 4 << 20;
/// Bytes that are read where a name begins.
const WINDOW: usize = 4096;

pub(super) fn is_elf(head: &[u8]) -> bool {
    head.starts_with(b"\x7fELF")
}

/// An ELF file, opened.
pub(super) struct Program<'a> {
    content: &'a dyn Content,
    segments: Vec<Region>,
    sections: Vec<(Vec<u8>, Region)>,
}

/// Where something is in memory and in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl<'a> Program<'a> {
    /// Reads the tables of an ELF file.
    ///
    /// # Errors
    /// When it cannot be read, or contradicts itself.
    pub(super) fn of(content: &'a dyn Content) -> io::Result<Self> {
        let data = ReadCache::new(Pieces { content, position: 0, window: Vec::new(), window_start: 0 });
        let mut program = Self { content, segments: Vec::new(), sections: Vec::new() };
        let read = match FileKind::parse(&data) {
            Ok(FileKind::Elf64) => program.read_tables::<FileHeader64<Endianness>>(&data),
            Ok(FileKind::Elf32) => program.read_tables::<FileHeader32<Endianness>>(&data),
            _ => return Err(io::Error::other("an ELF file of a kind that does not exist")),
        };
        read.map_err(io::Error::other)?;
        Ok(program)
    }

    fn read_tables<Header: FileHeader<Endian = Endianness>>(
        &mut self,
        data: &ReadCache<Pieces<'_>>,
    ) -> object::Result<()> {
        let header = Header::parse(data)?;
        let endian = header.endian()?;
        for segment in header.program_headers(endian, data)? {
            if segment.p_type(endian) == PT_LOAD {
                self.segments.push(Region {
                    address: segment.p_vaddr(endian).into(),
                    offset: segment.p_offset(endian).into(),
                    size: segment.p_filesz(endian).into(),
                });
            }
        }
        let sections = header.sections(endian, data)?;
        for section in sections.iter().filter(|section| section.sh_type(endian) != SHT_NOBITS) {
            let region = Region {
                address: section.sh_addr(endian).into(),
                offset: section.sh_offset(endian).into(),
                size: section.sh_size(endian).into(),
            };
            self.sections.push((sections.section_name(endian, section)?.to_vec(), region));
        }
        Ok(())
    }

    /// The section of this name.
    pub(super) fn section(&self, name: &[u8]) -> Option<Region> {
        self.sections.iter().find(|(section, _)| section == name).map(|(_, region)| *region)
    }

    /// Loaded segments, in the order of the file.
    pub(super) fn segments(&self) -> &[Region] {
        &self.segments
    }

    /// Bytes of the file, at most `limit`, as far as they are there.
    pub(super) fn read(&self, offset: u64, size: u64, limit: u64) -> io::Result<Vec<u8>> {
        let size = size.min(limit).min(self.content.size().saturating_sub(offset));
        self.content.bytes(offset, usize::try_from(size).unwrap_or_default())
    }

    /// Bytes at an address in memory.
    pub(super) fn read_address(&self, address: u64, size: u64) -> io::Result<Option<Vec<u8>>> {
        let within = |segment: &&Region| {
            let distance = address.checked_sub(segment.address);
            distance.is_some_and(|distance| distance.saturating_add(size) <= segment.size)
        };
        let Some(segment) = self.segments.iter().find(within) else { return Ok(None) };
        let bytes = self.read(segment.offset.saturating_add(address - segment.address), size, size)?;
        Ok((bytes.len() as u64 == size).then_some(bytes))
    }
}

/// A file of which only pieces of sane size are read. Names of sections are read one by one and stand close together,
/// so what surrounds the last one is kept.
struct Pieces<'a> {
    content: &'a dyn Content,
    position: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = self.kept(buffer)?;
        if read == 0 {
            self.window.resize(WINDOW, 0);
            let length = self.content.read_at(&mut self.window, self.position)?;
            self.window.truncate(length);
            self.window_start = self.position;
            read = self.kept(buffer)?;
        }
        self.position += read as u64;
        Ok(read)
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        if buffer.len() > MAX_PIECE {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let bytes = self.content.bytes(self.position, buffer.len())?;
        buffer.copy_from_slice(&bytes);
        self.position += bytes.len() as u64;
        Ok(())
    }
}

impl Pieces<'_> {
    /// Copies what is kept of the bytes at the position.
    fn kept(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let distance = self.position.checked_sub(self.window_start).map(usize::try_from);
        let kept = distance.and_then(Result::ok).and_then(|distance| self.window.get(distance..));
        kept.unwrap_or_default().read(buffer)
    }
}

impl Seek for Pieces<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let position = match position {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(distance) => self.content.size().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
