//! Packages of programming languages, found by the names and the first bytes of files.

mod elf;
mod go;
mod java;
mod npm;
mod python;
mod rust;

use std::io;

use plimsoll_facts::InstalledPackage;

use crate::entry::{Entry, Kind};
use crate::tree::shown;

/// Bound of a program that is looked into, in bytes.
const MAX_PROGRAM: u64 = 512 << 20;

/// The packages that a file tells of.
///
/// Programs of the distribution's own packages are not looked into: its advisories know what is compiled into them,
/// and better (they know backported fixes). Programs are most of what a system is made of, so this is also what makes
/// the look fast.
pub(super) fn packages(
    published: &dyn Fn(&[u8]) -> bool,
    entry: &mut dyn Entry,
) -> io::Result<Vec<InstalledPackage>> {
    let (dir, name) = (entry.dir(), entry.name());
    if python::is_metadata(dir, name) {
        return python::packages(entry);
    }
    if npm::is_manifest(dir, name) {
        return npm::packages(entry);
    }
    if java::is_archive(name) {
        return java::packages(entry);
    }
    if published(&entry.path()) || !may_be_program(entry)? {
        return Ok(Vec::new());
    }
    programs(entry)
}

/// Whether a file can be a program or a library by its mode and name; data files are not worth opening.
fn may_be_program(entry: &mut dyn Entry) -> io::Result<bool> {
    debug_assert_eq!(entry.kind(), Kind::File);
    let Some(attributes) = entry.attributes()? else { return Ok(false) };
    let is_library = entry.name().windows(3).any(|part| part == b".so") || entry.name().ends_with(b".node");
    Ok(attributes.size >= elf::MIN_SIZE && (attributes.mode & 0o111 != 0 || is_library))
}

fn programs(entry: &mut dyn Entry) -> io::Result<Vec<InstalledPackage>> {
    if !elf::is_elf(&entry.head(4)?) {
        return Ok(Vec::new());
    }
    let path = shown(&entry.path());
    let content = entry.content(MAX_PROGRAM)?;
    let Some(program) = elf::Program::of(&*content)? else { return Ok(Vec::new()) };
    let mut packages = go::packages(&program, &path)?;
    packages.extend(rust::packages(&program, &path)?);
    Ok(packages)
}
