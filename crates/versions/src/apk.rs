//! Alpine's order: numbers, a letter, suffixes, a revision (apk-tools `src/version.c`).

use std::cmp::Ordering;

use super::{Compare, compare_digits, take_while};

/// Suffixes before the release …
const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
/// … and after it.
const AFTER: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// One token, in the order in which the ends of versions compare: a version that ends where another goes on
/// with a number, a letter or a suffix after the release is the older one.
pub(crate) struct Version<'v> {
    numbers: Vec<&'v [u8]>,
    letter: u8,
    suffixes: Vec<(i8, &'v [u8])>,
    revision: &'v [u8],
}

pub(crate) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    let mut rest = text.as_bytes();
    let mut numbers = Vec::new();
    loop {
        let (number, after) = take_while(rest, |byte| byte.is_ascii_digit());
        if number.is_empty() {
            return Err("a number is missing");
        }
        numbers.push(number);
        rest = after;
        match rest.split_first() {
            Some((b'.', after)) => rest = after,
            _ => break,
        }
    }
    let mut letter = 0;
    if let Some((first, after)) = rest.split_first()
        && first.is_ascii_lowercase()
    {
        letter = *first;
        rest = after;
    }
    let suffixes = parse_suffixes(&mut rest)?;
    if let Some(after) = rest.strip_prefix(b"~") {
        // A commit hash orders nothing (apk-tools 3).
        rest = take_while(after, |byte| byte.is_ascii_hexdigit()).1;
    }
    let mut revision = &[][..];
    if let Some(after) = rest.strip_prefix(b"-r") {
        (revision, rest) = take_while(after, |byte| byte.is_ascii_digit());
        if revision.is_empty() {
            return Err("the revision is no number");
        }
    }
    if rest.is_empty() {
        Ok(Version { numbers, letter, suffixes, revision })
    } else {
        Err("something follows that no version has")
    }
}

fn parse_suffixes<'v>(rest: &mut &'v [u8]) -> Result<Vec<(i8, &'v [u8])>, &'static str> {
    let mut suffixes = Vec::new();
    while let Some(after) = rest.strip_prefix(b"_") {
        let (word, after) = take_while(after, |byte| byte.is_ascii_lowercase());
        let (number, after) = take_while(after, |byte| byte.is_ascii_digit());
        suffixes.push((suffix_weight(word).ok_or("an unknown suffix")?, number));
        *rest = after;
    }
    Ok(suffixes)
}

/// Negative before the release, positive after it.
fn suffix_weight(word: &[u8]) -> Option<i8> {
    let place = |list: &[&str]| {
        list.iter().position(|suffix| suffix.as_bytes() == word).and_then(|i| i8::try_from(i).ok())
    };
    place(&BEFORE).map(|i| i - 4).or_else(|| place(&AFTER).map(|i| i + 1))
}

impl Compare for Version<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        compare_numbers(&self.numbers, &other.numbers)
            .then_with(|| self.letter.cmp(&other.letter))
            .then_with(|| compare_suffixes(&self.suffixes, &other.suffixes))
            .then_with(|| compare_digits(self.revision, other.revision))
    }
}

/// The first by value; later ones with a leading zero on either side as fractions, digit by digit.
fn compare_numbers(a: &[&[u8]], b: &[&[u8]]) -> Ordering {
    for (i, (left, right)) in a.iter().zip(b).enumerate() {
        let fraction = i > 0 && (left.starts_with(b"0") || right.starts_with(b"0"));
        let here = if fraction { left.cmp(right) } else { compare_digits(left, right) };
        if here.is_ne() {
            return here;
        }
    }
    a.len().cmp(&b.len())
}

fn compare_suffixes(a: &[(i8, &[u8])], b: &[(i8, &[u8])]) -> Ordering {
    let end = (0, &[][..]);
    for i in 0..a.len().max(b.len()) {
        let (left, right) = (a.get(i).unwrap_or(&end), b.get(i).unwrap_or(&end));
        let here = left.0.cmp(&right.0).then_with(|| compare_digits(left.1, right.1));
        if here.is_ne() {
            return here;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use crate::Order;
    use crate::tests::{assert_equal, assert_rising};

    #[test]
    fn order() {
        assert_rising(
            Order::Apk,
            &[
                "1.0_alpha",
                "1.0_alpha1",
                "1.0_rc2",
                "1.0",
                "1.0-r1",
                "1.0_git20240101",
                "1.0_p1",
                "1.0a",
                "1.0.1",
                "1.1",
                "1.2",
                "1.10",
            ],
        );
        assert_rising(Order::Apk, &["0.09", "0.1", "0.2"]);
        assert_equal(Order::Apk, &["1.0", "1.0-r0", "1.0~deadbeef"]);
    }

    #[test]
    fn refused() {
        for version in ["", "v1", "1.", "1_foo", "1-1", "1.0-r", "1.0 "] {
            assert!(Order::Apk.compare(version, "1").is_err(), "{version:?}");
        }
    }
}
