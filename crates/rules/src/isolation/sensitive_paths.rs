//! How bad it is to show a directory of the host to a container.

use crate::Severity;
use crate::paths::{components, depth_below, has_component, is_same, is_within};

/// A tree of the host: what it costs to show the whole of it (or a directory above it), and a part of it, writable
/// or read-only. `None`: not worth a word.
struct Tree {
    path: &'static str,
    whole: (Option<Severity>, Option<Severity>),
    part: (Option<Severity>, Option<Severity>),
    gives: &'static str,
}

const CRITICAL: Option<Severity> = Some(Severity::Critical);
const HIGH: Option<Severity> = Some(Severity::High);
const MEDIUM: Option<Severity> = Some(Severity::Medium);
const LOW: Option<Severity> = Some(Severity::Low);

const fn tree(
    path: &'static str,
    whole: (Option<Severity>, Option<Severity>),
    part: (Option<Severity>, Option<Severity>),
    gives: &'static str,
) -> Tree {
    Tree { path, whole, part, gives }
}

/// The closest entry above or at a path decides; so the order does not matter.
const TREES: [Tree; 53] = [
    tree("/bin", (CRITICAL, LOW), (HIGH, None), "programs that root runs"),
    tree("/boot", (HIGH, LOW), (MEDIUM, None), "the kernel of the next boot"),
    tree("/dev", (HIGH, MEDIUM), (LOW, None), "the host's device nodes"),
    tree("/etc", (CRITICAL, MEDIUM), (MEDIUM, None), "the host's configuration"),
    tree("/etc/cron.d", (CRITICAL, LOW), (CRITICAL, None), "jobs that root runs"),
    tree("/etc/crontab", (CRITICAL, None), (None, None), "jobs that root runs"),
    tree("/etc/docker", (CRITICAL, LOW), (CRITICAL, LOW), "the engine's configuration"),
    tree("/etc/group", (CRITICAL, None), (None, None), "who belongs to the docker group"),
    tree("/etc/gshadow", (CRITICAL, HIGH), (None, None), "password hashes"),
    tree("/etc/hosts", (MEDIUM, None), (None, None), "the host's name resolution"),
    tree("/etc/kubernetes", (CRITICAL, HIGH), (CRITICAL, HIGH), "keys of the cluster"),
    tree("/etc/ld.so.preload", (CRITICAL, None), (None, None), "code that every program loads"),
    tree("/etc/pam.d", (CRITICAL, LOW), (CRITICAL, None), "how the host checks passwords"),
    tree("/etc/passwd", (CRITICAL, None), (None, None), "the host's accounts"),
    tree("/etc/profile.d", (CRITICAL, None), (CRITICAL, None), "code that login shells run"),
    tree("/etc/resolv.conf", (MEDIUM, None), (None, None), "the host's name resolution"),
    tree("/etc/shadow", (CRITICAL, HIGH), (None, None), "password hashes"),
    tree("/etc/ssh", (CRITICAL, HIGH), (CRITICAL, HIGH), "the host's SSH keys"),
    tree("/etc/ssl/private", (HIGH, HIGH), (HIGH, HIGH), "private keys"),
    tree("/etc/sudoers", (CRITICAL, LOW), (None, None), "who may become root"),
    tree("/etc/sudoers.d", (CRITICAL, LOW), (CRITICAL, LOW), "who may become root"),
    tree("/etc/systemd", (CRITICAL, LOW), (CRITICAL, None), "services that root runs"),
    tree("/home", (HIGH, MEDIUM), (None, None), "the users' keys and shell start files"),
    tree("/lib", (CRITICAL, LOW), (HIGH, None), "libraries that root's programs load"),
    tree("/lib32", (CRITICAL, LOW), (HIGH, None), "libraries that root's programs load"),
    tree("/lib64", (CRITICAL, LOW), (HIGH, None), "libraries that root's programs load"),
    tree("/proc", (CRITICAL, LOW), (HIGH, LOW), "the kernel's settings and every process"),
    tree("/root", (CRITICAL, HIGH), (HIGH, MEDIUM), "root's keys and shell start files"),
    tree("/run", (HIGH, MEDIUM), (None, None), "the sockets of the host's services"),
    tree("/run/containerd", (CRITICAL, HIGH), (CRITICAL, HIGH), "the state of running containers"),
    tree("/run/dbus", (HIGH, HIGH), (HIGH, HIGH), "the system bus, through which root starts services"),
    tree("/run/docker", (CRITICAL, HIGH), (CRITICAL, HIGH), "the state of running containers"),
    tree("/run/systemd", (CRITICAL, HIGH), (HIGH, MEDIUM), "systemd's private sockets and units"),
    tree("/run/systemd/journal", (LOW, None), (LOW, None), "the journal's sockets"),
    tree("/run/udev", (HIGH, None), (HIGH, None), "rules by which root handles devices"),
    tree("/sbin", (CRITICAL, LOW), (HIGH, None), "programs that root runs"),
    tree("/sys", (HIGH, None), (MEDIUM, None), "devices, modules and cgroups"),
    tree("/usr", (CRITICAL, LOW), (HIGH, None), "programs and libraries that root runs"),
    tree("/usr/share", (MEDIUM, None), (LOW, None), "data of installed programs"),
    tree("/var", (HIGH, MEDIUM), (None, None), "the state of the host's services"),
    tree("/var/lib", (CRITICAL, HIGH), (None, None), "the state of the host's services"),
    tree("/var/lib/apt", (HIGH, None), (HIGH, None), "what the package manager trusts"),
    tree("/var/lib/containerd", (CRITICAL, HIGH), (CRITICAL, MEDIUM), "the files of every container"),
    tree("/var/lib/containers", (CRITICAL, HIGH), (CRITICAL, MEDIUM), "the files of every container"),
    tree("/var/lib/docker", (CRITICAL, HIGH), (CRITICAL, MEDIUM), "the files and secrets of every container"),
    tree("/var/lib/dpkg", (CRITICAL, None), (CRITICAL, None), "scripts that root runs at the next upgrade"),
    tree("/var/lib/etcd", (CRITICAL, HIGH), (CRITICAL, HIGH), "the state of the cluster"),
    tree("/var/lib/kubelet", (CRITICAL, HIGH), (CRITICAL, HIGH), "secrets and volumes of every pod"),
    tree("/var/lib/rancher", (CRITICAL, HIGH), (CRITICAL, HIGH), "keys and state of the cluster"),
    tree("/var/lib/rpm", (HIGH, None), (HIGH, None), "what the package manager trusts"),
    tree("/var/lib/systemd", (HIGH, LOW), (HIGH, None), "state that systemd trusts"),
    tree("/var/log", (MEDIUM, LOW), (LOW, None), "the host's logs, which a break-in would rewrite"),
    tree("/var/spool/cron", (CRITICAL, LOW), (CRITICAL, LOW), "jobs that root runs"),
];

