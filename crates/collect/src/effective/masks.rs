//! Paths below `/proc` and `/sys` that should be hidden or read-only, as they really are.

use std::collections::HashSet;

use plimsoll_facts::{HostConfig, MaskKind, MaskState, Mount, PathMask};
use plimsoll_rootdir::RootDir;

use super::mount_tree::{MountTree, below};

/// moby's `oci/defaults.go` (v28) without its entries for each CPU.
const MASKED: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];
/// moby's `oci/defaults.go`.
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
/// Most paths that are taken from what the engine was asked for.
const MAX_DECLARED: usize = 64;

/// Which of the protected paths this kernel has at all.
pub(super) struct KernelPaths<'a> {
    root: &'a RootDir,
    present: HashSet<&'static str>,
}

impl<'a> KernelPaths<'a> {
    pub(super) fn new(root: &'a RootDir) -> Self {
        let all = MASKED.iter().chain(&READ_ONLY);
        Self { root, present: all.copied().filter(|path| exists(root, path)).collect() }
    }

    fn has(&self, path: &str) -> bool {
        let known = MASKED.contains(&path) || READ_ONLY.contains(&path);
        if known { self.present.contains(path) } else { exists(self.root, path) }
    }
}

fn exists(root: &RootDir, path: &str) -> bool {
    !root.stat(path, false).is_err_and(|error| error.is_not_found())
}

/// The state of each path of the default lists, and of those that the engine was asked for besides.
pub(super) fn read(
    tree: &MountTree<'_>,
    mounts: &[Mount],
    declared: Option<&HostConfig>,
    kernel: &KernelPaths<'_>,
) -> Vec<PathMask> {
    let asked = |list: fn(&HostConfig) -> &Option<Vec<String>>| {
        declared.and_then(|d| list(d).as_deref()).unwrap_or_default().iter().take(MAX_DECLARED)
    };
    let of_kernel = |path: &&str| path.starts_with("/proc/") || path.starts_with("/sys/");
    let masked = asked(|d| &d.masked_paths).map(String::as_str).filter(of_kernel);
    let read_only = asked(|d| &d.readonly_paths).map(String::as_str).filter(of_kernel);
    let wanted = MASKED.into_iter().chain(masked.filter(|path| !MASKED.contains(path)));
    let wanted = wanted.map(|path| (path, MaskKind::Masked));
    let wanted = wanted.chain(
        READ_ONLY
            .into_iter()
            .chain(read_only.filter(|path| !READ_ONLY.contains(path)))
            .map(|path| (path, MaskKind::ReadOnly)),
    );
    let state = |path: &str, kind| match kernel.has(path) {
        false => MaskState::NoSuchFile,
        true if protected(tree, mounts, path, kind) => MaskState::InForce,
        true => MaskState::Open,
    };
    wanted
        .map(|(path, kind)| PathMask { path: path.to_owned(), wanted: kind, found: state(path, kind) })
        .collect()
}

/// Anything but `/proc` or `/sys` itself hides the kernel's file.
fn protected(tree: &MountTree<'_>, mounts: &[Mount], path: &str, kind: MaskKind) -> bool {
    let Some(shown) = tree.at(path) else { return false };
    let of_kernel = |mount: &Mount| matches!(mount.fs_type.as_str(), "proc" | "sysfs");
    if !of_kernel(shown) {
        return true;
    }
    let opened_below = |mount: &&Mount| {
        of_kernel(mount)
            && !mount.is_read_only()
            && below(&mount.target, path).is_some_and(|rest| !rest.is_empty())
    };
    match kind {
        MaskKind::Masked => false,
        MaskKind::ReadOnly => shown.is_read_only() && !mounts.iter().any(|mount| opened_below(&mount)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mountinfo;

    /// From a container of Docker 20.10 on Debian 12; some lines are left out.
    const MOUNTS: &str = "254 132 0:78 / / rw - fuse.fuse-overlayfs fuse-overlayfs rw\n\
        255 254 0:80 / /proc rw,nosuid - proc proc rw\n\
        258 254 0:83 / /sys ro,nosuid - sysfs sysfs ro\n\
        133 255 0:80 /bus /proc/bus ro,nosuid - proc proc rw\n\
        136 255 0:80 /sys /proc/sys ro,nosuid - proc proc rw\n\
        137 255 0:86 / /proc/acpi ro,relatime - tmpfs tmpfs ro\n\
        138 255 0:81 /null /proc/keys rw,nosuid - tmpfs tmpfs rw\n\
        163 258 0:87 / /sys/firmware ro,relatime - tmpfs tmpfs ro\n";

    fn states(mountinfo: &str) -> impl Fn(&str) -> MaskState + use<> {
        let dir = tempfile::tempdir().unwrap();
        for file in
            ["proc/acpi", "proc/keys", "proc/bus", "proc/sys/net", "sys/firmware", "proc/kcore", "proc/fs"]
        {
            std::fs::create_dir_all(dir.path().join(file)).unwrap();
        }
        let root = RootDir::open(dir.path()).unwrap();
        let mounts = mountinfo::parse(mountinfo.as_bytes()).unwrap();
        let declared =
            HostConfig { masked_paths: Some(vec!["/proc/sys/net".into()]), ..HostConfig::default() };
        let masks = read(&MountTree::new(&mounts), &mounts, Some(&declared), &KernelPaths::new(&root));
        move |path| masks.iter().find(|mask| mask.path == path).unwrap().found
    }

    #[test]
    fn masks_of_a_default_container() {
        let state = states(MOUNTS);
        for path in ["/proc/acpi", "/proc/keys", "/sys/firmware", "/proc/bus", "/proc/sys"] {
            assert_eq!(state(path), MaskState::InForce, "{path}");
        }
        assert_eq!((state("/proc/kcore"), state("/proc/fs")), (MaskState::Open, MaskState::Open));
        assert_eq!(state("/proc/scsi"), MaskState::NoSuchFile);
        assert_eq!(state("/proc/sys/net"), MaskState::Open);
    }

    #[test]
    fn what_opens_them_again() {
        let state = states(&MOUNTS.replace("/proc/sys ro,", "/proc/sys rw,"));
        assert_eq!(state("/proc/sys"), MaskState::Open);
        let state = states(&format!("{MOUNTS}300 136 0:80 /sys/net /proc/sys/net rw - proc proc rw\n"));
        assert_eq!(state("/proc/sys"), MaskState::Open);
        let state = states(&format!("{MOUNTS}300 255 0:90 / /proc rw - proc proc rw\n"));
        assert_eq!((state("/proc/keys"), state("/proc/bus")), (MaskState::Open, MaskState::Open));
    }
}
