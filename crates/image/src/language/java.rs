//! Java archives: what Maven wrote into them (`META-INF/maven/GROUP/ARTIFACT/pom.properties`), else their manifest,
//! else their name; and the archives inside them.

use std::io::{self, Read};

use flate2::bufread::DeflateDecoder;
use plimsoll_facts::{Ecosystem, InstalledPackage, PackageLocation};
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder, ZipLocator};

use crate::entry::{Content, Entry, too_large};
use crate::tree::shown;

/// Bound of an archive that must be held in memory to be looked into, in bytes.
const MAX_ARCHIVE: u64 = 256 << 20;
/// Bound of an archive inside another, which is held in memory.
const MAX_INNER: u64 = 64 << 20;
/// Bound of a manifest or properties file.
const MAX_TEXT: u64 = 1 << 20;
/// Bound of the entries of one archive.
const MAX_ENTRIES: usize = 500_000;
/// Archives inside each other.
const MAX_DEPTH: usize = 4;
/// Bytes that are unpacked of one file and all that is inside it.
const MAX_UNPACKED: u64 = 1 << 30;

const ENDINGS: [&[u8]; 6] = [b".jar", b".war", b".ear", b".sar", b".jpi", b".hpi"];

pub(super) fn is_archive(name: &[u8]) -> bool {
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Adds what an archive and those inside it say; what was found before an error stays.
pub(super) fn add(entry: &mut dyn Entry, packages: &mut Vec<InstalledPackage>) -> io::Result<()> {
    let path = shown(&entry.path());
    add_archive(&*entry.content(MAX_ARCHIVE)?, &path, packages)
}

/// As [`add`], from the bytes.
pub(crate) fn add_archive(
    content: &dyn Content,
    path: &str,
    packages: &mut Vec<InstalledPackage>,
) -> io::Result<()> {
    Reader { budget: MAX_UNPACKED, packages }.archive(content, path, 0)
}

struct Reader<'a> {
    budget: u64,
    packages: &'a mut Vec<InstalledPackage>,
}

/// What an archive holds of interest.
#[derive(Default)]
struct Found {
    properties: Vec<Place>,
    manifest: Option<Place>,
    inner: Vec<(String, Place)>,
}

/// Where an entry is, and how it is compressed.
#[derive(Clone, Copy)]
struct Place {
    at: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    encrypted: bool,
}

type Archive<'a> = ZipArchive<&'a dyn Content>;

impl Reader<'_> {
    fn archive(&mut self, content: &dyn Content, path: &str, depth: usize) -> io::Result<()> {
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let archive = ZipLocator::new()
            .locate_in_reader(content, &mut buffer, content.size())
            .map_err(|(_, error)| io::Error::other(error))?;
        let found = Found::of(&archive, &mut buffer)?;
        let before = self.packages.len();
        for properties in &found.properties {
            let text = self.unpack(&archive, *properties, MAX_TEXT)?;
            self.add(from_properties(&String::from_utf8_lossy(&text)), path);
        }
        if self.packages.len() == before {
            let text = match found.manifest {
                Some(manifest) => self.unpack(&archive, manifest, MAX_TEXT)?,
                None => Vec::new(),
            };
            self.add(from_manifest(&String::from_utf8_lossy(&text), path), path);
        }
        let mut result = Ok(());
        for (name, inner) in &found.inner {
            let path = format!("{path}!/{name}");
            // One that does not hold is no reason to miss the others.
            let read = self.inner(&archive, *inner, &path, depth + 1);
            result = result.and(read.map_err(|error| io::Error::other(format!("{path}: {error}"))));
        }
        result
    }

    fn inner(&mut self, archive: &Archive<'_>, place: Place, path: &str, depth: usize) -> io::Result<()> {
        if depth == MAX_DEPTH {
            return Err(io::Error::other(format!("archives inside each other deeper than {MAX_DEPTH}")));
        }
        let bytes = self.unpack(archive, place, MAX_INNER)?;
        self.archive(&bytes.as_slice(), path, depth)
    }

    fn add(&mut self, package: Option<(String, String)>, path: &str) {
        self.packages.extend(package.map(|(name, version)| InstalledPackage {
            ecosystem: Ecosystem::Java,
            name,
            version,
            location: PackageLocation { path: path.to_owned(), stanza: None },
            ..InstalledPackage::default()
        }));
    }

    fn unpack(&mut self, archive: &Archive<'_>, place: Place, limit: u64) -> io::Result<Vec<u8>> {
        if place.encrypted {
            return Err(io::Error::other("an entry is encrypted"));
        }
        let entry = archive.get_entry(place.at).map_err(io::Error::other)?;
        let stored = io::BufReader::new(entry.reader());
        let unpacked: Box<dyn Read> = match place.method {
            CompressionMethod::STORE => Box::new(stored),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(stored)),
            _ => return Err(io::Error::other("an entry is compressed in a way that is not covered")),
        };
        let bound = limit.min(self.budget);
        let mut bytes = Vec::new();
        unpacked.take(bound + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > bound {
            return Err(too_large(bound));
        }
        self.budget -= bytes.len() as u64;
        Ok(bytes)
    }
}

