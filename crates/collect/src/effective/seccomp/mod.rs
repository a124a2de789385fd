//! Which seccomp filter each process of a container has: the kernel's own where it can be read, else what the runtime
//! was asked for.

mod declared;
mod kept;
mod traced;

use std::collections::HashMap;
use std::fs;

use plimsoll_facts::{Belongs, Collector, Container, Fact, Host, Process, Seccomp, SeccompSource};
use plimsoll_probe::filters::{self, Snapshot, Thread};

use super::subject;
use crate::gaps::Gaps;
use crate::procs::{Processes, Row};
use kept::Kept;

/// How filters are read of all threads at once.
const ITERATOR: &str = "BPF iterator over tasks";
const BUNDLE: &str = "config.json of the OCI bundle";
/// Process ids of the iterator are those of this namespace (`PROC_PID_INIT_INO` of linux/proc_ns.h).
const INITIAL_PID_NAMESPACE: &str = "pid:[4026531836]";
const FILTER_MODE: u32 = 2;

/// The filters of all threads, by thread; or why they could not be read.
pub(super) struct Filters {
    threads: Result<HashMap<u32, Thread>, String>,
    snapshot: Snapshot,
    /// Whether the ids in `/proc` are those by which this process can name others.
    at_home: bool,
}

impl Filters {
    /// Asks the kernel, without stopping anything.
    pub(super) fn read(processes: &Processes, host: &Host, collector: &Collector) -> Self {
        let at_home = processes.proc.is_live()
            && fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == INITIAL_PID_NAMESPACE);
        let read = if !processes.proc.is_live() {
            Err("cannot be asked of a captured tree".to_owned())
        } else if !at_home {
            Err("plimsoll does not run in the host's PID namespace".to_owned())
        } else {
            filters::read().map_err(|error| with_hints(&error, host, collector))
        };
        match read {
            Ok(snapshot) => {
                let threads = snapshot.threads.iter().map(|thread| (thread.tid, thread.clone())).collect();
                Self { threads: Ok(threads), snapshot, at_home }
            }
            Err(why) => Self { threads: Err(why), snapshot: Snapshot::default(), at_home },
        }
    }

    /// Whether a thread is known to have another filter than another one.
    pub(super) fn differ(&self, one: u32, other: u32) -> bool {
        let of = |tid| self.threads.as_ref().ok().map(|threads| threads.get(&tid).and_then(|t| t.filter));
        of(one) != of(other)
    }

    /// The programs of a process's or thread's filter, the newest first.
    fn of(&self, process: &Process) -> Result<Vec<&[u8]>, String> {
        let threads = self.threads.as_ref().map_err(Clone::clone)?;
        let tid = process.thread.unwrap_or(process.pid);
        let same = |thread: &&Thread| {
            thread.pid == process.pid && (tid != process.pid || thread.started == process.start_ticks)
        };
        let thread = threads.get(&tid).filter(same).ok_or("it began after the filters were read")?;
        let filter = thread.filter.and_then(|filter| self.snapshot.filters.get(filter));
        let programs =
            filter.ok_or("the kernel showed no filter")?.as_ref().map_err(|why| (*why).to_owned())?;
        let program = |place: &usize| self.snapshot.programs.get(*place).map(Vec::as_slice);
        programs
            .iter()
            .map(program)
            .collect::<Option<_>>()
            .ok_or_else(|| "the kernel showed no program".to_owned())
    }
}

/// Why the kernel may have refused.
fn with_hints(error: &filters::Error, host: &Host, collector: &Collector) -> String {
    let mut reason = error.to_string();
    if collector.seccomp_mode != 0 {
        reason.push_str("; plimsoll itself runs under a seccomp filter");
    }
    let may = |names: &[&str]| names.iter().all(|name| collector.capabilities.has(name));
    if !may(&["SYS_ADMIN"]) && !may(&["BPF", "PERFMON"]) {
        reason.push_str("; plimsoll lacks CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN");
    }
    if host.kernel.lockdown.value().is_some_and(|mode| mode == "confidentiality") {
        reason.push_str("; the kernel is locked down for confidentiality");
    }
    reason
}

