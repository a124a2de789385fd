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

/// A throttle, and resource limits, as the kernel has them.
#[test]
fn throttles_and_resource_limits() {
    let Some(mut world) = enter("throttle") else { return };
    let (device, number) = block_device();
    let throttle = format!("--device-write-bps={device}:1048576");
    let name = world.start("a", &["--ulimit=nofile=1024:2048", &throttle], &["sleep", "600"]);
    let facts = facts();
    let rlimits = effective(&facts, &name).rlimits.require().unwrap();
    assert_eq!(rlimits["nofile"], (Some(1024), Some(2048)));
    let io = &effective(&facts, &name).limits.require().unwrap().io;
    let v1 = format!("blkio.throttle.write_bps_device {number} 1048576");
    let v2 = format!("io.max {number} rbps=max wbps=1048576 riops=max wiops=max");
    assert!(io.iter().any(|line| *line == v1 || *line == v2), "{io:?}");
}

/// inspect: one device. The kernel: another one that was allowed by hand.
#[test]
fn devices_that_are_allowed() {
    let Some(mut world) = enter("device") else { return };
    let (device, number) = block_device();
    let options =
        [format!("--device={device}:/dev/disk:r"), "--device=/dev/zero:/dev/another-zero".to_owned()];
    let name = world.start("a", &options.each_ref().map(String::as_str), &["sleep", "600"]);
    let nodes = |name: &str| effective(&facts(), name).device_nodes.require().unwrap().clone();
    // A copy of a harmless device is harmless.
    assert_eq!(nodes(&name), ["/dev/disk"]);

    let cgroup = fs::read_to_string(format!("/proc/{}/cgroup", init(&name))).unwrap();
    let Some((_, path)) = cgroup.lines().find_map(|line| line.split_once(":devices:")) else {
        eprintln!("skipped: device: this machine has no v1 device controller");
        return;
    };
    fs::write(format!("/sys/fs/cgroup/devices{path}/devices.allow"), "c 10:229 rwm").unwrap();
    let facts = facts();
    let devices = effective(&facts, &name).devices.require().unwrap();
    assert!(!devices.all);
    assert_eq!(devices.extra, [format!("b {number} r"), "c 10:229 rwm".to_owned()]);
    assert_eq!(devices.nodes, ["/dev/disk"]);
}

/// A block device of this machine: its node, and its number.
fn block_device() -> (String, String) {
    let name =
        fs::read_dir("/sys/block").unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    let number = fs::read_to_string(format!("/sys/block/{name}/dev")).unwrap();
    (format!("/dev/{name}"), number.trim().to_owned())
}
