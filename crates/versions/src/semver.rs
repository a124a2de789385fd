//! Semantic Versioning 2.0.0, with the short forms (`1.2`) that advisories use.

use std::cmp::Ordering;

use super::{Compare, compare_digits, take_while};

pub(crate) struct Version<'v> {
    core: Vec<&'v [u8]>,
    pre: Vec<&'v [u8]>,
}

pub(crate) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    let text = text.strip_prefix(['v', '=']).unwrap_or(text);
    let without_build = text.split_once('+').map_or(text, |(version, _)| version);
    match without_build.split_once('-') {
        Some((core, pre)) => from_parts(core, Some(pre)),
        None => from_parts(without_build, None),
    }
}

/// A version whose pre-release begins at this byte, without a hyphen before it.
pub(crate) fn with_pre(text: &str, at: usize) -> Result<Version<'_>, &'static str> {
    let (core, pre) = text.split_at_checked(at).ok_or("a character that no version has")?;
    from_parts(core, Some(pre))
}

fn from_parts<'v>(core: &'v str, pre: Option<&'v str>) -> Result<Version<'v>, &'static str> {
    let core: Vec<&[u8]> = core.split('.').map(str::as_bytes).collect();
    if core.len() > 4 {
        return Err("more than four numbers");
    }
    if core.iter().any(|part| part.is_empty() || !part.iter().all(u8::is_ascii_digit)) {
        return Err("a part that is no number");
    }
    let pre: Vec<&[u8]> = pre.map(|pre| pre.split('.').map(str::as_bytes).collect()).unwrap_or_default();
    if pre.iter().any(|part| part.is_empty() || !part.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-'))
    {
        return Err("a pre-release part that is empty or has a character that none has");
    }
    Ok(Version { core, pre })
}

impl Compare for Version<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        let numbers = (0..4).map(|i| {
            let part = |version: &Self| version.core.get(i).copied().unwrap_or_default();
            compare_digits(part(self), part(other))
        });
        let pre = || match (self.pre.is_empty(), other.pre.is_empty()) {
            (false, false) => compare_pre(&self.pre, &other.pre),
            (a, b) => a.cmp(&b),
        };
        numbers.fold(Ordering::Equal, Ordering::then).then_with(pre)
    }
}

fn compare_pre(a: &[&[u8]], b: &[&[u8]]) -> Ordering {
    let parts = a.iter().zip(b).map(|(a, b)| compare_identifier(a, b));
    parts.fold(Ordering::Equal, Ordering::then).then_with(|| a.len().cmp(&b.len()))
}

/// Numbers by value and before words; words by their bytes.
fn compare_identifier(a: &[u8], b: &[u8]) -> Ordering {
    let is_number = |part: &[u8]| take_while(part, |byte| byte.is_ascii_digit()).1.is_empty();
    match (is_number(a), is_number(b)) {
        (true, true) => compare_digits(a, b),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use crate::Order;
    use crate::tests::{assert_equal, assert_rising};

    #[test]
    fn order() {
        assert_rising(
            Order::Semver,
            &[
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-alpha.beta",
                "1.0.0-beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1.0.0",
                "1.0.1",
                "1.10.0",
            ],
        );
        assert_equal(Order::Semver, &["1.2", "1.2.0", "v1.2.0", "1.2.0+build"]);
    }

    #[test]
    fn refused() {
        for version in ["", "1..2", "a.b", "1.2.3-", "1.2.3-a..b"] {
            assert!(Order::Semver.compare(version, "1.0.0").is_err(), "{version:?}");
        }
    }
}
