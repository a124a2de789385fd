//! The ways to an image's files against a real engine: overlay directories in place, the root of a process, and what
//! `docker save` writes must show the same image, and the merged view must be the one that a container sees.
//!
//! Needs root, a Docker engine at its default socket, and the image `plimsoll-test/base:bookworm`
//! (tests/live/images.sh). Without them the test says so and passes; with `CI=true` it fails.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use plimsoll_facts::PackageInventory;
use plimsoll_image::{Archive, LayeredRoot, Reader, Union};
use plimsoll_rootdir::RootDir;
use rustix::fs::FileType;

const BASE: &str = "plimsoll-test/base:bookworm";
const IMAGE: &str = "image-live-ways:test";
const CONTAINER: &str = "image-live-ways";

/// Files that the engine puts over those of the image.
const ENGINES_OWN: [&str; 8] =
    ["dev", "proc", "sys", ".dockerenv", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab"];

/// Layers that delete, replace and add; one with a package that is removed.
const DOCKERFILE: &str = "FROM plimsoll-test/base:bookworm
RUN rm /etc/passwd- && rm -r /usr/share/man && mkdir /usr/share/man && echo x >/usr/share/man/new
RUN dpkg --purge --force-all mawk && mv /usr/share/common-licenses /usr/share/licences && touch /etc/.hidden
RUN cp /bin/su /usr/local/bin/planted && chmod 4755 /usr/local/bin/planted && ln -s planted /usr/local/bin/sudo
";

fn docker(args: &[&str], input: &str) -> Result<String, String> {
    let mut command = Command::new("docker");
    command.args(args).env("DOCKER_BUILDKIT", "0");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).map_err(|error| error.to_string())?;
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Removes what a test made.
struct Cleanup;

impl Drop for Cleanup {
    fn drop(&mut self) {
        let _ = docker(&["rm", "-f", CONTAINER], "");
        let _ = docker(&["rmi", "-f", IMAGE], "");
    }
}

fn in_place() -> Option<LayeredRoot> {
    let data = "{{.GraphDriver.Data.UpperDir}}:{{.GraphDriver.Data.LowerDir}}";
    let driver = docker(&["image", "inspect", "-f", "{{.GraphDriver.Name}}", IMAGE], "").unwrap();
    let union = Union::of_driver(&driver, false)?;
    let dirs = docker(&["image", "inspect", "-f", data, IMAGE], "").unwrap();
    let dirs: Vec<_> = dirs.split(':').filter(|dir| dir.starts_with('/')).collect();
    Some(LayeredRoot::open(&RootDir::open("/").unwrap(), &dirs, union).unwrap())
}

/// Path → mode of everything that is not the engine's own.
fn listed(root: &LayeredRoot) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(dir) = pending.pop() {
        for entry in root.open_dir(&dir).unwrap().entries(100_000).unwrap() {
            let path = dir.join(entry.name);
            let mode = u32::from(root.locate(&path).unwrap().stat.stx_mode);
            if ENGINES_OWN.contains(&path.to_str().unwrap()) {
                continue;
            }
            found.insert(path.to_str().unwrap().to_owned(), mode & 0o7777);
            if FileType::from_raw_mode(mode) == FileType::Directory {
                pending.push(path);
            }
        }
    }
    found
}

/// The same, as a process in a container sees it.
fn seen_inside() -> BTreeMap<String, u32> {
    let list =
        docker(&["exec", CONTAINER, "find", "/", "-xdev", "-mindepth", "1", "-printf", "%m %P\\n"], "")
            .unwrap();
    let entry = |line: &str| {
        let (mode, path) = line.split_once(' ').unwrap();
        (path.to_owned(), u32::from_str_radix(mode, 8).unwrap())
    };
    list.lines().map(entry).filter(|(path, _)| !ENGINES_OWN.contains(&path.as_str())).collect()
}

fn same_packages(inventory: PackageInventory, other: &PackageInventory, way: &str) {
    assert_eq!(inventory.gaps, [], "{way}");
    assert_eq!(inventory.packages, other.packages, "{way}");
    assert_eq!(inventory.os, other.os, "{way}");
}

#[test]
fn every_way_shows_the_same_image() {
    if let Err(why) = docker(&["image", "inspect", BASE], "") {
        assert!(std::env::var_os("CI").is_none(), "no engine with {BASE}: {why}");
        eprintln!("skipped: no engine with {BASE}: {why}");
        return;
    }
    let _cleanup = Cleanup;
    docker(&["build", "-q", "--network", "none", "-t", IMAGE, "-"], DOCKERFILE).unwrap();
    docker(&["run", "-d", "--network", "none", "--name", CONTAINER, IMAGE, "sleep", "600"], "").unwrap();
    let Some(root) = in_place() else {
        eprintln!("skipped: the engine's storage driver keeps no layer directories");
        return;
    };
    assert_eq!(listed(&root), seen_inside());

    let mut reader = Reader::default();
    let inventory = reader.inventory(&root, "overlay");
    assert_eq!(inventory.gaps, []);
    let names: Vec<_> = inventory.packages.iter().map(|package| package.name.as_str()).collect();
    assert!(names.contains(&"libc6") && !names.contains(&"mawk"), "{names:?}");
    let (content, at_once) = reader.image(&root, "overlay", "nobody");
    assert_eq!(at_once, inventory);
    assert_eq!(content.uid, Some(65_534));
    assert_eq!(content.unneeded_programs, ["/usr/local/bin/sudo"]);
    let foreign: Vec<_> =
        content.privileged_files.iter().filter(|file| file.packaged != Some(true)).collect();
    assert_eq!(foreign.len(), 1, "{foreign:?}");
    assert_eq!(foreign[0].path, "/usr/local/bin/planted");

    let pid = docker(&["inspect", "-f", "{{.State.Pid}}", CONTAINER], "").unwrap().parse().unwrap();
    let process = RootDir::open("/").unwrap().open_process_root(pid).unwrap();
    let process = LayeredRoot::new(vec![process], Union::Plain).unwrap();
    same_packages(reader.inventory(&process, "process"), &inventory, "/proc/PID/root");

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image.tar");
    docker(&["save", "-o", path.to_str().unwrap(), IMAGE], "").unwrap();
    let archive = Archive::open(&path).unwrap();
    let saved = archive.read(&archive.images()[0]).unwrap();
    same_packages(saved.inventory(), &inventory, "docker save");
    let from_archive = saved.content("nobody");
    assert_eq!(from_archive.privileged_files, content.privileged_files);
    assert_eq!(from_archive.packages_changed_at, content.packages_changed_at);
}
