//! What a container wrote into its own file system since it was made: the directory that its overlay writes to.

use plimsoll_facts::{Declared, Fact};
use plimsoll_rootdir::{Error, RootDir};
use rustix::fs::FileType;

use crate::source;

/// Most entries that are looked at.
const MAX_ENTRIES: usize = 20_000;
/// Deepest folder.
const MAX_DEPTH: usize = 32;

/// Folders in which a container wrote, each once, sorted; those that only lead to one are left out.
///
/// Absent where its storage driver has no such directory: it cannot be told then.
pub fn written(root: &RootDir, declared: &Declared) -> Fact<Vec<String>> {
    let Some(upper) = declared.layer_dirs.first() else {
        return Fact::absent(format!("storage driver {}", declared.storage_driver));
    };
    let mut walk = Walk { left: MAX_ENTRIES, folders: Vec::new() };
    let result = root.open_root(upper).and_then(|upper| walk.folder(&upper, "", 0));
    source::read(
        upper,
        result.map(|()| {
            walk.folders.sort();
            walk.folders
        }),
    )
}

struct Walk {
    left: usize,
    folders: Vec<String>,
}

impl Walk {
    fn folder(&mut self, upper: &RootDir, path: &str, depth: usize) -> Result<(), Error> {
        let entries = upper.read_dir(if path.is_empty() { "/" } else { path }, self.left)?;
        self.left -= entries.len();
        let mut writes = entries.is_empty() && depth > 0;
        for entry in entries {
            match entry.kind {
                FileType::Directory if depth < MAX_DEPTH => {
                    let below = format!("{path}/{}", entry.name.to_string_lossy());
                    self.folder(upper, &below, depth + 1)?;
                }
                _ => writes = true,
            }
        }
        if writes {
            self.folders.push(if path.is_empty() { "/".to_owned() } else { path.to_owned() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn folders_with_files_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["upper/run/mysqld", "upper/var/lib/x", "upper/tmp"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("upper/run/mysqld/mysqld.pid"), "1").unwrap();
        fs::write(dir.path().join("upper/var/lib/state"), "1").unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        let declared = Declared { layer_dirs: vec!["/upper".into(), "/lower".into()], ..Declared::default() };
        let expected = ["/run/mysqld", "/tmp", "/var/lib", "/var/lib/x"].map(str::to_owned).to_vec();
        assert_eq!(written(&root, &declared).value(), Some(&expected));
        assert!(matches!(written(&root, &Declared::default()), Fact::Absent { .. }));
        let gone = Declared { layer_dirs: vec!["/gone".into()], ..Declared::default() };
        assert!(written(&root, &gone).value().is_none());
    }
}
