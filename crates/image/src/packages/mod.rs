//! The package databases of distributions.
//!
//! Each is read by its own module from the merged view of an image; all of them answer with a [`Database`].

pub(crate) mod apk;
pub(crate) mod bytes;
mod chisel;
pub(crate) mod dpkg;
mod owners;
pub(crate) mod rpm;

use std::path::Path;

use plimsoll_facts::{Gap, InstalledPackage};

pub(crate) use owners::Owners;
pub use rpm::{EachFile, rpm_files};

use crate::tree::Tree;

/// Bound of one database file, in bytes.
pub(crate) const MAX_DATABASE: u64 = 256 << 20;
/// Bound of the packages of one image.
pub(crate) const MAX_PACKAGES: usize = 100_000;

/// Directories that hold databases: where they are the same, the databases are.
pub(crate) fn directories() -> impl Iterator<Item = &'static str> {
    ["var/lib/dpkg", "var/lib/dpkg/info", "var/lib/dpkg/status.d", "lib/apk/db", "usr/lib/apk/db"]
        .into_iter()
        .chain(rpm::DIRS)
        .chain(["var/lib/rpmmanifest", "var/lib/chisel"])
}

/// The files of databases that are in no directory of their own.
pub(crate) const FILES: [&str; 16] = [
    "var/lib/chisel/manifest.wall",
    "var/lib/dpkg/status",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/rpmdb.sqlite-wal",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/lib/sysimage/rpm/Packages",
    "usr/share/rpm/rpmdb.sqlite",
    "usr/share/rpm/rpmdb.sqlite-wal",
    "usr/share/rpm/Packages.db",
    "usr/share/rpm/Packages",
];

/// What the distribution's package manager has written down.
#[derive(Debug, Default)]
pub(crate) struct Database {
    /// Packages that are installed. `None`: no database was found, or none could be read.
    pub(crate) packages: Option<Vec<InstalledPackage>>,
    /// Which files are a package's.
    pub(crate) owners: Owners,
    /// Latest change, in seconds since the Unix epoch.
    pub(crate) changed_at: Option<i64>,
    /// What could not be read.
    pub(crate) gaps: Vec<Gap>,
}

/// The packages that the package manager of a tree has written down, and what could not be read; `None` where no
/// database was found. Which files are theirs is not read.
pub fn installed(tree: &dyn Tree) -> (Option<Vec<InstalledPackage>>, Vec<Gap>) {
    let database = Database { owners: Owners::unwanted(), ..Database::default() }.filled(tree);
    (database.packages, database.gaps)
}

impl Database {
    /// Reads whatever databases an image has.
    pub(crate) fn read(tree: &dyn Tree) -> Self {
        Self::default().filled(tree)
    }

    fn filled(self, tree: &dyn Tree) -> Self {
        let mut database = self;
        for read in [dpkg::read, chisel::read, apk::read, rpm::read] {
            if let Err((path, error)) = read(tree, &mut database) {
                database.gap(path, error);
            }
        }
        database
    }

    /// Adds the packages of one database that was last changed then.
    fn add(&mut self, packages: Vec<InstalledPackage>, changed_at: i64) {
        self.packages.get_or_insert_default().extend(packages);
        self.changed_at = self.changed_at.max(Some(changed_at));
    }

    fn gap(&mut self, path: impl AsRef<Path>, reason: impl std::fmt::Display) {
        let source = format!("/{}", path.as_ref().display());
        self.gaps.push(Gap { subject: String::new(), source, reason: reason.to_string() });
    }
}
