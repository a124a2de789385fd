//! BPF programs that look at the packets of an interface in the network namespace of the calling thread, beside those that
//! netlink tells of (tcx, Linux 6.6).

use std::io;

use crate::bpf;

/// Most programs at one interface: the kernel allows 64.
const MAX_PROGRAMS: usize = 64;

/// Whether a program looks at what comes in by an interface, or goes out.
///
/// # Errors
/// What bpf(2) answers; kernels that have no such programs answer that there are none.
pub fn is_watched(interface: u32) -> io::Result<bool> {
    for kind in bpf::TRAFFIC {
        match bpf::attached(interface, kind, 0, MAX_PROGRAMS) {
            Ok(programs) if programs.is_empty() => {}
            Ok(_) => return Ok(true),
            Err(error)
                if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOENT | libc::ENODEV)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
