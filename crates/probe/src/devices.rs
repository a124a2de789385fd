//! The BPF programs that decide which devices a cgroup may use (cgroup v2), as the kernel runs them.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::bpf;

/// Most programs that decide about one cgroup: its own and its ancestors'. The kernel allows 64 a cgroup.
const MAX_PROGRAMS: usize = 256;
/// Most bytes of one program: the kernel's own limit of a million instructions, of 8 bytes each.
const MAX_LENGTH: usize = 8 << 20;

/// A program as the kernel's verifier left it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Its number, as `bpftool prog` shows it.
    pub id: u32,
    /// Instructions, of 8 bytes each (`struct bpf_insn`).
    pub instructions: Vec<u8>,
}

/// Every program that is asked for a device in a cgroup, of its ancestors too: all of them have to allow it. Where there
/// is none, every device is allowed.
///
/// # Errors
/// What bpf(2) answers: `EPERM` without `CAP_NET_ADMIN` and `CAP_BPF`, `EINVAL` where the kernel has no such programs, and
/// where a program shows no instructions to this process.
pub fn programs(cgroup: BorrowedFd<'_>) -> io::Result<Vec<Program>> {
    let target = cgroup.as_raw_fd().cast_unsigned();
    let ids = bpf::attached(target, bpf::CGROUP_DEVICE, bpf::EFFECTIVE, MAX_PROGRAMS)?;
    ids.into_iter().map(|id| Ok(Program { id, instructions: bpf::instructions(id, MAX_LENGTH)? })).collect()
}
