//! Which modules the running kernel could load: its folder, and what `modprobe.d` forbids.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_facts::{Fact, ModuleOnDisk, WATCHED_MODULES};
use plimsoll_rootdir::{Error, RootDir};

use crate::source;

/// Where modprobe looks for its configuration (modprobe.d(5)).
const FOLDERS: [&str; 4] = ["/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"];
/// Most files of one such folder.
const MAX_FILES: usize = 256;
/// Most bytes of `modules.dep`; distributions' kernels have below one megabyte.
const MAX_DEPENDENCIES: u64 = 16 << 20;
/// Programs that do nothing: `install NAME /bin/false` forbids a module.
const NOTHING: [&str; 6] =
    ["/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true", "/sbin/nologin", "/usr/sbin/nologin"];

/// The watched modules of the kernel of this release. Absent where it has no folder of modules.
pub(super) fn on_disk(root: &RootDir, release: Option<&str>) -> Fact<BTreeMap<String, ModuleOnDisk>> {
    let Some(release) = release else {
        return Fact::unreadable("/lib/modules", "which kernel runs is not known");
    };
    let path = format!("/lib/modules/{release}/modules.dep");
    let dependencies = match root.read(&path, MAX_DEPENDENCIES) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return source::read(&path, Err(error)),
    };
    match forbidden(root) {
        Ok(forbidden) => Fact::known(states(&dependencies, &forbidden), path),
        Err(error) => source::read("/etc/modprobe.d", Err(error)),
    }
}

fn states(dependencies: &str, forbidden: &BTreeMap<String, String>) -> BTreeMap<String, ModuleOnDisk> {
    let present: BTreeSet<String> = dependencies.lines().filter_map(name_of).collect();
    let state = |name: &str| match (present.contains(name), forbidden.get(name)) {
        (false, _) => ModuleOnDisk::Missing,
        (true, Some(by)) => ModuleOnDisk::Blocked { by: by.clone() },
        (true, None) => ModuleOnDisk::Loadable,
    };
    WATCHED_MODULES.map(|name| (name.to_owned(), state(name))).into()
}

/// The module of a line of `modules.dep` (depmod(8)): `kernel/net/sctp/sctp.ko.xz: …`.
fn name_of(line: &str) -> Option<String> {
    let file = line.split(':').next()?.rsplit('/').next()?;
    Some(file.split(".ko").next()?.replace('-', "_"))
}

/// Modules that are not loaded by themselves, with the line that says so.
fn forbidden(root: &RootDir) -> Result<BTreeMap<String, String>, Error> {
    let mut forbidden = BTreeMap::new();
    for folder in FOLDERS {
        let entries = match root.read_dir(folder, MAX_FILES) {
            Ok(entries) => entries,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let name = entry.name.to_string_lossy();
            if name.ends_with(".conf") {
                let path = format!("{folder}/{name}");
                let text = root.read_text(&path, source::SMALL)?;
                let lines = text.lines().filter_map(forbids);
                forbidden.extend(lines.map(|(module, line)| (module, format!("{line} ({path})"))));
            }
        }
    }
    Ok(forbidden)
}

/// `blacklist NAME` keeps aliases, which is how the kernel asks, from loading it; so does `install NAME /bin/false`.
fn forbids(line: &str) -> Option<(String, &str)> {
    let line = line.trim();
    let mut words = line.split_whitespace();
    let (command, module) = (words.next()?, words.next()?);
    let forbids = match command {
        "blacklist" => true,
        "install" => words.next().is_some_and(|program| NOTHING.contains(&program)),
        _ => false,
    };
    forbids.then(|| (module.replace('-', "_"), line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_disk_and_not_forbidden_can_be_loaded() {
        let dependencies = "kernel/net/sctp/sctp.ko.xz: kernel/lib/libcrc32c.ko.xz\nkernel/net/tipc/tipc.ko:\nkernel/net/rds/rds.ko.zst:\n";
        let forbidden = [
            "  blacklist rds",
            "install tipc /bin/false",
            "install sctp /sbin/modprobe --ignore-install sctp",
        ]
        .into_iter()
        .filter_map(forbids)
        .map(|(module, line)| (module, line.to_owned()))
        .collect();
        let states = states(dependencies, &forbidden);
        assert_eq!(states["sctp"], ModuleOnDisk::Loadable);
        assert_eq!(states["tipc"], ModuleOnDisk::Blocked { by: "install tipc /bin/false".into() });
        assert_eq!(states["rds"], ModuleOnDisk::Blocked { by: "blacklist rds".into() });
        assert_eq!(states["nf_tables"], ModuleOnDisk::Missing);
    }
}
