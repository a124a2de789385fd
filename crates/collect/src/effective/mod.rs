//! What the kernel enforces for each running container.
//!
//! Nothing is run in a container, nothing is stopped, and no system call of a container is interrupted: everything is
//! read from `/proc`, cgroup files and the kernel's socket tables.

mod cgroup_files;
mod container;
mod descriptors;
mod devices;
mod engine_sockets;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod host_paths;
mod identify;
mod init_files;
mod limits;
mod masks;
mod members;
mod mount_tree;
mod mounts;
mod networks;
mod processes;
mod seccomp;
mod status;

use std::collections::HashSet;

use plimsoll_facts::{Collector, Container, Engine, Fact, Host, NetNamespace, Socket};
use plimsoll_rootdir::RootDir;

use crate::gaps::Gaps;
use crate::net_namespace::{self, Visits};
use crate::procs::{self, Processes, Row};
use crate::sockets;
use cgroup_files::CgroupFiles;
use container::Context;
use masks::KernelPaths;
use members::{Init, Members};
use mounts::HostView;
use networks::{Holders, Networks};
use seccomp::Filters;

const SUBJECT: &str = "host";
/// Most processes that look like engines whose network namespaces are looked into.
const MAX_ENGINES_ELSEWHERE: usize = 256;
const NOT_RUNNING: &str = "the container does not run";

/// How this process may look, and who it is.
pub(crate) struct Means<'a> {
    /// Its privileges.
    pub(crate) collector: &'a Collector,
    /// Whether a thread may be stopped for some microseconds where there is no other way.
    pub(crate) stop_threads: bool,
}

/// Fills `Container::effective` of every container, `Host::listeners` and `Host::seccomp`; returns the network
/// namespaces.
pub(crate) fn fill(
    root: &RootDir,
    processes: &Result<Processes, procs::Error>,
    means: &Means<'_>,
    host: &mut Host,
    engines: &mut [Engine],
    gaps: &mut Gaps,
) -> Fact<Vec<NetNamespace>> {
    let endpoints: Vec<String> =
        engines.iter().filter_map(|e| e.endpoint.strip_prefix("unix://").map(str::to_owned)).collect();
    let containers: Vec<&mut Container> =
        engines.iter_mut().filter_map(|e| e.containers.value_mut()).flatten().collect();
    match processes {
        Ok(processes) => {
            let (listeners, namespaces) =
                fill_from(root, processes, means, host, &endpoints, containers, gaps);
            host.listeners = listeners;
            namespaces
        }
        Err(error) => {
            host.listeners = gaps.unreadable(SUBJECT, "/proc", error);
            for container in containers {
                container.effective = match container.is_running() {
                    true => gaps.unreadable(&subject(container), "/proc", error),
                    false => Fact::absent(NOT_RUNNING),
                };
            }
            Fact::unreadable("/proc", error.to_string())
        }
    }
}

fn fill_from(
    root: &RootDir,
    processes: &Processes,
    means: &Means<'_>,
    host: &mut Host,
    endpoints: &[String],
    mut containers: Vec<&mut Container>,
    gaps: &mut Gaps,
) -> (Fact<Vec<Socket>>, Fact<Vec<NetNamespace>>) {
    let namespaces = host.namespaces.value().copied().or(processes.kernel_namespaces());
    let view = HostView::new(&host.mounts, namespaces);
    let rows = identified(processes, &mut containers, gaps);
    let ids: Vec<String> = containers.iter().map(|container| container.id.clone()).collect();
    let inits: Vec<Init<'_>> = rows.iter().zip(&ids).map(|(row, id)| Init { id, row }).collect();
    let members = members::find(processes, &inits, namespaces.as_ref());

    let me = processes.get(std::process::id()).and_then(|row| row.namespaces.as_ref().ok());
    let host_network = namespaces.as_ref().or(me).map_or(0, |n| n.net);
    let engines = engines_elsewhere(processes, host_network);
    let visits = Visits { root, routers: Vec::new(), nftables: net_namespace::has_nftables(host) };
    let mut networks = Networks::read(processes, host_network, rows.iter().copied(), engines, visits);
    let wanted = networks.inodes();

    let filters = Filters::read(processes, host, means.collector);
    let context = Context {
        root,
        processes,
        filters: &filters,
        host: &view,
        cgroups: host.cgroups.clone().map(|layout| CgroupFiles::new(root, layout)),
        kernel_paths: KernelPaths::new(root),
        hidden: hidden(processes),
        wanted: &wanted,
    };
    let mut holders = Holders::new();
    for ((row, container), members) in rows.iter().zip(&mut containers).zip(&members) {
        container::read(&context, row, members, container, &mut holders, gaps);
    }
    let blind = hold(processes, &members, &wanted, &mut holders);
    let sockets = engine_sockets::all(&context, &networks, &holders, host_network, endpoints, blind);
    for (row, container) in rows.iter().zip(&mut containers) {
        container::finish(&context, row, container, &networks, &holders, &sockets, gaps);
    }
    host.seccomp = seccomp::fill(processes, &filters, &rows, &mut containers, means.stop_threads, gaps);
    let listeners = match networks.inet(host_network, &holders, processes) {
        Ok(listeners) => Fact::known(listeners, "NETLINK_SOCK_DIAG"),
        Err(error) => gaps.unreadable(SUBJECT, "NETLINK_SOCK_DIAG", error),
    };
    let namespaces = match processes.proc.is_live() {
        true => Fact::known(networks.namespaces(&holders, processes, gaps), "/proc/PID/ns/net"),
        false => gaps.unreadable(SUBJECT, "/proc/PID/ns/net", procs::Error::Captured),
    };
    (listeners, namespaces)
}

