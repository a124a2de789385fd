//! The files of an engine whose owner and mode matter, wherever distributions keep them.

use std::collections::BTreeSet;

use plimsoll_facts::{Fact, FileFact, FileRole};
use plimsoll_rootdir::RootDir;

use super::file_access::Describer;
use crate::gaps::Gaps;
use crate::source::{self, why};

/// Where systemd looks for units, the weightier first (systemd.unit(5)).
const UNIT_DIRS: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// Units of the engine by the packages that ship them, each with its part.
const UNITS: [(&str, FileRole); 3] = [
    ("docker.service", FileRole::EngineService),
    ("snap.docker.dockerd.service", FileRole::EngineService),
    ("docker.socket", FileRole::EngineSocketUnit),
];

/// Files that are where they are; what the engine's own options name is found with the engine.
const FIXED: [(&str, FileRole); 9] = [
    ("/etc/docker", FileRole::EngineConfigDir),
    ("/etc/docker/daemon.json", FileRole::EngineConfig),
    ("/etc/default/docker", FileRole::DefaultsFile),
    ("/etc/sysconfig/docker", FileRole::SysconfigFile),
    ("/run/docker.sock", FileRole::EngineSocket),
    ("/run/containerd/containerd.sock", FileRole::ContainerdSocket),
    ("/run/docker/containerd/containerd.sock", FileRole::ContainerdSocket),
    ("/etc/containerd/config.toml", FileRole::ContainerdConfig),
    ("/var/lib/docker", FileRole::DataRoot),
];

const CERTIFICATES: &str = "/etc/docker/certs.d";
const CONTAINERD_CONFIG: &str = "/etc/containerd/config.toml";

/// Most entries of one directory: drop-ins, registries, certificates.
const MAX_ENTRIES: usize = 4096;

/// Describes them all. Of the fixed ones also those that are absent are listed, for a rule to say so.
pub(super) fn collect(root: &RootDir, gaps: &mut Gaps) -> Vec<FileFact> {
    let describer = Describer::new(root);
    let mut files = Vec::new();
    for (unit, role) in UNITS {
        files.extend(unit_files(root, &describer, unit, role, gaps));
    }
    files.extend(FIXED.iter().map(|(path, role)| describer.describe(path, *role)));
    if let Some(address) = containerd_address(root) {
        files.push(describer.describe(&address, FileRole::ContainerdSocket));
    }
    files.extend(registry_files(root, &describer, gaps));
    for file in &mut files {
        file.stat = gaps.keep("host", std::mem::take(&mut file.stat));
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| {
        let resolved = file.stat.value().map_or(&file.path, |stat| &stat.resolved);
        seen.insert((file.role, resolved.clone()))
    });
    files
}

/// A unit and its drop-ins in every directory that systemd reads, those for all units of the type too.
fn unit_files(
    root: &RootDir,
    describer: &Describer<'_>,
    unit: &str,
    role: FileRole,
    gaps: &mut Gaps,
) -> Vec<FileFact> {
    let kind = unit.rsplit('.').next().unwrap_or_default();
    let mut files = Vec::new();
    for directory in UNIT_DIRS {
        let file = describer.describe(&format!("{directory}/{unit}"), role);
        if !matches!(file.stat, Fact::Absent { .. }) && !is_masked(&file) {
            files.push(file);
        }
        for drop_ins in [format!("{directory}/{unit}.d"), format!("{directory}/{kind}.d")] {
            let names = names(root, &drop_ins, gaps).into_iter().filter(|name| name.ends_with(".conf"));
            files.extend(names.map(|name| describer.describe(&format!("{drop_ins}/{name}"), role)));
        }
    }
    files.retain(|file| !is_masked(file));
    files
}

/// A link to `/dev/null` says that there is no such unit.
fn is_masked(file: &FileFact) -> bool {
    file.stat.value().is_some_and(|stat| stat.resolved == "/dev/null")
}

