//! Ages of things, in days.

/// One day, in seconds.
pub(crate) const DAY: i64 = 86_400;

/// Whole days from `then` to `now`, in seconds since the Unix epoch; `None` where `then` is no real time: before 1990 stand
/// the dates of reproducible builds, after now those of a wrong clock.
pub(crate) fn days_between(then: i64, now: i64) -> Option<i64> {
    const YEAR_1990: i64 = 631_152_000;
    (then >= YEAR_1990 && then <= now + DAY).then(|| (now - then).max(0) / DAY)
}

#[cfg(test)]
mod tests {
    use super::{DAY, days_between};

    #[test]
    fn real_times_only() {
        let now = 1_795_392_000;
        assert_eq!(days_between(now - 10 * DAY - 1, now), Some(10));
        assert_eq!(days_between(now, now), Some(0));
        assert_eq!(days_between(0, now), None);
        assert_eq!(days_between(315_532_800, now), None);
        assert_eq!(days_between(now + 2 * DAY, now), None);
    }
}
