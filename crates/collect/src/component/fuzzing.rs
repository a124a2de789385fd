//! Programs that somebody else built, and their arguments.

use std::fs::File;
use std::io::{Seek, Write};

use rustix::fs::{MemfdFlags, memfd_create};

use super::{go_build, running};

/// A program, from a file that is only in memory.
pub(crate) fn program(bytes: &[u8]) {
    let Ok(descriptor) = memfd_create("plimsoll-fuzz", MemfdFlags::CLOEXEC) else { return };
    let mut file = File::from(descriptor);
    if file.write_all(bytes).and_then(|()| file.rewind()).is_ok() {
        let _ = go_build::read(file);
    }
}

/// The arguments of a shim.
pub(crate) fn arguments(bytes: &[u8]) {
    let _ = running::shim_arguments(bytes);
}
