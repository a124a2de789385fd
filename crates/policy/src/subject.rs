//! Which subjects an exception covers.

use std::fmt;

use plimsoll_rules::{Subject, SubjectKind};

/// Kinds that can be named in front of a pattern.
const KINDS: [SubjectKind; 7] = [
    SubjectKind::Host,
    SubjectKind::Component,
    SubjectKind::Engine,
    SubjectKind::Network,
    SubjectKind::Image,
    SubjectKind::Container,
    SubjectKind::Service,
];

/// A pattern over the name or id of a subject: `*` is any run of characters, `?` any one. `container:` (or another
/// kind) in front restricts it to that kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectPattern {
    kind: Option<SubjectKind>,
    glob: String,
}

impl SubjectPattern {
    /// Reads a pattern. A part before the first colon that is no kind belongs to the name (`nginx:1.27`).
    pub fn new(text: &str) -> Self {
        if let Some((prefix, rest)) = text.split_once(':')
            && let Some(kind) = KINDS.into_iter().find(|kind| kind.id() == prefix)
        {
            return Self { kind: Some(kind), glob: rest.to_owned() };
        }
        Self { kind: None, glob: text.to_owned() }
    }

    /// Whether the pattern covers this subject.
    pub fn matches(&self, subject: &Subject) -> bool {
        self.kind.is_none_or(|kind| kind == subject.kind)
            && (glob_matches(&self.glob, &subject.name) || glob_matches(&self.glob, &subject.id))
    }
}

impl fmt::Display for SubjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{}:{}", kind.id(), self.glob),
            None => f.write_str(&self.glob),
        }
    }
}

/// Takes at most `pattern × text` steps, whatever both hold: on a mismatch only the last `*` is widened.
pub(crate) fn glob_matches(pattern: &str, text: &str) -> bool {
    let mut pattern = pattern.chars();
    let mut text = text.chars();
    let mut last_star = None;
    loop {
        let mut after = pattern.clone();
        match after.next() {
            Some('*') => {
                last_star = Some((after.clone(), text.clone()));
                pattern = after;
                continue;
            }
            Some(wanted) => {
                let mut rest = text.clone();
                if rest.next().is_some_and(|found| wanted == '?' || wanted == found) {
                    (pattern, text) = (after, rest);
                    continue;
                }
            }
            None if text.as_str().is_empty() => return true,
            None => (),
        }
        let Some((after_star, skipped)) = &mut last_star else { return false };
        if skipped.next().is_none() {
            return false;
        }
        (pattern, text) = (after_star.clone(), skipped.clone());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subject(kind: SubjectKind, name: &str) -> Subject {
        Subject { kind, name: name.into(), id: "c0ffee42".into(), engine: String::new() }
    }

    #[test]
    fn patterns() {
        for (pattern, text, wanted) in [
            ("", "", true),
            ("*", "", true),
            ("*", "anything", true),
            ("db", "db", true),
            ("db", "db2", false),
            ("db*", "db2", true),
            ("*-db", "shop-db", true),
            ("*-db", "shop-db-1", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "ü", true),
            ("??", "a", false),
            ("**", "x", true),
        ] {
            assert_eq!(glob_matches(pattern, text), wanted, "{pattern} on {text}");
        }
    }

    #[test]
    fn kind_in_front_restricts_and_a_tag_does_not() {
        let image = subject(SubjectKind::Image, "nginx:1.27");
        assert!(SubjectPattern::new("nginx:1.27").matches(&image));
        assert!(SubjectPattern::new("image:nginx:*").matches(&image));
        assert!(!SubjectPattern::new("container:nginx:*").matches(&image));
        assert!(SubjectPattern::new("image:c0ffee*").matches(&image), "the id counts too");
    }

    #[test]
    fn a_hostile_name_costs_no_more_than_its_length() {
        let pattern = "*a".repeat(100) + "b";
        let name = "a".repeat(100_000);
        assert!(!glob_matches(&pattern, &name));
    }

    /// The textbook definition, exponential.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=text.len()).any(|skip| by_definition(rest, &text[skip..])),
            ([p, rest @ ..], [t, tail @ ..]) => (*p == '?' || p == t) && by_definition(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(glob_matches(&pattern, &text), by_definition(&chars(&pattern), &chars(&text)));
        }
    }
}
