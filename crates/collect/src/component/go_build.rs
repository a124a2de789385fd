//! What a Go program says about its own build: the section `.go.buildinfo` (Go's package debug/buildinfo), read
//! without running the program.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, SectionHeader};
use object::{Endianness, FileKind, ReadCache, ReadRef};
use plimsoll_image::go_build::GoBuild;

/// Largest build information that is read; that of big programs with all their modules has some 50 kB.
const MAX_INFO: u64 = 1 << 20;

/// Largest program that is looked into.
const MAX_PROGRAM: u64 = 1 << 30;

/// Largest piece of a program that is read at once: a full table of sections.
const MAX_READ: usize = 4 << 20;

const MAGIC: &[u8] = b"\xff Go buildinf:";

/// Flag of the header: strings follow it, each after its length (Go 1.18).
const INLINE_STRINGS: u8 = 2;

/// Length of the sentinels around the description of modules.
const SENTINEL: usize = 16;

/// What is known of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// Built by Go 1.18 or newer.
    Go(GoBuild),
    /// An ELF program without build information.
    Native,
    /// Not an ELF program: a script, most often.
    NotElf,
}

/// Reads a program.
///
/// # Errors
/// When it cannot be read, or is an ELF program that contradicts itself.
pub(super) fn read(file: File) -> io::Result<Program> {
    if file.metadata()?.len() > MAX_PROGRAM {
        return Err(io::Error::other("larger than any program that is known here"));
    }
    let data = ReadCache::new(Bounded(file));
    let section = match FileKind::parse(&data) {
        Ok(FileKind::Elf64) => section::<FileHeader64<Endianness>>(&data),
        Ok(FileKind::Elf32) => section::<FileHeader32<Endianness>>(&data),
        _ => return Ok(Program::NotElf),
    };
    match section.map_err(io::Error::other)? {
        None => Ok(Program::Native),
        Some(info) => Ok(parse(info).map_or(Program::Native, Program::Go)),
    }
}

/// The bytes of `.go.buildinfo`, where the program has that section.
fn section<Header: FileHeader<Endian = Endianness>>(
    data: &ReadCache<Bounded>,
) -> object::Result<Option<&[u8]>> {
    let header = Header::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let Some((_, section)) = sections.section_by_name(endian, b".go.buildinfo") else { return Ok(None) };
    let (offset, size) = (section.sh_offset(endian).into(), section.sh_size(endian).into().min(MAX_INFO));
    Ok(data.read_bytes_at(offset, size).ok())
}

/// A file of which only pieces of sane size are read.
struct Bounded(File);

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        if buffer.len() > MAX_READ {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.0.read_exact(buffer)
    }
}

impl Seek for Bounded {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

/// Takes the section apart: header, version of Go, description of modules.
fn parse(section: &[u8]) -> Option<GoBuild> {
    let header = section.get(..32)?;
    if !header.starts_with(MAGIC) || header.get(15)? & INLINE_STRINGS == 0 {
        return None;
    }
    let mut rest = section.get(32..)?;
    take_string(&mut rest)?;
    let modules = take_string(&mut rest)?;
    let modules = modules.get(SENTINEL..modules.len().checked_sub(SENTINEL)?).unwrap_or_default();
    Some(GoBuild::of(&String::from_utf8_lossy(modules)))
}

/// A string after its length, which is a variable-length number.
fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut length = 0_usize;
    for shift in (0..32).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let (string, tail) = rest.split_at_checked(length)?;
            *rest = tail;
            return Some(string);
        }
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    /// A 64-bit ELF file with nothing but the build information of these modules.
    pub(in super::super) fn program(modules: &str) -> Vec<u8> {
        const NAMES: &[u8] = b"\0.shstrtab\0.go.buildinfo\0";
        let info = section(modules);
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(16, 0);
        // Executable for x86-64, version 1; entry, program headers, section headers right after the header.
        bytes.extend([2, 0, 62, 0, 1, 0, 0, 0]);
        bytes.extend([0; 16]);
        bytes.extend(64_u64.to_le_bytes());
        bytes.extend([0, 0, 0, 0, 64, 0, 56, 0, 0, 0, 64, 0, 3, 0, 1, 0]);
        bytes.extend([0; 64]);
        let header = |name: u32, kind: u32, offset: usize, size: usize| {
            let mut header = [name.to_le_bytes(), kind.to_le_bytes()].concat();
            header.extend([0; 16]);
            header.extend((offset as u64).to_le_bytes());
            header.extend((size as u64).to_le_bytes());
            header.resize(64, 0);
            header
        };
        let start = 64 + 3 * 64;
        bytes.extend(header(1, 3, start, NAMES.len()));
        bytes.extend(header(11, 1, start + NAMES.len(), info.len()));
        bytes.extend(NAMES);
        bytes.extend(info);
        bytes
    }

    /// As Debian's dockerd 20.10.24 carries it, shortened.
    const DOCKERD: &str = "path\tgithub.com/docker/docker/cmd/dockerd\nbuild\t-compiler=gc\nbuild\t-ldflags=\" \\t\\t-w \\t-X \\\"github.com/docker/docker/dockerversion.GitCommit=5d6db84\\\" \\t-X \\\"github.com/docker/docker/dockerversion.Version=20.10.24+dfsg1\\\" \\t-X \\\"github.com/docker/docker/dockerversion.PlatformName=\\\"\"\nbuild\tGOOS=linux\n";

    fn section(modules: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([8, INLINE_STRINGS]);
        bytes.resize(32, 0);
        bytes.extend(b"\x08go1.19.8");
        let length = modules.len() + 2 * SENTINEL;
        bytes.extend([(length & 0x7f) as u8 | 0x80, (length >> 7) as u8]);
        bytes.extend([b's'; SENTINEL]);
        bytes.extend(modules.as_bytes());
        bytes.extend([b'e'; SENTINEL]);
        bytes
    }

    #[test]
    fn sections_that_lie() {
        let whole = section(DOCKERD);
        for cut in 0..whole.len() {
            assert_eq!(parse(&whole[..cut]), None);
        }
        assert_eq!(parse(&[0xff; 4096]), None);
        let mut endless = whole[..32].to_vec();
        endless.extend([0xff; 64]);
        assert_eq!(parse(&endless), None);
    }

    #[test]
    fn a_whole_program() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&program(DOCKERD)).unwrap();
        let Program::Go(build) = read(file).unwrap() else { panic!("has build information") };
        assert_eq!(build.version().as_deref(), Some("20.10.24+dfsg1"));
    }

    #[test]
    fn programs_of_this_machine() {
        let test = read(File::open("/proc/self/exe").unwrap()).unwrap();
        assert_eq!(test, Program::Native);
        let mut script = tempfile::tempfile().unwrap();
        script.write_all(b"#!/bin/sh\n").unwrap();
        assert_eq!(read(script).unwrap(), Program::NotElf);
        assert_eq!(read(tempfile::tempfile().unwrap()).unwrap(), Program::NotElf);
        // Half a header, and one whose table of sections is nowhere.
        for (length, number) in [(40, 0_u8), (64, 200)] {
            let mut elf = vec![0; length];
            let mut program = File::open("/proc/self/exe").unwrap();
            program.read_exact(&mut elf).unwrap();
            if length == 64 {
                elf[46] = number;
            }
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&elf).unwrap();
            assert!(read(file).is_err());
        }
    }
}
