//! Python distributions as they are installed: `NAME.dist-info/METADATA`, `NAME.egg-info` (PyPA, "Core metadata
//! specifications" and "Recording installed projects").

use std::io;

use plimsoll_facts::{Ecosystem, InstalledPackage, PackageLocation};

use crate::entry::Entry;
use crate::tree::shown;

/// The fields that matter come first; a long description follows them.
const HEAD: usize = 64 << 10;

pub(super) fn is_metadata(dir: &[u8], name: &[u8]) -> bool {
    match name {
        b"METADATA" => dir.ends_with(b".dist-info"),
        b"PKG-INFO" => dir.ends_with(b".egg-info") || dir.ends_with(b"EGG-INFO"),
        _ => name.ends_with(b".egg-info"),
    }
}

pub(super) fn package(entry: &mut dyn Entry) -> io::Result<InstalledPackage> {
    let head = entry.head(HEAD)?;
    let path = shown(&entry.path());
    let (name, version) = parse(&String::from_utf8_lossy(&head))
        .ok_or_else(|| io::Error::other("it has no name and version"))?;
    Ok(InstalledPackage {
        ecosystem: Ecosystem::Python,
        name,
        version,
        location: PackageLocation { path, stanza: None },
        ..InstalledPackage::default()
    })
}

/// `Name` and `Version` of the fields before the first empty line.
fn parse(text: &str) -> Option<(String, String)> {
    let fields =
        || text.lines().take_while(|line| !line.trim().is_empty()).filter_map(|line| line.split_once(':'));
    let field = |wanted: &str| {
        let mut found = fields().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    Some((field("Name")?, field("Version")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        assert!(is_metadata(b"usr/lib/python3/dist-packages/six-1.16.0.dist-info", b"METADATA"));
        assert!(is_metadata(b"x/six.egg-info", b"PKG-INFO"));
        assert!(is_metadata(b"usr/lib/python3/dist-packages", b"six-1.16.0.egg-info"));
        assert!(!is_metadata(b"x", b"METADATA"));
    }

    #[test]
    fn fields() {
        let text = "Metadata-Version: 2.1\nName: six\nVersion: 1.16.0\nSummary: x\n\nName: no\n";
        assert_eq!(parse(text), Some(("six".to_owned(), "1.16.0".to_owned())));
        assert_eq!(parse("\nName: six\nVersion: 1\n"), None);
        assert_eq!(parse("Name: six\n"), None);
    }
}
