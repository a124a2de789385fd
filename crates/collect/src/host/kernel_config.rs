//! How the running kernel was built.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use plimsoll_facts::Fact;
use plimsoll_rootdir::RootDir;

use crate::source;

/// What the running kernel carries in itself, where it does.
const OWN: &str = "/proc/config.gz";

/// Most bytes of a configuration as text; a distribution's has some 300 kB.
const MAX_CONFIG: u64 = 4 << 20;

/// The configuration of the running kernel: its own copy, else the file that was installed with this release.
pub(super) fn collect(root: &RootDir, release: Option<&str>) -> Fact<BTreeMap<String, String>> {
    match own(root) {
        Fact::Absent { .. } => {}
        fact => return fact,
    }
    let Some(release) = release.filter(|release| !release.contains('/')) else {
        return Fact::unreadable(OWN, "the running kernel carries none, and its release is not known");
    };
    let paths = [
        format!("/boot/config-{release}"),
        format!("/lib/modules/{release}/config"),
        format!("/lib/modules/{release}/build/.config"),
        format!("/usr/src/linux-headers-{release}/.config"),
    ];
    for path in &paths {
        match source::read(path, root.read_text(path, MAX_CONFIG)) {
            Fact::Absent { .. } => {}
            fact => return fact.map(|text| parse(&text)),
        }
    }
    Fact::unreadable(
        format!("{OWN}, {}", paths[0]),
        format!(
            "no configuration of kernel {release} was found; a kernel built with IKCONFIG_PROC carries its own"
        ),
    )
}

fn own(root: &RootDir) -> Fact<BTreeMap<String, String>> {
    let file = match source::read(OWN, root.open_file(OWN)) {
        Fact::Known { value, .. } => value,
        other => return other.map(|_| BTreeMap::new()),
    };
    let mut text = String::new();
    match GzDecoder::new(file).take(MAX_CONFIG).read_to_string(&mut text) {
        Ok(_) => Fact::known(parse(&text), OWN),
        Err(error) => Fact::unreadable(OWN, error.to_string()),
    }
}

pub(super) fn parse(text: &str) -> BTreeMap<String, String> {
    let option = |line: &str| {
        if let Some(name) = line.strip_prefix("# ").and_then(|rest| rest.strip_suffix(" is not set")) {
            return Some((name.to_owned(), "n".to_owned()));
        }
        let (name, value) = line.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    text.lines().map(str::trim).filter_map(option).filter(|(name, _)| name.starts_with("CONFIG_")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    const CONFIG: &str = "#\n# General setup\n#\nCONFIG_USER_NS=y\n# CONFIG_SECURITY_APPARMOR is not set\nCONFIG_OVERLAY_FS=m\nCONFIG_LSM=\"lockdown,bpf\"\n";

    #[test]
    fn own_copy_before_the_installed_one() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        fs::create_dir_all(dir.path().join("boot")).unwrap();
        fs::create_dir_all(dir.path().join("proc")).unwrap();
        assert!(matches!(collect(&root, Some("6.1")), Fact::Unreadable { .. }));
        fs::write(dir.path().join("boot/config-6.1"), CONFIG).unwrap();
        let fact = collect(&root, Some("6.1"));
        assert_eq!(fact.source(), "/boot/config-6.1");
        let value = fact.value().unwrap();
        assert_eq!(value["CONFIG_SECURITY_APPARMOR"], "n");
        assert_eq!(
            (value["CONFIG_OVERLAY_FS"].as_str(), value["CONFIG_LSM"].as_str()),
            ("m", "lockdown,bpf")
        );
        assert_eq!(value.len(), 4);

        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(b"CONFIG_X=0x10\n").unwrap();
        fs::write(dir.path().join("proc/config.gz"), gzip.finish().unwrap()).unwrap();
        assert_eq!(collect(&root, Some("6.1")).value().unwrap()["CONFIG_X"], "0x10");
        fs::write(dir.path().join("proc/config.gz"), "no gzip").unwrap();
        assert!(matches!(collect(&root, Some("6.1")), Fact::Unreadable { .. }));
    }
}
