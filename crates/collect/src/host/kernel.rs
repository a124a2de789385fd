//! The kernel that runs: release, build, command line, boot time.

use plimsoll_facts::{Fact, RunningKernel};
use plimsoll_rootdir::RootDir;

use crate::source;

/// Release and build from `/proc/sys/kernel`, machine from there (Linux 6.1) or `uname(2)`.
pub(super) fn running(root: &RootDir) -> Fact<RunningKernel> {
    let release = source::text(root, "/proc/sys/kernel/osrelease");
    let build = source::text(root, "/proc/sys/kernel/version").value().cloned().unwrap_or_default();
    release.map(|release| RunningKernel { release, build, machine: machine(root) })
}

fn machine(root: &RootDir) -> String {
    match source::text(root, "/proc/sys/kernel/arch") {
        Fact::Known { value, .. } => value,
        _ if source::is_live(root) => rustix::system::uname().machine().to_string_lossy().into_owned(),
        _ => String::new(),
    }
}

/// Node name of the collector's UTS namespace, else `/etc/hostname`.
pub(super) fn hostname(root: &RootDir) -> Fact<String> {
    match source::text(root, "/proc/sys/kernel/hostname") {
        Fact::Absent { .. } => source::text(root, "/etc/hostname"),
        fact => fact,
    }
}

/// `/proc/cmdline`.
pub(super) fn cmdline(root: &RootDir) -> Fact<String> {
    source::text(root, "/proc/cmdline")
}

/// `btime` of `/proc/stat`: when the host booted, in seconds since the Unix epoch (proc_stat(5)).
pub(super) fn boot_time(root: &RootDir) -> Fact<i64> {
    const PATH: &str = "/proc/stat";
    let stat = match source::text(root, PATH) {
        Fact::Known { value, .. } => value,
        other => return other.map(|_| 0),
    };
    let btime = stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok());
    btime.map_or_else(|| Fact::unreadable(PATH, "it has no line `btime`"), |btime| Fact::known(btime, PATH))
}
