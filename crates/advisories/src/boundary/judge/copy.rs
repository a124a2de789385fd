//! One copy of a program or of the kernel: what its version is, and whose.

use plimsoll_facts::{Fact, OsRelease, Package};

use crate::boundary::UpstreamVersion;
use crate::order::Order;

/// A copy on disk, or in memory.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    /// Version to show.
    pub(super) shown: String,
    /// The project's part of it, or why there is none.
    pub(super) base: Result<UpstreamVersion, String>,
    /// Who made it.
    pub(super) maker: Maker,
}

/// Who made a copy: who may have mended it without changing the project's version.
#[derive(Clone, Debug)]
pub(super) enum Maker {
    /// The project itself, or whoever built it from the project's sources.
    Project {
        /// Whether that is known, or only that no distribution's package owns it.
        sure: bool,
    },
    /// A distribution, as this package.
    Distribution(DistributionPackage),
    /// A distribution, in a version that is not known to the last part: an old file that still runs.
    EarlierPackage,
    /// Could not be told, and why.
    Unknown(String),
}

/// A distribution's package, as advisories name it.
#[derive(Clone, Debug)]
pub(super) struct DistributionPackage {
    /// `debian:12`; empty where plimsoll has no data of the distribution.
    pub(super) release: String,
    /// Source package, or Red Hat's package.
    pub(super) name: String,
    /// Package to install.
    pub(super) binary: String,
    /// Version in the notation of `order`.
    pub(super) version: String,
    /// Whose rules compare it.
    pub(super) order: Order,
    /// What the project's part of the version proves.
    pub(super) base: Base,
}

/// What the project's part of a distribution's version proves about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// That it holds everything of that version.
    Version,
    /// That it holds everything of the first version of its branch, and nobody knows which later ones beside: Ubuntu's
    /// kernels are called 6.8.0 however many stable updates they took.
    Branch,
    /// Nothing: Red Hat's kernels take fixes and features from any later version.
    Nothing,
}

impl Copy {
    /// A copy whose version is this text.
    pub(super) fn of(version: &str, maker: Maker) -> Self {
        Self { shown: version.to_owned(), base: read(version), maker }
    }
}

/// The project's part of a version text.
pub(super) fn read(version: &str) -> Result<UpstreamVersion, String> {
    UpstreamVersion::parse(version).ok_or_else(|| format!("`{version}` is no version that can be compared"))
}

/// Names of packages that the projects, or others than the distribution, publish.
const PROJECTS_PACKAGES: [&str; 4] = ["docker-ce", "containerd.io", "moby-", "docker-desktop"];

/// Vendors of such packages.
const PROJECTS: [&str; 5] = ["docker.com", "containerd.io", "containerd team", "mirantis", "microsoft"];

/// The release by which distribution notes call this distribution; empty where there are none.
pub(super) fn release(os: &OsRelease) -> String {
    let Some(version) = os.version_id.as_deref() else { return String::new() };
    let major = version.split('.').next().unwrap_or(version);
    match os.id.as_str() {
        "debian" => format!("debian:{major}"),
        "ubuntu" => format!("ubuntu:{version}"),
        "rhel" | "almalinux" | "rocky" => format!("rhel:{major}"),
        _ => String::new(),
    }
}

/// Whether somebody else than a distribution publishes a package.
pub(super) fn is_projects_own(package: &Package) -> bool {
    let vendor = package.vendor.as_deref().unwrap_or_default().to_lowercase();
    PROJECTS_PACKAGES.iter().any(|name| package.name.starts_with(name))
        || PROJECTS.iter().any(|project| vendor.contains(project))
}

impl DistributionPackage {
    /// A package that a package manager knows.
    pub(super) fn of(package: &Package, os: &Fact<OsRelease>) -> Option<Self> {
        let order = match package.manager.as_str() {
            "dpkg" => Order::Dpkg,
            "rpm" => Order::Rpm,
            "apk" => Order::Apk,
            _ => return None,
        };
        let source = (package.source.as_ref(), package.source_version.as_ref());
        let (name, version) = match (order, source) {
            (Order::Rpm, _) => (&package.name, &package.version),
            (_, (source, version)) => (source.unwrap_or(&package.name), version.unwrap_or(&package.version)),
        };
        Some(Self {
            release: os.value().map(release).unwrap_or_default(),
            name: name.clone(),
            binary: package.name.clone(),
            version: version.clone(),
            order,
            base: Base::Version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_publishes() {
        let own = |name: &str, vendor: &str| {
            is_projects_own(&Package { name: name.into(), vendor: Some(vendor.into()), ..Package::default() })
        };
        assert!(own("docker-ce", "Docker <support@docker.com>"));
        assert!(own("containerd.io", "Containerd team <help@containerd.io>"));
        assert!(own("moby-engine", "Microsoft"));
        assert!(!own("runc", "Debian Go Packaging Team"));
    }

    #[test]
    fn releases() {
        let of = |id: &str, version: Option<&str>| {
            release(&OsRelease {
                id: id.into(),
                version_id: version.map(str::to_owned),
                ..OsRelease::default()
            })
        };
        assert_eq!(of("debian", Some("12")), "debian:12");
        assert_eq!(of("ubuntu", Some("22.04")), "ubuntu:22.04");
        assert_eq!(of("rocky", Some("9.4")), "rhel:9");
        assert_eq!(of("debian", None), "");
        assert_eq!(of("nixos", Some("24.05")), "");
    }

    #[test]
    fn source_packages_count_where_there_are_any() {
        let package = Package {
            manager: "dpkg".into(),
            name: "golang-runc".into(),
            version: "1.1.5+ds1-1+b2".into(),
            source: Some("runc".into()),
            source_version: Some("1.1.5+ds1-1".into()),
            vendor: None,
        };
        let of = DistributionPackage::of(&package, &Fact::default()).unwrap();
        assert_eq!((of.name.as_str(), of.version.as_str(), of.release.as_str()), ("runc", "1.1.5+ds1-1", ""));
    }
}
