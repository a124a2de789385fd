//! Caches and temporary files that a build leaves, by place and size.

use std::collections::BTreeMap;

use plimsoll_facts::Leftover;

use crate::tree::shown;

/// Places that are kept of one layer: caches can be in the home of every user.
const MAX_PLACES: usize = 200;

/// Directories from the root.
const FIXED: [&[u8]; 14] = [
    b"etc/apk/cache",
    b"go/pkg/mod/cache",
    b"tmp",
    b"usr/local/cargo/registry",
    b"usr/local/share/.cache/yarn",
    b"var/cache/apk",
    b"var/cache/apt",
    b"var/cache/dnf",
    b"var/cache/libdnf5",
    b"var/cache/pacman",
    b"var/cache/yum",
    b"var/cache/zypp",
    b"var/lib/apt/lists",
    b"var/tmp",
];
/// Directories in the home of whoever built.
const HOME: [&[u8]; 10] = [
    b".cache/go-build",
    b".cache/pip",
    b".cache/yarn",
    b".cargo/registry",
    b".composer/cache",
    b".gradle/caches",
    b".local/share/pnpm/store",
    b".m2/repository",
    b".npm/_cacache",
    b".nuget/packages",
];
/// Files that grow with the highest user id (lastlog(8)).
const FILES: [&[u8]; 2] = [b"faillog", b"lastlog"];

/// Files and bytes of each place.
#[derive(Debug, Default)]
pub(crate) struct Leftovers(BTreeMap<Vec<u8>, (u64, u64)>);

impl Leftovers {
    /// Counts a file, where it is in such a place.
    pub(crate) fn add(&mut self, dir: &[u8], name: &[u8], size: u64) {
        // What deletes a file of a lower layer is empty.
        let Some(place) = place(dir, name).filter(|_| size > 0) else { return };
        let known = self.0.contains_key(place.as_slice());
        if known || self.0.len() < MAX_PLACES {
            let (files, bytes) = self.0.entry(place).or_default();
            *files += 1;
            *bytes = bytes.saturating_add(size);
        }
    }

    /// All layers together.
    pub(crate) fn sum<'a>(layers: impl Iterator<Item = &'a Self>) -> Vec<Leftover> {
        let mut all: BTreeMap<&[u8], (u64, u64)> = BTreeMap::new();
        for (place, (files, bytes)) in layers.flat_map(|layer| &layer.0) {
            let sum = all.entry(place).or_default();
            *sum = (sum.0.saturating_add(*files), sum.1.saturating_add(*bytes));
        }
        let place =
            |(place, (files, bytes)): (&[u8], (u64, u64))| Leftover { path: shown(place), files, bytes };
        all.into_iter().take(MAX_PLACES).map(place).collect()
    }
}

fn place(dir: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    if dir == b"var/log" && FILES.contains(&name) {
        return Some([dir, b"/", name].concat());
    }
    let is_below = |path: &[u8]| path.is_empty() || path.starts_with(b"/");
    if let Some(fixed) = FIXED.iter().find(|fixed| dir.strip_prefix(**fixed).is_some_and(is_below)) {
        return Some(fixed.to_vec());
    }
    // `root/…`, `home/NAME/…`, or the root itself, where the home of a user without one is.
    let depth = match dir.split(|byte| *byte == b'/').next()? {
        b"root" => 1,
        b"home" => 2,
        part if part.starts_with(b".") => 0,
        _ => return None,
    };
    let start: usize = dir.split(|byte| *byte == b'/').take(depth).map(|part| part.len() + 1).sum();
    let rest = dir.get(start..)?;
    let home = HOME.iter().find(|home| rest.strip_prefix(**home).is_some_and(is_below))?;
    Some(dir[..start + home.len()].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        for (path, expected) in [
            ("var/lib/apt/lists/x_Packages", Some("var/lib/apt/lists")),
            ("var/cache/apt/archives/partial/x", Some("var/cache/apt")),
            ("root/.cache/pip/http/1", Some("root/.cache/pip")),
            ("home/bob/.npm/_cacache/index/1", Some("home/bob/.npm/_cacache")),
            (".cache/pip/x", Some(".cache/pip")),
            ("var/log/lastlog", Some("var/log/lastlog")),
            ("var/lib/apt/listsx/y", None),
            ("root/.cache/pipx/y", None),
            ("home", None),
            ("home/bob/x", None),
            ("var/lib/mysql/ibdata1", None),
        ] {
            let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
            let found = place(dir.as_bytes(), name.as_bytes());
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{path}");
        }
    }

    #[test]
    fn layers_are_added_up() {
        let mut lower = Leftovers::default();
        lower.add(b"tmp", b"a", 7);
        lower.add(b"tmp/x", b"b", u64::MAX);
        let mut upper = Leftovers::default();
        upper.add(b"tmp", b"a", 1);
        let sum = Leftovers::sum([&lower, &upper].into_iter());
        assert_eq!(sum, [Leftover { path: "/tmp".into(), files: 3, bytes: u64::MAX }]);
        for n in 0..1_000 {
            upper.add(format!("home/{n}/.cache/pip").as_bytes(), b"x", 1);
        }
        assert_eq!(upper.0.len(), MAX_PLACES);
    }
}
