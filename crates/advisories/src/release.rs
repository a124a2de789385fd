//! OSV's names of ecosystems and releases, and what belongs to them.

use std::fmt;

use plimsoll_facts::OsRelease;

use crate::order::Order;
use crate::red_hat;

/// An ecosystem with its release, as OSV writes it (`Debian:12`, `Ubuntu:Pro:22.04:LTS`, `Alpine:v3.20`, `Go`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    name: String,
}

impl Release {
    /// By OSV's own name.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// The releases whose advisories apply to a distribution, the first of them first; empty where plimsoll knows no
    /// source. Ubuntu Pro's come after the archive's own, Red Hat's VEX documents after a distribution's errata.
    pub fn of_distribution(os: &OsRelease) -> Vec<Self> {
        let Some(version) = os.version_id.as_deref() else {
            return match os.id.as_str() {
                "wolfi" => vec![Self::new("Wolfi")],
                "chainguard" => vec![Self::new("Chainguard")],
                _ => Vec::new(),
            };
        };
        let major = version.split('.').next().unwrap_or(version);
        let names = match os.id.as_str() {
            "debian" => vec![format!("Debian:{major}")],
            "ubuntu" => ubuntu(version),
            "alpine" => vec![format!("Alpine:v{}", major_minor(version))],
            "almalinux" => vec![format!("AlmaLinux:{major}"), format!("{}:{major}", red_hat::ECOSYSTEM)],
            "rocky" => vec![format!("Rocky Linux:{major}"), format!("{}:{major}", red_hat::ECOSYSTEM)],
            "rhel" => vec![
                format!("Red Hat:enterprise_linux:{major}::baseos"),
                format!("Red Hat:enterprise_linux:{major}::appstream"),
                format!("{}:{major}", red_hat::ECOSYSTEM),
            ],
            "opensuse-leap" => vec![format!("openSUSE:Leap {version}")],
            "opensuse-tumbleweed" => vec!["openSUSE:Tumbleweed".to_owned()],
            "sles" => suse(&version.replace('.', " SP")),
            "mageia" => vec![format!("Mageia:{version}")],
            "photon" => vec![format!("Photon OS:{version}")],
            "alpaquita" => vec![format!("Alpaquita:{version}")],
            "minimos" => vec!["MinimOS".to_owned()],
            "amzn" => vec![format!("Amazon Linux:{version}")],
            "wolfi" => vec!["Wolfi".to_owned()],
            "chainguard" => vec!["Chainguard".to_owned()],
            _ => Vec::new(),
        };
        names.into_iter().map(|name| Self { name }).collect()
    }

    /// OSV's name of the ecosystem without the release: one archive is published for each.
    pub fn ecosystem(&self) -> &str {
        self.name.split(':').next().unwrap_or_default()
    }

    /// Whose version order decides; `None` for ecosystems that are not matched.
    pub fn order(&self) -> Option<Order> {
        Some(match self.ecosystem() {
            "Debian" | "Ubuntu" | "Linux" => Order::Dpkg,
            "Alpine" | "Wolfi" | "Chainguard" | "Alpaquita" | "MinimOS" => Order::Apk,
            "AlmaLinux"
            | "Rocky Linux"
            | "Red Hat"
            | red_hat::ECOSYSTEM
            | "SUSE"
            | "openSUSE"
            | "Amazon Linux"
            | "Mageia"
            | "openEuler"
            | "Azure Linux"
            | "Photon OS" => Order::Rpm,
            "Go" => Order::Go,
            "PyPI" => Order::Pep440,
            "npm" | "crates.io" | "Bitnami" => Order::Semver,
            "Maven" => Order::Maven,
            _ => return None,
        })
    }

    /// Whether it is Red Hat's, among those that are asked about a rebuild of its packages.
    pub(crate) fn is_hint_for(&self, asked: &[Self]) -> bool {
        self.ecosystem() == red_hat::ECOSYSTEM
            && asked.iter().any(|release| matches!(release.ecosystem(), "AlmaLinux" | "Rocky Linux"))
    }

