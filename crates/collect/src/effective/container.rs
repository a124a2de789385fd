//! Everything about one running container.

use std::collections::HashSet;
use std::fmt::Display;

use plimsoll_facts::{Container, DeviceAccess, Effective, Fact, Limits, Mount, Namespaces};
use plimsoll_rootdir::RootDir;

use super::cgroup_files::CgroupFiles;
use super::descriptors::Descriptors;
use super::engine_sockets::{self, EngineSocket};
use super::masks::{self, KernelPaths};
use super::members::Members;
use super::mount_tree::MountTree;
use super::mounts::{self, HostView};
use super::networks::{Holders, Networks};
use super::seccomp::Filters;
use super::{devices, host_paths, init_files, limits, processes, subject};
use crate::gaps::Gaps;
use crate::procs::{Cgroups, PidDir, Processes, Row};

/// What every container is read against.
pub(super) struct Context<'a> {
    pub(super) root: &'a RootDir,
    pub(super) processes: &'a Processes,
    pub(super) filters: &'a Filters,
    pub(super) host: &'a HostView<'a>,
    pub(super) cgroups: Fact<CgroupFiles<'a>>,
    pub(super) kernel_paths: KernelPaths<'a>,
    /// Why a process could be missing from a container's: others that could not be looked at.
    pub(super) hidden: Option<String>,
    /// Sockets whose holders are looked for.
    pub(super) wanted: &'a HashSet<u64>,
}

/// Reads one container, all but what depends on the sockets of others. Notes which of the wanted sockets it holds.
pub(super) fn read(
    context: &Context<'_>,
    row: &Row,
    members: &Members<'_>,
    container: &mut Container,
    holders: &mut Holders,
    gaps: &mut Gaps,
) {
    let subject = subject(container);
    let directory = format!("/proc/{}", row.pid);
    let dir = match context.processes.open_live(row) {
        Ok(dir) => dir,
        Err(error) => {
            container.effective = gaps.unreadable(&subject, directory, error);
            return;
        }
    };
    let mut reader = Reader { context, row, dir: &dir, directory: &directory, subject: &subject, gaps };
    let mut effective = reader.own(container);
    reader.members(members, &mut effective, holders);
    container.effective = Fact::known(effective, directory);
}

/// Fills in what depends on the sockets of all.
pub(super) fn finish(
    context: &Context<'_>,
    row: &Row,
    container: &mut Container,
    networks: &Networks,
    holders: &Holders,
    sockets: &Fact<Vec<EngineSocket>>,
    gaps: &mut Gaps,
) {
    let subject = subject(container);
    let Some(effective) = container.effective.value_mut() else { return };
    let Some(namespaces) = effective.namespaces.value().copied() else {
        effective.listeners = effective.namespaces.clone().map(|_| Vec::new());
        effective.engine_sockets = effective.namespaces.clone().map(|_| Vec::new());
        return;
    };
    let listeners = networks.inet(namespaces.net, holders, context.processes);
    let source = format!("NETLINK_SOCK_DIAG in /proc/{}/ns/net", row.pid);
    effective.listeners = gaps.keep(&subject, fact(source, listeners));
    effective.engine_sockets = match sockets {
        Fact::Known { value, .. } => derived(&effective.mounts, |mounts| {
            engine_sockets::reachable(value, mounts, namespaces.mnt, namespaces.net)
        }),
        other => gaps.keep(&subject, other.clone().map(|_| Vec::new())),
    };
}

struct Reader<'a> {
    context: &'a Context<'a>,
    row: &'a Row,
    dir: &'a PidDir,
    directory: &'a str,
    subject: &'a str,
    gaps: &'a mut Gaps,
}

