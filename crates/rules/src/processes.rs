//! The processes of a container as rules look at them.

use plimsoll_facts::{Belongs, Capabilities, Container, Declared, Effective, Gap, Process};

use crate::answer::gap;
use crate::{EngineContext, Evidence};

/// How many members of a list a finding shows; the rest is counted.
pub(crate) const SHOWN: usize = 8;

/// The processes and deviating threads in the container's cgroup.
///
/// # Errors
/// The gap where they could not be read, or where none was seen: a running container has at least one.
pub(crate) fn members(effective: &Effective) -> Result<Vec<&Process>, Gap> {
    let all = effective.processes.require()?;
    let members: Vec<_> = all.iter().filter(|p| p.belongs == Belongs::Cgroup).collect();
    if members.is_empty() {
        return Err(gap(
            effective.processes.source(),
            "no process of the container was seen; it may have ended meanwhile",
        ));
    }
    Ok(members)
}

/// The members that the container's own start brought about: all but running exec sessions and what they started.
///
/// # Errors
/// As [`members`].
pub(crate) fn started_by_container<'c>(
    cx: &EngineContext<'_>,
    container: &Container,
    effective: &'c Effective,
) -> Result<Vec<&'c Process>, Gap> {
    let members = members(effective)?;
    let sessions = sessions(cx, container, effective, &members);
    Ok(members.into_iter().filter(|p| !sessions.iter().any(|s| s.pid == p.pid)).collect())
}

/// The members that belong to running exec sessions.
///
/// The engine names its sessions. One that was started below the engine (`ctr task exec`, `runc exec`) is known by
/// its parent, which is no member; that holds only where the container has a PID namespace of its own, since
/// otherwise orphans get a parent outside as well.
pub(crate) fn sessions<'c>(
    cx: &EngineContext<'_>,
    container: &Container,
    effective: &Effective,
    members: &[&'c Process],
) -> Vec<&'c Process> {
    let declared = container.declared.value();
    let named = |pid: u32| declared.is_some_and(|d| d.execs.iter().any(|exec| exec.pid == pid));
    let own_pid_namespace = has_own_pid_namespace(cx, declared, effective);
    let is_root = |p: &Process| {
        let parent_outside = p.ppid != 0 && !members.iter().any(|m| m.pid == p.ppid);
        p.pid != effective.init_pid && (named(p.pid) || (own_pid_namespace && parent_outside))
    };
    members.iter().copied().filter(|p| chain(p, members).any(is_root)).collect()
}

/// A process and its ancestors within the container; bounded, since pids may be reused between two reads.
fn chain<'p>(process: &'p Process, members: &'p [&'p Process]) -> impl Iterator<Item = &'p Process> {
    let parent = |p: &&'p Process| members.iter().copied().find(|m| m.pid == p.ppid && m.pid != p.pid);
    std::iter::successors(Some(process), parent).take(64)
}

fn has_own_pid_namespace(cx: &EngineContext<'_>, declared: Option<&Declared>, effective: &Effective) -> bool {
    let joined = declared.is_none_or(|d| d.host_config.pid_mode.starts_with("container:"));
    match (cx.facts.host.namespaces.value(), effective.namespaces.value()) {
        (Some(host), Some(own)) => !joined && own.pid != 0 && own.pid != host.pid,
        _ => false,
    }
}

/// Whether the container's user ids are the host's: uid 0 inside is root outside.
///
/// # Errors
/// The gap where neither the namespaces nor the user id map could be read.
pub(crate) fn in_host_user_namespace(cx: &EngineContext<'_>, effective: &Effective) -> Result<bool, Gap> {
    if let (Some(host), Some(own)) = (cx.facts.host.namespaces.value(), effective.namespaces.value())
        && host.user != 0
        && own.user != 0
    {
        return Ok(host.user == own.user);
    }
    let map = effective.uid_map.require()?;
    Ok(map.iter().any(|&(inside, outside, _)| inside == 0 && outside == 0))
}

/// Whether any of a process's user ids is the host's root.
pub(crate) fn is_root(process: &Process) -> bool {
    process.uids.contains(&0)
}

/// What a process holds or can take up again without running another program.
pub(crate) fn held(process: &Process) -> Capabilities {
    Capabilities(process.cap_effective.0 | process.cap_permitted.0 | process.cap_ambient.0)
}

/// Whether some process of a running container holds this capability over the host itself.
pub(crate) fn holds_over_host(cx: &EngineContext<'_>, container: &Container, capability: &str) -> bool {
    container.effective.value().is_some_and(|effective| {
        in_host_user_namespace(cx, effective).unwrap_or(true)
            && members(effective).is_ok_and(|all| all.iter().any(|p| held(p).has(capability)))
    })
}

/// `process 4711 (mariadbd)`, or with the thread where only that one differs.
pub(crate) fn label(process: &Process) -> String {
    match process.thread {
        Some(thread) => format!("thread {thread} of process {} ({})", process.pid, process.name),
        None => format!("process {} ({})", process.pid, process.name),
    }
}

/// `process 4711 (mariadbd) and 3 more`.
pub(crate) fn labels(processes: &[&Process]) -> String {
    match processes {
        [] => "no process".to_owned(),
        [one] => label(one),
        [first, rest @ ..] => format!("{} and {} more", label(first), rest.len()),
    }
}

/// Where a field of a process was read.
pub(crate) fn status_source(process: &Process, field: &str) -> String {
    match process.thread {
        Some(thread) => format!("/proc/{}/task/{thread}/status {field}", process.pid),
        None => format!("/proc/{}/status {field}", process.pid),
    }
}

/// One observation a process, for the first [`SHOWN`] of them.
pub(crate) fn evidence_of<'p>(
    processes: &[&'p Process],
    one: impl Fn(&'p Process) -> Evidence,
) -> Vec<Evidence> {
    shortened(processes, |p| one(p), "processes")
}

/// One observation a member of a list, for the first [`SHOWN`] of them, and the number of the others.
pub(crate) fn shortened<T>(list: &[T], one: impl Fn(&T) -> Evidence, what: &'static str) -> Vec<Evidence> {
    let mut evidence: Vec<_> = list.iter().take(SHOWN).map(one).collect();
    if let (Some(last), true) = (evidence.last(), list.len() > SHOWN) {
        let source = last.source.clone();
        evidence.push(Evidence::new(format!("further {what}"), (list.len() - SHOWN).to_string(), source));
    }
    evidence
}
