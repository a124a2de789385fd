//! dpkg's database: lists of files, diversions, and the status file (dpkg(1), dpkg-divert(1)).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use memchr::memchr_iter;
use plimsoll_facts::{Fact, Package};
use plimsoll_rootdir::RootDir;

use super::paragraphs::{each, field};
use super::{Owner, is_usr_merged};
use crate::source::why;

/// Status of every package.
pub(super) const STATUS: &str = "/var/lib/dpkg/status";
const INFO: &str = "/var/lib/dpkg/info";
const DIVERSIONS: &str = "/var/lib/dpkg/diversions";

const MAX_STATUS: u64 = 64 << 20;
const MAX_LIST: u64 = 16 << 20;
const MAX_DIVERSIONS: u64 = 4 << 20;
const MAX_INFO_FILES: usize = 1 << 18;

/// A package's name, with `:architecture` where several are installed.
type Instance = String;

/// The owner of each path, or the source that could not be read and why.
pub(super) fn owners(
    root: &RootDir,
    paths: &BTreeSet<String>,
) -> Result<BTreeMap<String, Fact<Owner>>, (&'static str, String)> {
    let diversions = match root.read_text(DIVERSIONS, MAX_DIVERSIONS) {
        Ok(text) => text,
        Err(error) if error.is_not_found() => String::new(),
        Err(error) => return Err((DIVERSIONS, why(&error))),
    };
    let wanted = Wanted::new(paths, &diversions, is_usr_merged(root));
    let instances = search_lists(root, &wanted)?;
    let mut packages = read_status(root, instances.values())?;
    let mut owner = |path: &String| match instances.get(path.as_str()) {
        None => Fact::absent(INFO),
        Some(instance) => match packages.remove(instance) {
            Some(owner) => {
                packages.insert(instance.clone(), owner.clone());
                Fact::known(owner, STATUS)
            }
            None => {
                Fact::unreadable(STATUS, format!("{instance} owns the file but is not in the status file"))
            }
        },
    };
    Ok(paths.iter().map(|path| (path.clone(), owner(path))).collect())
}

/// Names as the lists may hold them, each with the path that was asked for.
pub(super) struct Wanted<'a> {
    /// Recorded name → the paths asked for that it may mean, and whose record of it counts.
    names: HashMap<Vec<u8>, Vec<(&'a str, Diverted<'a>)>>,
    /// Which lengths occur, to pass over most lines without hashing them.
    lengths: Vec<bool>,
}

/// What a diversion makes of a recorded name.
#[derive(Clone, Copy)]
pub(super) enum Diverted<'a> {
    /// No diversion.
    No,
    /// The file on disk is that of this package alone (`:` for none).
    OnlyBy(&'a str),
    /// The file on disk is the one that this package moved away: it belongs to any other.
    NotBy(&'a str),
}

impl Diverted<'_> {
    /// Whether a package's record of the name tells about the file that was asked for.
    fn counts(self, package: &str) -> bool {
        match self {
            Self::No => true,
            Self::OnlyBy(by) => package == by,
            Self::NotBy(by) => package != by,
        }
    }
}

impl<'a> Wanted<'a> {
    pub(super) fn new(paths: &'a BTreeSet<String>, diversions: &'a str, usr_merged: bool) -> Self {
        let lines: Vec<&str> = diversions.lines().collect();
        let mut names: HashMap<Vec<u8>, Vec<_>> = HashMap::new();
        for path in paths {
            let aliases = [Some(path.as_str()), usr_merged.then(|| path.strip_prefix("/usr")).flatten()];
            for alias in aliases.into_iter().flatten() {
                let (name, diverted) = undo_diversion(alias, &lines);
                names.entry(name.as_bytes().to_vec()).or_default().push((path.as_str(), diverted));
            }
        }
        let longest = names.keys().map(Vec::len).max().unwrap_or(0);
        let mut lengths = vec![false; longest + 1];
        for name in names.keys() {
            if let Some(length) = lengths.get_mut(name.len()) {
                *length = true;
            }
        }
        Self { names, lengths }
    }