/// `certs.d/HOST/*`: CA and client certificates, and the client's keys (Docker's manual, "Verify repository client
/// with certificates").
fn registry_files(root: &RootDir, describer: &Describer<'_>, gaps: &mut Gaps) -> Vec<FileFact> {
    let mut files = Vec::new();
    for host in names(root, CERTIFICATES, gaps) {
        for name in names(root, &format!("{CERTIFICATES}/{host}"), gaps) {
            let role = match name.rsplit('.').next() {
                Some("crt" | "cert" | "pem") => FileRole::RegistryCertificate,
                Some("key") => FileRole::RegistryKey,
                _ => continue,
            };
            files.push(describer.describe(&format!("{CERTIFICATES}/{host}/{name}"), role));
        }
    }
    files
}

/// Names in a directory in order; none where there is no such directory or it is a file.
fn names(root: &RootDir, directory: &str, gaps: &mut Gaps) -> Vec<String> {
    let entries = match root.read_dir(directory, MAX_ENTRIES) {
        Ok(entries) => entries,
        Err(error) if error.is_not_found() => return Vec::new(),
        Err(error) => {
            let _: Fact<()> = gaps.unreadable("host", directory, why(&error));
            return Vec::new();
        }
    };
    let mut names: Vec<String> =
        entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect();
    names.sort();
    names
}

/// Where containerd's own configuration puts its socket (`[grpc] address`).
fn containerd_address(root: &RootDir) -> Option<String> {
    parse_containerd_address(source::text(root, CONTAINERD_CONFIG).value()?)
}

pub(super) fn parse_containerd_address(text: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Config {
        grpc: Grpc,
    }
    #[derive(serde::Deserialize)]
    struct Grpc {
        address: String,
    }
    let config: Config = toml::from_str(text).ok()?;
    Some(config.grpc.address).filter(|address| address.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn units_drop_ins_and_certificates() {
        let dir = tempfile::tempdir().unwrap();
        for path in [
            "usr/lib/systemd/system/docker.service",
            "usr/lib/systemd/system/docker.socket",
            "etc/systemd/system/docker.service.d/proxy.conf",
            "etc/systemd/system/docker.service.d/readme",
            "run/systemd/system/service.d/10-all.conf",
            "etc/docker/certs.d/registry.example:5000/ca.crt",
            "etc/docker/certs.d/registry.example:5000/client.key",
            "etc/docker/certs.d/registry.example:5000/client.cert",
            "etc/docker/certs.d/notes.txt",
        ] {
            write(dir.path(), path, "");
        }
        write(dir.path(), "etc/containerd/config.toml", "version = 2\n[grpc]\naddress = \"/run/c.sock\"\n");
        write(dir.path(), "dev/null", "");
        symlink("usr/lib", dir.path().join("lib")).unwrap();
        symlink("/dev/null", dir.path().join("etc/systemd/system/docker.socket")).unwrap();

        let mut gaps = Gaps::default();
        let files = collect(&RootDir::open(dir.path()).unwrap(), &mut gaps);
        let present: Vec<_> =
            files.iter().filter(|f| f.stat.value().is_some()).map(|f| (f.role, f.path.as_str())).collect();
        assert_eq!(
            present,
            [
                (FileRole::EngineService, "/etc/systemd/system/docker.service.d/proxy.conf"),
                (FileRole::EngineService, "/run/systemd/system/service.d/10-all.conf"),
                (FileRole::EngineService, "/usr/lib/systemd/system/docker.service"),
                (FileRole::EngineSocketUnit, "/usr/lib/systemd/system/docker.socket"),
                (FileRole::EngineConfigDir, "/etc/docker"),
                (FileRole::ContainerdConfig, "/etc/containerd/config.toml"),
                (FileRole::RegistryCertificate, "/etc/docker/certs.d/registry.example:5000/ca.crt"),
                (FileRole::RegistryCertificate, "/etc/docker/certs.d/registry.example:5000/client.cert"),
                (FileRole::RegistryKey, "/etc/docker/certs.d/registry.example:5000/client.key"),
            ]
        );
        assert!(files.iter().any(|f| f.path == "/run/c.sock" && matches!(f.stat, Fact::Absent { .. })));
        assert!(gaps.into_sorted().is_empty());
    }
}
