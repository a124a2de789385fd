//! Sections and loaded segments of an ELF file (elf(5)), as far as build information is found by them.

use std::io;

use crate::entry::Content;
use crate::packages::bytes::slice;

/// Nothing smaller than the header is a program.
pub(super) const MIN_SIZE: u64 = 64;
/// Bound of the sections of one file.
const MAX_SECTIONS: usize = 65_535;
/// Bound of the names of sections, in bytes.
const MAX_NAMES: u64 = 4 << 20;
const PT_LOAD: u64 = 1;
const SHT_NOBITS: u64 = 8;

pub(super) fn is_elf(head: &[u8]) -> bool {
    head.starts_with(b"\x7fELF")
}

/// An ELF file, opened.
pub(super) struct Program<'a> {
    content: &'a dyn Content,
    layout: Layout,
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

/// Width and order of numbers.
#[derive(Clone, Copy)]
struct Layout {
    wide: bool,
    big: bool,
}

impl Layout {
    fn number(self, bytes: &[u8], at: usize, length: usize) -> Option<u64> {
        let bytes = slice(bytes, at, length)?;
        let fold = |number, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.big { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) })
    }

    /// A number of the width of an address.
    fn address(self, bytes: &[u8], narrow: usize, wide: usize) -> Option<u64> {
        if self.wide { self.number(bytes, wide, 8) } else { self.number(bytes, narrow, 4) }
    }
}

impl<'a> Program<'a> {
    /// Reads the tables of an ELF file; `None` where it is none, or its tables are not where they should be (the
    /// kernel needs no sections to run it).
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn of(content: &'a dyn Content) -> io::Result<Option<Self>> {
        let header = content.bytes(0, 64)?;
        let layout = match (header.get(4), header.get(5)) {
            (Some(class @ 1..=2), Some(order @ 1..=2)) => Layout { wide: *class == 2, big: *order == 2 },
            _ => return Ok(None),
        };
        let mut program = Self { content, layout, segments: Vec::new(), sections: Vec::new() };
        let segments = program.table(&header, (28, 32), (42, 54))?;
        program.segments = segments.iter().filter_map(|entry| layout.segment(entry)).collect();
        let sections = program.table(&header, (32, 40), (46, 58))?;
        let names = layout.number(&header, if layout.wide { 62 } else { 50 }, 2).unwrap_or_default();
        program.sections = program.named(&sections, usize::try_from(names).unwrap_or(usize::MAX))?;
        Ok(Some(program))
    }

    /// One of the two tables: where its offset and its entry size stand in the header, narrow and wide. The number of
    /// entries follows their size.
    fn table(&self, header: &[u8], offset: (usize, usize), size: (usize, usize)) -> io::Result<Vec<Vec<u8>>> {
        let layout = self.layout;
        let size_at = if layout.wide { size.1 } else { size.0 };
        let fields = (
            layout.address(header, offset.0, offset.1),
            layout.number(header, size_at, 2),
            layout.number(header, size_at + 2, 2),
        );
        let (Some(offset), Some(size), Some(count)) = fields else { return Ok(Vec::new()) };
        let bytes = size * count;
        if offset == 0 || size < 32 || offset.saturating_add(bytes) > self.content.size() {
            return Ok(Vec::new());
        }
        let table = self.content.bytes(offset, usize::try_from(bytes).unwrap_or_default())?;
        let entries = table.chunks_exact(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(entries.take(MAX_SECTIONS).map(<[u8]>::to_vec).collect())
    }

    /// Sections with their names, which stand in one of them.
    fn named(&self, sections: &[Vec<u8>], names: usize) -> io::Result<Vec<(Vec<u8>, Region)>> {
        let names = sections.get(names).and_then(|entry| self.layout.section(entry));
        let Some((_, names)) = names.filter(|(_, names)| names.size <= MAX_NAMES) else {
            return Ok(Vec::new());
        };
        let names = self.read(names.offset, names.size, MAX_NAMES)?;
        let name = |at: usize| {
            let rest = names.get(at..)?;
            rest.split(|byte| *byte == 0).next().map(<[u8]>::to_vec)
        };
        let named = |entry: &Vec<u8>| {
            let (at, region) = self.layout.section(entry)?;
            Some((name(at)?, region))
        };
        Ok(sections.iter().filter_map(named).collect())
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

impl Layout {
    fn segment(self, entry: &[u8]) -> Option<Region> {
        (self.number(entry, 0, 4)? == PT_LOAD).then_some(())?;
        Some(Region {
            address: self.address(entry, 8, 16)?,
            offset: self.address(entry, 4, 8)?,
            size: self.address(entry, 16, 32)?,
        })
    }

    /// Where the name of a section is, and the section.
    fn section(self, entry: &[u8]) -> Option<(usize, Region)> {
        (self.number(entry, 4, 4)? != SHT_NOBITS).then_some(())?;
        let region = Region {
            address: self.address(entry, 12, 16)?,
            offset: self.address(entry, 16, 24)?,
            size: self.address(entry, 20, 32)?,
        };
        Some((usize::try_from(self.number(entry, 0, 4)?).ok()?, region))
    }
}
