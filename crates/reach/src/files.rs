//! Files: devices, volumes, mounts, file systems, memory.

use plimsoll_facts::{CgroupMode, HostPath, Mount};

use crate::kernel;
use crate::precondition::{CapabilitySpace, VolumeKind};
use crate::stand::{Stand, known};
use crate::truth::Truth;

const GIB: u64 = 1 << 30;

/// Devices that conditions name, with their numbers (Documentation/admin-guide/devices.txt).
const DEVICES: [(&str, &str); 5] = [
    ("/dev/fuse", "c 10:229"),
    ("/dev/kvm", "c 10:232"),
    ("/dev/ppp", "c 108:0"),
    ("/dev/ptmx", "c 5:2"),
    ("/dev/snd/controlC*", "c 116:0"),
];
/// Nodes that every container has.
const USUAL: [&str; 1] = ["/dev/ptmx"];

impl Stand<'_> {
    /// Whether a device can be opened: the cgroup lets it, and a node is there or can be made.
    pub(crate) fn device(&self, path: &str) -> Truth {
        self.device_rule(path, 'r').and(|| self.device_node(path)).and(|| self.may_open(path))
    }

    /// Nodes of devices are the host's root's, and few are open to others: their modes are not among the facts.
    fn may_open(&self, path: &str) -> Truth {
        if USUAL.contains(&path) {
            return Truth::Yes(Vec::new());
        }
        if let Truth::Yes(_) = self.host_root().or(|| self.capability("DAC_OVERRIDE", CapabilitySpace::Init))
        {
            return Truth::Yes(Vec::new());
        }
        Truth::unknown(format!("whether the mode of {path} lets user {} open it", self.rights.uid))
    }

    fn device_rule(&self, path: &str, access: char) -> Truth {
        let Some((_, number)) = DEVICES.iter().find(|(name, _)| *name == path) else {
            return Truth::unknown(format!("the number of {path}"));
        };
        let devices = match self.devices() {
            Ok(devices) => devices,
            Err(unknown) => return unknown,
        };
        let allows = devices.all || devices.rules.iter().any(|rule| allows(rule, number, access));
        Truth::of(
            allows,
            format!("the cgroup allows {path}"),
            format!("device cgroup: {path} ({number}) is denied"),
        )
    }

    fn device_node(&self, path: &str) -> Truth {
        let is_there = match self.seen(&self.effective.device_nodes, "device nodes") {
            Err(unknown) => unknown,
            Ok(nodes) => {
                let fits = |node: &String| match path.strip_suffix('*') {
                    Some(prefix) => node.starts_with(prefix),
                    None => node == path,
                };
                let there = USUAL.contains(&path) || nodes.iter().any(fits);
                Truth::of(there, format!("{path} is there"), format!("devices: no node {path}"))
            }
        };
        is_there.or(|| {
            self.capability("MKNOD", CapabilitySpace::Init)
                .and(|| self.device_rule(path, 'm'))
                .and(|| self.calls.pass("mknod", &[]).or(|| self.calls.pass("mknodat", &[])))
        })
    }

    /// Whether the container has a volume of this kind.
    pub(crate) fn volume(&self, kind: VolumeKind) -> Truth {
        let declared = match self.declared() {
            Ok(declared) => declared,
            Err(unknown) => return unknown,
        };
        let volumes = declared.mounts.iter().filter(|mount| matches!(mount.kind.as_str(), "bind" | "volume"));
        let found = match kind {
            VolumeKind::Any => volumes.map(|mount| &mount.target).next(),
            VolumeKind::Bind => {
                volumes.filter(|mount| mount.kind == "bind").map(|mount| &mount.target).next()
            }
            VolumeKind::BindWritable => return self.writable_bind(),
            VolumeKind::Shared => {
                let others = || self.engine.containers.value().into_iter().flatten();
                let others = others().filter(|other| other.id != self.container.id);
                let theirs: Vec<&str> = others
                    .filter_map(|other| other.declared.value())
                    .flat_map(|other| other.mounts.iter().map(|mount| mount.source.as_str()))
                    .collect();
                volumes
                    .filter(|mount| theirs.contains(&mount.source.as_str()) && !mount.source.is_empty())
                    .map(|mount| &mount.target)
                    .next()
            }
        };
        let word = match kind {
            VolumeKind::Any => "no volume",
            VolumeKind::Shared => "no volume that another container has",
            VolumeKind::Bind | VolumeKind::BindWritable => "no path of the host",
        };
        match found {
            Some(target) => Truth::yes(format!("{target} is such a volume")),
            None => Truth::no(format!("mounts: {word}")),
        }
    }

    /// The kernel's mounts decide whether a path of the host can be written to.
    fn writable_bind(&self) -> Truth {
        let paths = match self.seen(&self.effective.host_paths, "paths of the host") {
            Ok(paths) => paths,
            Err(unknown) => return unknown,
        };
        let writable = |path: &&HostPath| path.writable || !path.writable_below.is_empty();
        match paths.iter().find(writable) {
            Some(path) => {
                Truth::yes(format!("{} of the host can be written to at {}", path.host, path.target))
            }
            None => Truth::no("mounts: no path of the host can be written to"),
        }
    }

    /// Whether something is mounted into the container, by its last name.
    pub(crate) fn mounted(&self, what: &str) -> Truth {
        let sockets = match self.seen(&self.effective.engine_sockets, "engine sockets in the mounts") {
            Ok(sockets) => sockets,
            Err(unknown) => return unknown,
        };
        match sockets.first() {
            Some(socket) if what.ends_with(".sock") => {
                Truth::yes(format!("the socket of {} is at {}", socket.program, socket.target))
            }
            _ => Truth::no(format!("mounts: no {what}")),
        }
    }

    /// Whether a file system of this type can be written to.
    pub(crate) fn writable(&self, fs_type: &str) -> Truth {
        let mounts = match self.mounts() {
            Ok(mounts) => mounts,
            Err(unknown) => return unknown,
        };
        let fits = |mount: &&Mount| mount.fs_type == fs_type && !mount.is_read_only();
        match mounts.iter().find(fits) {
            Some(mount) => Truth::yes(format!("{} is a writable {fs_type}", mount.target)),
            None => Truth::no(format!("mounts: no writable {fs_type}")),
        }
    }

    /// Whether a path can be written to through the mount that it is on.
    pub(crate) fn path_writable(&self, path: &str) -> Truth {
        let mounts = match self.mounts() {
            Ok(mounts) => mounts,
            Err(unknown) => return unknown,
        };
        match Mount::holding(mounts, path) {
            None => Truth::unknown(format!("which mount {path} is on")),
            Some(mount) => Truth::of(
                !mount.is_read_only(),
                format!("{} is mounted writable", mount.target),
                format!("mounts: {} is read-only", mount.target),
            ),
        }
    }

    /// Whether the kernel has a file system of this type.
    pub(crate) fn file_system(&self, name: &str) -> Truth {
        kernel::module(self.facts, name)
    }

    /// Whether a v1 hierarchy of cgroups can be mounted or is.
    pub(crate) fn cgroup_v1(&self) -> Truth {
        let layout = match known(&self.facts.host.cgroups, "the host's cgroups") {
            Ok(layout) => layout,
            Err(unknown) => return unknown,
        };
        Truth::of(
            matches!(layout.mode, CgroupMode::V1 | CgroupMode::Hybrid),
            "the host has cgroup v1 hierarchies",
            "kernel: no cgroup v1 hierarchy is in use",
        )
    }

    /// Whether it may use this much memory, in GiB.
    pub(crate) fn memory(&self, gib: u64) -> Truth {
        let host = match known(&self.facts.host.memory, "the host's memory") {
            Ok(bytes) => *bytes,
            Err(unknown) => return unknown,
        };
        let limits = match known(&self.effective.limits, "the limits in force") {
            Ok(limits) => limits,
            Err(unknown) => return unknown,
        };
        let usable = limits.memory.value.map_or(host, |limit| limit.min(host)) / GIB;
        let shown = format!("{usable} GiB of memory can be used");
        Truth::of(usable >= gib, shown.clone(), format!("limits: {shown}, {gib} are needed"))
    }
}

