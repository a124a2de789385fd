//! The merged view against the kernel's own: an overlay is mounted, changed, and compared entry by entry.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll_image::{LayeredRoot, Union};
use plimsoll_rootdir::RootDir;
use tempfile::TempDir;

/// A mounted overlay of two lower directories.
struct Overlay {
    dir: TempDir,
}

impl Overlay {
    /// `None` where this process may not mount; in CI it must.
    fn mount(lower: impl Fn(&Path, &Path)) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["low", "middle", "upper", "work", "merged"] {
            fs::create_dir(at(name)).unwrap();
        }
        lower(&at("low"), &at("middle"));
        let options = format!(
            "lowerdir={}:{},upperdir={},workdir={},redirect_dir=off,metacopy=off",
            at("middle").display(),
            at("low").display(),
            at("upper").display(),
            at("work").display()
        );
        let mount = Command::new("mount")
            .args(["-t", "overlay", "overlay", "-o", &options])
            .arg(at("merged"))
            .output();
        if !mount.is_ok_and(|output| output.status.success()) {
            assert!(std::env::var_os("CI").is_none(), "overlays cannot be mounted here");
            return None;
        }
        Some(Self { dir })
    }

    fn merged(&self) -> PathBuf {
        self.dir.path().join("merged")
    }

    fn read_in_place(&self) -> LayeredRoot {
        let host = RootDir::open(self.dir.path()).unwrap();
        LayeredRoot::open(&host, &["upper", "middle", "low"], Union::Overlay).unwrap()
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.merged()).status();
    }
}

/// Path → kind, mode, size and content of everything in a tree, as the kernel shows it.
fn by_kernel(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_file() { fs::read_to_string(&path).unwrap() } else { String::new() };
            found.insert(
                path.strip_prefix(root).unwrap().to_owned(),
                format!("{:o} {content}", metadata.mode()),
            );
            if metadata.is_dir() {
                pending.push(path);
            }
        }
    }
    found
}

/// The same, as it is read in place.
fn in_place(root: &LayeredRoot) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(dir) = pending.pop() {
        for entry in root.open_dir(&dir).unwrap().entries(1_000).unwrap() {
            let path = dir.join(entry.name);
            let mode = u32::from(root.locate(&path).unwrap().stat.stx_mode);
            let is = |kind| mode & 0o170_000 == kind;
            let content = if is(0o100_000) { root.read_text(&path, 1_000).unwrap() } else { String::new() };
            found.insert(path.clone(), format!("{mode:o} {content}"));
            if is(0o040_000) {
                pending.push(path);
            }
        }
    }
    found
}

#[test]
fn what_a_container_did_is_seen_as_the_kernel_shows_it() {
    let overlay = Overlay::mount(|low, middle| {
        for path in
            ["etc/a", "etc/b", "usr/bin/tool", "usr/share/doc/x/copyright", "var/cache/old", "file-then-dir"]
        {
            fs::create_dir_all(low.join(path).parent().unwrap()).unwrap();
            fs::write(low.join(path), format!("low {path}")).unwrap();
        }
        fs::create_dir_all(middle.join("etc")).unwrap();
        fs::write(middle.join("etc/b"), "middle").unwrap();
        symlink("../usr/bin/tool", middle.join("etc/tool")).unwrap();
    });
    let Some(overlay) = overlay else { return };
    assert_eq!(in_place(&overlay.read_in_place()), by_kernel(&overlay.merged()));

    let merged = overlay.merged();
    fs::remove_file(merged.join("etc/a")).unwrap();
    fs::remove_dir_all(merged.join("usr/share/doc")).unwrap();
    fs::create_dir(merged.join("usr/share/doc")).unwrap();
    fs::write(merged.join("usr/share/doc/new"), "new").unwrap();
    fs::remove_dir_all(merged.join("var/cache")).unwrap();
    fs::remove_file(merged.join("file-then-dir")).unwrap();
    fs::create_dir(merged.join("file-then-dir")).unwrap();
    fs::write(merged.join("file-then-dir/x"), "x").unwrap();
    fs::rename(merged.join("usr/bin/tool"), merged.join("usr/bin/moved")).unwrap();
    fs::write(merged.join("etc/.wh.b"), "an ordinary file to the kernel").unwrap();
    fs::write(merged.join("etc/b"), "top").unwrap();

    let root = overlay.read_in_place();
    assert_eq!(in_place(&root), by_kernel(&merged));
    assert!(root.read("etc/a", 100).unwrap_err().is_not_found());
    assert!(root.read("etc/tool", 100).unwrap_err().is_not_found());
    assert_eq!(root.read_text("etc/b", 100).unwrap(), "top");
}
