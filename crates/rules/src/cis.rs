//! The controls of the CIS Docker Benchmark, and the rules that answer them.
//!
//! Only the numbers are the benchmark's; the titles are our own. 1.6 and 1.7 number alike; 1.8 put one control in at 2.7 and
//! moved the eleven after it.

use crate::Rule;

/// One control of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    /// Its number in benchmark 1.8.
    pub id: &'static str,
    /// Its number in benchmarks 1.6 and 1.7; `None` where they have no such control.
    pub earlier: Option<&'static str>,
    /// What it asks for, in our words.
    pub title: &'static str,
    /// The profiles that it belongs to in 1.8 (1, 2, or both); empty where the source does not tell.
    pub levels: &'static [u8],
    /// Whether benchmark 1.8 calls its own check automated.
    pub automated: bool,
}

/// The 118 controls of benchmark 1.8, in its order.
pub fn controls() -> &'static [Control] {
    CONTROLS
}

/// The control with this number in benchmark 1.8.
pub fn control(id: &str) -> Option<&'static Control> {
    CONTROLS.iter().find(|control| control.id == id)
}

/// The rules that answer a control.
pub fn rules_of(control: &Control) -> impl Iterator<Item = &'static Rule> {
    let id = control.id;
    crate::all().filter(move |rule| rule.cis.contains(&id))
}

const BOTH: &[u8] = &[1, 2];
const ONE: &[u8] = &[1];
const TWO: &[u8] = &[2];

/// A control that a person checks, by the benchmark's own word.
const fn manual(id: &'static str, levels: &'static [u8], title: &'static str) -> Control {
    Control { id, earlier: Some(id), title, levels, automated: false }
}

/// A control that the benchmark checks with a command.
const fn automated(id: &'static str, levels: &'static [u8], title: &'static str) -> Control {
    Control { id, earlier: Some(id), title, levels, automated: true }
}

/// A control that had another number before 1.8.
const fn moved(
    id: &'static str,
    earlier: &'static str,
    levels: &'static [u8],
    title: &'static str,
) -> Control {
    Control { id, earlier: Some(earlier), title, levels, automated: false }
}

