//! The order of versions, as each ecosystem's own tools define it.
//!
//! A version that its ecosystem's own tool refuses is an error here, never a guess: the matcher reports it.

mod apk;
mod dpkg;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod go;
mod maven;
mod pep440;
mod rpm;
mod semver;

use std::cmp::Ordering;

/// The longest version that is compared, in bytes: the longest seen in public data has 180.
const MAX_LENGTH: usize = 1024;

/// Whose rules decide which version is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Debian and Ubuntu: deb-version(7).
    Dpkg,
    /// Alpine, Wolfi, Chainguard: apk-tools.
    Apk,
    /// Red Hat, SUSE, Amazon and kin: epoch, version and release as librpm compares them.
    Rpm,
    /// Semantic Versioning 2.0.0: npm, crates.
    Semver,
    /// Go modules: Semantic Versioning with `v` or `go` in front, pseudo-versions included.
    Go,
    /// Python: PEP 440.
    Pep440,
    /// Java: Maven's `ComparableVersion`.
    Maven,
}

/// Why two versions cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{version}` is no {order} version: {reason}")]
pub struct VersionError {
    /// The version, cut to a printable length.
    pub version: String,
    /// By whose rules.
    pub order: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Order {
    /// Which of two versions is newer.
    ///
    /// # Errors
    /// The first of the two that the ecosystem's own tool would refuse.
    pub fn compare(self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        for version in [a, b] {
            if version.len() > MAX_LENGTH {
                return Err(self.error(version, "longer than any real version"));
            }
        }
        match self {
            Self::Dpkg => by(self, a, b, dpkg::parse),
            Self::Apk => by(self, a, b, apk::parse),
            Self::Rpm => by(self, a, b, rpm::parse),
            Self::Semver => by(self, a, b, semver::parse),
            Self::Go => by(self, a, b, go::parse),
            Self::Pep440 => by(self, a, b, pep440::parse),
            Self::Maven => by(self, a, b, maven::parse),
        }
    }

    /// The name by which messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
            Self::Semver => "semver",
            Self::Go => "Go",
            Self::Pep440 => "PEP 440",
            Self::Maven => "Maven",
        }
    }

    fn error(self, version: &str, reason: &'static str) -> VersionError {
        VersionError { version: version.chars().take(80).collect(), order: self.name(), reason }
    }
}

/// The order of a parsed version.
trait Compare {
    fn compare(&self, other: &Self) -> Ordering;
}

fn by<'v, V: Compare>(
    order: Order,
    a: &'v str,
    b: &'v str,
    parse: impl Fn(&'v str) -> Result<V, &'static str>,
) -> Result<Ordering, VersionError> {
    let left = parse(a).map_err(|reason| order.error(a, reason))?;
    let right = parse(b).map_err(|reason| order.error(b, reason))?;
    Ok(left.compare(&right))
}

/// Compares two runs of ASCII digits as numbers of any length.
fn compare_digits(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (without_zeros(a), without_zeros(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

/// Splits off the longest prefix whose bytes satisfy `wanted`.
fn take_while(text: &[u8], wanted: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !wanted(*byte)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Order; 7] =
        [Order::Dpkg, Order::Apk, Order::Rpm, Order::Semver, Order::Go, Order::Pep440, Order::Maven];

    /// Checks that a list of versions is in strictly rising order.
    pub(crate) fn assert_rising(order: Order, versions: &[&str]) {
        for (i, a) in versions.iter().enumerate() {
            for (j, b) in versions.iter().enumerate() {
                assert_eq!(order.compare(a, b).unwrap(), i.cmp(&j), "{a} with {b}");
            }
        }
    }

    /// Checks that versions are equal to each other.
    pub(crate) fn assert_equal(order: Order, versions: &[&str]) {
        for a in versions {
            for b in versions {
                assert_eq!(order.compare(a, b).unwrap(), Ordering::Equal, "{a} with {b}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_order_or_an_error(a in ".{0,40}", b in "[0-9a-z.~^+:_-]{0,40}") {
            for order in ALL {
                let there = order.compare(&a, &b);
                let back = order.compare(&b, &a);
                prop_assert_eq!(there.is_ok(), back.is_ok());
                if let (Ok(there), Ok(back)) = (there, back) {
                    prop_assert_eq!(there, back.reverse());
                }
            }
        }

        #[test]
        fn the_order_is_transitive(a in "[0-9]{1,2}([.~^-]?[0-9a-c]{1,3}){0,3}", b in "[0-9]{1,2}([.~^-]?[0-9a-c]{1,3}){0,3}", c in "[0-9]{1,2}([.~^-]?[0-9a-c]{1,3}){0,3}") {
            for order in ALL {
                let (Ok(ab), Ok(bc), Ok(ac)) = (order.compare(&a, &b), order.compare(&b, &c), order.compare(&a, &c)) else { continue };
                if ab == bc {
                    prop_assert_eq!(ab, ac, "{} {} {} {}", order.name(), a, b, c);
                }
            }
        }
    }
}
