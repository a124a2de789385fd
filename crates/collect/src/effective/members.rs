//! Which processes belong to which container: by cgroup first, then by namespace.
//!
//! Everything is looked up in indexes over the one pass of `/proc`, so that the cost grows with the number of
//! processes, not with processes times containers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use plimsoll_facts::Namespaces;

use super::mount_tree::below;
use crate::procs::{Cgroups, Processes, Row};

/// Kinds of namespaces in which a single thread of a host's process is looked for: what it can reach there is the
/// container's network or files. (It can join three more kinds, which give it nothing.)
const THREAD_KINDS: [(Kind, &str); 2] = [(Kind::Net, "net"), (Kind::Mnt, "mnt")];

/// A kind of namespace (namespaces(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Cgroup,
    Ipc,
    Mnt,
    Net,
    Pid,
    Time,
    User,
    Uts,
}

impl Kind {
    const ALL: [Self; 8] =
        [Self::Cgroup, Self::Ipc, Self::Mnt, Self::Net, Self::Pid, Self::Time, Self::User, Self::Uts];

    /// Its inode in a set.
    fn of(self, namespaces: &Namespaces) -> u64 {
        match self {
            Self::Cgroup => namespaces.cgroup,
            Self::Ipc => namespaces.ipc,
            Self::Mnt => namespaces.mnt,
            Self::Net => namespaces.net,
            Self::Pid => namespaces.pid,
            Self::Time => namespaces.time,
            Self::User => namespaces.user,
            Self::Uts => namespaces.uts,
        }
    }
}

/// A running container as the kernel knows it.
#[derive(Clone, Copy)]
pub(super) struct Init<'a> {
    /// Container id.
    pub(super) id: &'a str,
    /// Its first process.
    pub(super) row: &'a Row,
}

/// The members of one container.
#[derive(Clone, Debug, Default)]
pub(super) struct Members<'a> {
    /// Processes in its cgroup, or in one below it.
    pub(super) in_cgroup: Vec<&'a Row>,
    /// Processes elsewhere that are in one of its own namespaces.
    pub(super) in_namespaces: Vec<&'a Row>,
    /// Single threads of processes elsewhere that are: (process, thread id).
    pub(super) threads: Vec<(&'a Row, u32)>,
}

/// Finds the members of each container, in the order of `inits`. `host` are the host's own namespaces, where they
/// are known.
pub(super) fn find<'a>(
    processes: &'a Processes,
    inits: &[Init<'a>],
    host: Option<&Namespaces>,
) -> Vec<Members<'a>> {
    let mut members = vec![Members::default(); inits.len()];
    // Containers by the process in their cgroup: nearly always one.
    let mut owners: HashMap<u32, Vec<usize>> = HashMap::new();
    let cgroups = CgroupIndex::new(processes);
    let own = own_namespaces(processes, inits, host);
    for (index, (init, members)) in inits.iter().zip(&mut members).enumerate() {
        members.in_cgroup = match own_cgroups(processes, init) {
            none if none.is_empty() => without_cgroup(processes, init, &own),
            own => cgroups.below(own),
        };
        for row in &members.in_cgroup {
            owners.entry(row.pid).or_default().push(index);
        }
    }
    let search = Search { owners: &owners, own: &own };
    for row in processes.rows() {
        let Ok(namespaces) = &row.namespaces else { continue };
        for index in search.containers(row.pid, namespaces) {
            if let Some(members) = members.get_mut(index) {
                members.in_namespaces.push(row);
            }
        }
        // A container's own threads are compared with their leader when the container is read.
        if row.threads > 1 && !owners.contains_key(&row.pid) {
            for (index, thread) in search.threads(processes, row, namespaces) {
                if let Some(members) = members.get_mut(index) {
                    members.threads.push((row, thread));
                }
            }
        }
    }
    members
}

/// The members of a container that has no cgroup of its own (rootless without a cgroup driver): its first process and
/// those in its PID namespace.
fn without_cgroup<'a>(processes: &'a Processes, init: &Init<'a>, own: &OwnNamespaces) -> Vec<&'a Row> {
    let namespace = init.row.namespaces.as_ref().map_or(0, |n| n.pid);
    let is_own = own.contains_key(&(Kind::Pid, namespace));
    let inside = |row: &Row| is_own && row.namespaces.as_ref().is_ok_and(|n| n.pid == namespace);
    processes.rows().iter().filter(|row| row.pid == init.row.pid || inside(row)).collect()
}

/// The cgroups that belong to a container alone, with the number of their hierarchy.
fn own_cgroups<'a>(processes: &'a Processes, init: &Init<'a>) -> Vec<(u32, &'a str)> {
    let Ok(cgroups) = &init.row.cgroups else { return Vec::new() };
    let parent = processes.get(init.row.ppid).and_then(|row| row.cgroups.as_ref().ok());
    let mut own = Vec::new();
    for line in &cgroups.0 {
        // Its first process may have gone to a cgroup below the one that the runtime made for the container.
        let path = up_to_id(&line.path, init.id).unwrap_or(&line.path);
        // Without a cgroup driver (rootless on v1) it stays in that of the process that started it.
        let of_parent = parent.and_then(|p| p.0.iter().find(|l| l.hierarchy == line.hierarchy));
        let shared = of_parent.is_some_and(|p| below(&p.path, path).is_some());
        if path != "/" && !path.is_empty() && !shared {
            own.push((line.hierarchy, path));
        }
    }
    own
}

/// The path up to the component that names the container: `ID`, `docker-ID.scope`, `libpod-ID.scope` …
fn up_to_id<'a>(path: &'a str, id: &str) -> Option<&'a str> {
    let mut end = 0;
    for component in path.split_inclusive('/') {
        end += component.len();
        if names_id(component.trim_end_matches('/'), id) {
            return path.get(..end).map(|p| p.trim_end_matches('/'));
        }
    }
    None
}

