//! What chiselled Ubuntu images have instead of dpkg's database: `manifest.wall`, a line of JSON a record, compressed with
//! zstd (canonical/chisel, `public/manifest` and `public/jsonwall`).

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use plimsoll_facts::{Ecosystem, InstalledPackage, PackageLocation};
use serde::Deserialize;

use super::{Database, MAX_DATABASE, MAX_PACKAGES};
use crate::archive::unpack_zstd;
use crate::error::{Error, Result, too_large};
use crate::tree::{Tree, present};

const PATH: &str = "var/lib/chisel/manifest.wall";
/// Bound of the list when it is unpacked, in bytes.
const MAX_LIST: u64 = 256 << 20;

/// One record; which fields it has depends on its kind.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(default)]
    kind: &'a str,
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    arch: Option<String>,
    #[serde(default)]
    slice: String,
    #[serde(default)]
    path: String,
}

pub(super) fn read(tree: &dyn Tree, database: &mut Database) -> Result<(), (PathBuf, Error)> {
    let path = Path::new(PATH);
    read_one(tree, path, database).map_err(|error| (path.to_owned(), error))
}

fn read_one(tree: &dyn Tree, path: &Path, database: &mut Database) -> Result<()> {
    let Some(compressed) = present(tree.read(path, MAX_DATABASE))? else { return Ok(()) };
    let mut text = Vec::new();
    let unpacked = unpack_zstd(&compressed).take(MAX_LIST + 1).read_to_end(&mut text);
    unpacked.map_err(|cause| Error::Archive { what: PATH.to_owned(), cause })?;
    if text.len() as u64 > MAX_LIST {
        return Err(too_large(path, MAX_LIST));
    }
    let (packages, files) = parse(&text)?;
    database.add(packages, tree.modified_at(path)?);
    for (package, files) in files {
        database.owners.add(&package, files.iter().map(String::as_bytes));
    }
    Ok(())
}

type Parsed = (Vec<InstalledPackage>, BTreeMap<String, Vec<String>>);

/// Packages, and the files of each.
fn parse(text: &[u8]) -> Result<Parsed> {
    let mut packages = Vec::new();
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let lines = text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    for (index, line) in lines {
        let record: Record<'_> = serde_json::from_slice(line)
            .map_err(|error| Error::Document { what: format!("{PATH}: line {}: {error}", index + 1) })?;
        match record.kind {
            "package" => packages.push(InstalledPackage {
                ecosystem: Ecosystem::Dpkg,
                name: record.name,
                version: record.version,
                architecture: record.arch,
                // Chisel cuts packages of Ubuntu's archive only, and does not write down their maintainer.
                vendor: None,
                location: PackageLocation { path: format!("/{PATH}"), stanza: Some(index as u64 + 1) },
                ..InstalledPackage::default()
            }),
            "content" => {
                let package = record.slice.split('_').next().unwrap_or_default().to_owned();
                files.entry(package).or_default().push(record.path.trim_start_matches('/').to_owned());
            }
            _ => {}
        }
        if packages.len() > MAX_PACKAGES {
            return Err(too_large(PATH, MAX_PACKAGES as u64));
        }
    }
    Ok((packages, files))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_their_files() {
        let text = br#"{"jsonwall":"1.0","schema":"1.0","count":4}
{"kind":"content","slice":"libc6_libs","path":"/usr/lib/x86_64-linux-gnu/libc.so.6"}
{"kind":"package","name":"libc6","version":"2.39-0ubuntu8.4","sha256":"ab","arch":"amd64"}
{"kind":"path","path":"/usr/","mode":"0755","slices":["libc6_libs"]}
"#;
        let (packages, files) = parse(text).unwrap();
        assert_eq!((packages.len(), packages[0].version.as_str()), (1, "2.39-0ubuntu8.4"));
        assert_eq!(files["libc6"], ["usr/lib/x86_64-linux-gnu/libc.so.6"]);
        assert!(parse(b"{\n").is_err());
    }
}
