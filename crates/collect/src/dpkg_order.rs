//! The order of Debian package versions (deb-version(7)).

use std::cmp::Ordering;

/// Compares two versions as `dpkg --compare-versions` does.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Version::split(a), Version::split(b));
    a.epoch
        .cmp(&b.epoch)
        .then_with(|| compare_part(a.upstream, b.upstream))
        .then_with(|| compare_part(a.revision, b.revision))
}

struct Version<'a> {
    epoch: u64,
    upstream: &'a [u8],
    revision: &'a [u8],
}

impl<'a> Version<'a> {
    fn split(text: &'a str) -> Self {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
            None => (0, text),
        };
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self { epoch, upstream: upstream.as_bytes(), revision: revision.as_bytes() }
    }
}

/// Stretches of non-digits and digits in turn: `~` before the end, the end before letters, letters before the rest;
/// numbers by value.
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        loop {
            let (left, right) = (weight(a.first()), weight(b.first()));
            if left != right {
                return left.cmp(&right);
            }
            if left == 0 {
                break;
            }
            (a, b) = (tail(a), tail(b));
        }
        let (left, right) = (take_number(&mut a), take_number(&mut b));
        let order = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Weight of a character among non-digits; digits and the end weigh nothing.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        None => 0,
        Some(b'0'..=b'9') => 0,
        Some(b'~') => -1,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    }
}

fn tail(bytes: &[u8]) -> &[u8] {
    bytes.get(1..).unwrap_or_default()
}

/// Cuts the digits off the front, without leading zeros.
fn take_number<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let end = bytes.iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(end);
    *bytes = rest;
    let zeros = digits.iter().position(|b| *b != b'0').unwrap_or(digits.len());
    digits.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// In ascending order.
    const ORDERED: [&str; 21] = [
        "0~~",
        "0~",
        "0",
        "0a",
        "0.1",
        "1.1.5+ds1-1~deb12u1",
        "1.1.5+ds1-1",
        "1.1.5+ds1-1+b1",
        "1.1.5+ds1-1+deb12u1",
        "1.1.12-2",
        "1.2.0~rc.1-1",
        "1.2.0-1",
        "1.2.0a-1",
        "1.2.0+a-1",
        "1.6.20~ds1-1",
        "1.6.20-1-1",
        "6.1.0-9",
        "6.1.0-18",
        "20.10.24+dfsg1-1+b3",
        "5:28.5.2-1~debian.12~bookworm",
        "5:29.0.0-1",
    ];

    #[test]
    fn ascending() {
        for (i, a) in ORDERED.iter().enumerate() {
            for (j, b) in ORDERED.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a} {b}");
            }
        }
        assert_eq!(compare("0:1.00-0", "1.0"), Ordering::Equal);
        assert_eq!(compare("", "0"), Ordering::Equal);
    }

    /// The same answers as dpkg itself, where it is installed.
    #[test]
    fn as_dpkg() {
        if Command::new("dpkg").arg("--version").output().is_err() {
            return;
        }
        for pair in ORDERED.windows(2) {
            for (a, b) in [(pair[0], pair[1]), (pair[1], pair[0]), (pair[0], pair[0])] {
                let operator = match compare(a, b) {
                    Ordering::Less => "lt",
                    Ordering::Equal => "eq",
                    Ordering::Greater => "gt",
                };
                let status = Command::new("dpkg").args(["--compare-versions", a, operator, b]).status();
                assert!(status.unwrap().success(), "{a} {operator} {b}");
            }
        }
    }
}
