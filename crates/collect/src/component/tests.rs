//! Components of a captured tree.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use plimsoll_facts::{
    Component, ComponentKind, Daemon, Engine, EngineInfo, EngineVersion, Fact, Gap, RunningBinary,
};
use plimsoll_rootdir::RootDir;

use super::go_build::tests::program;
use crate::gaps::Gaps;
use crate::packages::Packages;
use crate::procs::Processes;

fn write(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path.trim_start_matches('/'));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A process below `/proc`; in the host's mount namespace when that is 1.
fn process(root: &Path, pid: u32, exe: &str, namespace: u32, command_line: &[u8]) {
    let stat = format!("{pid} (x) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 {pid}00 0 0\n");
    write(root, &format!("proc/{pid}/stat"), stat.as_bytes());
    write(root, &format!("proc/{pid}/cgroup"), b"0::/\n");
    write(root, &format!("proc/{pid}/cmdline"), command_line);
    fs::create_dir_all(root.join(format!("proc/{pid}/ns"))).unwrap();
    symlink(format!("mnt:[{namespace}]"), root.join(format!("proc/{pid}/ns/mnt"))).unwrap();
    symlink(exe, root.join(format!("proc/{pid}/exe"))).unwrap();
}

fn host() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    write(root, "proc/2/stat", b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 24 0 0 1\n");
    fs::create_dir_all(root.join("proc/2/ns")).unwrap();
    symlink("mnt:[1]", root.join("proc/2/ns/mnt")).unwrap();
    write(root, "proc/stat", b"btime 1000\n");
    let go = |main: &str, rest: &str| program(&format!("path\t{main}\n{rest}"));
    write(
        root,
        "usr/bin/dockerd",
        &go(
            "github.com/moby/moby/v2/cmd/dockerd",
            "build\t-ldflags=\"-X github.com/moby/moby/v2/dockerversion.Version=29.1.0\"\n",
        ),
    );
    write(root, "usr/bin/containerd", &go("github.com/containerd/containerd/v2/cmd/containerd", ""));
    write(
        root,
        "usr/bin/containerd-shim-runc-v2",
        &go(
            "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            "mod\tgithub.com/containerd/containerd/v2\tv2.1.9\t\n",
        ),
    );
    write(root, "usr/local/bin/runc", b"#!/bin/sh\nexec /usr/bin/runc \"$@\"\n");
    write(root, "usr/bin/docker", b"#!/bin/sh\nexec podman \"$@\"\n");
    write(root, "opt/kata/bin/kata-runtime", &go("example.org/kata", "mod\texample.org/kata\tv3.2.0\t\n"));
    write(root, "usr/bin/crun", b"\x7fELF");
    write(root, "usr/bin/tini-static", b"#!/bin/sh");
    symlink("tini-static", root.join("usr/bin/docker-init")).unwrap();
    symlink("usr/bin", root.join("bin")).unwrap();
    dir
}

fn engine() -> Engine {
    let runtimes = [("runc", "runc"), ("kata", "/opt/kata/bin/kata-runtime"), ("io.containerd.runc.v2", "")];
    let info = EngineInfo {
        runtimes: runtimes.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect(),
        ..EngineInfo::default()
    };
    let version = EngineVersion {
        version: "29.1.0".to_owned(),
        components: [("containerd".to_owned(), "v2.1.9".to_owned()), ("runc".to_owned(), "1.3.6".to_owned())]
            .into(),
        ..EngineVersion::default()
    };
    Engine {
        endpoint: "unix:///var/run/docker.sock".to_owned(),
        daemon: Fact::known(
            Daemon { pid: 10, exe: "/usr/bin/dockerd".to_owned(), ..Daemon::default() },
            "test",
        ),
        info: Fact::known(info, "test"),
        version: Fact::known(version, "test"),
        ..Engine::default()
    }
}

