//! OSV's names of ecosystems and releases, and what belongs to them.

use std::fmt;

use plimsoll_facts::OsRelease;

use crate::order::Order;

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
    /// source. Ubuntu Pro's come after the archive's own.
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
            "almalinux" => vec![format!("AlmaLinux:{major}")],
            "rocky" => vec![format!("Rocky Linux:{major}")],
            "rhel" => vec![
                format!("Red Hat:enterprise_linux:{major}::baseos"),
                format!("Red Hat:enterprise_linux:{major}::appstream"),
            ],
            "opensuse-leap" => vec![format!("openSUSE:Leap {version}")],
            "sles" => vec![format!("SUSE:Linux Enterprise Server {}", version.replace('.', " SP"))],
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
            "AlmaLinux" | "Rocky Linux" | "Red Hat" | "SUSE" | "openSUSE" | "Amazon Linux" | "Mageia"
            | "openEuler" | "Azure Linux" | "Photon OS" => Order::Rpm,
            "Go" => Order::Go,
            "PyPI" => Order::Pep440,
            "npm" | "crates.io" => Order::Semver,
            "Maven" => Order::Maven,
            _ => return None,
        })
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
        assert_eq!(names("rocky", "9.4"), ["Rocky Linux:9"]);
        assert!(names("plan9", "4").is_empty());
    }

    #[test]
    fn file_names_stay_in_their_folder() {
        assert_eq!(Release::new("Ubuntu:Pro:22.04:LTS").file_name(), "ubuntu-pro-22.04-lts.advisories");
        assert_eq!(Release::new("../../etc/passwd").file_name(), "etc-passwd.advisories");
        assert_eq!(Release::new("Rocky Linux:9").file_name(), "rocky-linux-9.advisories");
    }
}
