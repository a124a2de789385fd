//! The host's own namespaces, against which those of containers are compared.

use plimsoll_facts::{Fact, Namespaces};
use plimsoll_rootdir::{Error, RootDir};

use crate::source;

/// `PF_KTHREAD` of include/linux/sched.h.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Those of kthreadd (pid 2), which nobody can move into others. The mount namespace is that of pid 1 where it may
/// be read: a kernel may keep its threads in an empty one of their own.
pub(super) fn collect(root: &RootDir) -> Fact<Namespaces> {
    if let Err(reason) = in_initial_pid_namespace(root) {
        return Fact::unreadable("/proc/2/ns", reason);
    }
    let kernel = read(root, "2");
    let init = read(root, "1");
    match (kernel, init) {
        (Ok(mut namespaces), Ok(init)) => {
            namespaces.mnt = init.mnt;
            Fact::known(namespaces, "/proc/2/ns, /proc/1/ns/mnt")
        }
        (Ok(namespaces), Err(_)) => Fact::known(namespaces, "/proc/2/ns"),
        (Err(_), Ok(init)) => Fact::known(init, "/proc/1/ns"),
        (Err(error), Err(_)) => Fact::unreadable("/proc/2/ns", source::why(&error)),
    }
}

/// Whether pid 2 below the root is a kernel thread: only the initial PID namespace shows them.
fn in_initial_pid_namespace(root: &RootDir) -> Result<(), String> {
    let stat = root.read_text("/proc/2/stat", source::SMALL).map_err(|error| match error.is_not_found() {
        true => "this /proc does not show the host's processes; run plimsoll in the host's PID namespace"
            .to_owned(),
        false => source::why(&error),
    })?;
    // The name may hold anything; the fields after it begin with the state, flags is the seventh (proc_pid_stat(5)).
    let flags = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(6)?.parse::<u64>().ok());
    match flags {
        Some(flags) if flags & KERNEL_THREAD != 0 => Ok(()),
        _ => Err("pid 2 is no kernel thread; run plimsoll in the host's PID namespace".to_owned()),
    }
}

fn read(root: &RootDir, pid: &str) -> Result<Namespaces, Error> {
    let inode = |kind: &str| match root.read_link(format!("/proc/{pid}/ns/{kind}")) {
        Ok(target) => Ok(target.to_str().and_then(|target| parse(target, kind)).unwrap_or(0)),
        // A kernel without this kind of namespace.
        Err(error) if error.is_not_found() && kind != "mnt" => Ok(0),
        Err(error) => Err(error),
    };
    Ok(Namespaces {
        mnt: inode("mnt")?,
        cgroup: inode("cgroup")?,
        ipc: inode("ipc")?,
        net: inode("net")?,
        pid: inode("pid")?,
        time: inode("time")?,
        user: inode("user")?,
        uts: inode("uts")?,
    })
}

/// The number in `mnt:[4026531841]`.
pub(super) fn parse(target: &str, kind: &str) -> Option<u64> {
    target.strip_prefix(kind)?.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const KTHREADD: &str = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 24 0 0 1\n";

    #[test]
    fn kthreadd_is_the_reference() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        assert!(matches!(collect(&root), Fact::Unreadable { .. }));
        for (pid, mnt) in [("1", 7), ("2", 8)] {
            let ns = dir.path().join("proc").join(pid).join("ns");
            fs::create_dir_all(&ns).unwrap();
            symlink(format!("mnt:[{mnt}]"), ns.join("mnt")).unwrap();
            symlink(format!("pid:[{pid}]"), ns.join("pid")).unwrap();
        }
        fs::write(dir.path().join("proc/2/stat"), KTHREADD).unwrap();
        let namespaces = collect(&root);
        let namespaces = namespaces.value().unwrap();
        assert_eq!((namespaces.mnt, namespaces.pid, namespaces.time), (7, 2, 0));

        fs::write(dir.path().join("proc/2/stat"), "2 (a) 0 0 0 0 0 2129984) S 1 2 2 0 -1 4194560 0\n")
            .unwrap();
        assert!(matches!(collect(&root), Fact::Unreadable { .. }));
    }

    /// The inodes of these three are the same on every kernel (include/linux/proc_ns.h).
    #[test]
    fn the_kernel_of_this_machine() {
        let Fact::Known { value, .. } = collect(&RootDir::open("/").unwrap()) else { return };
        assert_eq!((value.pid, value.user, value.ipc), (0xeffffffc, 0xeffffffd, 0xefffffff));
    }
}
