//! A process's filter by stopping one of its threads: one that waits where a stop is not noticed.

use plimsoll_facts::Process;
use plimsoll_probe::tracing;

use crate::effective::status::Status;
use crate::procs::{PidDir, Processes};

/// Most threads of a process that are looked at for one that may be stopped.
const MAX_THREADS: usize = 256;
/// Longest `/proc/PID/task/TID/syscall`.
const LIMIT: usize = 4096;

/// The programs of its filter, the newest first.
///
/// # Errors
/// Why no thread was stopped, or what the kernel answered.
pub(super) fn programs(processes: &Processes, process: &Process) -> Result<Vec<Vec<u8>>, String> {
    let row = processes.get(process.pid).ok_or("the process has ended")?;
    let dir = processes.open(row).map_err(|error| error.to_string())?;
    let threads = match process.thread {
        Some(tid) => vec![tid],
        None => dir.numbers("task").map_err(|error| error.to_string())?,
    };
    let mut waiting = threads
        .into_iter()
        .take(MAX_THREADS)
        .filter(|tid| dir.thread(*tid).is_ok_and(|thread| has_filters(&thread, process) && waits(&thread)));
    let tid = waiting.next().ok_or("no thread of it waits in a call that the kernel restarts by itself")?;
    tracing::filters_of(tid).map_err(|error| error.to_string())
}

/// Threads that have as many filters as the process are taken to have the same.
fn has_filters(thread: &PidDir, process: &Process) -> bool {
    Status::read(thread).is_ok_and(|status| {
        (status.seccomp_mode, status.seccomp_filters) == (process.seccomp_mode, process.seccomp_filters)
    })
}

/// Whether it is blocked in a call (proc_pid_syscall(5)) that goes on by itself after a stop.
fn waits(thread: &PidDir) -> bool {
    let text = thread.read_text("syscall", LIMIT).unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).is_some_and(tracing::is_restarted)
}
