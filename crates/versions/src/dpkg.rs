//! deb-version(7), as dpkg's `lib/dpkg/version.c` compares it.

use std::cmp::Ordering;

use super::{Compare, compare_digits, take_while};

pub(crate) struct Version<'v> {
    epoch: u32,
    upstream: &'v [u8],
    revision: &'v [u8],
}

pub(crate) fn parse(text: &str) -> Result<Version<'_>, &'static str> {
    let text = text.trim();
    let (epoch, rest) = match text.split_once(':') {
        None => (0, text),
        Some(("", _)) => return Err("the epoch is empty"),
        Some((epoch, rest)) => (parse_epoch(epoch)?, rest),
    };
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    if upstream.is_empty() {
        return Err("there is no upstream version");
    }
    if rest.ends_with('-') {
        return Err("the revision is empty");
    }
    if !upstream.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+~:".contains(&b)) {
        return Err("a character that no upstream version has");
    }
    if !revision.bytes().all(|b| b.is_ascii_alphanumeric() || b".+~".contains(&b)) {
        return Err("a character that no revision has");
    }
    Ok(Version { epoch, upstream: upstream.as_bytes(), revision: revision.as_bytes() })
}

fn parse_epoch(text: &str) -> Result<u32, &'static str> {
    let epoch: u32 = text.parse().map_err(|_| "the epoch is no number")?;
    if i32::try_from(epoch).is_err() { Err("the epoch is too large") } else { Ok(epoch) }
}

impl Compare for Version<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(self.upstream, other.upstream))
            .then_with(|| compare_part(self.revision, other.revision))
    }
}

/// Alternately a run without digits, by [`weight`], and a run of digits, by value.
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (a_text, a_rest) = take_while(a, |byte| !byte.is_ascii_digit());
        let (b_text, b_rest) = take_while(b, |byte| !byte.is_ascii_digit());
        let (a_number, a_rest) = take_while(a_rest, |byte| byte.is_ascii_digit());
        let (b_number, b_rest) = take_while(b_rest, |byte| byte.is_ascii_digit());
        let here = compare_text(a_text, b_text).then_with(|| compare_digits(a_number, b_number));
        if here.is_ne() {
            return here;
        }
        (a, b) = (a_rest, b_rest);
    }
    Ordering::Equal
}

fn compare_text(a: &[u8], b: &[u8]) -> Ordering {
    let longest = a.len().max(b.len());
    (0..longest)
        .map(|i| weight(a.get(i)).cmp(&weight(b.get(i))))
        .find(|here| here.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// `~` before the end, the end before letters, letters before everything else.
fn weight(byte: Option<&u8>) -> i16 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i16::from(*letter),
        Some(other) => i16::from(*other) + 256,
    }
}

#[cfg(test)]
mod tests {
    use crate::Order;
    use crate::tests::{assert_equal, assert_rising};

    #[test]
    fn order() {
        assert_rising(
            Order::Dpkg,
            &[
                "1.0~~",
                "1.0~rc1",
                "1.0",
                "1.0-1~bpo1",
                "1.0-1",
                "1.0-1+b1",
                "1.0a",
                "1.0+dfsg",
                "1.0.1",
                "1.10",
                "1:0.1",
            ],
        );
        assert_equal(Order::Dpkg, &["1.0", "0:1.0", "1.00", "1.0-0", " 1.0 "]);
    }

    #[test]
    fn refused() {
        for version in ["", ":1", "a:1", "1-", "-1", "1 2", "1_2", "4294967295:1"] {
            assert!(Order::Dpkg.compare(version, "1").is_err(), "{version:?}");
        }
    }
}
