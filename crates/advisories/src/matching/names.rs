//! Under which name and version advisories speak about a package.

use plimsoll_facts::{Ecosystem, InstalledPackage, OsRelease};

use crate::update::DEFAULT_ECOSYSTEMS;
use crate::{Release, red_hat};

/// Source packages of the kernel. What they build in an image (`linux-libc-dev`) does not run.
const KERNELS: [&str; 4] = ["linux", "linux-signed", "linux-lts", "linux-headers"];

/// The name and version that records use: the source package's for dpkg and apk, the binary package's for rpm, the
/// normalised name for Python.
pub(super) fn as_published(package: &InstalledPackage) -> (String, String) {
    let own = || (package.name.clone(), package.version.clone());
    match package.ecosystem {
        Ecosystem::Dpkg | Ecosystem::Apk => (
            package.source_name.clone().unwrap_or_else(|| package.name.clone()),
            package.source_version.clone().unwrap_or_else(|| package.version.clone()),
        ),
        Ecosystem::Python => (normalised(&package.name), package.version.clone()),
        Ecosystem::Go => (package.name.clone(), package.version.trim_start_matches('v').to_owned()),
        _ => own(),
    }
}

/// Lower case, and every run of `-`, `_` and `.` as one hyphen (PEP 503).
fn normalised(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if text.ends_with('-') => {}
            '-' | '_' | '.' => text.push('-'),
            _ => text.push(c.to_ascii_lowercase()),
        }
    }
    text
}

/// Whether a package of an image is built from the kernel.
pub(super) fn is_kernel(package: &InstalledPackage) -> bool {
    let source = package.source_name.as_deref().unwrap_or(&package.name);
    KERNELS.contains(&source) || (package.ecosystem == Ecosystem::Rpm && package.name.starts_with("kernel"))
}

/// What a source cannot know, by the release's name.
pub(crate) fn limits(release: &Release) -> Option<&'static str> {
    Some(match release.ecosystem() {
        "AlmaLinux" | "Red Hat" => {
            "only fixes are published: flaws without a fix are in Red Hat's VEX documents"
        }
        "Rocky Linux" => {
            "only fixes are published, and the stream of a module is not told: flaws without a fix are in Red Hat's VEX documents"
        }
        red_hat::ECOSYSTEM => {
            "extended updates (EUS, AUS, E4S) are told by the minor release in a version alone"
        }
        "SUSE" | "openSUSE" | "Amazon Linux" | "Mageia" | "openEuler" | "Photon OS" => {
            "only fixes are published: flaws without a fix are not in it"
        }
        "Alpine" | "Wolfi" | "Chainguard" | "MinimOS" | "Alpaquita" => {
            "flaws without a fix are mostly not in it"
        }
        _ => return None,
    })
}

/// Why there are no advisories of a release, and what helps.
pub(super) fn missing(release: &Release) -> String {
    let ecosystem = release.ecosystem();
    let help = match ecosystem {
        "Amazon Linux" => "OSV publishes none; Amazon's own (ALAS) can be imported in OSV's form".to_owned(),
        "Photon OS" => "OSV publishes none; advisories in its form can be imported".to_owned(),
        _ if DEFAULT_ECOSYSTEMS.contains(&ecosystem) => "`plimsoll db update` fetches them".to_owned(),
        _ => format!("`plimsoll db update '{ecosystem}'` fetches them"),
    };
    format!("no advisories for {release} are there; {help}")
}

/// Why no source speaks about a distribution.
pub(super) fn unknown_distribution(os: &OsRelease) -> String {
    let version = os.version_id.as_deref().unwrap_or("without a version");
    let own = match os.id.as_str() {
        "ol" => "; Oracle publishes its own in OVAL's form, which plimsoll does not read",
        "fedora" => "; Fedora publishes its own in its repositories' metadata, which plimsoll does not read",
        "centos" => "; nobody publishes any for CentOS Stream",
        "azurelinux" | "mariner" => {
            "; Microsoft publishes its own in OVAL's form, which plimsoll does not read"
        }
        _ => "",
    };
    format!("plimsoll knows no source of advisories for {} {version}{own}", os.id)
}

/// Where the image says that a package is installed.
pub(super) fn location(package: &InstalledPackage) -> String {
    match package.location.stanza {
        Some(stanza) => format!("{}:{stanza}", package.location.path),
        None => package.location.path.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_names() {
        assert_eq!(normalised("Ruamel.yaml_-Clib"), "ruamel-yaml-clib");
    }

    #[test]
    fn headers_are_not_the_kernel_that_runs() {
        let package = |name: &str, source: &str| InstalledPackage {
            name: name.into(),
            source_name: Some(source.into()),
            ..InstalledPackage::default()
        };
        assert!(is_kernel(&package("linux-libc-dev", "linux")));
        assert!(!is_kernel(&package("util-linux", "util-linux")));
    }
}
