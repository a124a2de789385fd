//! How long distributions mend their releases, for everybody and without a contract.

use plimsoll_facts::OsRelease;

use crate::age::{Day, epoch};

/// Whether a release is still mended.
pub(crate) enum Life {
    /// Until this day.
    Until(String),
    /// Not since this day.
    Ended(String),
    /// Nobody here knows.
    NotListed,
}

/// Looks a release up at a time, in seconds since the Unix epoch.
pub(crate) fn life(os: &OsRelease, now: i64) -> Life {
    let Some((text, day)) = os.mended_until.as_ref().and_then(|text| Some((text.clone(), day(text)?))) else {
        return Life::NotListed;
    };
    if epoch(day) + crate::age::DAY <= now { Life::Ended(text) } else { Life::Until(text) }
}

fn day(text: &str) -> Option<Day> {
    let mut parts = text.split('-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
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

    fn ended(mended_until: Option<&str>) -> Option<bool> {
        let os = OsRelease { mended_until: mended_until.map(str::to_owned), ..OsRelease::default() };
        match life(&os, NOW) {
            Life::Until(_) => Some(false),
            Life::Ended(_) => Some(true),
            Life::NotListed => None,
        }
    }

    #[test]
    fn the_last_day_is_the_last() {
        assert_eq!(ended(Some("2038-06-30")), Some(false));
        assert_eq!(ended(Some("2024-06-30")), Some(true));
        assert_eq!(ended(Some("some day")), None);
        assert_eq!(ended(None), None);
    }
}
