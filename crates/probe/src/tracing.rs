//! The seccomp filters of one thread, by stopping it for some microseconds (ptrace(2)). Blocked calls of some programs
//! then return `EINTR`: only on request, and of threads that wait in calls which the kernel restarts by itself.
#![expect(unsafe_code, reason = "no safe crate wraps PTRACE_SECCOMP_GET_FILTER")]

use std::io;
use std::ptr;
use std::time::{Duration, Instant};

/// How long a thread may take to stop: it may be frozen, or asleep where no signal reaches it.
pub const TIME_LIMIT: Duration = Duration::from_millis(200);
/// Most instructions of one program.
const MAX_INSTRUCTIONS: usize = 4096;
/// Most filters that are read of one thread.
const MAX_FILTERS: usize = 6554;
/// `PTRACE_SECCOMP_GET_FILTER`
const GET_FILTER: libc::c_long = 0x420c;
/// Between two looks at a thread that has yet to stop.
const PATIENCE: Duration = Duration::from_micros(50);

/// Why the filters could not be read in this way.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The thread cannot be traced: another tracer has it, or this process may not.
    #[error("PTRACE_SEIZE: {0}")]
    Seize(io::Error),
    /// It did not stop in time.
    #[error(
        "the thread did not stop within {TIME_LIMIT:?}: it is frozen, or asleep where no signal reaches it"
    )]
    TimedOut,
    /// It ended.
    #[error("the thread ended")]
    Ended,
    /// The kernel refused.
    #[error("PTRACE_SECCOMP_GET_FILTER: {0}")]
    Filter(io::Error),
}

/// Whether a thread that waits in this call (`/proc/PID/task/TID/syscall`, number first) goes on as if it had not been
/// stopped: the kernel restarts the call by itself.
pub fn is_restarted(number: i64) -> bool {
    // `restart_syscall` goes on with one that was stopped before.
    [
        libc::SYS_futex,
        libc::SYS_wait4,
        libc::SYS_nanosleep,
        libc::SYS_clock_nanosleep,
        libc::SYS_restart_syscall,
    ]
    .contains(&number)
        || more::RESTARTED.contains(&number)
}

#[cfg(target_arch = "x86_64")]
mod more {
    pub(super) const RESTARTED: &[i64] = &[libc::SYS_poll, libc::SYS_select, libc::SYS_pause];
}

#[cfg(not(target_arch = "x86_64"))]
mod more {
    pub(super) const RESTARTED: &[i64] = &[];
}

/// The programs of a thread's filters, the newest first: arrays of `struct sock_filter`.
///
/// # Errors
/// When the thread could not be stopped, or the kernel did not hand them out.
pub fn filters_of(tid: u32) -> Result<Vec<Vec<u8>>, Error> {
    let tid = libc::pid_t::try_from(tid).map_err(|_| Error::Ended)?;
    // A tracer's thread that ends lets go of what it seized, even of a thread that has yet to stop.
    std::thread::scope(|scope| scope.spawn(|| dump(tid)).join()).unwrap_or(Err(Error::Ended))
}

fn dump(tid: libc::pid_t) -> Result<Vec<Vec<u8>>, Error> {
    raise_priority();
    let stopped = Stopped::stop(tid)?;
    let mut programs = Vec::new();
    // The kernel counts from the oldest.
    for index in 0..MAX_FILTERS {
        match stopped.filter(index) {
            Ok(Some(program)) => programs.push(program),
            Ok(None) => break,
            Err(error) => return Err(Error::Filter(error)),
        }
    }
    programs.reverse();
    Ok(programs)
}

/// A thread in a stop; it goes on when this is dropped.
struct Stopped {
    tid: libc::pid_t,
    /// A signal that was to be delivered when it stopped.
    signal: libc::c_int,
}

impl Stopped {
    fn stop(tid: libc::pid_t) -> Result<Self, Error> {
        let begun = Instant::now();
        request(libc::PTRACE_SEIZE.into(), tid, 0, ptr::null_mut()).map_err(Error::Seize)?;
        request(libc::PTRACE_INTERRUPT.into(), tid, 0, ptr::null_mut()).map_err(|_| Error::Ended)?;
        loop {
            let mut status = 0;
            // SAFETY: the pointer is good for writing one int.
            let waited = unsafe { libc::waitpid(tid, &raw mut status, libc::__WALL | libc::WNOHANG) };
            if waited == tid && libc::WIFSTOPPED(status) {
                let signal = if status >> 16 == 0 { libc::WSTOPSIG(status) } else { 0 };
                return Ok(Self { tid, signal });
            }
            if waited != 0 {
                return Err(Error::Ended);
            }
            if begun.elapsed() > TIME_LIMIT {
                return Err(Error::TimedOut);
            }
            std::thread::sleep(PATIENCE);
        }
    }

    /// The program of a filter; `None` past the last.
    fn filter(&self, index: usize) -> io::Result<Option<Vec<u8>>> {
        // Asked without a buffer, the kernel tells the length.
        let length = match request(GET_FILTER, self.tid, index, ptr::null_mut()) {
            Ok(length) => usize::try_from(length).unwrap_or_default(),
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINVAL)) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if length > MAX_INSTRUCTIONS {
            return Err(io::Error::other("the program is longer than programs can be"));
        }
        let mut program = vec![[0_u8; 8]; MAX_INSTRUCTIONS];
        request(GET_FILTER, self.tid, index, program.as_mut_ptr().cast())?;
        program.truncate(length);
        Ok(Some(program.into_flattened()))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // It may have been killed meanwhile; then there is nothing to let go.
        let _ = request(libc::PTRACE_DETACH.into(), self.tid, 0, self.signal as usize as *mut _);
    }
}

/// One request of ptrace(2). The buffer is null, a signal's number, or good for writing the longest program there is.
fn request(
    request: libc::c_long,
    tid: libc::pid_t,
    address: usize,
    data: *mut libc::c_void,
) -> io::Result<libc::c_long> {
    // SAFETY: of the requests made here only GET_FILTER writes to `data`, at most 4096 instructions of 8 bytes, for
    // which the one caller that hands out a buffer has room.
    let result = unsafe { libc::ptrace(request as _, tid, address, data) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Gives this thread real-time priority, where that is permitted: it must not be made to wait while it holds another.
fn raise_priority() {
    let first = libc::sched_param { sched_priority: 1 };
    // SAFETY: the pointer is good for reading one sched_param; 0 is this thread.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const first) };
}
