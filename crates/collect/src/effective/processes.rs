//! The processes of one container: who they are and what they may do.

use plimsoll_facts::{Belongs, Fact, Namespaces, Process};

use super::members::Members;
use super::seccomp::Filters;
use super::status::Status;
use crate::procs::{Error, PidDir, Processes, Row};

/// Most rows that are kept of one container.
const MAX_ROWS: usize = 10_000;
/// Longest security label.
const LABEL_LIMIT: usize = 4096;

/// Why the processes of a container could not be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// One of them could not be read.
    #[error("process {pid}: {error}")]
    Process {
        /// Which.
        pid: u32,
        /// Why.
        error: Error,
    },
    /// Too many to keep.
    #[error("more than {MAX_ROWS} processes and threads that differ")]
    TooMany,
}

/// Reads every member once; `also` is shown each process of the cgroup while its directory is open.
///
/// # Errors
/// When one of them could not be read: a list that misses a process must not look complete. A process that ended
/// meanwhile is left out.
pub(super) fn read(
    processes: &Processes,
    filters: &Filters,
    init: &Row,
    members: &Members<'_>,
    mut also: impl FnMut(&Row, &PidDir),
) -> Result<Vec<Process>, Failure> {
    let mut out = Vec::new();
    let mut first = Ok(());
    let init_namespaces = init.namespaces.as_ref().ok();
    for row in members.in_cgroup.iter().filter(|row| !row.zombie) {
        let read = processes.open(row).and_then(|dir| {
            let thread = if row.headless { dir.live_thread() } else { None };
            also(row, thread.as_ref().unwrap_or(&dir));
            if out.len() > MAX_ROWS {
                Ok(())
            } else {
                with_threads(&dir, filters, row, init_namespaces, &mut out)
            }
        });
        first = first.and(checked(row, read, out.len()));
    }
    for row in members.in_namespaces.iter().take(MAX_ROWS + 1) {
        let read = processes.open(row).and_then(|dir| {
            let status = Status::read(&dir)?;
            out.push(process(&dir, row, &status, Belongs::NamespaceOnly, init_namespaces));
            Ok(())
        });
        first = first.and(checked(row, read, out.len()));
    }
    for (row, tid) in members.threads.iter().take(MAX_ROWS + 1) {
        let read = processes.open(row).and_then(|dir| dir.thread(*tid)).and_then(|thread| {
            let status = Status::read(&thread)?;
            let namespaces = thread.namespaces()?;
            let row = Row { namespaces: Ok(namespaces), ..(*row).clone() };
            let process = process(&thread, &row, &status, Belongs::NamespaceOnly, init_namespaces);
            out.push(Process { thread: Some(*tid), ..process });
            Ok(())
        });
        first = first.and(checked(row, read, out.len()));
    }
    first.map(|()| out)
}

fn checked(row: &Row, read: Result<(), Error>, rows: usize) -> Result<(), Failure> {
    match read {
        Err(error) if error != Error::Gone => Err(Failure::Process { pid: row.pid, error }),
        _ if rows > MAX_ROWS => Err(Failure::TooMany),
        _ => Ok(()),
    }
}

/// A process, and those of its threads that may do something else or live in other namespaces.
fn with_threads(
    dir: &PidDir,
    filters: &Filters,
    row: &Row,
    init: Option<&Namespaces>,
    out: &mut Vec<Process>,
) -> Result<(), Error> {
    let status = Status::read(dir)?;
    let leader = process(dir, row, &status, Belongs::Cgroup, init);
    if row.threads > 1 {
        for tid in dir.numbers("task")?.into_iter().filter(|tid| *tid != row.pid) {
            match thread(dir, filters, row, &status, &leader, tid) {
                Ok(differs) => out.extend(differs),
                Err(Error::Gone) => {}
                Err(error) => return Err(error),
            }
            if out.len() > MAX_ROWS {
                break;
            }
        }
    }
    out.push(leader);
    Ok(())
}

fn thread(
    dir: &PidDir,
    filters: &Filters,
    row: &Row,
    leader_status: &Status,
    leader: &Process,
    tid: u32,
) -> Result<Option<Process>, Error> {
    let thread = dir.thread(tid)?;
    let status = Status::read(&thread)?;
    let namespaces = match &row.namespaces {
        Ok(of_leader) => Some(thread.namespaces()?).filter(|of_thread| of_thread != of_leader),
        Err(_) => None,
    };
    if namespaces.is_none() && status.same_powers(leader_status) && !filters.differ(tid, row.pid) {
        return Ok(None);
    }
    let process = process(&thread, row, &status, Belongs::Cgroup, None);
    let namespaces = namespaces.or(leader.namespaces);
    Ok(Some(Process { thread: Some(tid), namespaces, exe: leader.exe.clone(), ..process }))
}

fn process(dir: &PidDir, row: &Row, status: &Status, belongs: Belongs, init: Option<&Namespaces>) -> Process {
    Process {
        pid: row.pid,
        ppid: row.ppid,
        thread: None,
        name: row.name.clone(),
        exe: row.exe.as_ref().ok().cloned(),
        // Filled in with the images, which own its files.
        program: None,
        uids: status.uids,
        gids: status.gids,
        groups: status.groups.clone(),
        cap_effective: status.cap_effective,
        cap_permitted: status.cap_permitted,
        cap_bounding: status.cap_bounding,
        cap_ambient: status.cap_ambient,
        cap_inheritable: status.cap_inheritable,
        no_new_privs: status.no_new_privs,
        seccomp_mode: status.seccomp_mode,
        seccomp_filters: status.seccomp_filters,
        // Filled in for all containers together.
        seccomp: Fact::default(),
        lsm_label: label(dir),
        belongs,
        namespaces: row.namespaces.as_ref().ok().copied().filter(|own| Some(own) != init),
        ignores_sigterm: status.ignores_sigterm(|| takes_signals(dir)),
        start_ticks: row.start_ticks,
    }
}

/// `attr/current`; the read fails where no security module labels processes.
fn label(dir: &PidDir) -> Option<String> {
    let text = dir.read_text("attr/current", LABEL_LIMIT).ok()?;
    let text = text.trim_matches(['\0', '\n', ' ']);
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether it sleeps in sigtimedwait(2) (`wchan`, proc_pid_wchan(5)).
fn takes_signals(dir: &PidDir) -> bool {
    dir.read_text("wchan", LABEL_LIMIT).is_ok_and(|symbol| symbol.contains("sigtimedwait"))
}
