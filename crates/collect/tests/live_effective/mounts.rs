//! What of the host is really visible in a container.

use plimsoll_facts::MaskState;

use crate::world::{container, docker, effective, enter, facts, init, run};

/// inspect: read-only. The kernel: a mount below it that can be written.
#[test]
fn a_writable_mount_below_a_read_only_one() {
    let Some(mut world) = enter("below") else { return };
    let dir = world.dir().join("m");
    world.mount(&["-t", "tmpfs", "plimsoll"], &dir.join("sub"));
    let volume = format!("{}:/m:ro", dir.display());
    let name = world.start("a", &["--volume", &volume], &["sleep", "600"]);
    let facts = facts();
    assert!(!container(&facts, &name).declared.value().unwrap().mounts[0].rw);
    let paths = effective(&facts, &name).host_paths.require().unwrap();
    let [outer, inner] = &paths[..] else { panic!("{paths:?}") };
    assert_eq!((outer.host.as_str(), outer.target.as_str()), (dir.to_str().unwrap(), "/m"));
    assert_eq!((inner.host.as_str(), inner.target.as_str()), (dir.join("sub").to_str().unwrap(), "/m/sub"));
    // An engine that makes such mounts read-only recursively (25.0) leaves nothing below.
    assert_eq!(outer.writable_below.is_empty(), !inner.writable);
    assert!(!outer.writable);
}

/// inspect: a directory, read-only. The kernel: the engine's socket is in it, and read-only stops no connection.
#[test]
fn the_engines_socket_in_a_mounted_directory() {
    let Some(mut world) = enter("socket") else { return };
    let options = ["--volume=/run:/data:ro", "--volume=/run/docker.sock:/other/name.sock"];
    let name = world.start("a", &options, &["sleep", "600"]);
    let facts = facts();
    let sockets = effective(&facts, &name).engine_sockets.require().unwrap();
    for target in ["/data/docker.sock", "/other/name.sock"] {
        let socket = sockets.iter().find(|s| s.target == target).unwrap_or_else(|| panic!("{sockets:?}"));
        assert_eq!((socket.host.as_str(), socket.program.as_str()), ("/run/docker.sock", "dockerd"));
    }
    assert!(sockets.iter().any(|s| s.program == "containerd"), "{sockets:?}");
}

/// inspect: one bind mount. The kernel: what was mounted below its source later, `/etc` of the host.
#[test]
fn a_mount_that_arrived_later() {
    let Some(mut world) = enter("later") else { return };
    let dir = world.dir().join("shared");
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.to_str().unwrap().to_owned();
    world.mount(&["--bind", &path], &dir);
    assert!(run("mount", &["--make-shared", &path]).0);
    let name = world.start("a", &["--volume", &format!("{path}:/m2:rslave")], &["sleep", "600"]);
    world.mount(&["--bind", "/etc"], &dir.join("h"));
    let facts = facts();
    let paths = effective(&facts, &name).host_paths.require().unwrap();
    let found = |target| paths.iter().find(|p| p.target == target).unwrap_or_else(|| panic!("{paths:?}"));
    assert_eq!(found("/m2").propagation, "slave");
    assert_eq!((found("/m2/h").host.as_str(), found("/m2/h").writable), ("/etc", true));
}

/// inspect: a volume. The kernel: `/etc` of the host, by the volume's driver options.
#[test]
fn a_volume_that_binds_a_host_directory() {
    let Some(mut world) = enter("volume") else { return };
    let volume = "effective-volume-etc";
    let options = ["--opt=type=none", "--opt=o=bind", "--opt=device=/etc"];
    docker(&[&["volume", "create"][..], &options, &[volume]].concat());
    let options = ["--volume=effective-volume-etc:/conf", "--volume=effective-volume-plain:/plain"];
    let name = world.start("a", &options, &["sleep", "600"]);
    let facts = facts();
    docker(&["rm", "--force", &name]);
    docker(&["volume", "rm", volume, "effective-volume-plain"]);
    let paths = effective(&facts, &name).host_paths.require().unwrap();
    let [path] = &paths[..] else { panic!("{paths:?}") };
    assert_eq!((path.host.as_str(), path.target.as_str(), path.writable), ("/etc", "/conf", true));
}

/// inspect: read-only paths intact. The kernel: `/proc/sys` can be written.
#[test]
fn a_protected_path_that_was_opened() {
    let Some(mut world) = enter("opened") else { return };
    let name = world.start("a", &[], &["sleep", "600"]);
    let state = || {
        let facts = facts();
        let masks = effective(&facts, &name).masks.require().unwrap();
        masks.iter().find(|mask| mask.path == "/proc/sys").unwrap().found
    };
    assert_eq!(state(), MaskState::InForce);
    let target = init(&name).to_string();
    let remount = ["--target", &target, "--mount", "mount", "-o", "remount,rw,bind", "/proc/sys"];
    let (ok, out) = run("nsenter", &remount);
    assert!(ok, "{out}");
    assert_eq!(state(), MaskState::Open);
}

/// The host's devices, proc and root under other names.
#[test]
fn kernel_file_systems_of_the_host() {
    let Some(mut world) = enter("kernel") else { return };
    let options = ["--volume=/proc:/host/proc:ro", "--volume=/dev:/host/dev", "--volume=/:/host/root:ro"];
    let name = world.start("a", &options, &["sleep", "600"]);
    let facts = facts();
    let paths = effective(&facts, &name).host_paths.require().unwrap();
    for (host, target, writable) in
        [("/proc", "/host/proc", false), ("/dev", "/host/dev", true), ("/", "/host/root", false)]
    {
        let path = paths.iter().find(|p| p.target == target).unwrap_or_else(|| panic!("{paths:?}"));
        assert_eq!((path.host.as_str(), path.writable), (host, writable));
    }
}
