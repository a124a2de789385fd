//! Which of two kernel releases is newer.

use std::cmp::Ordering;

/// Whether release `a` (`6.1.0-25-amd64`) is newer than `b`: numbers are compared as numbers, the rest as text.
pub(crate) fn is_newer(a: &str, b: &str) -> bool {
    let mut left = parts(a);
    let mut right = parts(b);
    loop {
        match (left.next(), right.next()) {
            (None, _) => return false,
            (Some(_), None) => return true,
            (Some(a), Some(b)) => match compare(a, b) {
                Ordering::Equal => (),
                order => return order == Ordering::Greater,
            },
        }
    }
}

/// Runs of digits and runs of other characters.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let digit = rest.chars().next()?.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
        let (part, tail) = rest.split_at(end);
        rest = tail;
        Some(part)
    })
}

fn compare(a: &str, b: &str) -> Ordering {
    let number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    if number(a) && number(b) {
        let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
        return a.len().cmp(&b.len()).then_with(|| a.cmp(b));
    }
    a.cmp(b)
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn numbers_are_numbers() {
        assert!(is_newer("6.1.0-25-amd64", "6.1.0-9-amd64"));
        assert!(is_newer("5.15.0-100-generic", "5.15.0-92-generic"));
        assert!(is_newer("6.12.0", "6.9.12"));
        assert!(!is_newer("6.1.0-25-amd64", "6.18.5"));
        assert!(!is_newer("6.1.0-25-amd64", "6.1.0-25-amd64"));
        assert!(is_newer("99999999999999999999999", "6.1"));
    }
}
