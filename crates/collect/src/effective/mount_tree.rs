//! Which mount a path leads to, when mounts lie on top of each other.

use std::collections::{HashMap, HashSet};

use plimsoll_facts::Mount;

/// The mounts of one mount namespace, as a tree.
pub(super) struct MountTree<'a> {
    mounts: &'a [Mount],
    children: HashMap<(u32, &'a str), usize>,
    root: Option<usize>,
}

impl<'a> MountTree<'a> {
    pub(super) fn new(mounts: &'a [Mount]) -> Self {
        let children = mounts.iter().enumerate().map(|(i, m)| ((m.parent, m.target.as_str()), i)).collect();
        let ids: HashSet<u32> = mounts.iter().map(|m| m.id).collect();
        // The parent of the root mount is outside of what the process sees.
        let root = mounts.iter().position(|m| m.target == "/" && !ids.contains(&m.parent));
        Self { mounts, children, root }
    }

    /// The mount that an absolute path without links leads to.
    pub(super) fn at(&self, path: &str) -> Option<&'a Mount> {
        let mut here = self.topmost(self.root?, "/");
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
        for prefix in ends.filter_map(|end| path.get(..end)).filter(|prefix| prefix.len() > 1) {
            here = self.topmost(here, prefix);
        }
        self.mounts.get(here)
    }

    fn topmost(&self, mut here: usize, target: &str) -> usize {
        // Each step goes to another mount: more steps than mounts would be a circle, which no kernel writes.
        for _ in 0..self.mounts.len() {
            let Some(next) = self
                .mounts
                .get(here)
                .and_then(|m| self.children.get(&(m.id, target)))
                .filter(|next| **next != here)
            else {
                break;
            };
            here = *next;
        }
        here
    }
}

/// `path` below `parent`: the rest, with its leading slash; empty for `parent` itself; `None` where it is not below.
pub(super) fn below<'a>(path: &'a str, parent: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(parent.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then(|| if rest == "/" { "" } else { rest })
}

/// Puts a rest of [`below`] behind a directory.
pub(super) fn join(directory: &str, rest: &str) -> String {
    match (directory.trim_end_matches('/'), rest) {
        ("", "") => "/".to_owned(),
        (directory, rest) => format!("{directory}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(id: u32, parent: u32, target: &str) -> Mount {
        Mount { id, parent, target: target.to_owned(), ..Mount::default() }
    }

    #[test]
    fn later_mounts_cover_earlier_ones() {
        let mounts = [
            mount(1, 0, "/"),
            mount(2, 1, "/proc"),
            mount(3, 2, "/proc/kcore"),
            mount(4, 1, "/data"),
            mount(5, 4, "/data"),
        ];
        let tree = MountTree::new(&mounts);
        let id = |path| tree.at(path).unwrap().id;
        assert_eq!((id("/"), id("/etc/passwd"), id("/proc"), id("/proc/1")), (1, 1, 2, 2));
        assert_eq!((id("/proc/kcore"), id("/procs"), id("/data/x")), (3, 1, 5));

        // A second /proc on top hides the mask in the first.
        let covered = [mounts.to_vec(), vec![mount(6, 2, "/proc")]].concat();
        assert_eq!(MountTree::new(&covered).at("/proc/kcore").unwrap().id, 6);
    }

    #[test]
    fn circles_end() {
        let mounts = [mount(1, 0, "/"), mount(2, 1, "/a"), mount(3, 2, "/a"), mount(2, 3, "/a")];
        assert!(MountTree::new(&mounts).at("/a").is_some());
        assert!(MountTree::new(&[]).at("/").is_none());
    }

    #[test]
    fn paths_below() {
        assert_eq!(below("/etc/passwd", "/"), Some("/etc/passwd"));
        assert_eq!(below("/etc/passwd", "/etc"), Some("/passwd"));
        assert_eq!(below("/etc", "/etc"), Some(""));
        assert_eq!(below("/etcetera", "/etc"), None);
        assert_eq!(below("/", "/"), Some(""));
        assert_eq!(
            (join("/", ""), join("/a", "/b"), join("/", "/b")),
            ("/".into(), "/a/b".into(), "/b".into())
        );
    }
}