/// Whether a component of a cgroup path names this container, in the ways of the known runtimes.
pub(super) fn names_id(component: &str, id: &str) -> bool {
    let rest = component.strip_suffix(".scope").unwrap_or(component).strip_suffix(id);
    id.len() >= 12 && rest.is_some_and(|prefix| prefix.is_empty() || prefix.ends_with(['-', ':']))
}

/// Processes by the cgroup that they are in, in each hierarchy.
struct CgroupIndex<'a> {
    groups: BTreeMap<(u32, &'a str), Vec<usize>>,
    rows: Vec<Vec<&'a Row>>,
}

impl<'a> CgroupIndex<'a> {
    fn new(processes: &'a Processes) -> Self {
        let mut numbers: HashMap<&'a Cgroups, usize> = HashMap::new();
        let mut rows: Vec<Vec<&'a Row>> = Vec::new();
        let mut last: Option<(&Arc<Cgroups>, usize)> = None;
        for row in processes.rows() {
            let Ok(cgroups) = &row.cgroups else { continue };
            let number = match last {
                Some((same, number)) if Arc::ptr_eq(same, cgroups) => number,
                _ => *numbers.entry(cgroups).or_insert_with(|| {
                    rows.push(Vec::new());
                    rows.len() - 1
                }),
            };
            last = Some((cgroups, number));
            if let Some(rows) = rows.get_mut(number) {
                rows.push(row);
            }
        }
        let mut groups: BTreeMap<(u32, &'a str), Vec<usize>> = BTreeMap::new();
        for (cgroups, number) in numbers {
            for line in &cgroups.0 {
                groups.entry((line.hierarchy, &line.path)).or_default().push(number);
            }
        }
        Self { groups, rows }
    }

    /// Processes in one of these cgroups, in any hierarchy, by ascending pid.
    fn below(&self, cgroups: Vec<(u32, &'a str)>) -> Vec<&'a Row> {
        let mut numbers: HashSet<usize> = HashSet::new();
        for (hierarchy, path) in cgroups {
            let from = self.groups.range((hierarchy, path)..);
            let near = from.take_while(|((h, p), _)| *h == hierarchy && p.starts_with(path));
            numbers.extend(near.filter(|((_, p), _)| below(p, path).is_some()).flat_map(|(_, n)| n));
        }
        let mut rows: Vec<&Row> =
            numbers.into_iter().filter_map(|n| self.rows.get(n)).flatten().copied().collect();
        rows.sort_unstable_by_key(|row| row.pid);
        rows
    }
}

/// Containers by those of their namespaces that are neither the host's nor those of the process that started them.
type OwnNamespaces = HashMap<(Kind, u64), Vec<usize>>;

fn own_namespaces(processes: &Processes, inits: &[Init<'_>], host: Option<&Namespaces>) -> OwnNamespaces {
    let mut own = OwnNamespaces::new();
    for (index, init) in inits.iter().enumerate() {
        let Ok(namespaces) = &init.row.namespaces else { continue };
        // A rootless engine and its shims live in namespaces of their own.
        let parent = processes.get(init.row.ppid).and_then(|row| row.namespaces.as_ref().ok());
        for kind in Kind::ALL {
            let inode = kind.of(namespaces);
            let outer = [host, parent].into_iter().flatten().any(|outer| kind.of(outer) == inode);
            if inode != 0 && !outer {
                own.entry((kind, inode)).or_default().push(index);
            }
        }
    }
    own
}

struct Search<'a> {
    owners: &'a HashMap<u32, Vec<usize>>,
    own: &'a OwnNamespaces,
}

impl Search<'_> {
    /// Containers that this process is not part of, but in whose own namespaces it is.
    fn containers(&self, pid: u32, namespaces: &Namespaces) -> Vec<usize> {
        let owners = self.owners.get(&pid).map_or(&[][..], Vec::as_slice);
        let mut found = Vec::new();
        for kind in Kind::ALL {
            let Some(containers) = self.own.get(&(kind, kind.of(namespaces))) else { continue };
            // Its own container shares the namespace (`--network container:NAME`).
            if owners.iter().any(|owner| containers.contains(owner)) {
                continue;
            }
            for index in containers {
                if !found.contains(index) {
                    found.push(*index);
                }
            }
        }
        found
    }

    /// Threads of a process of the host that are in a container's namespaces while the process itself is not.
    fn threads(&self, processes: &Processes, row: &Row, leader: &Namespaces) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        let Ok(dir) = processes.open(row) else { return found };
        for thread in dir.numbers("task").unwrap_or_default() {
            if thread == row.pid {
                continue;
            }
            let mut containers = HashSet::new();
            for (kind, name) in THREAD_KINDS {
                let link = dir.thread_namespace(thread, name);
                let Some(inode) = link.ok().filter(|inode| *inode != kind.of(leader)) else { continue };
                containers.extend(self.own.get(&(kind, inode)).into_iter().flatten());
            }
            found.extend(containers.into_iter().map(|index| (index, thread)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "60b69a1376926a5d9394290b47ebab4842efd13ee563face76983ee88fcc669f";

    #[test]
    fn cgroup_paths_that_name_a_container() {
        for path in ["/docker/ID", "/system.slice/docker-ID.scope", "/machine.slice/libpod-ID.scope"] {
            let path = path.replace("ID", ID);
            assert_eq!(up_to_id(&path, ID), Some(path.as_str()));
            assert_eq!(up_to_id(&format!("{path}/init.scope"), ID), Some(path.as_str()));
        }
        assert_eq!(up_to_id("/docker/other", ID), None);
        assert!(!names_id("", "") && !names_id("abc", "c"));
    }
}
