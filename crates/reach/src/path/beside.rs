//! What leads from one container to another without a network: shared namespaces, and files that both see.

use std::collections::HashMap;

use plimsoll_facts::{Container, DeclaredMount, Effective, Engine, Facts, Process};

use super::graph::{Beside, Edge};
use crate::filters::Filters;
use crate::kernel;
use crate::precondition::CapabilitySpace;
use crate::stand::{Rights, Stand, root_of};
use crate::truth::Truth;

/// Most containers of one namespace, or that see the same files, that are held against each other.
const MAX_SHARING: usize = 64;

/// What leads from one of these containers to another, by their places.
pub(super) fn edges(
    facts: &Facts,
    containers: &[(&Engine, &Container)],
    filters: &Filters,
) -> Vec<(usize, Edge)> {
    let seen: Vec<Seen<'_>> = containers
        .iter()
        .enumerate()
        .filter_map(|(place, (engine, container))| {
            let effective = container.effective.value()?;
            Some(Seen { place, facts, engine, container, effective })
        })
        .collect();
    let mut edges = Vec::new();
    for (one, other) in sharing(&seen, |it| it.effective.namespaces.value().map(|own| own.net)) {
        edges.extend(one.listens_beside(other));
    }
    for (one, other) in sharing(&seen, |it| it.effective.namespaces.value().map(|own| own.pid)) {
        edges.extend(one.controls(other, filters));
    }
    edges.extend(files(&seen));
    edges
}

/// A running container.
struct Seen<'f> {
    place: usize,
    facts: &'f Facts,
    engine: &'f Engine,
    container: &'f Container,
    effective: &'f Effective,
}

/// Every ordered pair of those that have something in common.
fn sharing<'s, 'f, K: std::hash::Hash + Eq>(
    seen: &'s [Seen<'f>],
    key: impl Fn(&Seen<'f>) -> Option<K>,
) -> Vec<(&'s Seen<'f>, &'s Seen<'f>)> {
    let mut by_key: HashMap<K, Vec<&Seen<'_>>> = HashMap::new();
    for one in seen {
        if let Some(key) = key(one) {
            by_key.entry(key).or_default().push(one);
        }
    }
    let mut pairs = Vec::new();
    for alike in by_key.values().filter(|alike| (2..=MAX_SHARING).contains(&alike.len())) {
        for one in alike {
            pairs.extend(alike.iter().filter(|other| other.place != one.place).map(|other| (*one, *other)));
        }
    }
    pairs.sort_by_key(|(one, other)| (one.place, other.place));
    pairs
}

impl<'f> Seen<'f> {
    fn processes(&self) -> impl Iterator<Item = &'f Process> + use<'f> {
        self.effective.processes.value().into_iter().flatten()
    }

    /// In the same network namespace what another listens on is reached, on loopback too.
    fn listens_beside(&self, other: &Self) -> Option<(usize, Edge)> {
        let sockets = other.effective.listeners.value()?;
        let own = |pid: u32| other.processes().any(|process| process.pid == pid);
        let listens = sockets.iter().filter(|socket| socket.port != 0 && socket.pid.is_some_and(own));
        let ports: Vec<String> =
            listens.map(|it| format!("port {} ({})", it.port, it.protocol.trim_end_matches('6'))).collect();
        let edge = Edge { to: other.place, by: Beside::Network, evidence: ports };
        (!edge.evidence.is_empty()).then_some((self.place, edge))
    }

    /// In the same PID namespace who may trace a process of another takes it over.
    fn controls(&self, other: &Self, filters: &Filters) -> Option<(usize, Edge)> {
        let root = root_of(self.effective);
        let taken = self.processes().find_map(|process| {
            let stand = Stand {
                facts: self.facts,
                engine: self.engine,
                container: self.container,
                effective: self.effective,
                process,
                rights: Rights::of(process, root),
                calls: filters.calls(process),
            };
            other.processes().find_map(|target| match may_trace(&stand, target) {
                Truth::Yes(shown) => Some((target, shown)),
                _ => None,
            })
        });
        let (target, mut evidence) = taken?;
        evidence.push(format!("{} ({}) is in the same PID namespace", target.name, target.pid));
        Some((self.place, Edge { to: other.place, by: Beside::Processes, evidence }))
    }
}

