//! The host's packages that containers rest on: what makes them, and what isolates, connects and stores for them.

use std::path::Path;

use plimsoll_facts::{Fact, OsRelease, PackageInventory};
use plimsoll_image::{LayeredRoot, Union, installed};
use plimsoll_rootdir::RootDir;

const SOURCE: &str = "package database of the host";

/// Source packages (of rpm: packages), or beginnings of them where they end with `*`.
const RESTS_ON: [&str; 43] = [
    // Engines and runtimes.
    "docker*",
    "moby*",
    "containerd*",
    "runc*",
    "crun",
    "podman",
    "libpod",
    "buildah",
    "cri-o",
    "conmon",
    "criu",
    "tini",
    "catatonit",
    "buildkit",
    "containers-common",
    "golang-github-containers-*",
    "golang-github-opencontainers-*",
    // What isolates.
    "libseccomp",
    "apparmor",
    "container-selinux",
    "libselinux",
    "libcap2",
    "libcap",
    "libcap-ng",
    "libcgroup",
    "systemd",
    "shadow",
    "shadow-utils",
    // What connects.
    "iptables",
    "nftables",
    "libnftnl",
    "libmnl",
    "ipset",
    "bridge-utils",
    "slirp4netns",
    "passt",
    "netavark",
    "aardvark-dns",
    "containernetworking-plugins",
    "rootlesskit",
    // What stores.
    "fuse-overlayfs",
    "fuse3",
    "lvm2",
];

/// Reads them.
pub(super) fn collect(root: &RootDir, os: &Fact<OsRelease>) -> Fact<PackageInventory> {
    let tree = root.open_root(Path::new("/")).map_err(|error| error.to_string());
    let tree =
        tree.and_then(|root| LayeredRoot::new(vec![root], Union::Plain).map_err(|error| error.to_string()));
    let (packages, gaps) = match tree {
        Ok(tree) => installed(&tree),
        Err(error) => return Fact::unreadable(SOURCE, error),
    };
    match (packages, gaps.first()) {
        (None, Some(gap)) => Fact::unreadable(gap.source.clone(), gap.reason.clone()),
        (None, None) => Fact::absent("the databases of dpkg, apk and rpm"),
        (Some(mut packages), _) => {
            packages.retain(|package| rests_on(package.source_name.as_deref().unwrap_or(&package.name)));
            packages.sort();
            let os = os.value().cloned();
            let source = SOURCE.to_owned();
            Fact::known(
                PackageInventory { source, os, packages, gaps, ..PackageInventory::default() },
                SOURCE,
            )
        }
    }
}

fn rests_on(source_package: &str) -> bool {
    RESTS_ON.iter().any(|name| match name.strip_suffix('*') {
        Some(beginning) => source_package.starts_with(beginning),
        None => source_package == *name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_containers_rest_on() {
        for name in ["docker.io", "docker-ce", "containerd", "containerd.io", "libseccomp", "systemd"] {
            assert!(rests_on(name), "{name}");
        }
        for name in ["bash", "linux", "systemd-cron", "crunch"] {
            assert!(!rests_on(name), "{name}");
        }
    }
}
