//! How long distributions mend their releases, for everybody and without a contract.
//!
//! As announced by November 2026: Debian LTS (wiki.debian.org/LTS), Ubuntu's standard support (wiki.ubuntu.com/Releases),
//! alpinelinux.org/releases, CentOS, Rocky, AlmaLinux and Amazon Linux by their own pages.

use plimsoll_facts::OsRelease;

use crate::age::{Day, epoch, show_day};

/// A release by `ID` and `VERSION_ID` of os-release(5), and the last day on which it is mended.
const RELEASES: &[(&str, &str, Day)] = &[
    ("debian", "8", (2020, 6, 30)),
    ("debian", "9", (2022, 6, 30)),
    ("debian", "10", (2024, 6, 30)),
    ("debian", "11", (2026, 8, 31)),
    ("debian", "12", (2028, 6, 30)),
    ("debian", "13", (2030, 6, 30)),
    ("ubuntu", "14.04", (2019, 4, 25)),
    ("ubuntu", "16.04", (2021, 4, 30)),
    ("ubuntu", "18.04", (2023, 5, 31)),
    ("ubuntu", "20.04", (2025, 5, 31)),
    ("ubuntu", "22.04", (2027, 4, 30)),
    ("ubuntu", "23.10", (2024, 7, 11)),
    ("ubuntu", "24.04", (2029, 4, 30)),
    ("ubuntu", "24.10", (2025, 7, 10)),
    ("ubuntu", "25.04", (2026, 1, 15)),
    ("ubuntu", "25.10", (2026, 7, 31)),
    ("alpine", "3.16", (2024, 5, 23)),
    ("alpine", "3.17", (2024, 11, 22)),
    ("alpine", "3.18", (2025, 5, 9)),
    ("alpine", "3.19", (2025, 11, 1)),
    ("alpine", "3.20", (2026, 4, 1)),
    ("alpine", "3.21", (2026, 11, 1)),
    ("alpine", "3.22", (2027, 5, 1)),
    ("alpine", "3.23", (2027, 11, 1)),
    ("centos", "6", (2020, 11, 30)),
    ("centos", "7", (2024, 6, 30)),
    ("centos", "8", (2021, 12, 31)),
    ("rocky", "8", (2029, 5, 31)),
    ("rocky", "9", (2032, 5, 31)),
    ("almalinux", "8", (2029, 3, 1)),
    ("almalinux", "9", (2032, 5, 31)),
    ("amzn", "2018.03", (2023, 12, 31)),
    ("amzn", "2", (2026, 6, 30)),
    ("amzn", "2023", (2029, 6, 30)),
];

/// Whether a release is still mended.
pub(crate) enum Life {
    /// Until this day.
    Until(String),
    /// Not since this day.
    Ended(String),
    /// The release is not in the table.
    NotListed,
}

/// Looks a release up at a time, in seconds since the Unix epoch.
pub(crate) fn life(os: &OsRelease, now: i64) -> Life {
    let version = os.version_id.as_deref().unwrap_or_default();
    // Point releases: 3.20.3 is of 3.20, 9.4 of 9.
    let of_release = |listed: &str| {
        version == listed || version.strip_prefix(listed).is_some_and(|rest| rest.starts_with('.'))
    };
    match RELEASES.iter().find(|(id, listed, _)| *id == os.id && of_release(listed)) {
        None => Life::NotListed,
        Some((.., end)) if epoch(*end) + crate::age::DAY <= now => Life::Ended(show_day(*end)),
        Some((.., end)) => Life::Until(show_day(*end)),
    }
}

/// A release as a person knows it.
pub(crate) fn name(os: &OsRelease) -> String {
    os.pretty_name
        .clone()
        .unwrap_or_else(|| format!("{} {}", os.id, os.version_id.as_deref().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::{Life, life};
    use crate::testing::bare::NOW;
    use plimsoll_facts::OsRelease;

    fn ended(id: &str, version: &str) -> Option<bool> {
        let os = OsRelease { id: id.into(), version_id: Some(version.into()), ..OsRelease::default() };
        match life(&os, NOW) {
            Life::Until(_) => Some(false),
            Life::Ended(_) => Some(true),
            Life::NotListed => None,
        }
    }

    #[test]
    fn releases_and_their_point_releases() {
        assert_eq!(ended("debian", "12"), Some(false));
        assert_eq!(ended("debian", "1"), None);
        assert_eq!(ended("alpine", "3.18.4"), Some(true));
        assert_eq!(ended("alpine", "3.2"), None);
        assert_eq!(ended("rocky", "9.4"), Some(false));
        assert_eq!(ended("ubuntu", "20.04"), Some(true));
        assert_eq!(ended("nixos", "24.05"), None);
    }
}
