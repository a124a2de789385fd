//! The merged view of layers that are made by hand, mark by mark.

#![allow(clippy::unwrap_used)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use plimsoll_image::{Bounds, Error, LayeredRoot, Reader, Union};
use plimsoll_rootdir::{Error as FileError, RootDir};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, makedev, mknodat, setxattr};
use tempfile::TempDir;

/// A stack of layers, topmost first, each a list of what is in it.
struct Stack {
    dir: TempDir,
    layers: usize,
}

enum Item<'a> {
    File(&'a str, &'a str),
    Mode(&'a str, u32),
    Link(&'a str, &'a str),
    Dir(&'a str),
    Whiteout(&'a str),
    Attribute(&'a str, &'a str, &'a str),
}
use Item::{Attribute, Dir, File, Link, Mode as FileMode, Whiteout};

fn stack(layers: &[&[Item<'_>]]) -> Stack {
    let dir = tempfile::tempdir().unwrap();
    for (index, items) in layers.iter().enumerate() {
        let layer = dir.path().join(index.to_string());
        fs::create_dir(&layer).unwrap();
        for item in *items {
            make(&layer, item);
        }
    }
    Stack { dir, layers: layers.len() }
}

fn make(layer: &Path, item: &Item<'_>) {
    let at = |path: &str| {
        let path = layer.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    match item {
        File(path, content) => fs::write(at(path), content).unwrap(),
        FileMode(path, mode) => fs::set_permissions(at(path), fs::Permissions::from_mode(*mode)).unwrap(),
        Link(path, target) => symlink(target, at(path)).unwrap(),
        Dir(path) => fs::create_dir_all(at(path)).unwrap(),
        Whiteout(path) => {
            mknodat(CWD, at(path), FileType::CharacterDevice, Mode::empty(), makedev(0, 0)).unwrap();
        }
        Attribute(path, name, value) => {
            setxattr(at(path), *name, value.as_bytes(), XattrFlags::empty()).unwrap();
        }
    }
}

impl Stack {
    fn open(&self, union: Union) -> LayeredRoot {
        let host = RootDir::open(self.dir.path()).unwrap();
        let dirs: Vec<_> = (0..self.layers).map(|layer| layer.to_string()).collect();
        LayeredRoot::open(&host, &dirs, union).unwrap()
    }
}

fn names(root: &LayeredRoot, path: &str) -> Vec<String> {
    let entries = root.open_dir(path).unwrap().entries(100).unwrap();
    let mut names: Vec<_> = entries.iter().map(|e| e.name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn is_gone(root: &LayeredRoot, path: &str) -> bool {
    root.read(path, 100).is_err_and(|error| error.is_not_found()) && root.locate(path).is_err()
}

#[test]
fn upper_layers_win_and_directories_merge() {
    let stack = stack(&[
        &[File("etc/a", "top"), File("x", "now a file")],
        &[File("etc/a", "low"), File("etc/b", "low"), File("x/y", "hidden"), File("x/z", "hidden")],
    ]);
    let root = stack.open(Union::Overlay);
    assert_eq!(root.read("etc/a", 10).unwrap(), b"top");
    assert_eq!(root.read("/etc/b", 10).unwrap(), b"low");
    assert_eq!(root.locate("etc/b").unwrap().layer, 1);
    assert_eq!(root.locate("etc").unwrap().layer, 0);
    assert!(is_gone(&root, "x/y"));
    assert_eq!(names(&root, "/"), ["etc", "x"]);
    assert_eq!(names(&root, "etc"), ["a", "b"]);
    assert!(matches!(root.read("etc/a", 2), Err(Error::File(FileError::TooLarge { limit: 2, .. }))));
    assert!(matches!(root.read("etc", 2), Err(Error::File(FileError::Kind { .. }))));
    assert!(matches!(root.open_dir("etc").unwrap().entries(1), Err(Error::File(FileError::TooLarge { .. }))));
}

#[test]
fn whiteouts_by_device() {
    let stack = stack(&[
        &[Whiteout("etc/a"), Whiteout("opt")],
        &[File("etc/a", "mid"), File("opt/x", "")],
        &[File("etc/a", "low"), File("etc/b", ""), File("opt/y", "")],
    ]);
    for union in [Union::Overlay, Union::OverlayUser, Union::FuseOverlay] {
        let root = stack.open(union);
        assert!(is_gone(&root, "etc/a"));
        assert!(is_gone(&root, "opt/y"));
        assert_eq!(names(&root, "/"), ["etc"]);
        assert_eq!(names(&root, "etc"), ["b"]);
    }
    assert!(stack.open(Union::Plain).locate("etc/a").is_ok());
}

#[test]
fn a_directory_made_again_hides_the_old_one() {
    let stack = stack(&[&[File("d/new", "")], &[Whiteout("d")], &[File("d/old", "")]]);
    let root = stack.open(Union::Overlay);
    assert_eq!(names(&root, "d"), ["new"]);
    assert!(is_gone(&root, "d/old"));
}

#[test]
fn opaque_directories() {
    let low: &[Item<'_>] = &[File("d/old", ""), File("d/sub/old", "")];
    let mark = |name| [File("d/new", ""), Attribute("d", name, "y")];
    for (name, union) in [
        ("user.overlay.opaque", Union::OverlayUser),
        ("user.overlay.opaque", Union::FuseOverlay),
        ("user.fuseoverlayfs.opaque", Union::FuseOverlay),
    ] {
        let stack = stack(&[&mark(name), low]);
        let root = stack.open(union);
        assert_eq!(names(&root, "d"), ["new"], "{name}");
        assert!(is_gone(&root, "d/old") && is_gone(&root, "d/sub/old"), "{name}");
        // A mark that the mount does not honour hides nothing.
        assert_eq!(names(&stack.open(Union::Overlay), "d"), ["new", "old", "sub"], "{name}");
    }
}

#[test]
fn whiteout_files_count_only_for_fuse_overlayfs() {
    let stack = stack(&[
        &[
            File("bin/.wh.sudo", ""),
            File("d/.wh..wh..opq", ""),
            File("d/new", ""),
            File("e/.wh.f", ""),
            File("e/f", "2"),
        ],
        &[File("bin/sudo", "s"), File("d/old", ""), File("e/f/g", "1")],
    ]);
    let root = stack.open(Union::FuseOverlay);
    assert!(is_gone(&root, "bin/sudo"));
    assert!(names(&root, "bin").is_empty());
    assert_eq!(names(&root, "d"), ["new"]);
    assert_eq!(names(&root, "e"), ["f"]);
    assert_eq!(root.read("e/f", 9).unwrap(), b"2");
    assert!(is_gone(&root, "bin/.wh.sudo"));
    let kernel = stack.open(Union::Overlay);
    assert_eq!(kernel.read("bin/sudo", 9).unwrap(), b"s");
    assert_eq!(names(&kernel, "d"), [".wh..wh..opq", "new", "old"]);
}

#[test]
fn whiteouts_by_attribute_only_in_marked_directories() {
    let upper = |mark: &'static str| {
        [
            File("d/gone", ""),
            Attribute("d/gone", "user.overlay.whiteout", "y"),
            Attribute("d", "user.overlay.opaque", mark),
        ]
    };
    let low: &[Item<'_>] = &[File("d/gone", "1"), File("d/kept", "1")];
    let marked = stack(&[&upper("x"), low]);
    let root = marked.open(Union::OverlayUser);
    assert!(is_gone(&root, "d/gone"));
    assert_eq!(names(&root, "d"), ["kept"]);
    let unmarked = stack(&[&upper("n"), low]);
    assert_eq!(names(&unmarked.open(Union::OverlayUser), "d"), ["gone", "kept"]);
}

#[test]
fn links_are_resolved_in_the_merged_view_and_never_leave() {
    let stack = stack(&[
        &[
            Link("etc/os-release", "../usr/lib/os-release"),
            Link("up", "../../../../../../etc/hostname"),
            Link("abs", "/usr/lib"),
            Link("loop", "pool"),
            Link("pool", "loop"),
            Link("chain/a", "b"),
            Link("chain/b", "../abs/os-release"),
            Link("file/x", "/etc/os-release/y"),
        ],
        &[File("usr/lib/os-release", "ID=x"), Dir("var"), Link("run", "/var/run"), Link("var/run", "../run")],
    ]);
    let root = stack.open(Union::Overlay);
    for path in ["etc/os-release", "abs/os-release", "chain/a", "/../../abs/../lib/os-release"] {
        assert_eq!(root.read(path, 10).unwrap(), b"ID=x", "{path}");
    }
    assert!(root.read("up", 10).unwrap_err().is_not_found());
    assert!(root.read("file/x", 10).unwrap_err().is_not_found());
    assert!(matches!(root.read("loop", 10), Err(Error::Loop { .. })));
    assert!(matches!(root.read("run/x", 10), Err(Error::Loop { .. })));
    // `locate` follows nothing.
    assert!(root.locate("abs/os-release").is_err());
    assert_eq!(root.locate("etc/os-release").unwrap().layer, 0);
}

#[test]
fn features_that_are_not_followed_are_named() {
    let stack = stack(&[
        &[
            Dir("new"),
            Attribute("new", "user.overlay.redirect", "/old"),
            File("meta", ""),
            Attribute("meta", "user.overlay.metacopy", ""),
        ],
        &[File("old/f", ""), File("meta", "data")],
    ]);
    let root = stack.open(Union::OverlayUser);
    assert!(matches!(root.read("new/f", 10), Err(Error::NotCovered { feature: "redirect_dir", .. })));
    assert!(matches!(root.read("meta", 10), Err(Error::NotCovered { feature: "metacopy", .. })));
    let content = Reader::default().image(&root, "test", "").0;
    assert!(content.gaps.iter().any(|gap| gap.contains("redirect_dir")), "{:?}", content.gaps);
}

#[test]
fn content_of_an_image() {
    const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\n";
    let stack = stack(&[
        &[
            File("etc/passwd", "root:x:0:0:root:/:/bin/sh\napp:x:1000:1000::/:\n"),
            File("usr/bin/planted", ""),
            FileMode("usr/bin/planted", 0o4755),
            File("usr/bin/ping", ""),
            File("root/.wh.id_rsa", ""),
            File("srv/tls.key", KEY),
        ],
        &[
            Link("bin", "usr/bin"),
            Link("etc/os-release", "../usr/lib/os-release"),
            File("usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
            File("usr/bin/su", ""),
            FileMode("usr/bin/su", 0o4755),
            File("usr/bin/ping", ""),
            FileMode("usr/bin/ping", 0o4755),
            File("usr/bin/sudo", ""),
            File("root/id_rsa", KEY),
            File("usr/share/doc/lib/test.pem", KEY),
            File(
                "var/lib/dpkg/status",
                "Package: a\nVersion: 1\nStatus: install ok installed\n\nPackage: b\nVersion: 1\nStatus: deinstall ok config-files\n",
            ),
            File("var/lib/dpkg/info/a.list", "/.\n/bin/su\n/usr/share/doc/lib/test.pem\n"),
        ],
    ]);
    let content = Reader::default().image(&stack.open(Union::FuseOverlay), "test", "app:app").0;
    assert_eq!(content.gaps, Vec::<String>::new());
    assert_eq!(content.os.unwrap().id, "debian");
    assert_eq!((content.uid, content.accounts.len()), (Some(1000), 2));
    assert_eq!(content.packages, Some(1));
    let privileged: Vec<_> = content.privileged_files.iter().map(|f| (f.path.as_str(), f.packaged)).collect();
    assert_eq!(privileged, [("/usr/bin/planted", Some(false)), ("/usr/bin/su", Some(true))]);
    assert_eq!(content.unneeded_programs, ["/usr/bin/sudo"]);
    assert_eq!(content.secret_files, ["/srv/tls.key"]);
    assert_eq!(content.deleted_secret_files, ["/root/id_rsa"]);
}

/// As `accounts_modes_and_leftovers` of archives.rs asks it of archives.
#[test]
fn accounts_modes_and_leftovers() {
    let stack = stack(&[
        &[
            Dir("usr/mended"),
            File("usr/bin/x", ""),
            FileMode("usr/bin/x", 0o757),
            File("tmp/.wh.a", ""),
            File("tmp/b", "12"),
        ],
        &[
            File("etc/passwd", "root:x:0:0::/:\nopen::5:5::/:\n"),
            File("etc/group", "root:x:0:\n"),
            File("etc/sudoers.d/open", "open ALL=(ALL) NOPASSWD: ALL\n"),
            File("root/.ssh/authorized_keys", "ssh-ed25519 AAAA\n"),
            File("app/.git/HEAD", "ref: x\n"),
            File("tmp/a", "12345678"),
            Dir("usr/lib/w"),
            FileMode("usr/lib/w", 0o777),
            Dir("usr/mended"),
            FileMode("usr/mended", 0o777),
        ],
    ]);
    let content = Reader::default().image(&stack.open(Union::FuseOverlay), "test", "").0;
    assert_eq!(content.gaps, Vec::<String>::new());
    assert_eq!(content.groups.value().unwrap().len(), 1);
    assert_eq!(content.empty_passwords.value().unwrap(), &["open"]);
    assert_eq!(content.passwordless_sudo.value().unwrap(), &["open"]);
    let writable: Vec<_> =
        content.writable_paths.value().unwrap().iter().map(|it| (it.path.as_str(), it.mode)).collect();
    assert_eq!(writable, [("/usr/bin/x", 0o757), ("/usr/lib/w", 0o777)]);
    assert_eq!(content.login_keys.value().unwrap(), &["/root/.ssh/authorized_keys"]);
    assert_eq!(content.development_files.value().unwrap(), &["/app/.git"]);
    let left: Vec<_> =
        content.leftovers.value().unwrap().iter().map(|it| (it.path.as_str(), it.files, it.bytes)).collect();
    assert_eq!(left, [("/tmp", 2, 10)]);
}

#[test]
fn file_capabilities() {
    // cap_net_raw=ep, as `setcap` writes it.
    const NET_RAW: &str = "\u{1}\0\0\u{2}\0\u{20}\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let layers = stack(&[&[File("usr/bin/ping", "x"), FileMode("usr/bin/ping", 0o755)]]);
    let ping = layers.dir.path().join("0/usr/bin/ping");
    if setxattr(ping, "security.capability", NET_RAW.as_bytes(), XattrFlags::empty()).is_err() {
        // Only root may.
        assert!(!rustix::process::geteuid().is_root());
        return;
    }
    let content = Reader::default().image(&layers.open(Union::Overlay), "test", "").0;
    assert_eq!(content.privileged_files[0].capabilities.unwrap().names(), ["NET_RAW"]);
}

#[test]
fn walks_are_bounded() {
    let many: Vec<String> = (0..50).map(|n| format!("d/{n}")).collect();
    let items: Vec<_> = many.iter().map(|path| File(path, "")).collect();
    let stack = stack(&[&items, &[Dir("1/2/3/4/5/6")]]);
    let bounds = Bounds { entries: 20, depth: 4 };
    let content = Reader::new(bounds).image(&stack.open(Union::Overlay), "test", "nobody").0;
    assert_eq!(
        content.gaps,
        [
            "User \"nobody\" is in no passwd file of the image",
            "directories nested deeper than 4 were not looked at",
            "more than 20 files: the rest was not looked at",
        ]
    );
}

#[test]
fn names_that_are_not_text() {
    use std::os::unix::ffi::OsStrExt;
    let stack = stack(&[&[Dir("d")]]);
    let path = stack.dir.path().join("0/d").join(OsStr::from_bytes(b"\xff\n\x1b"));
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o4755)).unwrap();
    let content = Reader::default().image(&stack.open(Union::Overlay), "test", "").0;
    assert_eq!(content.privileged_files[0].path, "/d/\u{fffd}\n\u{1b}");
}