/// Engines that may listen in a network namespace of their own (rootless). Any process can bear such a name: only so
/// many are taken.
fn engines_elsewhere(processes: &Processes, host_network: u64) -> impl Iterator<Item = &Row> {
    let elsewhere = move |row: &&Row| row.namespaces.as_ref().is_ok_and(|n| n.net != host_network);
    let engines = processes.rows().iter().filter(|row| engine_sockets::is_engine_program(row));
    engines.filter(elsewhere).take(MAX_ENGINES_ELSEWHERE)
}

/// Keeps the containers whose first process was found, and returns these processes in the same order.
fn identified<'a>(
    processes: &'a Processes,
    containers: &mut Vec<&mut Container>,
    gaps: &mut Gaps,
) -> Vec<&'a Row> {
    let mut rows = Vec::new();
    containers.retain_mut(|container| {
        let no_process = container.declared.value().is_some_and(|declared| declared.pid == 0);
        if !container.is_running() || (container.state == "restarting" && no_process) {
            container.effective = Fact::absent(NOT_RUNNING);
            return false;
        }
        match identify::init(processes, container) {
            Ok(row) => {
                rows.push(row);
                true
            }
            Err(why) => {
                container.effective = gaps.unreadable(&subject(container), "/proc", why);
                false
            }
        }
    });
    rows
}

/// Why a process could be missing from a container's: others that are not visible, or whose namespaces could not be
/// read. Process 1 is left out: who controls it needs no container.
fn hidden(processes: &Processes) -> Option<String> {
    if !processes.sees_all() {
        return Some(
            "this /proc does not show all processes of the host; run plimsoll as root on the host".to_owned(),
        );
    }
    let unread = processes.unread().iter().copied();
    let by_namespace = processes.rows().iter().filter_map(|row| Some((row.pid, row.namespaces.err()?)));
    let mut all = unread.chain(by_namespace).filter(|(pid, error)| *pid != 1 && *error != procs::Error::Gone);
    let (first, error) = all.next()?;
    let count = 1 + all.count();
    Some(format!("{count} processes (the first is {first}) cannot be told apart by namespace: {error}"))
}

/// Looks for the holders of sockets among the processes that are in no container. Returns how many could not be
/// looked at.
fn hold(
    processes: &Processes,
    members: &[Members<'_>],
    wanted: &HashSet<u64>,
    holders: &mut Holders,
) -> usize {
    let seen: HashSet<u32> = members.iter().flat_map(|m| &m.in_cgroup).map(|row| row.pid).collect();
    let rest = processes.rows().iter().map(|row| row.pid).filter(|pid| !seen.contains(pid));
    let found = sockets::holders(&processes.proc, rest, wanted);
    for (inode, pids) in found.by_inode {
        holders.entry(inode).or_default().extend(pids);
    }
    found.unreadable.into_iter().filter(|pid| *pid != 1).count()
}

/// How a gap names a container.
fn subject(container: &Container) -> String {
    let name = if container.name.is_empty() { &container.id } else { &container.name };
    format!("container {name}")
}

#[cfg(test)]
mod tests;
