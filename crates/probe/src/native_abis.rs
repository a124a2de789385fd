//! Which ways into the kernel this machine really has: a filter may speak of ABIs that the kernel was built without.
#![expect(unsafe_code, reason = "a way into the kernel is tried by an instruction, in a process of its own")]

/// Whether a 32-bit x86 program's `int 0x80` is served; `None` if it can't be told.
pub fn i386() -> Option<bool> {
    #[cfg(target_arch = "x86_64")]
    return x86::served(x86::get_pid_of_i386);
    #[cfg(not(target_arch = "x86_64"))]
    Some(false)
}

/// Whether calls of the ABI x32 are served; `None` if it can't be told.
pub fn x32() -> Option<bool> {
    #[cfg(target_arch = "x86_64")]
    return x86::served(x86::get_pid_of_x32);
    #[cfg(not(target_arch = "x86_64"))]
    Some(false)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::asm;

    /// getpid(2) by `int 0x80`. A kernel without the way in sends `SIGSEGV`.
    pub(super) fn get_pid_of_i386() -> i64 {
        let result: i64;
        // SAFETY: getpid takes no arguments and touches no memory. Kernels before 4.17 lose r8 to r11.
        unsafe {
            asm!("int 0x80", inlateout("rax") 20_i64 => result,
                 out("r8") _, out("r9") _, out("r10") _, out("r11") _, options(nostack));
        }
        i64::from(result as i32)
    }

    /// getpid(2) with the bit of x32. A kernel without it answers `ENOSYS`.
    pub(super) fn get_pid_of_x32() -> i64 {
        let result: i64;
        // SAFETY: getpid takes no arguments and touches no memory; the instruction loses rcx and r11.
        unsafe {
            asm!("syscall", inlateout("rax") 0x4000_0000_i64 | 39 => result,
                 out("rcx") _, out("r11") _, options(nostack));
        }
        result
    }

    /// Tries a call in a child, which the kernel may kill for it.
    pub(super) fn served(call: fn() -> i64) -> Option<bool> {
        // SAFETY: the child of a process with threads may only do what signal handlers may; it makes three system
        // calls and ends.
        let child = unsafe { libc::fork() };
        match child {
            -1 => None,
            0 => {
                // SAFETY: system calls without memory. The kernel's signal must not leave a core dump behind.
                unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
                let status = match call() {
                    1.. => 0,
                    error if error == -i64::from(libc::ENOSYS) => 1,
                    _ => 2,
                };
                // SAFETY: ends the child without running what the parent registered.
                unsafe { libc::_exit(status) }
            }
            child => outcome(child),
        }
    }

    fn outcome(child: libc::pid_t) -> Option<bool> {
        let mut status = 0;
        loop {
            // SAFETY: the pointer is good for writing one int; the child is ours and not yet waited for.
            let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
            if waited == child {
                break;
            }
            if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
                return None;
            }
        }
        if libc::WIFSIGNALED(status) {
            return (libc::WTERMSIG(status) == libc::SIGSEGV).then_some(false);
        }
        match libc::WEXITSTATUS(status) {
            0 => Some(true),
            1 => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    /// What a kernel built with `CONFIG_IA32_EMULATION` and without `CONFIG_X86_X32_ABI` says, or told to be otherwise.
    #[test]
    fn each_way_in_is_served_or_not() {
        assert!(super::i386().is_some());
        assert!(super::x32().is_some());
    }
}