impl Reader<'_> {
    /// What the first process alone tells.
    fn own(&mut self, container: &Container) -> Effective {
        let Context { host, kernel_paths, .. } = self.context;
        let declared = container.declared.value();
        let mounts = self.keep("mountinfo", mounts::read(self.dir));
        let with_host = |find: &dyn Fn(&[Mount]) -> Vec<_>| match host.mounts {
            Fact::Known { .. } => derived(&mounts, |mounts| find(mounts)),
            other => other.clone().map(|_| Vec::new()),
        };
        let host_paths = with_host(&|mounts| host_paths::find(&container.id, declared, mounts, host));
        let masks = derived(&mounts, |mounts| {
            let asked = declared.map(|d| &d.host_config);
            masks::read(&MountTree::new(mounts), mounts, asked, kernel_paths)
        });
        let device_nodes = mounts.value().map(|mounts| devices::nodes(self.dir, mounts));
        let device_nodes = match device_nodes {
            Some(nodes) => self.keep("root/dev", nodes),
            None => derived(&mounts, |_| Vec::new()),
        };
        Effective {
            init_pid: self.row.pid,
            namespaces: self.keep("ns", self.row.namespaces),
            limits: self.limits(),
            masks,
            host_paths: self.gaps.keep(self.subject, host_paths),
            devices: self.devices(&device_nodes),
            device_nodes,
            uid_map: self.keep("uid_map", init_files::uid_map(self.dir)),
            rlimits: self.keep("limits", init_files::rlimits(self.dir)),
            mounts,
            ..Effective::default()
        }
    }

    fn limits(&mut self) -> Fact<Limits> {
        let limits = self.in_cgroups(|files, cgroups| Ok(limits::read(files, cgroups)));
        for (controller, why) in limits.value().into_iter().flat_map(|limits| &limits.unreadable) {
            self.gaps.unreadable::<()>(self.subject, format!("cgroup controller {controller}"), why);
        }
        limits
    }

    fn devices(&mut self, nodes: &Fact<Vec<String>>) -> Fact<DeviceAccess> {
        let rules = self.in_cgroups(devices::rules);
        match (rules, nodes) {
            (Fact::Known { value: (access, by), source }, Fact::Known { value: nodes, .. }) => {
                Fact::known(DeviceAccess { nodes: nodes.clone(), ..access }, by.unwrap_or(source))
            }
            (Fact::Known { .. }, unknown) => unknown.clone().map(|_| DeviceAccess::default()),
            (unknown, _) => unknown.map(|(access, _)| access),
        }
    }

    fn in_cgroups<T>(
        &mut self,
        read: impl FnOnce(&CgroupFiles<'_>, &Cgroups) -> Result<T, String>,
    ) -> Fact<T> {
        let files = match &self.context.cgroups {
            Fact::Known { value, .. } => value,
            Fact::Absent { source } => {
                return self.gaps.unreadable(self.subject, source.as_str(), "no cgroups on this host");
            }
            Fact::Unreadable { source, reason } => {
                return self.gaps.unreadable(self.subject, source.as_str(), reason);
            }
        };
        match &self.row.cgroups {
            Ok(cgroups) => self.keep("cgroup", read(files, cgroups)),
            Err(error) => self.keep("cgroup", Err(error)),
        }
    }

    /// What all of its processes tell.
    fn members(&mut self, members: &Members<'_>, effective: &mut Effective, holders: &mut Holders) {
        let Context { processes, host, wanted, hidden, filters, .. } = self.context;
        let mounts = effective.mounts.value().map_or(&[][..], Vec::as_slice);
        let namespace = effective.namespaces.value().map_or(0, |n: &Namespaces| n.mnt);
        let mut descriptors = Descriptors::new(mounts, namespace, host, wanted);
        let read =
            processes::read(processes, filters, self.row, members, |row, dir| descriptors.visit(row, dir));
        for (inode, pid) in descriptors.holders.drain() {
            holders.entry(inode).or_default().push(pid);
        }
        let open = match (&effective.mounts, host.mounts) {
            (Fact::Known { .. }, Fact::Known { .. }) => self.keep("fd", descriptors.finish()),
            (Fact::Known { .. }, unknown) | (unknown, _) => unknown.clone().map(|_| Vec::new()),
        };
        effective.host_descriptors = self.gaps.keep(self.subject, open);
        effective.processes = match (&self.row.namespaces, hidden) {
            (Err(error), _) => self.keep("ns", Err(error)),
            (Ok(_), Some(why)) => self.gaps.unreadable(self.subject, "/proc/PID/ns", why),
            (Ok(_), None) => self.keep("status", read),
        };
    }

    fn keep<T>(&mut self, file: &str, read: Result<T, impl Display>) -> Fact<T> {
        self.gaps.keep(self.subject, fact(format!("{}/{file}", self.directory), read))
    }
}

fn fact<T>(source: String, read: Result<T, impl Display>) -> Fact<T> {
    match read {
        Ok(value) => Fact::Known { value, source },
        Err(error) => Fact::unreadable(source, error.to_string()),
    }
}

/// A fact that is worked out from another.
fn derived<T, U>(from: &Fact<T>, work_out: impl FnOnce(&T) -> U) -> Fact<U> {
    match from {
        Fact::Known { value, source } => Fact::known(work_out(value), source.as_str()),
        Fact::Absent { source } => Fact::absent(source.as_str()),
        Fact::Unreadable { source, reason } => Fact::unreadable(source.as_str(), reason.as_str()),
    }
}
