//! Packages of programming languages, found by the names and the first bytes of files.

mod elf;
mod go;
pub(super) mod java;
mod npm;
mod python;
mod rust;

use std::io;

use plimsoll_facts::InstalledPackage;

use crate::entry::{Content, Entry, Kind};
use crate::tree::shown;

/// Bound of a program that must be held in memory to be looked into, in bytes.
const MAX_PROGRAM: u64 = 256 << 20;

/// Adds the packages that a file tells of; those that were found before an error stay.
///
/// Programs of the distribution's own packages are not looked into: its advisories know what is compiled into them,
/// and better (they know backported fixes). Programs are most of what a system is made of, so this is also what makes
/// the look fast.
///
/// # Errors
/// When the file is one that tells of packages, and cannot be read or does not hold.
pub(super) fn add(
    published: &dyn Fn(&[u8]) -> bool,
    entry: &mut dyn Entry,
    packages: &mut Vec<InstalledPackage>,
) -> io::Result<()> {
    let (dir, name) = (entry.dir(), entry.name());
    if python::is_metadata(dir, name) {
        packages.push(python::package(entry)?);
    } else if npm::is_manifest(dir, name) {
        packages.extend(npm::package(entry)?);
    } else if java::is_archive(name) {
        java::add(entry, packages)?;
    } else if !published(&entry.path()) && may_be_program(entry)? && elf::is_elf(&entry.head(4)?) {
        let path = shown(&entry.path());
        add_program(&*entry.content(MAX_PROGRAM)?, &path, packages)?;
    }
    Ok(())
}

/// Adds what an ELF file says.
pub(super) fn add_program(
    content: &dyn Content,
    path: &str,
    packages: &mut Vec<InstalledPackage>,
) -> io::Result<()> {
    let program = elf::Program::of(content)?;
    packages.extend(go::packages(&program, path)?);
    packages.extend(rust::packages(&program, path)?);
    Ok(())
}

/// Whether a file can be a program or a library by its mode and name; data files are not worth opening.
fn may_be_program(entry: &mut dyn Entry) -> io::Result<bool> {
    debug_assert_eq!(entry.kind(), Kind::File);
    let Some(attributes) = entry.attributes()? else { return Ok(false) };
    let is_library = entry.name().windows(3).any(|part| part == b".so") || entry.name().ends_with(b".node");
    Ok(attributes.size >= elf::MIN_SIZE && (attributes.mode & 0o111 != 0 || is_library))
}
