//! apk's database of installed packages (apk-tools, "Apk spec": one letter a field, one paragraph a package).

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_facts::{Fact, Package};
use plimsoll_rootdir::RootDir;

use super::Owner;
use super::paragraphs::each;
use crate::source::why;

/// Where the database is: since Alpine 3.23 below `/usr`.
pub(super) const DATABASES: [&str; 2] = ["/usr/lib/apk/db/installed", "/lib/apk/db/installed"];

const MAX_DATABASE: u64 = 64 << 20;

/// The owner of each path, or why the database could not be read.
pub(super) fn owners(
    root: &RootDir,
    database: &'static str,
    paths: &BTreeSet<String>,
) -> Result<BTreeMap<String, Fact<Owner>>, String> {
    let file = root.open_file(database).map_err(|e| why(&e))?;
    let mut found: BTreeMap<String, Fact<Owner>> =
        paths.iter().map(|path| (path.clone(), Fact::absent(database))).collect();
    each(file, MAX_DATABASE, |paragraph| {
        for path in files(paragraph) {
            if let (Some(fact), Some(owner)) = (found.get_mut(&path), owner(paragraph)) {
                *fact = Fact::known(owner, database);
            }
        }
    })
    .map_err(|e| e.to_string())?;
    Ok(found)
}

/// The files of a package: `F:` names a directory, each `R:` after it a file in there.
pub(super) fn files(paragraph: &[u8]) -> impl Iterator<Item = String> {
    let mut directory = "";
    lines(paragraph).filter_map(move |(letter, value)| match letter {
        'F' => {
            directory = value;
            None
        }
        'R' if directory.is_empty() => Some(format!("/{value}")),
        'R' => Some(format!("/{directory}/{value}")),
        _ => None,
    })
}

pub(super) fn owner(paragraph: &[u8]) -> Option<Owner> {
    let field =
        |wanted| lines(paragraph).find(|(letter, _)| *letter == wanted).map(|(_, value)| value.to_owned());
    let package = Package {
        manager: "apk".to_owned(),
        name: field('P')?,
        version: field('V')?,
        source: field('o'),
        source_version: None,
        vendor: field('m'),
    };
    Some(Owner { package, architecture: field('A').unwrap_or_default() })
}

fn lines(paragraph: &[u8]) -> impl Iterator<Item = (char, &str)> {
    paragraph.split(|b| *b == b'\n').filter_map(|line| {
        let (letter, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        Some((letter.chars().next()?, value))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Shortened from an Alpine 3.20 host.
    const INSTALLED: &str = "\
C:Q1aaaa=
P:runc
V:1.1.12-r5
A:x86_64
o:runc
m:Jake Buchholz Göktürk <tomalok@gmail.com>
F:usr
F:usr/bin
R:runc
a:0:0:755

P:baselayout
V:3
A:x86_64
F:
R:init
";

    #[test]
    fn owners_from_the_database() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("lib/apk/db")).unwrap();
        fs::write(dir.path().join("lib/apk/db/installed"), INSTALLED).unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        let paths = ["/usr/bin/runc", "/init", "/usr/bin/crun"].map(str::to_owned);
        let found = owners(&root, DATABASES[1], &paths.into()).unwrap();
        let runc = found["/usr/bin/runc"].value().unwrap();
        assert_eq!((runc.package.version.as_str(), runc.architecture.as_str()), ("1.1.12-r5", "x86_64"));
        assert_eq!(found["/init"].value().unwrap().package.name, "baselayout");
        assert!(matches!(found["/usr/bin/crun"], Fact::Absent { .. }));
    }
}
