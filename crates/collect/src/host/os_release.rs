//! Which distribution it is (os-release(5)).

use plimsoll_facts::{Fact, OsRelease};
use plimsoll_rootdir::RootDir;

use crate::source;

/// `/etc/os-release`, or the vendor's copy below `/usr/lib` where there is none.
pub(super) fn collect(root: &RootDir) -> Fact<OsRelease> {
    let file = match source::text(root, "/etc/os-release") {
        Fact::Absent { .. } => source::text(root, "/usr/lib/os-release"),
        file => file,
    };
    file.map(|text| plimsoll_image::os_release::parse(&text))
}