/// Gives each process of each container its filter; returns all filters. Only with `stop_threads` may a thread be
/// stopped for it.
pub(super) fn fill(
    processes: &Processes,
    filters: &Filters,
    rows: &[&Row],
    containers: &mut [&mut Container],
    stop_threads: bool,
    gaps: &mut Gaps,
) -> Seccomp {
    let mut kept = Kept::default();
    let mut refused = false;
    for (row, container) in rows.iter().zip(containers) {
        let (subject, paused) = (subject(container), container.state == "paused");
        let Some(effective) = container.effective.value_mut() else { continue };
        let Some(members) = effective.processes.value_mut() else { continue };
        let mut reader = Reader {
            processes,
            filters,
            id: &container.id,
            init: row,
            may_stop: stop_threads && filters.at_home && !paused,
            declared: None,
            kept: &mut kept,
        };
        let mut first = None;
        let mut of_kernel = false;
        for process in members {
            process.seccomp = reader.filter(process);
            of_kernel |= process.pid == effective.init_pid && process.seccomp.source() == ITERATOR;
            refused |= process.seccomp_mode == FILTER_MODE;
            if let (Fact::Unreadable { source, reason }, None) = (&process.seccomp, &first) {
                first = Some((source.clone(), reason.clone()));
            }
        }
        effective.declared_seccomp = match of_kernel {
            true => reader
                .bundle()
                .map_or_else(|why| Fact::unreadable(BUNDLE, why), |place| Fact::known(place, BUNDLE)),
            false => Fact::absent(ITERATOR),
        };
        if let Some((source, reason)) = first {
            gaps.unreadable::<()>(&subject, source, reason);
        }
    }
    if let (Err(why), true) = (&filters.threads, refused) {
        gaps.unreadable::<()>(super::SUBJECT, ITERATOR, why);
    }
    kept.seccomp
}

/// Finds the filters of one container's processes.
struct Reader<'a> {
    processes: &'a Processes,
    filters: &'a Filters,
    id: &'a str,
    init: &'a Row,
    may_stop: bool,
    /// What the bundle declares, once it was read.
    declared: Option<Result<u32, String>>,
    kept: &'a mut Kept,
}

impl Reader<'_> {
    fn filter(&mut self, process: &Process) -> Fact<u32> {
        let status = format!("/proc/{}/status", process.pid);
        match process.seccomp_mode {
            0 => return Fact::absent(status),
            FILTER_MODE => {}
            _ => {
                return Fact::unreadable(
                    status,
                    "in strict mode: read, write, exit and sigreturn alone are allowed",
                );
            }
        }
        let kernel = self.filters.of(process).and_then(|programs| {
            self.kept.filter(SeccompSource::KernelBpf, programs.into_iter(), Vec::new())
        });
        let mut why = match kernel {
            Ok(place) => return Fact::known(place, ITERATOR),
            Err(why) => format!("{ITERATOR}: {why}"),
        };
        if self.may_stop {
            match self.traced(process) {
                Ok(place) => return Fact::known(place, "PTRACE_SECCOMP_GET_FILTER"),
                Err(also) => why = format!("{why}; ptrace: {also}"),
            }
        }
        match self.declared(process) {
            Ok(place) => Fact::known(place, BUNDLE),
            Err(also) => Fact::unreadable(status, format!("{why}; declared: {also}")),
        }
    }

    fn traced(&mut self, process: &Process) -> Result<u32, String> {
        let programs = traced::programs(self.processes, process)?;
        self.kept.filter(SeccompSource::KernelPtrace, programs.iter().map(Vec::as_slice), Vec::new())
    }

    /// The declared filter says something only about processes that the runtime started, as long as they have no other.
    fn declared(&mut self, process: &Process) -> Result<u32, String> {
        if process.belongs != Belongs::Cgroup {
            return Err("the process was not started by the container's runtime".to_owned());
        }
        if let Some(count @ 2..) = process.seccomp_filters {
            return Err(format!("the process has {count} filters, the bundle declares one"));
        }
        self.bundle()
    }

    /// What the bundle declares.
    fn bundle(&mut self) -> Result<u32, String> {
        let Self { processes, id, init, kept, .. } = self;
        let read = || kept.profile(declared::profile(processes, id, init)?);
        self.declared.get_or_insert_with(read).clone()
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::Capabilities;

    use super::*;

    #[test]
    fn what_may_have_kept_the_kernel_from_answering_is_said() {
        let error = filters::Error::NoIterator;
        let free = Collector { capabilities: Capabilities(u64::MAX), ..Collector::default() };
        assert_eq!(with_hints(&error, &Host::default(), &free), error.to_string());
        let mut locked = Host::default();
        locked.kernel.lockdown = Fact::known("confidentiality".to_owned(), "/sys/kernel/security/lockdown");
        let confined = Collector { seccomp_mode: 2, ..Collector::default() };
        let why = with_hints(&error, &locked, &confined);
        for hint in ["under a seccomp filter", "lacks CAP_BPF", "locked down for confidentiality"] {
            assert!(why.contains(hint), "{why}");
        }
    }
}