/// Directories below a user's home that hold keys.
const KEY_DIRECTORIES: [&str; 6] = [".ssh", ".docker", ".kube", ".aws", ".gnupg", ".config"];

/// Device files that every container has, and shared memory.
const HARMLESS_DEVICES: [&str; 13] = [
    "/dev/full",
    "/dev/hugepages",
    "/dev/log",
    "/dev/mqueue",
    "/dev/null",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/random",
    "/dev/shm",
    "/dev/tty",
    "/dev/urandom",
    "/dev/zero",
    "/dev/fd",
];

/// How bad it is that a container sees this path of the host, and what it gets; `None` where it is no matter.
/// `data_root` is the engine's own directory.
pub(super) fn judge(host: &str, writable: bool, data_root: &str) -> Option<(Severity, &'static str)> {
    if HARMLESS_DEVICES.iter().any(|device| is_within(host, device)) {
        return None;
    }
    let at_or_above = closest(host).and_then(|tree| {
        let grade = if is_same(host, tree.path) { &tree.whole } else { &tree.part };
        Some((pick(grade, writable)?, tree.gives))
    });
    let below = TREES
        .iter()
        .filter(|tree| !is_same(host, tree.path) && is_within(tree.path, host))
        .filter_map(|tree| Some((pick(&tree.whole, writable)?, tree.gives)));
    at_or_above
        .into_iter()
        .chain(below)
        .chain(home(host, writable))
        .chain(engine_data(host, writable, data_root))
        .max_by_key(|(severity, _)| *severity)
        .map(|(severity, gives)| {
            if components(host).is_empty() { (severity, "everything of the host") } else { (severity, gives) }
        })
}

fn pick(grade: &(Option<Severity>, Option<Severity>), writable: bool) -> Option<Severity> {
    if writable { grade.0 } else { grade.1 }
}

fn closest(host: &str) -> Option<&'static Tree> {
    TREES.iter().filter(|tree| is_within(host, tree.path)).max_by_key(|tree| components(tree.path).len())
}

/// A whole home directory, or the keys in one; a project below it is the user's own affair.
fn home(host: &str, writable: bool) -> Option<(Severity, &'static str)> {
    match depth_below(host, "/home")? {
        0 => None,
        1 => Some((
            if writable { Severity::High } else { Severity::Medium },
            "a user's keys and shell start files",
        )),
        _ if KEY_DIRECTORIES.iter().any(|name| has_component(host, name)) => {
            Some((Severity::High, "a user's keys"))
        }
        _ => None,
    }
}

/// The engine's directory where it is not at the usual place. Volumes are what containers are meant to see.
fn engine_data(host: &str, writable: bool, data_root: &str) -> Option<(Severity, &'static str)> {
    let above = !data_root.is_empty() && is_within(data_root, host);
    let part = !data_root.is_empty() && is_within(host, data_root);
    let severity = match (above || part, writable) {
        (false, _) => return None,
        (true, true) => Severity::Critical,
        (true, false) if above => Severity::High,
        (true, false) => Severity::Medium,
    };
    Some((severity, "the files and secrets of every container"))
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::Severity::{Critical, High, Low, Medium};

    #[test]
    fn grades() {
        let grade =
            |host: &str, writable| judge(host, writable, "/data/docker").map(|(severity, _)| severity);
        for (host, rw, ro) in [
            ("/", Some(Critical), Some(High)),
            ("/etc", Some(Critical), Some(High)),
            ("/etc/shadow", Some(Critical), Some(High)),
            ("/etc/localtime", Some(Medium), None),
            ("/etc/ssl/certs", Some(Medium), None),
            ("/etcetera", None, None),
            ("/usr/share/zoneinfo", Some(Low), None),
            ("/var", Some(Critical), Some(High)),
            ("/var/run/dbus/system_bus_socket", Some(High), Some(High)),
            ("/run/mysqld", None, None),
            ("/home", Some(High), Some(Medium)),
            ("/home/ann", Some(High), Some(Medium)),
            ("/home/ann/project", None, None),
            ("/home/ann/.ssh/id_ed25519", Some(High), Some(High)),
            ("/data", Some(Critical), Some(High)),
            ("/data/docker/overlay2/x", Some(Critical), Some(Medium)),
            ("/dev/shm", None, None),
            ("/dev", Some(High), Some(Medium)),
            ("/srv/app", None, None),
            ("/sys", Some(High), None),
        ] {
            assert_eq!((grade(host, true), grade(host, false)), (rw, ro), "{host}");
        }
    }
}