/// Whether a node of `/dev` has the name of a character device that conditions know.
pub(crate) fn is_character_device(node: &str) -> bool {
    DEVICES.iter().any(|(name, _)| node.starts_with(name.trim_end_matches('*')))
}

/// Whether a rule of the v1 controller (`c 10:* rwm`) allows this access to a device (`c 10:229`).
fn allows(rule: &str, device: &str, access: char) -> bool {
    let mut words = rule.split(' ');
    let (Some(kind), Some(number), Some(accesses)) = (words.next(), words.next(), words.next()) else {
        return false;
    };
    let Some((wanted_kind, wanted)) = device.split_once(' ') else { return false };
    let part = |rule: Option<&str>, wanted: Option<&str>| rule == Some("*") || rule == wanted;
    let (mut has, mut wants) = (number.split(':'), wanted.split(':'));
    (kind == "a" || kind == wanted_kind)
        && part(has.next(), wants.next())
        && part(has.next(), wants.next())
        && accesses.contains(access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_rules() {
        for rule in ["a *:* rwm", "c *:* rm", "c 10:229 r", "c 10:* rw"] {
            assert!(allows(rule, "c 10:229", 'r'), "{rule}");
        }
        for rule in ["b *:* rwm", "c 10:229 m", "c 1:229 r", "c 10:22 r", "nonsense", ""] {
            assert!(!allows(rule, "c 10:229", 'r'), "{rule}");
        }
    }

    #[test]
    fn the_deepest_mount_decides() {
        let mount = |target: &str| Mount { target: target.into(), ..Mount::default() };
        let mounts = [mount("/"), mount("/proc"), mount("/proc/sys"), mount("/procedure")];
        let of = |path| Mount::holding(&mounts, path).map(|mount| mount.target.as_str());
        assert_eq!(of("/proc/sys/kernel/core_pattern"), Some("/proc/sys"));
        assert_eq!(of("/proc/sysrq-trigger"), Some("/proc"));
        assert_eq!(of("/procs"), Some("/"));
    }
}