fn collect(dir: &tempfile::TempDir) -> (Vec<Component>, Vec<Gap>) {
    let root = RootDir::open(dir.path()).unwrap();
    let processes = Processes::scan(&root).unwrap();
    let mut gaps = Gaps::default();
    let found = super::collect(&root, &Packages::open(&root), Ok(&processes), &[engine()], &mut gaps);
    (found, gaps.into_sorted())
}

fn find<'a>(components: &'a [Component], path: &str) -> &'a Component {
    components.iter().find(|component| component.path == path).unwrap_or_else(|| panic!("no {path}"))
}

#[test]
fn programs_by_place_content_and_runtime() {
    let (components, gaps) = collect(&host());
    let shown: Vec<_> =
        components.iter().map(|c| (c.kind, c.path.as_str(), c.version.value().map(String::as_str))).collect();
    assert_eq!(
        shown,
        [
            (ComponentKind::Other, "/opt/kata/bin/kata-runtime", Some("3.2.0")),
            // The engine reports a version for the only runc that there is.
            (ComponentKind::Runc, "/usr/local/bin/runc", Some("1.3.6")),
            (ComponentKind::Crun, "/usr/bin/crun", None),
            (ComponentKind::Containerd, "/usr/bin/containerd", Some("2.1.9")),
            (ComponentKind::ContainerdShim, "/usr/bin/containerd-shim-runc-v2", Some("2.1.9")),
            (ComponentKind::Dockerd, "/usr/bin/dockerd", Some("29.1.0")),
            (ComponentKind::DockerInit, "/usr/bin/tini-static", None),
        ]
    );
    assert!(gaps.iter().any(|gap| gap.subject == "component /usr/bin/tini-static"), "{gaps:?}");
}

#[test]
fn processes_of_the_host_and_of_nobody() {
    let dir = host();
    let root = dir.path();
    process(root, 10, "/usr/bin/dockerd", 1, b"dockerd\0");
    process(
        root,
        11,
        "/usr/bin/containerd-shim-runc-v2 (deleted)",
        1,
        b"shim\0-namespace\0moby\0-id\0ab12\0",
    );
    process(root, 12, "/usr/bin/dockerd", 7, b"dockerd\0");
    process(root, 13, "/home/eve/dockerd", 1, b"dockerd\0");
    process(root, 14, "/usr/bin/podman (deleted)", 1, b"podman\0");
    let (components, _) = collect(&dir);

    let daemons = &find(&components, "/usr/bin/dockerd").running;
    assert_eq!(
        daemons.iter().map(|process| (process.pid, process.started_at)).collect::<Vec<_>>(),
        [(10, Some(1010))]
    );
    assert!(
        matches!(daemons[0].binary, RunningBinary::Unknown { .. }),
        "a captured tree has no inodes to compare"
    );

    let shim = &find(&components, "/usr/bin/containerd-shim-runc-v2").running[0];
    assert_eq!(shim.binary, RunningBinary::Replaced { path: "/usr/bin/containerd-shim-runc-v2".to_owned() });
    assert_eq!(
        (shim.container.as_deref(), shim.containerd_namespace.as_deref()),
        (Some("ab12"), Some("moby"))
    );
    assert_eq!(shim.version, None);

    process(root, 15, "/usr/bin/containerd (deleted)", 1, b"containerd\0");
    let (components, _) = collect(&dir);
    let containerd = find(&components, "/usr/bin/containerd");
    assert_eq!(containerd.running[0].version.as_deref(), Some("2.1.9"), "the engine reports what runs");
    assert_eq!(containerd.version.value(), None, "and not what is on disk now");

    let podman = find(&components, "/usr/bin/podman");
    assert_eq!((podman.kind, podman.running[0].pid), (ComponentKind::Podman, 14));
    assert!(matches!(podman.version, Fact::Absent { .. }));
    assert!(components.iter().all(|component| component.path != "/home/eve/dockerd"));
}
