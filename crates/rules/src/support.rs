//! How long the projects behind engines and runtimes mend each of their series.
//!
//! As published by November 2026: moby `project/BRANCHES-AND-TAGS.md` (before it, endoflife.date), containerd `RELEASES.md`,
//! runc's release notes (`latest` and the two series before it). A series that is newer than the table is taken for supported.

use plimsoll_facts::{Component, Package};

use crate::age::{DAY, Day, epoch, show_day};
use crate::version::series;

/// One series and the last day on which its project mended something in it.
pub(crate) struct Series {
    number: (u32, u32),
    end: Day,
}

const fn series_until(major: u32, minor: u32, end: Day) -> Series {
    Series { number: (major, minor), end }
}

/// Docker Engine: from 27 on a series is a major version, before that major and minor.
pub(crate) const MOBY: &[Series] = &[
    series_until(19, 3, (2021, 1, 8)),
    series_until(20, 10, (2023, 12, 10)),
    series_until(23, 0, (2025, 5, 19)),
    series_until(24, 0, (2024, 6, 8)),
    series_until(25, 0, (2026, 12, 4)),
    series_until(26, 0, (2024, 6, 8)),
    series_until(26, 1, (2025, 2, 17)),
    series_until(27, 0, (2025, 5, 3)),
    series_until(28, 0, (2026, 5, 13)),
];

/// containerd.
pub(crate) const CONTAINERD: &[Series] = &[
    series_until(1, 4, (2022, 3, 3)),
    series_until(1, 5, (2023, 2, 28)),
    series_until(1, 6, (2025, 8, 23)),
    series_until(1, 7, (2026, 9, 30)),
    series_until(2, 0, (2027, 3, 31)),
    series_until(2, 1, (2026, 7, 3)),
    series_until(2, 2, (2026, 11, 6)),
    series_until(2, 3, (2028, 4, 27)),
];

/// runc.
pub(crate) const RUNC: &[Series] = &[
    series_until(1, 0, (2022, 1, 17)),
    series_until(1, 1, (2025, 4, 29)),
    series_until(1, 2, (2026, 6, 19)),
    series_until(1, 3, (2026, 10, 31)),
];

/// What the table says about a version.
pub(crate) enum Support {
    /// Mended, until a day (`YYYY-MM-DD`) that is known or not yet.
    Supported(Option<String>),
    /// Not mended any more, since this day.
    Ended(String),
    /// Older than every series of the table.
    LongEnded,
    /// The version has no numbers to look up.
    Unreadable,
}

/// Looks a version up at a time, in seconds since the Unix epoch.
pub(crate) fn support(table: &[Series], version: &str, now: i64) -> Support {
    let Some(mut number) = series(version) else { return Support::Unreadable };
    // A major version is one series where the table knows it by its first minor version alone.
    let of_major: Vec<_> = table.iter().filter(|s| s.number.0 == number.0).collect();
    if let [only] = of_major.as_slice()
        && only.number.1 == 0
        && number.0 >= 27
    {
        number.1 = 0;
    }
    match table.iter().find(|s| s.number == number) {
        Some(found) if epoch(found.end) + DAY <= now => Support::Ended(show_day(found.end)),
        Some(found) => Support::Supported(Some(show_day(found.end))),
        None if table.first().is_some_and(|oldest| number < oldest.number) => Support::LongEnded,
        None if table.last().is_some_and(|newest| number > newest.number) => Support::Supported(None),
        // Between two series of the table: a release that was none for long (18.09 to 19.03, 21, 22).
        None => Support::LongEnded,
    }
}

/// Whether a distribution made the package, and so backports fixes into a series that its project has left. The projects'
/// own packages and files that no package owns get none.
pub(crate) fn is_backported(component: &Component) -> Option<&Package> {
    const PROJECTS: [&str; 5] = ["docker.com", "containerd.io", "containerd team", "mirantis", "moby"];
    let package = component.package.value()?;
    let by_name = package.name.starts_with("docker-ce")
        || package.name == "containerd.io"
        || package.name.starts_with("moby-");
    let vendor = package.vendor.as_deref().unwrap_or_default().to_lowercase();
    let of_project = by_name || PROJECTS.iter().any(|project| vendor.contains(project));
    (!of_project && !vendor.is_empty()).then_some(package)
}

#[cfg(test)]
mod tests {
    use super::{CONTAINERD, MOBY, RUNC, Series, Support, is_backported, support};
    use crate::testing::bare::{NOW, known};
    use plimsoll_facts::{Component, Package};

    fn ended(table: &[Series], version: &str) -> Option<bool> {
        match support(table, version, NOW) {
            Support::Supported(_) => Some(false),
            Support::Ended(_) | Support::LongEnded => Some(true),
            Support::Unreadable => None,
        }
    }

    #[test]
    fn series_of_november_2026() {
        for version in ["20.10.24+dfsg1", "26.1.5", "27.5.1", "28.5.2", "19.03.15", "18.09.1", "22.06.0"] {
            assert_eq!(ended(MOBY, version), Some(true), "{version}");
        }
        for version in ["25.0.14", "29.1.2", "30.0.0"] {
            assert_eq!(ended(MOBY, version), Some(false), "{version}");
        }
        assert_eq!(ended(CONTAINERD, "1.6.20~ds1"), Some(true));
        assert_eq!(ended(CONTAINERD, "2.0.7"), Some(false));
        assert_eq!(ended(CONTAINERD, "2.4.0"), Some(false));
        assert_eq!(ended(RUNC, "1.1.5+ds1-1+deb12u1"), Some(true));
        assert_eq!(ended(RUNC, "1.4.2"), Some(false));
        assert_eq!(ended(RUNC, "0.1.1"), Some(true));
        assert_eq!(ended(RUNC, "unknown"), None);
    }

    #[test]
    fn who_backports() {
        let by = |name: &str, vendor: &str| {
            let package = Package { name: name.into(), vendor: Some(vendor.into()), ..Package::default() };
            is_backported(&Component { package: known(package), ..Component::default() }).is_some()
        };
        assert!(by("runc", "Debian Go Packaging Team"));
        assert!(!by("containerd.io", "Containerd team <help@containerd.io>"));
        assert!(!by("docker-ce", "Docker <support@docker.com>"));
        assert!(is_backported(&Component::default()).is_none());
    }
}