impl Found {
    fn of(archive: &Archive<'_>, buffer: &mut [u8]) -> io::Result<Self> {
        let mut found = Self::default();
        let mut entries = archive.entries(buffer);
        let mut count = 0;
        while let Some(entry) = entries.next_entry().map_err(io::Error::other)? {
            count += 1;
            if count > MAX_ENTRIES {
                return Err(io::Error::other(format!("more than {MAX_ENTRIES} entries")));
            }
            let path = entry.file_path();
            let name = path.as_ref();
            let encrypted = entry.flags().is_encrypted();
            let place = Place { at: entry.wayfinder(), method: entry.compression_method(), encrypted };
            let is_properties = name.starts_with(b"META-INF/maven/") && name.ends_with(b"/pom.properties");
            if is_properties {
                found.properties.push(place);
            } else if name == b"META-INF/MANIFEST.MF" {
                found.manifest = Some(place);
            } else if is_archive(name) {
                found.inner.push((String::from_utf8_lossy(name).into_owned(), place));
            }
        }
        Ok(found)
    }
}

/// `groupId`, `artifactId` and `version` of a Java properties file.
fn from_properties(text: &str) -> Option<(String, String)> {
    let value = |wanted: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(['=', ':']));
        lines
            .find(|(key, _)| key.trim() == wanted)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    };
    Some((format!("{}:{}", value("groupId")?, value("artifactId")?), value("version")?.to_owned()))
}

/// Version by the file's name or the manifest, name by the file: manifests name a product, seldom the artifact. An archive
/// whose version is written down nowhere is a package without one, not none.
fn from_manifest(text: &str, path: &str) -> Option<(String, String)> {
    // A line that begins with a space continues the one before (JAR file specification).
    let text = text.replace("\r\n", "\n").replace("\n ", "");
    let value = |wanted: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim().to_owned())
    };
    let file = path.rsplit('/').next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let digit =
        |at: &usize| stem.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let (artifact, version) = match stem.match_indices('-').map(|(at, _)| at).find(digit) {
        Some(at) => (stem.get(..at)?, stem.get(at + 1..)),
        None => (stem, None),
    };
    let version = version
        .map(str::to_owned)
        .or_else(|| value("Implementation-Version"))
        .or_else(|| value("Bundle-Version"))
        .unwrap_or_default();
    let name = match value("Implementation-Vendor-Id") {
        Some(group) if !group.is_empty() => format!("{group}:{artifact}"),
        _ => artifact.to_owned(),
    };
    (!artifact.is_empty()).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties() {
        let text = "#Generated by Maven\nversion=2.14.1\r\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\n";
        let package = from_properties(text).unwrap();
        assert_eq!(package, ("org.apache.logging.log4j:log4j-core".to_owned(), "2.14.1".to_owned()));
        assert_eq!(from_properties("version=1\n"), None);
    }

    #[test]
    fn manifests_and_names() {
        let named = |text, path| from_manifest(text, path).map(|(name, version)| format!("{name} {version}"));
        assert_eq!(named("", "/lib/guava-31.1-jre.jar").unwrap(), "guava 31.1-jre");
        assert_eq!(named("", "/lib/icu4j-73_2.jar").unwrap(), "icu4j 73_2");
        assert_eq!(named("", "/lib/app.jar").unwrap(), "app ");
        assert_eq!(named("", "/lib/.jar"), None);
        let text = "Manifest-Version: 1.0\r\nImplementation-Vendor-Id: org.ex\r\n ample\r\nImplementation-Version: 3.1\r\n";
        assert_eq!(named(text, "/lib/app.jar").unwrap(), "org.example:app 3.1");
    }
}
