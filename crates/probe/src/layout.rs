//! Where the kernel keeps what is read of each thread.

use std::fs;

use crate::btf::Btf;
use crate::filters::Error;

/// The kernel's description of its types.
const DESCRIPTION: &str = "/sys/kernel/btf/vmlinux";

/// Offsets in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Number of the function that iterators over tasks attach to.
    pub(crate) iterator: u32,
    /// `task_struct`: thread id, process id, start time since boot in nanoseconds.
    pub(crate) tid: i16,
    pub(crate) pid: i16,
    pub(crate) started: i16,
    /// `task_struct.seccomp`.
    pub(crate) mode: i16,
    pub(crate) newest: i16,
    /// `seccomp_filter`.
    pub(crate) previous: i16,
    pub(crate) program: i16,
    /// `bpf_prog.orig_prog`: the program as it was loaded.
    pub(crate) original: i16,
    /// `sock_fprog_kern`.
    pub(crate) length: i16,
    pub(crate) instructions: i16,
}

impl Layout {
    /// Reads the running kernel's.
    ///
    /// # Errors
    /// When the kernel does not describe its types, or has none of these.
    pub(crate) fn of_kernel() -> Result<Self, Error> {
        let bytes = fs::read(DESCRIPTION).map_err(Error::NoDescription)?;
        let btf = Btf::parse(bytes).ok_or(Error::Description)?;
        let offset = |structure, path| btf.offset(structure, path).ok_or(Error::NoMember(structure, path));
        // The name changed in Linux 5.5.
        let started = offset("task_struct", "start_boottime").or(offset("task_struct", "real_start_time"))?;
        Ok(Self {
            iterator: btf.function("bpf_iter_task").ok_or(Error::NoIterator)?,
            tid: offset("task_struct", "pid")?,
            pid: offset("task_struct", "tgid")?,
            started,
            mode: offset("task_struct", "seccomp.mode")?,
            newest: offset("task_struct", "seccomp.filter")?,
            previous: offset("seccomp_filter", "prev")?,
            program: offset("seccomp_filter", "prog")?,
            original: offset("bpf_prog", "orig_prog")?,
            length: offset("sock_fprog_kern", "len")?,
            instructions: offset("sock_fprog_kern", "filter")?,
        })
    }
}