    pub(super) fn find(&self, line: &[u8]) -> &[(&'a str, Diverted<'a>)] {
        if !self.lengths.get(line.len()).is_some_and(|occurs| *occurs) {
            return &[];
        }
        self.names.get(line).map_or(&[], Vec::as_slice)
    }
}

/// The name under which packages record a file that is at `path` now. Diversions are triples of lines: the
/// recorded name, where the file went, and the package that made it go.
fn undo_diversion<'a>(path: &'a str, diversions: &[&'a str]) -> (&'a str, Diverted<'a>) {
    for triple in diversions.chunks_exact(3) {
        match *triple {
            [from, to, by] if to == path => return (from, Diverted::NotBy(by)),
            [from, _, by] if from == path => return (path, Diverted::OnlyBy(by)),
            _ => {}
        }
    }
    (path, Diverted::No)
}

/// Path → the package whose list names it.
fn search_lists<'a>(
    root: &RootDir,
    wanted: &Wanted<'a>,
) -> Result<BTreeMap<&'a str, Instance>, (&'static str, String)> {
    let info = root.open_root(INFO).map_err(|e| (INFO, why(&e)))?;
    let entries = info.read_dir("/", MAX_INFO_FILES).map_err(|e| (INFO, why(&e)))?;
    let mut found = BTreeMap::new();
    for entry in entries {
        let Some(instance) = entry.name.to_str().and_then(|name| name.strip_suffix(".list")) else {
            continue;
        };
        let list =
            info.read(&entry.name, MAX_LIST).map_err(|e| (INFO, format!("{instance}.list: {}", why(&e))))?;
        let mut start = 0;
        for end in memchr_iter(b'\n', &list).chain([list.len()]) {
            let line = list.get(start..end).unwrap_or_default();
            start = end + 1;
            for (path, diverted) in wanted.find(line) {
                if diverted.counts(instance.split(':').next().unwrap_or_default()) {
                    found.insert(*path, instance.to_owned());
                }
            }
        }
    }
    Ok(found)
}

fn read_status<'a>(
    root: &RootDir,
    instances: impl Iterator<Item = &'a Instance>,
) -> Result<HashMap<Instance, Owner>, (&'static str, String)> {
    let mut names: HashMap<&str, Vec<&Instance>> = HashMap::new();
    for instance in instances {
        names.entry(instance.split(':').next().unwrap_or_default()).or_default().push(instance);
    }
    let file = root.open_file(STATUS).map_err(|e| (STATUS, why(&e)))?;
    let mut packages = HashMap::new();
    each(file, MAX_STATUS, |paragraph| {
        let name = paragraph.strip_prefix(b"Package: ").and_then(|rest| rest.split(|b| *b == b'\n').next());
        let Some(wanted) = name.and_then(|name| std::str::from_utf8(name).ok()).and_then(|n| names.get(n))
        else {
            return;
        };
        let Some(owner) = owner(paragraph) else { return };
        for instance in wanted {
            let architecture = instance.split_once(':').map(|(_, architecture)| architecture);
            if architecture.is_none_or(|architecture| architecture == owner.architecture) {
                packages.insert((*instance).clone(), owner.clone());
            }
        }
    })
    .map_err(|e| (STATUS, e.to_string()))?;
    Ok(packages)
}

