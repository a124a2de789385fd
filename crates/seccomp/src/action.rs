//! What a filter answers, and which of several answers wins.

/// An action of seccomp(2), as the kernel reads it from a program's return value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The call is made.
    Allow,
    /// The call is made and logged.
    Log,
    /// A tracer decides; without one the call fails with `ENOSYS`.
    Trace,
    /// A listener in user space decides; without one the call fails with `ENOSYS`.
    UserNotification,
    /// The call is not made and returns this number as `errno`; 0 pretends success.
    Errno(u16),
    /// The call is not made; the thread gets `SIGSYS`.
    Trap,
    /// The thread dies.
    KillThread,
    /// The process dies. Values that the kernel does not know do the same.
    KillProcess,
}

/// Largest number that a call can return as an error (`MAX_ERRNO` of the kernel).
const MAX_ERRNO: u16 = 4095;

impl Action {
    /// Reads a return value (`SECCOMP_RET_…`).
    pub fn from_return(value: u32) -> Self {
        let data = (value & 0xffff) as u16;
        match value & 0xffff_0000 {
            0x7fff_0000 => Self::Allow,
            0x7ffc_0000 => Self::Log,
            0x7ff0_0000 => Self::Trace,
            0x7fc0_0000 => Self::UserNotification,
            0x0005_0000 => Self::Errno(data.min(MAX_ERRNO)),
            0x0003_0000 => Self::Trap,
            0x0000_0000 => Self::KillThread,
            _ => Self::KillProcess,
        }
    }

    /// Whether the call is made.
    pub fn allows(self) -> bool {
        matches!(self, Self::Allow | Self::Log)
    }
}

/// `SECCOMP_RET_ALLOW`: where the kernel begins before it asks the filters.
pub(crate) const ALLOW: u32 = 0x7fff_0000;

/// The more restrictive of two return values: the lower action, read as a signed number. A tie goes to the first.
pub(crate) fn stricter(first: u32, second: u32) -> u32 {
    let rank = |value: u32| (value & 0xffff_0000).cast_signed();
    if rank(second) < rank(first) { second } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of seccomp(2), "Return action precedence".
    #[test]
    fn the_strictest_wins() {
        let rising = [0x8000_0000, 0, 0x3_0000, 0x5_0001, 0x7fc0_0000, 0x7ff0_0000, 0x7ffc_0000, ALLOW];
        for pair in rising.windows(2) {
            assert_eq!(stricter(pair[0], pair[1]), pair[0]);
            assert_eq!(stricter(pair[1], pair[0]), pair[0]);
        }
        assert_eq!(stricter(0x5_0001, 0x5_0026), 0x5_0001);
    }

    #[test]
    fn return_values() {
        assert_eq!(Action::from_return(0x5_0026), Action::Errno(38));
        assert_eq!(Action::from_return(0x5_ffff), Action::Errno(4095));
        assert_eq!(Action::from_return(0x4_0000), Action::KillProcess);
        assert_eq!(Action::from_return(0), Action::KillThread);
        assert!(Action::from_return(0x7ffc_0001).allows());
    }
}
