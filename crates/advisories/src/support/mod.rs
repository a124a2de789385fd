//! Until when a distribution's release gets fixes.

#[expect(unreachable_pub, reason = "the build script has the same file")]
mod table;

use std::sync::LazyLock;

use plimsoll_facts::{Facts, OsRelease};

use self::table::{SupportedRelease, Table};

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    // The build made it from the table's text, so it is of this shape.
    postcard::from_bytes(include_bytes!(concat!(env!("OUT_DIR"), "/end-of-life.postcard")))
        .unwrap_or(Table { distributions: Vec::new() })
});

/// Until when a release gets fixes, free of charge and from its own archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// Last day of regular support; `None` for a distribution without releases.
    until: Option<&'static str>,
    /// Last day of what the long-term team publishes afterwards.
    long_term_until: Option<&'static str>,
    /// Where the days are published.
    pub source: &'static str,
}

/// The support of a distribution's release; `None` where plimsoll does not know it.
pub fn support_of(os: &OsRelease) -> Option<Support> {
    let known = TABLE.distributions.iter().find(|it| it.id == os.id)?;
    let source = known.source.as_str();
    if known.rolling {
        return Some(Support { until: None, long_term_until: None, source });
    }
    let version = os.version_id.as_deref()?;
    let release = known.releases.iter().find(|release| is_of(release, version))?;
    Some(Support {
        until: Some(release.until.as_str()),
        long_term_until: release.long_term_until.as_deref(),
        source,
    })
}

/// Fills in [`OsRelease::mended_until`] of the host and of every image.
pub(crate) fn fill(facts: &mut Facts) {
    let host = facts.host.os.value_mut().into_iter();
    let images = facts.engines.iter_mut().filter_map(|engine| engine.images.value_mut()).flatten();
    let of_images = images.filter_map(|image| image.content.value_mut()?.os.as_mut());
    for os in host.chain(of_images) {
        os.mended_until = support_of(os).and_then(|support| support.last_day()).map(str::to_owned);
    }
}

fn is_of(release: &SupportedRelease, version: &str) -> bool {
    version
        .strip_prefix(release.version.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl Support {
    /// The last day with fixes, where `today` (`YYYY-MM-DD`) is behind it.
    pub fn ended(&self, today: &str) -> Option<&'static str> {
        self.last_day().filter(|last| *last < today)
    }

    fn last_day(&self) -> Option<&'static str> {
        self.long_term_until.or(self.until)
    }

    /// The last day of regular support, where `today` is behind it and long-term support goes on.
    pub fn long_term_since(&self, today: &str) -> Option<&'static str> {
        self.until.filter(|last| *last < today && self.ended(today).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: &str, version: &str) -> Option<Support> {
        support_of(&OsRelease { id: id.into(), version_id: Some(version.into()), ..OsRelease::default() })
    }

    #[test]
    fn a_release_ends_with_its_long_term_support() {
        let twelve = of("debian", "12").unwrap();
        assert_eq!((twelve.ended("2026-07-11"), twelve.long_term_since("2026-07-11")), (None, None));
        assert_eq!(twelve.long_term_since("2026-07-12"), Some("2026-07-11"));
        assert_eq!(twelve.ended("2028-07-01"), Some("2028-06-30"));
        assert_eq!(of("ubuntu", "20.04").unwrap().ended("2025-05-30"), Some("2025-05-29"));
    }

    #[test]
    fn versions_are_matched_up_to_a_dot() {
        assert!(of("alpine", "3.20.3").is_some());
        assert_eq!(of("alpine", "3"), None);
        assert!(of("rocky", "9.4").is_some());
        assert_eq!(of("rocky", "95"), None);
        assert_eq!(of("plan9", "4"), None);
        assert_eq!(of("wolfi", "20230201").unwrap().ended("2099-01-01"), None);
    }

    #[test]
    fn every_day_is_a_day_and_long_term_support_comes_after() {
        assert!(TABLE.distributions.len() > 8);
        for release in TABLE.distributions.iter().flat_map(|it| &it.releases) {
            let days: Vec<&String> = [&release.until].into_iter().chain(&release.long_term_until).collect();
            assert!(days.iter().all(|day| day.parse::<jiff::civil::Date>().is_ok()), "{release:?}");
            assert!(days.is_sorted(), "{release:?}");
        }
    }
}