/// Whether a process may write to another's memory, which no filter of system calls stops (ptrace(2), "Ptrace access mode
/// checking").
fn may_trace(stand: &Stand<'_>, target: &Process) -> Truth {
    let rights = stand.rights;
    let alike = target.uids.iter().take(3).all(|uid| *uid == rights.uid)
        && target.gids.iter().take(3).all(|gid| *gid == stand.process.gids[1])
        && target.cap_permitted.minus(rights.capabilities).is_empty();
    stand
        .capability("SYS_PTRACE", CapabilitySpace::Userns)
        .or(|| {
            let same = format!("{} runs as the same user, with no more capabilities", target.name);
            Truth::of(alike, same, "user: it may not trace processes of others").and(|| {
                kernel::sysctl(stand.facts, "kernel.yama.ptrace_scope", |scope| scope == 0, Some(0)).quietly()
            })
        })
        .and(|| stand.unconfined("trace processes"))
}

/// A folder or file of the host that a container sees.
struct Shared<'f> {
    place: usize,
    source: &'f str,
    target: &'f str,
    writable: bool,
}

/// Files that one container can write to and another sees.
fn files(seen: &[Seen<'_>]) -> Vec<(usize, Edge)> {
    let shared: Vec<Shared<'_>> = seen.iter().flat_map(shared).collect();
    let mut by_source: HashMap<&str, Vec<&Shared<'_>>> = HashMap::new();
    for one in &shared {
        by_source.entry(one.source).or_default().push(one);
    }
    let mut edges: Vec<(usize, Edge)> = Vec::new();
    for inner in &shared {
        let outer = above(inner.source).filter_map(|source| by_source.get(source)).flatten();
        for outer in outer.filter(|outer| outer.place != inner.place).take(MAX_SHARING) {
            let is_same = outer.source == inner.source;
            edges.extend(leads(seen, outer, inner));
            edges.extend((!is_same).then(|| leads(seen, inner, outer)).flatten());
        }
    }
    edges.sort_by_key(|(from, edge)| (*from, edge.to, edge.by));
    edges.dedup_by_key(|(from, edge)| (*from, edge.to));
    edges
}

/// A path and every folder above it.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(above, _)| above))
        .map(|path| if path.is_empty() { "/" } else { path })
}

fn shared<'f>(seen: &Seen<'f>) -> Vec<Shared<'f>> {
    let Some(declared) = seen.container.declared.value() else { return Vec::new() };
    let mounts = seen.effective.mounts.value();
    // The kernel's mount decides whether it can be written to.
    let writable = |mount: &DeclaredMount| {
        let at_target = mounts.and_then(|mounts| mounts.iter().rev().find(|it| it.target == mount.target));
        at_target.map_or(mount.rw, |it| !it.is_read_only())
    };
    declared
        .mounts
        .iter()
        .filter(|mount| matches!(mount.kind.as_str(), "bind" | "volume") && mount.source.starts_with('/'))
        .map(|mount| Shared {
            place: seen.place,
            source: mount.source.trim_end_matches('/'),
            target: &mount.target,
            writable: writable(mount),
        })
        .collect()
}

/// From one that can write to the files of another.
fn leads(seen: &[Seen<'_>], from: &Shared<'_>, to: &Shared<'_>) -> Option<(usize, Edge)> {
    let find = |place| seen.iter().find(|seen| seen.place == place);
    let (one, other) = (find(from.place)?, find(to.place)?);
    if !from.writable || !may_write(one, other) {
        return None;
    }
    let runs = other.processes().find(|process| {
        let within = |exe: &String| {
            exe.strip_prefix(to.target.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
        };
        process.exe.as_ref().is_some_and(within)
    });
    let source = if from.source.len() > to.source.len() { from.source } else { to.source };
    let source = if source.is_empty() { "/" } else { source };
    let mut evidence = vec![format!("{source} of the host is at {} and at {}", from.target, to.target)];
    let by = match runs {
        Some(process) => {
            evidence.push(format!("{} runs {}", process.name, process.exe.as_deref().unwrap_or_default()));
            Beside::Programs
        }
        None => Beside::Files,
    };
    Some((from.place, Edge { to: to.place, by, evidence }))
}

/// Whether it writes to files of another: as root of the host, past their modes, or as the user that the other runs as.
fn may_write(one: &Seen<'_>, other: &Seen<'_>) -> bool {
    let root = root_of(one.effective);
    one.processes().any(|process| {
        let rights = Rights::of(process, root);
        let same = || other.processes().any(|it| it.uids[3] == rights.uid);
        rights.uid == 0 || (root == Some(0) && rights.capabilities.has("DAC_OVERRIDE")) || same()
    })
}

#[cfg(test)]
mod tests {
    use super::above;

    #[test]
    fn folders_above() {
        assert_eq!(above("/srv/shop/web").collect::<Vec<_>>(), ["/srv/shop/web", "/srv/shop", "/srv", "/"]);
    }
}
