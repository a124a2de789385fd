//! Ages of things, in days.

/// One day, in seconds.
pub(crate) const DAY: i64 = 86_400;

/// Whole days from `then` to `now`, in seconds since the Unix epoch; `None` where `then` is no real time: before 1990 stand
/// the dates of reproducible builds, after now those of a wrong clock.
pub(crate) fn days_between(then: i64, now: i64) -> Option<i64> {
    const YEAR_1990: i64 = 631_152_000;
    (then >= YEAR_1990 && then <= now + DAY).then(|| (now - then).max(0) / DAY)
}

/// Year, month, day.
pub(crate) type Day = (i64, i64, i64);

/// The beginning of a day in UTC, in seconds since the Unix epoch (Howard Hinnant's days_from_civil, for days after 1970).
pub(crate) fn epoch((year, month, day): Day) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    (year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468) * DAY
}

/// A day as `YYYY-MM-DD`.
pub(crate) fn show_day((year, month, day): Day) -> String {
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::{DAY, days_between, epoch, show_day};

    #[test]
    fn real_times_only() {
        let now = 1_795_392_000;
        assert_eq!(days_between(now - 10 * DAY - 1, now), Some(10));
        assert_eq!(days_between(now, now), Some(0));
        assert_eq!(days_between(0, now), None);
        assert_eq!(days_between(315_532_800, now), None);
        assert_eq!(days_between(now + 2 * DAY, now), None);
    }

    #[test]
    fn days_as_seconds() {
        assert_eq!(epoch((1970, 1, 1)), 0);
        assert_eq!(epoch((2024, 2, 29)), 1_709_164_800);
        assert_eq!(epoch((2026, 11, 23)), 1_795_392_000);
        assert_eq!(show_day((2026, 5, 3)), "2026-05-03");
    }
}
