//! Packages below `node_modules`, by their `package.json` (npm documentation, "package.json").

use std::io;

use plimsoll_facts::{Ecosystem, InstalledPackage, PackageLocation};
use serde::Deserialize;

use crate::entry::Entry;
use crate::tree::shown;

/// Bound of a `package.json`, in bytes.
const MAX_MANIFEST: u64 = 4 << 20;

#[derive(Deserialize)]
struct Manifest {
    name: Option<String>,
    version: Option<String>,
}

/// Only `node_modules/NAME/package.json` and `node_modules/@SCOPE/NAME/package.json` are packages; others below are
/// test data and marks for bundlers.
pub(super) fn is_manifest(dir: &[u8], name: &[u8]) -> bool {
    if name != b"package.json" {
        return false;
    }
    let mut parents = dir.rsplit(|byte| *byte == b'/').skip(1);
    match (parents.next(), parents.next()) {
        (Some(b"node_modules"), _) => true,
        (Some(scope), Some(b"node_modules")) => scope.starts_with(b"@"),
        _ => false,
    }
}

pub(super) fn package(entry: &mut dyn Entry) -> io::Result<Option<InstalledPackage>> {
    let path = shown(&entry.path());
    let json = entry.content(MAX_MANIFEST)?.all(MAX_MANIFEST)?;
    let manifest: Manifest = serde_json::from_slice(&json).map_err(io::Error::other)?;
    // Both may be missing in a package that is not meant to be published.
    let (Some(name), Some(version)) = (manifest.name, manifest.version) else { return Ok(None) };
    Ok(Some(InstalledPackage {
        ecosystem: Ecosystem::Npm,
        name,
        version,
        location: PackageLocation { path, stanza: None },
        ..InstalledPackage::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packages_themselves() {
        for dir in [
            "app/node_modules/a",
            "node_modules/a",
            "app/node_modules/@s/a",
            "x/node_modules/a/node_modules/b",
        ] {
            assert!(is_manifest(dir.as_bytes(), b"package.json"), "{dir}");
        }
        for dir in ["app", "node_modules", "node_modules/a/test", "node_modules/s/a", ""] {
            assert!(!is_manifest(dir.as_bytes(), b"package.json"), "{dir}");
        }
    }
}
