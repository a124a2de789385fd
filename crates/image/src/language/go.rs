//! Go's build information in a program (Go, `debug/buildinfo`): the toolchain's version and the modules.

use std::io;

use plimsoll_facts::{Ecosystem, InstalledPackage, PackageLocation};

use super::elf::{Program, Region};
use crate::go_build::GoBuild;

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Where in its section or segment the information is looked for, as Go does it.
const SEARCHED: u64 = 1 << 20;
/// The information begins at a multiple of this.
const ALIGNMENT: usize = 16;
/// The version of what is built where its source lies.
const DEVELOPMENT: &str = "(devel)";
/// Bound of the list of modules, in bytes.
const MAX_LIST: u64 = 16 << 20;

pub(super) fn packages(program: &Program<'_>, path: &str) -> io::Result<Vec<InstalledPackage>> {
    let Some((version, modules)) = build_information(program)? else { return Ok(Vec::new()) };
    let mut packages = vec![package("stdlib", toolchain(&version), path)];
    packages.extend(parse(&modules).into_iter().map(|(name, version)| package(&name, &version, path)));
    Ok(packages)
}

fn package(name: &str, version: &str, path: &str) -> InstalledPackage {
    InstalledPackage {
        ecosystem: Ecosystem::Go,
        name: name.to_owned(),
        version: version.to_owned(),
        location: PackageLocation { path: path.to_owned(), stanza: None },
        ..InstalledPackage::default()
    }
}

/// `go1.22.3 X:boringcrypto` is 1.22.3.
fn toolchain(version: &str) -> &str {
    let version = version.strip_prefix("go").unwrap_or(version);
    version.split(' ').next().filter(|first| *first != "devel").unwrap_or(version)
}

/// Version of the toolchain and list of modules.
fn build_information(program: &Program<'_>) -> io::Result<Option<(String, Vec<u8>)>> {
    // Without the section (a linker of another kind), it is at the start of a segment.
    let places: Vec<Region> = match program.section(b".go.buildinfo") {
        Some(section) => vec![section],
        None if program.section(b".go.buildid").is_some()
            || program.section(b".note.go.buildid").is_some() =>
        {
            program.segments().to_vec()
        }
        None => return Ok(None),
    };
    for place in places {
        let bytes = program.read(place.offset, place.size, SEARCHED)?;
        let found = bytes.chunks(ALIGNMENT).position(|chunk| chunk.starts_with(MAGIC));
        let Some(at) = found.map(|index| index * ALIGNMENT) else { continue };
        let Some(&[size, flags]) = bytes.get(at + 14..at + 16) else { continue };
        let information = if flags & 2 != 0 {
            let start = place.offset.saturating_add(at as u64 + 32);
            let inline = program.read(start, place.size.max(SEARCHED), MAX_LIST)?;
            inline_texts(&inline)
        } else {
            let pointers = bytes.get(at + 16..).unwrap_or_default();
            pointed_texts(program, pointers, usize::from(size), flags & 1 != 0)?
        };
        return Ok(information.map(|(version, list)| (String::from_utf8_lossy(&version).into_owned(), list)));
    }
    Ok(None)
}

/// Since Go 1.18: both texts follow, each behind its length.
fn inline_texts(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (version, rest) = inline_text(bytes)?;
    let (list, _) = inline_text(rest)?;
    Some((version.to_vec(), list.to_vec()))
}

fn inline_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return bytes.get(index + 1..)?.split_at_checked(length);
        }
    }
    None
}

/// Before: pointers to string headers, which are pointer and length.
fn pointed_texts(
    program: &Program<'_>,
    bytes: &[u8],
    size: usize,
    big: bool,
) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    if !matches!(size, 4 | 8) {
        return Ok(None);
    }
    let number = |bytes: &[u8], at: usize| {
        let bytes = bytes.get(at..at + size)?;
        let fold = |number, byte: &u8| number << 8 | u64::from(*byte);
        Some(if big { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) })
    };
    let text = |at: usize| -> io::Result<Option<Vec<u8>>> {
        let Some(header) = number(bytes, at) else { return Ok(None) };
        let Some(header) = program.read_address(header, size as u64 * 2)? else { return Ok(None) };
        match (number(&header, 0), number(&header, size)) {
            (Some(address), Some(length)) if length <= MAX_LIST => program.read_address(address, length),
            _ => Ok(None),
        }
    };
    let Some(version) = text(0)? else { return Ok(None) };
    Ok(Some((version, text(size)?.unwrap_or_default())))
}

