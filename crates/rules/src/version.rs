//! Order of version texts, for those that no package manager's rules cover.

use std::cmp::Ordering;

/// Compares texts as people read them: runs of digits by their number, everything else by its characters.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() && !b.is_empty() {
        let (run_a, rest_a) = run(a);
        let (run_b, rest_b) = run(b);
        let order = match (number(run_a), number(run_b)) {
            (Some(x), Some(y)) => x.len().cmp(&y.len()).then_with(|| x.cmp(y)),
            _ => run_a.cmp(run_b),
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    a.len().cmp(&b.len())
}

/// The first run of digits, or of anything else, and what follows.
fn run(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

/// A run of digits without its leading zeros.
fn number(run: &str) -> Option<&str> {
    run.starts_with(|c: char| c.is_ascii_digit()).then(|| run.trim_start_matches('0'))
}

/// The first two numbers of an upstream version: `(1, 6)` of `1.6.20~ds1-1+deb12u1` and `v1.6.0`. An epoch (`5:28.5.2-1`)
/// is no part of it.
pub(crate) fn series(version: &str) -> Option<(u32, u32)> {
    let upstream = version.split_once(':').map_or(version, |(_, rest)| rest).trim_start_matches('v');
    let mut numbers = upstream.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{natural, series};

    #[test]
    fn digits_count_as_numbers() {
        assert!(natural("6.1.10", "6.1.9").is_gt());
        assert!(natural("6.1.0-22-amd64", "6.1.0-21-amd64").is_gt());
        assert!(natural("6.18.44", "6.1.44").is_gt());
        assert!(natural("6.1.07", "6.1.7").is_eq());
        assert!(natural("6.1", "6.1.1").is_lt());
    }

    #[test]
    fn the_series_of_distribution_versions() {
        assert_eq!(series("1.1.5+ds1-1+deb12u1"), Some((1, 1)));
        assert_eq!(series("5:28.5.2-1~debian.12~bookworm"), Some((28, 5)));
        assert_eq!(series("v2.0.7"), Some((2, 0)));
        assert_eq!(series(""), None);
        assert_eq!(series("dev"), None);
    }
}
