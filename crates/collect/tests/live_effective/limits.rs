//! Limits that are in force, whatever the engine was asked for.

use std::fs;

use crate::world::{container, effective, enter, facts, init};

/// inspect: 512 MiB, 100 processes, no CPU limit. The kernel: the lower ones of the parent cgroup.
#[test]
fn a_parent_cgroup_is_lower() {
    let Some(mut world) = enter("parent") else { return };
    let files = [
        ("memory", "memory.limit_in_bytes", "67108864"),
        ("pids", "pids.max", "20"),
        ("cpu", "cpu.cfs_quota_us", "50000"),
    ];
    if world.cgroup("plimsoll-effective-tenant", &files).is_none() {
        eprintln!("skipped: parent: this machine has no v1 hierarchies");
        return;
    }
    let options = ["--cgroup-parent=/plimsoll-effective-tenant", "--memory=512m", "--pids-limit=100"];
    let name = world.start("a", &options, &["sleep", "600"]);
    let facts = facts();
    let asked = &container(&facts, &name).declared.value().unwrap().host_config;
    assert_eq!((asked.memory, asked.pids_limit), (512 << 20, Some(100)));
    let limits = effective(&facts, &name).limits.require().unwrap();
    assert_eq!((limits.memory.value, limits.pids.value), (Some(64 << 20), Some(20)));
    assert_eq!(limits.cpus.value, Some(0.5));
    assert!(limits.memory.source.ends_with("/plimsoll-effective-tenant/memory.limit_in_bytes"));
    assert!(limits.unreadable.is_empty());
}

/// inspect: 64 MiB. The kernel: unlimited, because somebody wrote to the file.
#[test]
fn a_limit_that_was_lifted_by_hand() {
    let Some(mut world) = enter("lifted") else { return };
    let name = world.start("a", &["--memory=64m", "--cpu-shares=512"], &["sleep", "600"]);
    let before = facts();
    let limits = effective(&before, &name).limits.require().unwrap();
    assert_eq!((limits.memory.value, limits.cpu_weight), (Some(64 << 20), Some(512)));
    let file = &limits.memory.source;
    for file in [file.replace("memory.limit_in", "memory.memsw.limit_in"), file.clone()] {
        let unlimited = if file.ends_with("memory.max") { "max" } else { "-1" };
        let _ = fs::write(&file, unlimited);
    }
    let after = facts();
    assert_eq!(container(&after, &name).declared.value().unwrap().host_config.memory, 64 << 20);
    assert_eq!(effective(&after, &name).limits.require().unwrap().memory.value, None);
}

/// inspect: one throttle; the kernel has it as well.
#[test]
fn throttles_and_resource_limits() {
    let Some(mut world) = enter("throttle") else { return };
    let options = ["--ulimit=nofile=1024:2048"];
    let name = world.start("a", &options, &["sleep", "600"]);
    let facts = facts();
    let rlimits = effective(&facts, &name).rlimits.require().unwrap();
    assert_eq!(rlimits["nofile"], (Some(1024), Some(2048)));
}

/// inspect: no devices. The kernel: the block device of the host's root is allowed.
#[test]
fn a_device_that_was_allowed_by_hand() {
    let Some(mut world) = enter("device") else { return };
    let name = world.start("a", &["--device=/dev/zero:/dev/plimsoll-zero"], &["sleep", "600"]);
    let directory = fs::read_to_string(format!("/proc/{}/cgroup", init(&name))).unwrap();
    let Some(path) = directory.lines().find_map(|line| line.split_once(":devices:")).map(|(_, path)| path)
    else {
        eprintln!("skipped: device: this machine has no v1 device controller");
        return;
    };
    fs::write(format!("/sys/fs/cgroup/devices{path}/devices.allow"), "b 254:0 rwm").unwrap();
    let facts = facts();
    let devices = effective(&facts, &name).devices.require().unwrap();
    assert_eq!((devices.all, &devices.extra[..]), (false, &["b 254:0 rwm".to_owned()][..]));
    // A copy of a harmless device is harmless.
    assert!(devices.nodes.is_empty());
}
