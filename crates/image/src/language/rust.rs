//! Crates that `cargo auditable` wrote into a program: JSON, compressed with zlib, in the section `.dep-v0`
//! (cargo-auditable, PARSING.md).

use std::io::{self, Read};

use flate2::read::ZlibDecoder;
use plimsoll_facts::{Ecosystem, InstalledPackage, PackageLocation};
use serde::Deserialize;

use super::elf::Program;

/// Bounds of the list, compressed and not, in bytes.
const MAX_SECTION: u64 = 4 << 20;
const MAX_LIST: u64 = 16 << 20;

#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    #[serde(default)]
    kind: Option<String>,
}

pub(super) fn packages(program: &Program<'_>, path: &str) -> io::Result<Vec<InstalledPackage>> {
    let Some(section) = program.section(b".dep-v0") else { return Ok(Vec::new()) };
    let compressed = program.read(section.offset, section.size, MAX_SECTION)?;
    parse(&compressed, path)
}

/// Crates that are in the program; those that only built it are left out.
fn parse(compressed: &[u8], path: &str) -> io::Result<Vec<InstalledPackage>> {
    let mut json = Vec::new();
    ZlibDecoder::new(compressed).take(MAX_LIST).read_to_end(&mut json)?;
    let list: List = serde_json::from_slice(&json).map_err(io::Error::other)?;
    let runtime = list.packages.into_iter().filter(|package| package.kind.as_deref() != Some("build"));
    let package = |package: Crate| InstalledPackage {
        ecosystem: Ecosystem::Cargo,
        name: package.name,
        version: package.version,
        location: PackageLocation { path: path.to_owned(), stanza: None },
        ..InstalledPackage::default()
    };
    Ok(runtime.map(package).collect())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::ZlibEncoder;

    use super::*;

    fn compress(text: &str) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn crates_at_run_time() {
        let json = r#"{"packages":[{"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
            {"name":"x","version":"0.1.0","source":"local","dependencies":[0],"root":true}]}"#;
        let packages = parse(&compress(json), "/x").unwrap();
        assert_eq!((packages.len(), packages[0].name.as_str()), (1, "x"));
    }

    #[test]
    fn what_does_not_hold_is_an_error() {
        assert!(parse(b"", "/x").is_err());
        assert!(parse(&compress("[]"), "/x").is_err());
        let bomb = compress(&" ".repeat(2 * usize::try_from(MAX_LIST).unwrap()));
        assert!(parse(&bomb, "/x").is_err());
    }
}
