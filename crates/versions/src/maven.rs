//! Maven's `ComparableVersion`, as in Maven 3.8.7 and later: numbers and words in nested lists, with its known qualifiers.

use std::cmp::Ordering;

use super::Compare;

/// Qualifiers in order; the empty one is the release.
const QUALIFIERS: [&str; 7] = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];

enum Item {
    Number(String),
    Word(String),
    List(Vec<Item>),
}

pub(crate) struct Version(Vec<Item>);

pub(crate) fn parse(text: &str) -> Result<Version, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty");
    }
    if !text.is_ascii() || text.bytes().any(|b| b.is_ascii_control() || b == b' ') {
        return Err("a character that no version has");
    }
    Ok(Version(nest(lists(&text.to_ascii_lowercase()))))
}

/// The lists of a version, each the last item of the one before it. A hyphen begins a list, and so does the place where
/// digits meet letters, and a word that digits or nothing follow (`1.x1` is `1-x1`).
fn lists(text: &str) -> Vec<Vec<Item>> {
    let mut lists = Vec::new();
    let mut list = Vec::new();
    let mut rest = text;
    loop {
        let digits = rest.starts_with(|c: char| c.is_ascii_digit());
        let other = |c: char| c == '.' || c == '-' || c.is_ascii_digit() != digits;
        let (run, after) = rest.split_at(rest.find(other).unwrap_or(rest.len()));
        let separator = after.chars().next();
        if !digits && !run.is_empty() && !matches!(separator, Some('.' | '-')) && !list.is_empty() {
            lists.push(std::mem::take(&mut list));
        }
        match separator {
            None if run.is_empty() => break,
            Some('.' | '-') if run.is_empty() => list.push(Item::Number(String::new())),
            _ if digits => list.push(Item::Number(run.trim_start_matches('0').to_owned())),
            next => list.push(Item::Word(qualifier(run, next.is_some_and(|c| c.is_ascii_digit())))),
        }
        if !matches!(separator, Some('.') | None) {
            lists.push(std::mem::take(&mut list));
        }
        rest = after.strip_prefix(['.', '-']).unwrap_or(after);
    }
    lists.push(list);
    lists
}

/// Nests the lists from the innermost outwards, so that depth costs no recursion.
fn nest(lists: Vec<Vec<Item>>) -> Vec<Item> {
    let mut inner: Vec<Item> = Vec::new();
    for mut list in lists.into_iter().rev() {
        normalize(&mut list);
        if !inner.is_empty() {
            list.push(Item::List(inner));
        }
        inner = list;
    }
    inner
}

fn qualifier(word: &str, before_digit: bool) -> String {
    match (word, before_digit) {
        ("a", true) => "alpha",
        ("b", true) => "beta",
        ("m", true) => "milestone",
        ("ga" | "final" | "release", _) => "",
        ("cr", _) => "rc",
        _ => word,
    }
    .to_owned()
}

/// Trailing zeros and release qualifiers say nothing.
fn normalize(list: &mut Vec<Item>) {
    while list.last().is_some_and(is_null) {
        list.pop();
    }
}

fn is_null(item: &Item) -> bool {
    match item {
        Item::Number(digits) => digits.is_empty(),
        Item::Word(word) => word.is_empty(),
        Item::List(list) => list.is_empty(),
    }
}

impl Compare for Version {
    fn compare(&self, other: &Self) -> Ordering {
        compare_lists(&self.0, &other.0)
    }
}

/// Only the last item of a list is a list, so the walk goes down without recursion.
fn compare_lists(mut a: &[Item], mut b: &[Item]) -> Ordering {
    loop {
        let mut deeper = None;
        for i in 0..a.len().max(b.len()) {
            let here = match (a.get(i), b.get(i)) {
                (Some(Item::List(left)), Some(Item::List(right))) => {
                    deeper = Some((left.as_slice(), right.as_slice()));
                    break;
                }
                (left, right) => compare_items(left, right),
            };
            if here.is_ne() {
                return here;
            }
        }
        match deeper {
            Some(lists) => (a, b) = lists,
            None => return Ordering::Equal,
        }
    }
}

/// Numbers are newer than lists, lists than words; a missing item is the release.
fn compare_items(a: Option<&Item>, b: Option<&Item>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (Some(a), None) => compare_with_nothing(a),
        (None, Some(b)) => compare_with_nothing(b).reverse(),
        (Some(Item::Number(a)), Some(Item::Number(b))) => super::compare_digits(a.as_bytes(), b.as_bytes()),
        (Some(Item::Word(a)), Some(Item::Word(b))) => rank(a).cmp(&rank(b)),
        (Some(a), Some(b)) => kind(a).cmp(&kind(b)),
    }
}

/// The first item that is not the release decides.
fn compare_with_nothing(mut item: &Item) -> Ordering {
    loop {
        match item {
            Item::Number(digits) if digits.is_empty() => return Ordering::Equal,
            Item::Number(_) => return Ordering::Greater,
            Item::Word(word) => return rank(word).cmp(&rank("")),
            Item::List(list) => {
                let (last, before) = match list.split_last() {
                    Some((last @ Item::List(_), before)) => (Some(last), before),
                    _ => (None, list.as_slice()),
                };
                if let Some(decided) = before.iter().map(compare_with_nothing).find(|here| here.is_ne()) {
                    return decided;
                }
                match last {
                    Some(last) => item = last,
                    None => return Ordering::Equal,
                }
            }
        }
    }
}

fn kind(item: &Item) -> u8 {
    match item {
        Item::Word(_) => 0,
        Item::List(_) => 1,
        Item::Number(_) => 2,
    }
}

/// Known qualifiers by their place, unknown words after them by their letters.
fn rank(word: &str) -> (usize, &str) {
    match QUALIFIERS.iter().position(|known| *known == word) {
        Some(place) => (place, ""),
        None => (QUALIFIERS.len(), word),
    }
}

#[cfg(test)]
mod tests {
    use crate::Order;
    use crate::tests::{assert_equal, assert_rising};

    #[test]
    fn order() {
        assert_rising(
            Order::Maven,
            &[
                "1-alpha2snapshot",
                "1-alpha2",
                "1-alpha-123",
                "1-beta-2",
                "1-beta123",
                "1-m2",
                "1-m11",
                "1-rc",
                "1-snapshot",
                "1",
                "1-sp",
                "1-abc",
                "1-pom-1",
                "1-1",
                "1-2",
                "1-123",
            ],
        );
        assert_rising(Order::Maven, &["2.0.1", "2.0.1-123", "2.0.2", "2.10", "11.0"]);
        assert_equal(Order::Maven, &["1", "1.0", "1.0.0", "1-ga", "1.0-final", "1-0"]);
        assert_equal(Order::Maven, &["1-a1", "1-alpha-1", "1alpha1"]);
        assert_equal(Order::Maven, &["1.x1", "1-x1", "1x1"]);
        assert_rising(Order::Maven, &["7a0", "7", "7.a"]);
        assert_rising(Order::Maven, &["1-0.alpha", "1"]);
    }

    #[test]
    fn refused() {
        for version in ["", "1 2", "ü"] {
            assert!(Order::Maven.compare(version, "1").is_err(), "{version:?}");
        }
    }
}
