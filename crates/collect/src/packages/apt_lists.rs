//! Versions that apt's own package lists offer (`/var/lib/apt/lists`), without asking the network.
//!
//! Pins in `/etc/apt/preferences` are not considered. A suite marked `NotAutomatic` (experimental) is, as apt does, no
//! source of upgrades; one that is `ButAutomaticUpgrades` as well (backports) only for what was installed from it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::Read;

use lz4_flex::frame::FrameDecoder;
use plimsoll_facts::Fact;
use plimsoll_rootdir::RootDir;
use plimsoll_versions::Order;

use super::Owner;
use super::paragraphs::{each, field};
use crate::source::why;

/// Where apt keeps the lists.
pub(super) const LISTS: &str = "/var/lib/apt/lists";

const MAX_FILES: usize = 4096;
const MAX_LIST: u64 = 1 << 30;
/// The fields that matter stand before the checksums.
const MAX_RELEASE_HEAD: u64 = 8 << 10;

/// The best version of a package, and the best among suites that are only followed by what came from them.
#[derive(Default)]
pub(super) struct Best {
    version: Option<String>,
    followed: Option<String>,
}

/// The newer version of each package, by name, or why no list could be read.
pub(super) fn candidates(
    root: &RootDir,
    owners: &[&Owner],
) -> Result<BTreeMap<String, Fact<String>>, String> {
    let lists = root.open_root(LISTS).map_err(|e| why(&e))?;
    let entries = lists.read_dir("/", MAX_FILES).map_err(|e| why(&e))?;
    let names: Vec<&str> = entries.iter().filter_map(|entry| entry.name.to_str()).collect();
    let mut best: BTreeMap<&str, (&Owner, Best)> =
        owners.iter().map(|owner| (owner.package.name.as_str(), (*owner, Best::default()))).collect();
    let mut read = 0;
    for name in &names {
        let Some(compression) = compression_of(name)? else { continue };
        read += 1;
        let suite = Suite::of(&lists, &names, name);
        if suite == Suite::Ignored {
            continue;
        }
        let file = lists.open_file(name).map_err(|e| format!("{name}: {}", why(&e)))?;
        let consider = |paragraph: &[u8]| consider(paragraph, &suite, &mut best);
        match compression {
            Compression::None => each(file, MAX_LIST, consider),
            Compression::Lz4 => each(FrameDecoder::new(file), MAX_LIST, consider),
        }
        .map_err(|e| format!("{name}: {e}"))?;
    }
    if read == 0 {
        return Err("apt has no package lists here; `apt-get update` fetches them".to_owned());
    }
    Ok(best
        .into_iter()
        .map(|(name, (owner, best))| (name.to_owned(), best.newer_than(&owner.package.version)))
        .collect())
}

/// How apt keeps a list (`Acquire::GzipIndexes` and `Acquire::CompressionTypes::Order`, apt.conf(5)).
enum Compression {
    None,
    Lz4,
}

/// How a list of packages is compressed; nothing for any other file.
fn compression_of(name: &str) -> Result<Option<Compression>, String> {
    if name.ends_with("_Packages") {
        return Ok(Some(Compression::None));
    }
    match name.rsplit_once("_Packages.").map(|(_, ending)| ending) {
        None => Ok(None),
        Some("lz4") => Ok(Some(Compression::Lz4)),
        Some(other) => Err(format!(
            "apt keeps its lists compressed here (.{other}), which this version does not read; `apt-cache policy` tells"
        )),
    }
}

/// How apt treats the versions of a suite.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Suite {
    /// Upgrades come from it.
    Normal,
    /// Upgrades come from it for what was installed from it.
    Followed,
    /// No upgrades come from it.
    Ignored,
}

impl Suite {
    /// Reads it from the release file whose name the list's name begins with.
    fn of(lists: &RootDir, names: &[&str], list: &str) -> Self {
        let release = names.iter().filter(|name| {
            let suite = name.strip_suffix("InRelease").or_else(|| name.strip_suffix("Release"));
            suite.is_some_and(|suite| list.starts_with(suite))
        });
        let mut head = Vec::new();
        if let Some(Ok(file)) = release.max_by_key(|name| name.len()).map(|name| lists.open_file(name)) {
            // A release file that cannot be read says nothing special.
            let _ = file.take(MAX_RELEASE_HEAD).read_to_end(&mut head);
        }
        let yes = |name| field(&head, name).is_some_and(|value| value.eq_ignore_ascii_case("yes"));
        match (yes("NotAutomatic"), yes("ButAutomaticUpgrades")) {
            (false, _) => Self::Normal,
            (true, true) => Self::Followed,
            (true, false) => Self::Ignored,
        }
    }
}

