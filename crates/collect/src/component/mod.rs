//! The programs that make and run containers.

use plimsoll_facts::{Component, Engine};
use plimsoll_rootdir::RootDir;

use crate::gaps::Gaps;
use crate::packages::Packages;

/// Finds the programs on disk and in memory.
pub(crate) fn collect(
    _root: &RootDir,
    _packages: &Packages<'_>,
    _engines: &[Engine],
    _gaps: &mut Gaps,
) -> Vec<Component> {
    Vec::new()
}
