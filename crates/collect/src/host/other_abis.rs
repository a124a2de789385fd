//! Which ways into the kernel it serves beside its own.

use plimsoll_facts::Fact;
use plimsoll_probe::native_abis;
use plimsoll_rootdir::RootDir;

use crate::source;

/// A filter may speak of ABIs that the kernel was built without, or was told to refuse: each is tried, in a child that
/// asks for its process id.
const SOURCE: &str = "getpid(2) by each ABI";

/// `i386`, `x32`: those that answer.
pub(super) fn collect(root: &RootDir) -> Fact<Vec<String>> {
    if !source::is_live(root) {
        return Fact::unreadable(SOURCE, "cannot be asked of a captured tree");
    }
    let mut served = Vec::new();
    for (name, is_served) in [("i386", native_abis::i386()), ("x32", native_abis::x32())] {
        match is_served {
            Some(true) => served.push(name.to_owned()),
            Some(false) => {}
            None => return Fact::unreadable(SOURCE, format!("the kernel's answer for {name} tells nothing")),
        }
    }
    Fact::known(served, SOURCE)
}
