//! Epoch, version and release, each compared by librpm's `rpmvercmp` (`rpmio/rpmvercmp.cc`).

use std::cmp::Ordering;

use super::{Compare, compare_digits, take_while};

pub(crate) struct Version<'v> {
    epoch: &'v str,
    version: &'v str,
    release: Option<&'v str>,
}

pub(crate) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|b| b.is_ascii_digit()) => (epoch, rest),
        Some(_) => return Err("the epoch is no number"),
        None => ("", text),
    };
    // Like librpm's parser: what a version should not hold, a second hyphen, belongs to the version.
    let (version, release) = match rest.rsplit_once('-') {
        Some((version, release)) => (version, Some(release)),
        None => (rest, None),
    };
    if version.is_empty() {
        return Err("there is no version");
    }
    if text.bytes().any(|b| b.is_ascii_whitespace() || b.is_ascii_control()) {
        return Err("it contains white space");
    }
    Ok(Version { epoch, version, release })
}

impl Compare for Version<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        compare_digits(self.epoch.as_bytes(), other.epoch.as_bytes())
            .then_with(|| compare_segments(self.version.as_bytes(), other.version.as_bytes()))
            .then_with(|| {
                // A missing release sorts first, so that the relation stays an order.
                match (self.release, other.release) {
                    (Some(a), Some(b)) => compare_segments(a.as_bytes(), b.as_bytes()),
                    (a, b) => a.is_some().cmp(&b.is_some()),
                }
            })
    }
}

fn compare_segments(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        a = take_while(a, is_separator).1;
        b = take_while(b, is_separator).1;
        match marks(a, b) {
            Marks::Both => {
                a = a.get(1..).unwrap_or_default();
                b = b.get(1..).unwrap_or_default();
                continue;
            }
            Marks::Decide(order) => return order,
            Marks::None => {}
        }
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let numeric = a.first().is_some_and(u8::is_ascii_digit);
        let wanted = |byte: u8| if numeric { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() };
        let (a_segment, a_rest) = take_while(a, wanted);
        let (b_segment, b_rest) = take_while(b, wanted);
        if b_segment.is_empty() {
            // A number is newer than letters.
            return if numeric { Ordering::Greater } else { Ordering::Less };
        }
        let here = if numeric { compare_digits(a_segment, b_segment) } else { a_segment.cmp(b_segment) };
        if here.is_ne() {
            return here;
        }
        (a, b) = (a_rest, b_rest);
    }
}

enum Marks {
    None,
    Both,
    Decide(Ordering),
}

/// `~` sorts before everything, the end included; `^` after the end and before everything else.
fn marks(a: &[u8], b: &[u8]) -> Marks {
    match (a.first(), b.first()) {
        (Some(b'~'), Some(b'~')) => Marks::Both,
        (Some(b'~'), _) => Marks::Decide(Ordering::Less),
        (_, Some(b'~')) => Marks::Decide(Ordering::Greater),
        (Some(b'^'), Some(b'^')) => Marks::Both,
        (Some(b'^'), None) => Marks::Decide(Ordering::Greater),
        (None, Some(b'^')) => Marks::Decide(Ordering::Less),
        (Some(b'^'), _) => Marks::Decide(Ordering::Less),
        (_, Some(b'^')) => Marks::Decide(Ordering::Greater),
        _ => Marks::None,
    }
}

fn is_separator(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && byte != b'~' && byte != b'^'
}

#[cfg(test)]
mod tests {
    use crate::Order;
    use crate::tests::{assert_equal, assert_rising};

    #[test]
    fn order() {
        assert_rising(
            Order::Rpm,
            &[
                "1.0~rc1-1",
                "1.0-1",
                "1.0^git1-1",
                "1.0.a-1",
                "1.0.1-1",
                "1.0.1-2.el9",
                "1.0.1-10.el9",
                "1.10-1",
                "1:0.1-1",
            ],
        );
        assert_equal(Order::Rpm, &["1.0-1", "0:1.0-1", "1.0.-1", "1_0-1", "1.00-01"]);
    }

    #[test]
    fn refused() {
        for version in ["", "a:1", "1:-1", "1 2"] {
            assert!(Order::Rpm.compare(version, "1").is_err(), "{version:?}");
        }
    }
}
