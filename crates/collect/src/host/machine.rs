//! What containers share: memory and CPUs; and whether the distribution waits for a reboot.

use plimsoll_facts::Fact;
use plimsoll_rootdir::RootDir;

use crate::source;

/// `MemTotal` in bytes (proc_meminfo(5)).
pub(super) fn memory(root: &RootDir) -> Fact<u64> {
    const PATH: &str = "/proc/meminfo";
    parse(source::text(root, PATH), "it has no line `MemTotal`", |text| {
        let kibibytes: u64 = text
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"))?
            .trim()
            .strip_suffix(" kB")?
            .parse()
            .ok()?;
        kibibytes.checked_mul(1024)
    })
}

/// CPUs that are online: ranges such as `0-3,8`.
pub(super) fn cpus(root: &RootDir) -> Fact<u32> {
    const PATH: &str = "/sys/devices/system/cpu/online";
    parse(source::text(root, PATH), "it is no list of CPUs", count_ranges)
}

fn parse<T>(text: Fact<String>, otherwise: &str, parse: impl Fn(&str) -> Option<T>) -> Fact<T> {
    match text {
        Fact::Known { value, source } => match parse(&value) {
            Some(value) => Fact::known(value, source),
            None => Fact::unreadable(source, otherwise),
        },
        Fact::Absent { source } => Fact::Absent { source },
        Fact::Unreadable { source, reason } => Fact::Unreadable { source, reason },
    }
}

pub(super) fn count_ranges(list: &str) -> Option<u32> {
    list.split(',').try_fold(0_u32, |count, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        count.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

/// The marker of Debian and Ubuntu, with the packages that asked for it; absent where there is none, which is no
/// proof: only some packages set it.
pub(super) fn reboot_required(root: &RootDir) -> Fact<Vec<String>> {
    const MARKER: &str = "/run/reboot-required";
    if let Err(error) = root.stat("/run", true) {
        return Fact::unreadable(MARKER, format!("/run could not be looked into: {error}"));
    }
    let marker = source::text(root, MARKER);
    let packages = source::text(root, &format!("{MARKER}.pkgs"));
    marker.map(|_| {
        let mut packages: Vec<String> =
            packages.value().into_iter().flat_map(|p| p.lines()).map(str::to_owned).collect();
        packages.sort();
        packages.dedup();
        packages
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(count_ranges("0-3,8"), Some(5));
        assert_eq!(count_ranges("0"), Some(1));
        assert_eq!(count_ranges("3-0"), None);
        assert_eq!(count_ranges("0-4294967295"), None);
        assert_eq!(count_ranges(""), None);
    }

    #[test]
    fn marker_for_a_reboot() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        assert!(
            matches!(reboot_required(&root), Fact::Unreadable { .. }),
            "no /run: nobody's running system"
        );
        fs::create_dir(dir.path().join("run")).unwrap();
        assert!(matches!(reboot_required(&root), Fact::Absent { .. }));
        fs::write(dir.path().join("run/reboot-required"), "*** System restart required ***\n").unwrap();
        assert!(reboot_required(&root).value().unwrap().is_empty());
        fs::write(dir.path().join("run/reboot-required.pkgs"), "linux-base\nlibc6\nlinux-base\n").unwrap();
        assert_eq!(reboot_required(&root).value().unwrap(), &["libc6", "linux-base"]);
    }
}
