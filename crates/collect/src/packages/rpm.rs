//! rpm's database, by the reader that images are read with.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use plimsoll_facts::{Fact, InstalledPackage, Package};
use plimsoll_image::{LayeredRoot, Union, rpm_files};
use plimsoll_rootdir::RootDir;

use super::{Owner, is_usr_merged};

/// Where the databases are, in the order of the versions that made them.
pub(super) const DATABASES: [&str; 5] = [
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/Packages.db",
    "/var/lib/rpm/rpmdb.sqlite",
    "/var/lib/rpm/Packages.db",
    "/var/lib/rpm/Packages",
];

/// The owner of each path, or why the database could not be read.
pub(super) fn owners(
    root: &RootDir,
    paths: &BTreeSet<String>,
) -> Result<BTreeMap<String, Fact<Owner>>, String> {
    let tree = LayeredRoot::open(root, &["/"], Union::Plain).map_err(|error| error.to_string())?;
    let merged = is_usr_merged(root);
    let wanted: HashMap<&str, &String> =
        paths.iter().flat_map(|path| names(path, merged).map(move |name| (name, path))).collect();
    let mut found: BTreeMap<&String, Owner> = BTreeMap::new();
    let database = rpm_files(&tree, &mut |package, file| {
        let asked = std::str::from_utf8(file).ok().and_then(|file| wanted.get(file));
        if let Some(path) = asked {
            found.insert(path, owner(package()));
        }
    })
    .map_err(|error| error.to_string())?;
    let source = database.map_or_else(|| DATABASES.join(", "), |path| path.display().to_string());
    let mut fact = |path: &String| match found.remove(path) {
        Some(owner) => Fact::known(owner, &source),
        None => Fact::absent(&source),
    };
    Ok(paths.iter().map(|path| (path.clone(), fact(path))).collect())
}

/// As packages may list a path: without leading slash, and where `/bin` and its like lead below `/usr`, by either name.
fn names(path: &str, merged: bool) -> impl Iterator<Item = &str> {
    let own = path.strip_prefix('/');
    let short = path.strip_prefix("/usr/").filter(|_| merged);
    own.into_iter().chain(short)
}

fn owner(package: InstalledPackage) -> Owner {
    let package_version = package.version.split_once(':').map_or(package.version.as_str(), |(_, rest)| rest);
    let source_version = package.source_version.filter(|version| version != package_version);
    let source = package.source_name.filter(|source| *source != package.name);
    Owner {
        architecture: package.architecture.unwrap_or_default(),
        package: Package {
            manager: "rpm".to_owned(),
            name: package.name,
            version: package.version,
            source,
            source_version,
            vendor: package.vendor,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Written by rpm; `tests/data/rpm/make.sh` tells how.
    const DATABASE: &[u8] = include_bytes!("../../tests/data/rpm/rpmdb.sqlite");

    fn of(paths: &[&str]) -> BTreeMap<String, Fact<Owner>> {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("var/lib/rpm")).unwrap();
        fs::write(dir.path().join("var/lib/rpm/rpmdb.sqlite"), DATABASE).unwrap();
        symlink("usr/bin", dir.path().join("bin")).unwrap();
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        owners(&RootDir::open(dir.path()).unwrap(), &paths).unwrap()
    }

    #[test]
    fn each_of_several_kernels_has_its_package() {
        let [old, new] = ["5.14.0-427.13.1.el9_4", "5.14.0-503.11.1.el9_5"];
        let [old_path, new_path] = [old, new].map(|version| format!("/boot/vmlinuz-{version}.x86_64"));
        let found =
            of(&[&old_path, &new_path, "/usr/bin/dockerd", "/usr/local/bin/runc", "/usr/lib/modules/x"]);
        let package = |path: &str| &found[path].value().unwrap().package;
        assert_eq!(package(&old_path).version, old);
        assert_eq!(package(&new_path).version, new);
        assert_eq!(package("/usr/bin/dockerd").version, "3:27.3.1-1.el9");
        assert_eq!(package("/usr/bin/dockerd").vendor.as_deref(), Some("Docker"));
        assert!(matches!(found["/usr/local/bin/runc"], Fact::Absent { .. }));
    }

    #[test]
    fn modules_below_usr_are_listed_without_it() {
        let path = "/usr/lib/modules/5.14.0-427.13.1.el9_4.x86_64/vmlinuz";
        assert_eq!(of(&[path])[path].value().unwrap().package.name, "kernel-core");
    }
}
