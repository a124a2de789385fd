//! Which distribution package owns a file, and whether the package manager knows a newer version: read from the
//! managers' own databases, without running them.

mod apk;
mod apt_lists;
mod dpkg;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod paragraphs;
mod rpm;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use plimsoll_facts::{Fact, Package};
use plimsoll_rootdir::RootDir;

/// The package database of a host.
pub(crate) struct Packages<'a> {
    root: &'a RootDir,
    manager: Manager,
}

enum Manager {
    Dpkg,
    Apk(&'static str),
    Rpm(&'static str),
    None,
}

/// A package and the architecture that it is installed for, which the lists of a repository are searched by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The package.
    pub(crate) package: Package,
    /// Its architecture, in the manager's own notation.
    pub(crate) architecture: String,
}

impl<'a> Packages<'a> {
    /// Finds out which manager the host uses.
    pub(crate) fn open(root: &'a RootDir) -> Self {
        let exists = |path: &&str| root.stat(path, true).is_ok_and(|stat| stat.stx_size > 0);
        let manager = if exists(&dpkg::STATUS) {
            Manager::Dpkg
        } else if let Some(path) = apk::DATABASES.into_iter().find(exists) {
            Manager::Apk(path)
        } else if let Some(path) = rpm::DATABASES.into_iter().find(exists) {
            Manager::Rpm(path)
        } else {
            Manager::None
        };
        Self { root, manager }
    }

    /// The owner of each path; absent where no package owns it. Paths are those that are left when symbolic links
    /// are resolved.
    pub(crate) fn owners(&self, paths: &BTreeSet<String>) -> BTreeMap<String, Fact<Owner>> {
        let every = |fact: Fact<Owner>| paths.iter().map(|path| (path.clone(), fact.clone())).collect();
        if paths.is_empty() {
            return BTreeMap::new();
        }
        match self.manager {
            Manager::Dpkg => dpkg::owners(self.root, paths)
                .unwrap_or_else(|(source, reason)| every(Fact::unreadable(source, reason))),
            Manager::Apk(database) => apk::owners(self.root, database, paths)
                .unwrap_or_else(|reason| every(Fact::unreadable(database, reason))),
            Manager::Rpm(database) => rpm::owners(self.root, paths)
                .unwrap_or_else(|reason| every(Fact::unreadable(database, reason))),
            Manager::None => every(Fact::absent("the databases of dpkg, apk and rpm")),
        }
    }

    /// For each package, by name, the version that an upgrade would install; absent where it is current.
    pub(crate) fn candidates(&self, owners: &[&Owner]) -> BTreeMap<String, Fact<String>> {
        let every = |source: &str, reason: &str| {
            let fact = || Fact::unreadable(source, reason);
            owners.iter().map(|owner| (owner.package.name.clone(), fact())).collect()
        };
        if owners.is_empty() {
            return BTreeMap::new();
        }
        match self.manager {
            Manager::Dpkg => apt_lists::candidates(self.root, owners)
                .unwrap_or_else(|reason| every(apt_lists::LISTS, &reason)),
            Manager::Apk(_) => every(
                "/var/cache/apk",
                "apk's index is not read by this version; `apk list --upgradable` tells",
            ),
            Manager::Rpm(_) => every(
                "/var/cache/dnf",
                "the metadata of RPM repositories is not read by this version; `dnf check-update` tells",
            ),
            Manager::None => BTreeMap::new(),
        }
    }
}

/// Whether `/bin` and its like lead below `/usr`, so that a package may have recorded either name.
fn is_usr_merged(root: &RootDir) -> bool {
    root.read_link("/bin")
        .is_ok_and(|target| target.strip_prefix("/").unwrap_or(&target) == Path::new("usr/bin"))
}
