//! Which security modules are active, and whether the kernel is locked down.

use std::collections::BTreeMap;

use plimsoll_facts::Fact;
use plimsoll_rootdir::RootDir;

use crate::source;

const LSM: &str = "/sys/kernel/security/lsm";
const LOCKDOWN: &str = "/sys/kernel/security/lockdown";
const NOT_MOUNTED: &str =
    "securityfs is not mounted; `mount -t securityfs securityfs /sys/kernel/security` makes it readable";

/// Modules of which only the first can be active (`LSM_FLAG_EXCLUSIVE`).
const EXCLUSIVE: [&str; 3] = ["selinux", "smack", "apparmor"];

/// Modules that the old parameter `security=` chooses among (`LSM_FLAG_LEGACY_MAJOR`).
const MAJOR: [&str; 4] = ["selinux", "smack", "tomoyo", "apparmor"];

/// The list of securityfs; where that is not mounted, what the kernel makes of its build and command line.
pub(super) fn lsms(
    root: &RootDir,
    config: &Fact<BTreeMap<String, String>>,
    cmdline: &Fact<String>,
) -> Fact<Vec<String>> {
    let list = match source::text(root, LSM) {
        Fact::Absent { .. } => {
            let derived = config.value().zip(cmdline.value()).and_then(|(config, line)| derive(config, line));
            return match derived {
                Some(list) => {
                    Fact::known(list, format!("CONFIG_LSM in {}, {}", config.source(), cmdline.source()))
                }
                None => Fact::unreadable(LSM, NOT_MOUNTED),
            };
        }
        list => list,
    };
    list.map(|list| list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// `none`, `integrity` or `confidentiality`; absent where the module is not active.
pub(super) fn lockdown(root: &RootDir, lsms: &Fact<Vec<String>>) -> Fact<String> {
    match source::text(root, LOCKDOWN) {
        Fact::Absent { .. }
            if lsms.value().is_some_and(|list| !list.iter().any(|name| name == "lockdown")) =>
        {
            Fact::absent(lsms.source())
        }
        Fact::Absent { .. } => Fact::unreadable(LOCKDOWN, NOT_MOUNTED),
        Fact::Known { value, source } => {
            match value.split_once('[').and_then(|(_, rest)| rest.split_once(']')) {
                Some((mode, _)) => Fact::known(mode.to_owned(), source),
                None => Fact::unreadable(source, "no mode is marked as the one in force"),
            }
        }
        other => other,
    }
}

/// The order in which `security/security.c` starts modules: the early one, capability, then those that the list
/// names, are built in, and are not switched off. `None` for kernels without `CONFIG_LSM` (before 5.1).
pub(super) fn derive(config: &BTreeMap<String, String>, cmdline: &str) -> Option<Vec<String>> {
    let built_in = |option: &str| config.get(option).is_some_and(|value| value == "y");
    let parameter = |name: &str| {
        let mut values =
            cmdline.split_whitespace().filter_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        values.next_back()
    };
    let mut active = Vec::new();
    if built_in("CONFIG_SECURITY_LOCKDOWN_LSM_EARLY") {
        active.push("lockdown".to_owned());
    }
    active.push("capability".to_owned());
    let mut order: Vec<&str> =
        parameter("lsm").or(config.get("CONFIG_LSM").map(String::as_str))?.split(',').collect();
    // `security=` is ignored next to `lsm=`.
    let major = if parameter("lsm").is_some() { None } else { parameter("security") };
    order.extend(major);
    for name in order {
        let switched_off = match name {
            "selinux" | "apparmor" => parameter(name) == Some("0"),
            _ => false,
        } || (MAJOR.contains(&name) && major.is_some_and(|major| major != name));
        let excluded =
            EXCLUSIVE.contains(&name) && active.iter().any(|other| EXCLUSIVE.contains(&other.as_str()));
        if built_in(&option(name)) && !switched_off && !excluded && !active.iter().any(|known| known == name)
        {
            active.push(name.to_owned());
        }
    }
    Some(active)
}

/// The option that builds a module in.
fn option(name: &str) -> String {
    match name {
        "bpf" => "CONFIG_BPF_LSM".to_owned(),
        "integrity" => "CONFIG_INTEGRITY".to_owned(),
        "ima" => "CONFIG_IMA".to_owned(),
        "evm" => "CONFIG_EVM".to_owned(),
        "lockdown" => "CONFIG_SECURITY_LOCKDOWN_LSM".to_owned(),
        other => format!("CONFIG_SECURITY_{}", other.to_ascii_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn config(options: &[(&str, &str)]) -> BTreeMap<String, String> {
        options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn derived_from_build_and_command_line() {
        // A Linux 6.18 whose lsm_list_modules(2) answers lockdown, capability, landlock, bpf.
        let built = config(&[
            ("CONFIG_LSM", "landlock,lockdown,yama,loadpin,safesetid,integrity,smack,tomoyo,apparmor,bpf"),
            ("CONFIG_BPF_LSM", "y"),
            ("CONFIG_SECURITY_SELINUX", "y"),
            ("CONFIG_SECURITY_LOCKDOWN_LSM", "y"),
            ("CONFIG_SECURITY_LOCKDOWN_LSM_EARLY", "y"),
            ("CONFIG_SECURITY_LANDLOCK", "y"),
            ("CONFIG_SECURITY_YAMA", "n"),
        ]);
        let names = |line: &str| derive(&built, line).unwrap().join(",");
        assert_eq!(names("quiet"), "lockdown,capability,landlock,bpf");
        assert_eq!(names("security=selinux"), "lockdown,capability,landlock,bpf,selinux");
        assert_eq!(names("lsm=apparmor,selinux selinux=0"), "lockdown,capability");
        assert_eq!(derive(&config(&[]), ""), None);

        let both = config(&[
            ("CONFIG_LSM", "apparmor,selinux"),
            ("CONFIG_SECURITY_SELINUX", "y"),
            ("CONFIG_SECURITY_APPARMOR", "y"),
        ]);
        assert_eq!(derive(&both, "").unwrap().join(","), "capability,apparmor");
        assert_eq!(derive(&both, "apparmor=0").unwrap().join(","), "capability,selinux");
        assert_eq!(derive(&both, "security=selinux").unwrap().join(","), "capability,selinux");
    }

    #[test]
    fn securityfs_where_it_is_mounted() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        let (no_config, line) = (Fact::default(), Fact::known(String::new(), "/proc/cmdline"));
        assert!(matches!(lsms(&root, &no_config, &line), Fact::Unreadable { .. }));
        assert!(matches!(lockdown(&root, &Fact::default()), Fact::Unreadable { .. }));
        let none = Fact::known(vec!["capability".to_owned()], "list");
        assert!(matches!(lockdown(&root, &none), Fact::Absent { .. }));

        fs::create_dir_all(dir.path().join("sys/kernel/security")).unwrap();
        fs::write(dir.path().join("sys/kernel/security/lsm"), "lockdown,capability,yama,apparmor").unwrap();
        fs::write(dir.path().join("sys/kernel/security/lockdown"), "none [integrity] confidentiality\n")
            .unwrap();
        assert_eq!(lsms(&root, &no_config, &line).value().unwrap().len(), 4);
        assert_eq!(lockdown(&root, &Fact::default()).value().unwrap(), "integrity");
    }
}