/// Module and version of each line `mod` and `dep`; `=>` says what a dependency was replaced by. The list stands between
/// two marks of 16 bytes.
fn parse(list: &[u8]) -> Vec<(String, String)> {
    let inner = list.len().checked_sub(16).and_then(|end| list.get(16..end)).unwrap_or_default();
    let text = String::from_utf8_lossy(inner);
    let mut modules: Vec<(String, String)> = Vec::new();
    let mut main = None;
    for line in text.lines() {
        let mut fields = line.split('\t');
        let (kind, name) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let module = (name.to_owned(), fields.next().unwrap_or_default().to_owned());
        match kind {
            "mod" if !name.is_empty() => main = Some(module),
            "dep" if !name.is_empty() => modules.push(module),
            // What a directory holds has no version that anybody else knows.
            "=>" if name.starts_with(['.', '/']) => {
                if let Some((_, version)) = modules.last_mut() {
                    DEVELOPMENT.clone_into(version);
                }
            }
            "=>" if !name.is_empty() => {
                modules.pop();
                modules.push(module);
            }
            _ => {}
        }
    }
    modules.extend(main_module(main, &GoBuild::of(&text)));
    modules
}

/// The module that the program is of. Its version is seldom known to the toolchain, but most programs have it set by the
/// linker. Without a line `mod` (a build in GOPATH mode) its name is what stands before `/cmd/` by custom.
fn main_module(main: Option<(String, String)>, build: &GoBuild) -> Option<(String, String)> {
    let by_linker = || build.version().map(|version| format!("v{version}"));
    match main {
        Some((name, version)) if matches!(version.as_str(), "" | DEVELOPMENT) => {
            Some((name, by_linker().unwrap_or_else(|| DEVELOPMENT.to_owned())))
        }
        Some(module) => Some(module),
        None => {
            let name = build.main.split("/cmd/").next().filter(|name| name.contains('/'))?;
            Some((name.to_owned(), by_linker()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_and_replacements() {
        let mark = [b'0'; 16];
        let text = "path\tcmd/x\nmod\texample.org/x\t(devel)\t\ndep\ta.org/b\tv1.2.3\th1:=\ndep\tc.org/d\tv1.0.0\n=>\te.org/f\tv2.0.0\th1:=\ndep\tg.org/h\tv0.0.0\n=>\t./h\t(devel)\t\nbuild\t-compiler=gc\n";
        let list = [&mark, text.as_bytes(), &mark].concat();
        let modules = parse(&list);
        let short: Vec<_> = modules.iter().map(|(name, version)| format!("{name} {version}")).collect();
        assert_eq!(short, ["a.org/b v1.2.3", "e.org/f v2.0.0", "g.org/h (devel)", "example.org/x (devel)"]);
        assert_eq!(parse(b"short"), []);
        assert_eq!(parse(b""), []);
    }

    #[test]
    fn versions_of_the_main_module() {
        let listed = |text: &str| parse(format!("{0}{text}{0}", "0".repeat(16)).as_bytes());
        let flags = "build\t-ldflags=\"-X main.version=v1.4.0\"\n";
        let named = |name: &str, version: &str| vec![(name.to_owned(), version.to_owned())];
        assert_eq!(listed(&format!("mod\ta.org/x\t(devel)\t\n{flags}")), named("a.org/x", "v1.4.0"));
        assert_eq!(listed(&format!("mod\ta.org/x\tv1.3.9\th1:=\n{flags}")), named("a.org/x", "v1.3.9"));
        assert_eq!(listed(&format!("path\ta.org/x/cmd/y\n{flags}")), named("a.org/x", "v1.4.0"));
        assert_eq!(listed(&format!("path\tcommand-line-arguments\n{flags}")), []);
        assert_eq!(listed("path\ta.org/x/cmd/y\n"), []);
    }

    #[test]
    fn toolchain_versions() {
        assert_eq!(toolchain("go1.22.3"), "1.22.3");
        assert_eq!(toolchain("go1.19.8 X:boringcrypto"), "1.19.8");
        assert_eq!(toolchain("devel go1.23-abc"), "devel go1.23-abc");
    }

    #[test]
    fn inline_lengths() {
        assert_eq!(inline_texts(b"\x02go\x00"), Some((b"go".to_vec(), Vec::new())));
        for bytes in [b"".as_slice(), b"\x02g", b"\xff\xff\xff\xff\xff\x01", b"\x01a\x05a"] {
            assert_eq!(inline_texts(bytes), None);
        }
    }
}
