//! Who collects: with less than full privileges, on the host itself, much cannot be seen.

use plimsoll_facts::{Capabilities, Collector};
use plimsoll_rootdir::RootDir;

use crate::procs::{PidDir, Proc};

/// Longest status file that is read.
const LIMIT: usize = 1024 * 1024;
/// Inode of the initial PID namespace (`PROC_PID_INIT_INO` of `linux/proc_ns.h`).
const INITIAL_PID_NAMESPACE: u64 = 0xeffffffc;

/// Reads what this process may see.
pub(crate) fn collect(root: &RootDir, version: &str) -> Collector {
    let mut collector = Collector {
        version: version.to_owned(),
        uid: rustix::process::geteuid().as_raw(),
        ..Collector::default()
    };
    let Ok(proc) = Proc::open(root) else { return collector };
    let Ok(me) = proc.pid(std::process::id()) else { return collector };
    let status = me.read_text("status", LIMIT).unwrap_or_default();
    let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let effective = value("CapEff:").and_then(|hex| u64::from_str_radix(hex, 16).ok());
    collector.capabilities = Capabilities(effective.unwrap_or_default());
    collector.seccomp_mode = value("Seccomp:").and_then(|mode| mode.parse().ok()).unwrap_or_default();
    collector.in_host_namespaces = in_host_namespaces(&proc, &me);
    collector
}

/// The mount namespace is compared with that of process 1; where that may not be read, with that of kthreadd.
fn in_host_namespaces(proc: &Proc, me: &PidDir) -> Option<bool> {
    if me.namespace("pid").ok()? != INITIAL_PID_NAMESPACE {
        return Some(false);
    }
    let mount = |pid| proc.pid(pid).and_then(|dir| dir.namespace("mnt"));
    let of_host = mount(1).or_else(|_| mount(2)).ok()?;
    Some(me.namespace("mnt").ok()? == of_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process() {
        let collector = collect(&RootDir::open("/").unwrap(), "0.1");
        assert_eq!(collector.version, "0.1");
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        assert!(status.contains(&format!("CapEff:\t{}", collector.capabilities)));
    }
}
