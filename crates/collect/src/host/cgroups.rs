//! Which cgroup hierarchy owns which controller (cgroups(7)).

use plimsoll_facts::{CgroupHome, CgroupLayout, CgroupMode, Fact, Mount};
use plimsoll_rootdir::RootDir;

use crate::source;

const ENABLED: &str = "/proc/cgroups";

/// Controllers that exist in v1 only.
const V1_ONLY: [&str; 3] = ["net_cls", "net_prio", "debug"];

/// The layout that the host's mounts show.
pub(super) fn collect(root: &RootDir, mounts: &Fact<Vec<Mount>>) -> Fact<CgroupLayout> {
    let mounted = match mounts {
        Fact::Known { value, .. } => value,
        other => return other.clone().map(|_| CgroupLayout::default()),
    };
    let mut layout = CgroupLayout::default();
    for mount in mounted.iter().filter(|mount| mount.fs_type == "cgroup") {
        for controller in v1_controllers(mount) {
            let home = CgroupHome { version: 1, mount: mount.target.clone() };
            layout.controllers.entry(controller.to_owned()).or_insert(home);
        }
    }
    let v1 = layout.controllers.len();
    if let Some(mount) = mounted.iter().find(|mount| mount.fs_type == "cgroup2") {
        layout.v2_mount = Some(mount.target.clone());
        let controllers = match v2_controllers(root, &mount.target) {
            Fact::Known { value, .. } => value,
            other => return other.map(|_| CgroupLayout::default()),
        };
        for controller in controllers {
            let home = CgroupHome { version: 2, mount: mount.target.clone() };
            layout.controllers.entry(controller).or_insert(home);
        }
    }
    layout.mode = match (v1, layout.controllers.len() - v1) {
        (0, 0) if layout.v2_mount.is_none() => CgroupMode::None,
        (0, _) => CgroupMode::V2,
        (_, 0) => CgroupMode::V1,
        _ => CgroupMode::Hybrid,
    };
    Fact::known(layout, mounts.source())
}

/// Controllers of a v1 hierarchy: superblock options that are none of the generic ones.
fn v1_controllers(mount: &Mount) -> impl Iterator<Item = &str> {
    mount.super_options.split(',').filter(|option| {
        let generic =
            ["rw", "ro", "none", "noprefix", "xattr", "clone_children", "cpuset_v2_mode", "favordynmods"];
        !generic.contains(option) && !option.contains('=') && !option.is_empty()
    })
}

/// `cgroup.controllers` of the v2 root; where that is missing, what `/proc/cgroups` leaves to no v1 hierarchy.
fn v2_controllers(root: &RootDir, mount: &str) -> Fact<Vec<String>> {
    let path = format!("{mount}/cgroup.controllers");
    match source::text(root, &path) {
        Fact::Absent { .. } => {}
        fact => return fact.map(|text| text.split_whitespace().map(str::to_owned).collect()),
    }
    match source::text(root, ENABLED) {
        Fact::Absent { .. } => {
            Fact::unreadable(path, "no such file, although the v2 hierarchy is mounted there")
        }
        fact => fact.map(|text| unbound(&text)),
    }
}

pub(super) fn unbound(table: &str) -> Vec<String> {
    let row = |line: &str| -> Option<String> {
        let columns: Vec<&str> = line.split_whitespace().collect();
        match columns[..] {
            [name, "0", _, "1"] if !V1_ONLY.contains(&name) && !name.starts_with('#') => {
                Some(if name == "blkio" { "io" } else { name }.to_owned())
            }
            _ => None,
        }
    };
    table.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::mountinfo;

    fn layout(mountinfo: &str, files: &[(&str, &str)]) -> CgroupLayout {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mounts = Fact::known(mountinfo::parse(mountinfo.as_bytes()).unwrap(), "mountinfo");
        collect(&RootDir::open(dir.path()).unwrap(), &mounts).value().unwrap().clone()
    }

    #[test]
    fn v1_with_an_empty_v2_tree() {
        let v1 = layout(
            "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
             40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
             41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
            &[("sys/fs/cgroup/unified/cgroup.controllers", "\n")],
        );
        assert_eq!(v1.mode, CgroupMode::V1);
        assert_eq!(v1.controllers.len(), 2);
        assert_eq!(v1.controllers["cpu"].mount, "/sys/fs/cgroup/cpu,cpuacct");
        assert_eq!(v1.v2_mount.as_deref(), Some("/sys/fs/cgroup/unified"));
    }

    #[test]
    fn v2_and_hybrid() {
        let line = "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
        let v2 = layout(line, &[("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n")]);
        assert_eq!((v2.mode, v2.controllers.len(), v2.controllers["io"].version), (CgroupMode::V2, 5, 2));

        let hybrid = layout(
            &format!("{line}32 31 0:29 / /cg/net rw - cgroup cgroup rw,net_cls\n"),
            &[(
                "proc/cgroups",
                "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t0\t9\t1\nnet_prio\t0\t1\t1\nblkio\t0\t1\t1\npids\t0\t1\t0\n",
            )],
        );
        assert_eq!(hybrid.mode, CgroupMode::Hybrid);
        assert_eq!(hybrid.controllers.keys().collect::<Vec<_>>(), ["io", "memory", "net_cls"]);
    }
}