/// The package of a paragraph of the status file, unless only its configuration files are left.
pub(super) fn owner(paragraph: &[u8]) -> Option<Owner> {
    let state = field(paragraph, "Status")?.rsplit(' ').next()?;
    if matches!(state, "not-installed" | "config-files") {
        return None;
    }
    let (source, source_version) = match field(paragraph, "Source") {
        None => (None, None),
        Some(source) => match source.split_once(" (") {
            None => (Some(source.to_owned()), None),
            Some((name, version)) => (Some(name.to_owned()), Some(version.trim_end_matches(')').to_owned())),
        },
    };
    let package = Package {
        manager: "dpkg".to_owned(),
        name: field(paragraph, "Package")?.to_owned(),
        version: field(paragraph, "Version")?.to_owned(),
        source,
        source_version,
        vendor: field(paragraph, "Maintainer").map(str::to_owned),
    };
    Some(Owner { package, architecture: field(paragraph, "Architecture")?.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Shortened from a Debian 12 host.
    const STATUS_FILE: &str = "\
Package: runc
Status: install ok installed
Maintainer: Debian Go Packaging Team <team+pkg-go@tracker.debian.org>
Architecture: amd64
Version: 1.1.5+ds1-1+deb12u1
Description: Open Container Project - runtime
 Version: 9

Package: docker.io
Status: install ok half-configured
Architecture: amd64
Source: docker.io (20.10.24+dfsg1-1)
Version: 20.10.24+dfsg1-1+b3

Package: old
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: libx
Status: install ok installed
Architecture: i386
Version: 32

Package: libx
Status: install ok installed
Architecture: amd64
Version: 64
";

    fn host() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let info = dir.path().join("var/lib/dpkg/info");
        fs::create_dir_all(&info).unwrap();
        fs::write(dir.path().join("var/lib/dpkg/status"), STATUS_FILE).unwrap();
        let list = |name: &str, lines: &str| fs::write(info.join(format!("{name}.list")), lines).unwrap();
        list("runc", "/.\n/sbin\n/sbin/runc\n/usr/bin/perf\n");
        list("docker.io", "/usr/sbin/dockerd\n/usr/sbin/docker-proxy\n/usr/bin/perf");
        list("old", "/usr/bin/old\n");
        list("libx:i386", "/lib/i386/x\n");
        list("libx:amd64", "/lib/amd64/x\n");
        fs::write(info.join("runc.md5sums"), "/usr/bin/elsewhere").unwrap();
        dir
    }

    fn ask(dir: &tempfile::TempDir, path: &str) -> Fact<Owner> {
        let root = RootDir::open(dir.path()).unwrap();
        owners(&root, &BTreeSet::from([path.to_owned()])).unwrap().remove(path).unwrap()
    }

    #[test]
    fn owners_and_their_versions() {
        let dir = host();
        let owner = ask(&dir, "/usr/sbin/dockerd");
        let package = &owner.value().unwrap().package;
        assert_eq!((package.name.as_str(), package.version.as_str()), ("docker.io", "20.10.24+dfsg1-1+b3"));
        assert_eq!(package.source_version.as_deref(), Some("20.10.24+dfsg1-1"));
        assert_eq!(package.vendor, None);
        assert_eq!(ask(&dir, "/lib/amd64/x").value().unwrap().package.version, "64");
        assert_eq!(ask(&dir, "/lib/i386/x").value().unwrap().package.version, "32");
        assert!(matches!(ask(&dir, "/usr/bin/elsewhere"), Fact::Absent { .. }));
        assert!(matches!(ask(&dir, "/usr/bin/old"), Fact::Unreadable { .. }));
    }

    #[test]
    fn names_from_before_the_merge_of_usr() {
        let dir = host();
        assert!(matches!(ask(&dir, "/usr/sbin/runc"), Fact::Absent { .. }));
        symlink("usr/bin", dir.path().join("bin")).unwrap();
        assert_eq!(ask(&dir, "/usr/sbin/runc").value().unwrap().package.name, "runc");
    }

    #[test]
    fn diversions() {
        let dir = host();
        let divert = |text: &str| fs::write(dir.path().join("var/lib/dpkg/diversions"), text).unwrap();
        divert("/usr/bin/perf\n/usr/bin/perf.real\nrunc\n");
        assert_eq!(ask(&dir, "/usr/bin/perf").value().unwrap().package.name, "runc");
        assert_eq!(ask(&dir, "/usr/bin/perf.real").value().unwrap().package.name, "docker.io");
        let both = ["/usr/bin/perf", "/usr/bin/perf.real"].map(str::to_owned);
        let both = owners(&RootDir::open(dir.path()).unwrap(), &both.into()).unwrap();
        let names: Vec<_> = both.values().map(|owner| owner.value().unwrap().package.name.as_str()).collect();
        assert_eq!(names, ["runc", "docker.io"]);
        // A local diversion: what is there now belongs to no package.
        divert("/usr/sbin/dockerd\n/usr/sbin/dockerd.distrib\n:\n");
        assert!(matches!(ask(&dir, "/usr/sbin/dockerd"), Fact::Absent { .. }));
        assert_eq!(ask(&dir, "/usr/sbin/dockerd.distrib").value().unwrap().package.name, "docker.io");
    }
}