pub(super) fn consider(paragraph: &[u8], suite: &Suite, best: &mut BTreeMap<&str, (&Owner, Best)>) {
    let name = paragraph.strip_prefix(b"Package: ").and_then(|rest| rest.split(|b| *b == b'\n').next());
    let Some((owner, best)) =
        name.and_then(|name| std::str::from_utf8(name).ok()).and_then(|n| best.get_mut(n))
    else {
        return;
    };
    let (Some(version), Some(architecture)) = (field(paragraph, "Version"), field(paragraph, "Architecture"))
    else {
        return;
    };
    if architecture != owner.architecture && architecture != "all" {
        return;
    }
    let slot = if *suite == Suite::Normal { &mut best.version } else { &mut best.followed };
    if slot.as_deref().is_none_or(|known| compare(version, known).is_gt()) {
        *slot = Some(version.to_owned());
    }
}

/// A version that dpkg would refuse is never the newer one.
fn compare(a: &str, b: &str) -> Ordering {
    Order::Dpkg.compare(a, b).unwrap_or(Ordering::Less)
}

impl Best {
    pub(super) fn newer_than(self, installed: &str) -> Fact<String> {
        let against_normal =
            self.version.as_deref().map_or(Ordering::Less, |version| compare(version, installed));
        let candidate = match against_normal {
            Ordering::Greater => self.version,
            Ordering::Equal => None,
            Ordering::Less => self.followed.filter(|version| compare(version, installed).is_gt()),
        };
        candidate.map_or_else(|| Fact::absent(LISTS), |version| Fact::known(version, LISTS))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use plimsoll_facts::Package;

    use super::*;

    fn owner(version: &str) -> Owner {
        let package = Package { name: "runc".to_owned(), version: version.to_owned(), ..Package::default() };
        Owner { package, architecture: "amd64".to_owned() }
    }

    fn lists(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let lists = dir.path().join("var/lib/apt/lists");
        fs::create_dir_all(lists.join("partial")).unwrap();
        for (name, text) in files {
            fs::write(lists.join(name), text).unwrap();
        }
        dir
    }

    fn ask(dir: &tempfile::TempDir, installed: &str) -> Result<Fact<String>, String> {
        let root = RootDir::open(dir.path()).unwrap();
        Ok(candidates(&root, &[&owner(installed)])?.remove("runc").unwrap())
    }

    fn package(version: &str, architecture: &str) -> String {
        format!(
            "Package: runc-x\nVersion: 99\n\nPackage: runc\nArchitecture: {architecture}\nVersion: {version}\n\n"
        )
    }

    #[test]
    fn the_best_that_apt_would_take() {
        let dir = lists(&[
            ("d_dists_bookworm_InRelease", "Suite: stable\nMD5Sum:\n"),
            ("d_dists_bookworm_main_binary-amd64_Packages", &package("1.1.5-1", "amd64")),
            ("d_dists_bookworm_main_binary-arm64_Packages", &package("1.1.9-1", "arm64")),
            ("d_dists_bookworm-security_InRelease", "Suite: stable-security\n"),
            ("d_dists_bookworm-security_main_binary-amd64_Packages", &package("1.1.5-1+deb12u1", "amd64")),
            ("d_dists_bookworm-backports_InRelease", "NotAutomatic: yes\nButAutomaticUpgrades: yes\n"),
            ("d_dists_bookworm-backports_main_binary-amd64_Packages", &package("1.1.15-1~bpo12+1", "amd64")),
            ("d_dists_experimental_Release", "NotAutomatic: yes\n"),
            ("d_dists_experimental_main_binary-amd64_Packages", &package("2.0-1", "amd64")),
        ]);
        let version = |installed| ask(&dir, installed).unwrap().value().cloned();
        assert_eq!(version("1.1.5-1").as_deref(), Some("1.1.5-1+deb12u1"));
        assert_eq!(version("1.1.5-1+deb12u1"), None);
        assert_eq!(version("1.1.12-1~bpo12+1").as_deref(), Some("1.1.15-1~bpo12+1"));
        assert_eq!(version("3"), None);
    }

    #[test]
    fn a_list_that_apt_compressed() {
        let dir = lists(&[]);
        let path = dir.path().join(LISTS.trim_start_matches('/')).join("d_main_binary-amd64_Packages.lz4");
        let mut list = lz4_flex::frame::FrameEncoder::new(fs::File::create(path).unwrap());
        list.write_all(package("1.1.5-2", "amd64").as_bytes()).unwrap();
        list.finish().unwrap();
        assert_eq!(ask(&dir, "1.1.5-1").unwrap().value().map(String::as_str), Some("1.1.5-2"));
    }

    #[test]
    fn lists_that_say_nothing() {
        assert!(ask(&lists(&[]), "1").unwrap_err().contains("apt-get update"));
        assert!(ask(&lists(&[("d_main_binary-amd64_Packages.xz", "")]), "1").unwrap_err().contains(".xz"));
        assert!(candidates(&RootDir::open(tempfile::tempdir().unwrap().path()).unwrap(), &[]).is_err());
    }
}
