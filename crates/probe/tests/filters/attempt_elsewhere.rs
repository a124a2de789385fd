//! Only x86_64 has these ways into the kernel; elsewhere the tests are skipped before they get here.

/// There is none.
pub(crate) fn of_x86_64(_: u64, _: [u64; 6]) -> i64 {
    0
}

/// There is none.
pub(crate) fn of_i386(_: u32, _: [u64; 6]) -> i64 {
    0
}