const CONTROLS: &[Control] = &[
    manual("1.1.1", ONE, "Containers have a file system of their own"),
    manual("1.1.2", ONE, "Who can use the engine is trusted with root"),
    automated("1.1.3", BOTH, "Changes of the daemon's program are audited"),
    manual("1.1.4", BOTH, "Changes of containerd's run-time directory are audited"),
    manual("1.1.5", BOTH, "Changes of the engine's data directory are audited"),
    automated("1.1.6", BOTH, "Changes of the engine's configuration directory are audited"),
    automated("1.1.7", TWO, "Changes of the engine's service unit are audited"),
    automated("1.1.8", TWO, "Changes of containerd's socket are audited"),
    automated("1.1.9", TWO, "Changes of the engine's socket are audited"),
    automated("1.1.10", TWO, "Changes of the engine's defaults file are audited"),
    automated("1.1.11", TWO, "Changes of daemon.json are audited"),
    automated("1.1.12", TWO, "Changes of containerd's configuration are audited"),
    automated("1.1.13", TWO, "Changes of the engine's sysconfig file are audited"),
    automated("1.1.14", TWO, "Changes of the containerd program are audited"),
    automated("1.1.15", TWO, "Changes of the first containerd shim are audited"),
    manual("1.1.16", TWO, "Changes of the runc v1 shim are audited"),
    automated("1.1.17", TWO, "Changes of the runc v2 shim are audited"),
    automated("1.1.18", TWO, "Changes of the runc program are audited"),
    manual("1.2.1", ONE, "The host itself is hardened"),
    manual("1.2.2", ONE, "The engine is a supported and current release"),
    manual("2.1", ONE, "The daemon does not run as root where that can be avoided"),
    manual("2.2", ONE, "Containers on the default bridge cannot reach each other"),
    manual("2.3", ONE, "The daemon logs at level info"),
    manual("2.4", ONE, "The engine keeps its own firewall rules"),
    manual("2.5", ONE, "Every registry is spoken to over verified TLS"),
    manual("2.6", ONE, "The aufs storage driver is not in use"),
    Control {
        id: "2.7",
        earlier: None,
        title: "The devicemapper storage driver is not in use",
        levels: &[],
        automated: false,
    },
    moved("2.8", "2.7", ONE, "The engine's TCP socket demands client certificates"),
    moved("2.9", "2.8", ONE, "Containers start with sensible resource limits"),
    moved("2.10", "2.9", TWO, "Root in a container is not root on the host"),
    moved("2.11", "2.10", TWO, "Containers are placed in the engine's default cgroup"),
    moved("2.12", "2.11", TWO, "The size of the base device is left alone"),
    moved("2.13", "2.12", TWO, "A plugin decides on each request to the engine"),
    moved("2.14", "2.13", TWO, "Logs of containers leave the host"),
    moved("2.15", "2.14", ONE, "Containers start with no-new-privileges"),
    moved("2.16", "2.15", ONE, "Containers go on while the daemon is away"),
    moved("2.17", "2.16", ONE, "The userland proxy is off"),
    moved("2.18", "2.17", TWO, "A seccomp profile filters every container"),
    moved("2.19", "2.18", ONE, "Experimental features are off"),
    automated("3.1", BOTH, "The engine's service unit belongs to root"),
    automated("3.2", BOTH, "Only root can write the engine's service unit"),
    automated("3.3", BOTH, "The engine's socket unit belongs to root"),
    automated("3.4", BOTH, "Only root can write the engine's socket unit"),
    automated("3.5", BOTH, "The engine's configuration directory belongs to root"),
    automated("3.6", BOTH, "Only root can write the engine's configuration directory"),
    manual("3.7", BOTH, "Certificates of registries belong to root"),
    manual("3.8", BOTH, "Nobody writes certificates of registries"),
    manual("3.9", BOTH, "The engine's CA certificate belongs to root"),
    manual("3.10", BOTH, "Nobody writes the engine's CA certificate"),
    manual("3.11", BOTH, "The engine's server certificate belongs to root"),
    manual("3.12", BOTH, "Nobody writes the engine's server certificate"),
    manual("3.13", ONE, "The engine's server key belongs to root"),
    manual("3.14", ONE, "Only root reads the engine's server key"),
    automated("3.15", BOTH, "The engine's socket belongs to root and its group"),
    automated("3.16", BOTH, "Only root and its group connect to the engine's socket"),
    manual("3.17", TWO, "daemon.json belongs to root"),
    manual("3.18", TWO, "Only root can write daemon.json"),
    manual("3.19", TWO, "The engine's defaults file belongs to root"),
    manual("3.20", TWO, "Only root can write the engine's defaults file"),
    manual("3.21", TWO, "Only root can write the engine's sysconfig file"),
    manual("3.22", TWO, "The engine's sysconfig file belongs to root"),
    automated("3.23", BOTH, "containerd's socket belongs to root"),
    automated("3.24", BOTH, "Only root connects to containerd's socket"),
    manual("4.1", ONE, "Processes in containers do not run as root"),
    manual("4.2", ONE, "Base images come from a source that is trusted"),
    manual("4.3", ONE, "Images carry only the programs that they need"),
    manual("4.4", ONE, "Images are rebuilt when their packages are fixed"),
    manual("4.5", TWO, "Only signed images are used"),
    manual("4.6", ONE, "Images say how to test their health"),
    manual("4.7", ONE, "Package lists are refreshed where packages are installed"),
    manual("4.8", TWO, "Images add no set-id programs"),
    manual("4.9", ONE, "Images are built with COPY, not with ADD"),
    manual("4.10", ONE, "Images carry no secrets"),
    manual("4.11", TWO, "Packages in images are verified when they are installed"),
    manual("4.12", ONE, "Signatures of what enters an image are checked"),
    manual("5.1", BOTH, "Swarm mode is off where it is not needed"),
    manual("5.2", ONE, "AppArmor confines containers where the kernel has it"),
    manual("5.3", TWO, "SELinux confines containers where the kernel has it"),
    manual("5.4", ONE, "Containers hold only the capabilities that they need"),
    manual("5.5", ONE, "No container is privileged"),
    manual("5.6", ONE, "Containers see no sensitive directory of the host"),
    manual("5.7", ONE, "No SSH server runs in a container"),
    manual("5.8", ONE, "Containers take no privileged port of the host"),
    manual("5.9", ONE, "Only the ports that are needed are open"),
    manual("5.10", ONE, "Containers do not share the host's network"),
    manual("5.11", ONE, "Memory of containers is limited"),
    manual("5.12", ONE, "CPU time of containers is limited or weighted"),
    manual("5.13", ONE, "Root file systems of containers are read-only"),
    manual("5.14", ONE, "Published ports are bound to one interface"),
    manual("5.15", ONE, "A container that keeps failing is not restarted for ever"),
    manual("5.16", ONE, "Containers do not share the host's processes"),
    manual("5.17", ONE, "Containers do not share the host's IPC objects"),
    manual("5.18", ONE, "Containers use no device of the host"),
    manual("5.19", ONE, "Resource limits of processes fit the container"),
    manual("5.20", ONE, "Mounts do not propagate to the host"),
    manual("5.21", ONE, "Containers do not share the host's name"),
    manual("5.22", ONE, "A seccomp filter is loaded in every container"),
    manual("5.23", TWO, "No one enters a container with all privileges"),
    manual("5.24", TWO, "No one enters a container as root"),
    manual("5.25", ONE, "Containers are in the cgroup where they should be"),
    manual("5.26", ONE, "Processes in containers cannot gain privileges"),
    manual("5.27", ONE, "Health of containers is tested while they run"),
    manual("5.28", ONE, "Containers run the image that their tag means now"),
    manual("5.29", ONE, "Processes in containers are limited in number"),
    manual("5.30", TWO, "Containers are not on the default bridge"),
    manual("5.31", ONE, "Containers do not share the host's user namespace"),
    manual("5.32", ONE, "No container can reach the engine's socket"),
    manual("6.1", ONE, "Images that nobody uses are removed"),
    manual("6.2", ONE, "Containers that nobody uses are removed"),
    manual("7.1", ONE, "A swarm has enough managers, and not more"),
    manual("7.2", ONE, "Swarm listens on one interface"),
    manual("7.3", ONE, "Overlay networks are encrypted"),
    manual("7.4", ONE, "Services get secrets from the swarm, not from their environment"),
    manual("7.5", ONE, "Managers are locked after a restart"),
    manual("7.6", ONE, "The key that unlocks managers is changed regularly"),
    manual("7.7", ONE, "Certificates of nodes are short-lived"),
    manual("7.8", ONE, "The swarm's root certificate is renewed"),
    manual("7.9", ONE, "Management and data travel on separate networks"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{CONTROLS, control, rules_of};

    #[test]
    fn every_control_is_answered() {
        let open: Vec<_> = CONTROLS
            .iter()
            .filter(|control| rules_of(control).next().is_none())
            .map(|control| control.id)
            .collect();
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn rules_name_controls_that_exist() {
        for rule in crate::all() {
            for id in rule.cis {
                assert!(control(id).is_some(), "{} names control {id}", rule.id);
            }
        }
    }

    #[test]
    fn the_table_is_the_benchmark() {
        let ids: BTreeSet<_> = CONTROLS.iter().map(|control| control.id).collect();
        assert_eq!((ids.len(), CONTROLS.len()), (118, 118));
        let earlier: BTreeSet<_> = CONTROLS.iter().filter_map(|control| control.earlier).collect();
        assert_eq!(earlier.len(), 117);
        let in_section = |prefix: &str| ids.iter().filter(|id| id.starts_with(prefix)).count();
        assert_eq!(["1.", "2.", "3.", "4.", "5.", "6.", "7."].map(in_section), [20, 19, 24, 12, 32, 2, 9]);
        assert_eq!(CONTROLS.iter().filter(|control| control.automated).count(), 23);
        assert_eq!(control("2.19").unwrap().earlier, Some("2.18"));
    }

    #[test]
    fn ids_are_unique_and_readable() {
        let mut seen = BTreeSet::new();
        for rule in crate::all() {
            assert!(seen.insert(rule.id), "{} stands twice", rule.id);
            assert!(rule.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
            assert!(!rule.why.is_empty() && !rule.title.ends_with('.'), "{}", rule.id);
        }
    }
}
