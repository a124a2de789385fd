//! State of the running kernel below `/sys` and in `/proc/modules`.

use std::collections::BTreeMap;

use plimsoll_facts::Fact;
use plimsoll_rootdir::{Error, RootDir};

use crate::source;

const VULNERABILITIES: &str = "/sys/devices/system/cpu/vulnerabilities";
const LIVEPATCHES: &str = "/sys/kernel/livepatch";
const MODULES: &str = "/proc/modules";

const MAX_ENTRIES: usize = 4096;

/// What the kernel says about each known flaw of the CPU (Documentation/ABI/testing/sysfs-devices-system-cpu).
pub(super) fn cpu_vulnerabilities(root: &RootDir) -> Fact<BTreeMap<String, String>> {
    source::read(VULNERABILITIES, files(root, VULNERABILITIES, ""))
}

/// Live patches and whether each is enabled (Documentation/ABI/testing/sysfs-kernel-livepatch).
pub(super) fn livepatches(root: &RootDir) -> Fact<BTreeMap<String, bool>> {
    let states = source::read(LIVEPATCHES, files(root, LIVEPATCHES, "/enabled"));
    states.map(|states| states.into_iter().map(|(name, state)| (name, state == "1")).collect())
}

/// Each entry of a directory with the text of the file that `suffix` leads to from it.
fn files(root: &RootDir, directory: &str, suffix: &str) -> Result<BTreeMap<String, String>, Error> {
    let mut texts = BTreeMap::new();
    for entry in root.read_dir(directory, MAX_ENTRIES)? {
        let name = entry.name.to_string_lossy().into_owned();
        let text = root.read_text(format!("{directory}/{name}{suffix}"), source::SMALL)?;
        texts.insert(name, text.trim_end().to_owned());
    }
    Ok(texts)
}

/// Names of the loaded modules; absent where the kernel was built without modules.
pub(super) fn modules(root: &RootDir) -> Fact<Vec<String>> {
    let name = |line: &str| line.split(' ').next().map(str::to_owned);
    source::text(root, MODULES).map(|text| text.lines().filter_map(name).collect())
}