    /// What its records call an rpm (OSV schema, "Defined ecosystems"; AlmaLinux and Red Hat as their data is).
    pub(crate) fn rpm_names(&self) -> RpmNames {
        match self.ecosystem() {
            "Rocky Linux" | "SUSE" | "openSUSE" | "openEuler" | "Mageia" => RpmNames::Sources,
            red_hat::ECOSYSTEM => RpmNames::Both,
            _ => RpmNames::Packages,
        }
    }

    /// Name of the file that holds it: lower-case letters, digits and hyphens, so that no record chooses a path.
    pub fn file_name(&self) -> String {
        let mut slug = String::with_capacity(self.name.len());
        for byte in self.name.bytes().take(80) {
            match byte {
                b'.' if slug.is_empty() || slug.ends_with(['.', '-']) => {}
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' => {
                    slug.push(char::from(byte.to_ascii_lowercase()))
                }
                _ if slug.ends_with('-') || slug.is_empty() => {}
                _ => slug.push('-'),
            }
        }
        format!("{}.advisories", slug.trim_matches(['-', '.']))
    }
}

/// What the records of a release call an rpm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RpmNames {
    /// Its own name.
    Packages,
    /// The name of the source rpm.
    Sources,
    /// Either; that of the source rpm with `.src`.
    Both,
}

/// SUSE files what it ships under the module that ships it, and os-release does not say which modules are in use.
fn suse(version: &str) -> Vec<String> {
    const PRODUCTS: [&str; 9] = [
        "Server",
        "Module for Basesystem",
        "Module for Server Applications",
        "Module for Containers",
        "Module for Development Tools",
        "Module for Web and Scripting",
        "Module for Python 3",
        "Module for Public Cloud",
        "Module for Legacy",
    ];
    let products = PRODUCTS.iter().map(|product| format!("SUSE:Linux Enterprise {product} {version}"));
    products.chain([format!("SUSE:Linux Enterprise Server {version}-LTSS")]).collect()
}

fn ubuntu(version: &str) -> Vec<String> {
    // Every even year's April release has long-term support.
    let lts = version
        .split_once('.')
        .is_some_and(|(year, month)| month == "04" && year.parse::<u32>().is_ok_and(|year| year % 2 == 0));
    let suffix = if lts { ":LTS" } else { "" };
    vec![format!("Ubuntu:{version}{suffix}"), format!("Ubuntu:Pro:{version}{suffix}")]
}

fn major_minor(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(id: &str, version: &str) -> Vec<String> {
        let os = OsRelease { id: id.into(), version_id: Some(version.into()), ..OsRelease::default() };
        Release::of_distribution(&os).iter().map(Release::to_string).collect()
    }

    #[test]
    fn distributions() {
        assert_eq!(names("debian", "12"), ["Debian:12"]);
        assert_eq!(names("ubuntu", "22.04"), ["Ubuntu:22.04:LTS", "Ubuntu:Pro:22.04:LTS"]);
        assert_eq!(names("ubuntu", "25.04"), ["Ubuntu:25.04", "Ubuntu:Pro:25.04"]);
        assert_eq!(names("alpine", "3.20.3"), ["Alpine:v3.20"]);
        assert_eq!(names("rocky", "9.4"), ["Rocky Linux:9", "Red Hat VEX:9"]);
        assert!(
            names("sles", "15.5").contains(&"SUSE:Linux Enterprise Module for Basesystem 15 SP5".to_owned())
        );
        assert!(names("plan9", "4").is_empty());
    }

    #[test]
    fn file_names_stay_in_their_folder() {
        assert_eq!(Release::new("Ubuntu:Pro:22.04:LTS").file_name(), "ubuntu-pro-22.04-lts.advisories");
        assert_eq!(Release::new("../../etc/passwd").file_name(), "etc-passwd.advisories");
        assert_eq!(Release::new("Rocky Linux:9").file_name(), "rocky-linux-9.advisories");
    }
}
