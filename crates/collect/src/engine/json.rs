//! Reading JSON documents that come from an engine of any age.
//!
//! Go writes `null` for an empty list and leaves out what is not set, so both stand for the default. A wrong type is
//! an error where a rule rests on the field, and the default where it does not.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// The value, or the default where it is `null`. For fields that rules rest on: a wrong type is an error.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The value, or the default where it is anything else. For fields that no rule rests on.
pub(super) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Fitting(T),
        Other(IgnoredAny),
    }
    Ok(match Option::deserialize(deserializer)? {
        Some(Either::Fitting(value)) => value,
        Some(Either::Other(_)) | None => T::default(),
    })
}

/// The beginning of a text of any length, at most `limit` bytes.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// A time as the engine writes it (RFC 3339), in seconds since the Unix epoch; Go's zero time is `None`.
pub(super) fn epoch_seconds(text: &str) -> Option<i64> {
    let time = text.parse::<jiff::Timestamp>().ok()?.as_second();
    (time > 0).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Document {
        #[serde(deserialize_with = "or_default")]
        list: Vec<String>,
        #[serde(deserialize_with = "lenient")]
        text: String,
    }

    fn read(json: &str) -> Result<Document, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn null_and_missing_are_the_default() {
        assert_eq!(read("{}").unwrap(), Document::default());
        assert_eq!(read(r#"{"list": null, "text": null}"#).unwrap(), Document::default());
    }

    #[test]
    fn a_wrong_type_counts_only_where_a_rule_rests_on_it() {
        let document = read(r#"{"list": ["a"], "text": [{"x": 1}, 2]}"#).unwrap();
        assert_eq!(document, Document { list: vec!["a".into()], text: String::new() });
        assert!(read(r#"{"list": "a"}"#).is_err());
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!((cut("aä", 2), cut("aä", 3), cut("aä", 9), cut("ä", 0)), ("a", "aä", "aä", ""));
    }

    #[test]
    fn times_are_seconds() {
        assert_eq!(epoch_seconds("2026-11-24T06:10:44.703233446Z"), Some(1_795_500_644));
        assert_eq!(epoch_seconds("2026-11-24T07:10:44+01:00"), Some(1_795_500_644));
        assert_eq!(epoch_seconds("0001-01-01T00:00:00Z"), None);
        assert_eq!(epoch_seconds(""), None);
    }
}
