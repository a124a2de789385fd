//! JSON as strict as trust data must be: what two parsers could read differently is refused.
//!
//! No member twice, no fractions or exponents, no integer that a float of 64 bits cannot hold (Go's decoder, which
//! the signers use, reads numbers as such), and bounds on depth and count.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Integers beyond it lose digits in a float of 64 bits.
const LARGEST_INTEGER: i64 = (1 << 53) - 1;
/// Trust data is six deep.
const DEEPEST: u32 = 16;
/// The most values in one document: a hundred thousand tags have some 700,000.
const MOST_VALUES: u32 = 1_000_000;

/// A JSON value. Members are sorted by the bytes of their names, as the canonical form wants them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Text(String),
    List(Vec<Value>),
    Object(Object),
}

/// The members of an object.
pub(crate) type Object = BTreeMap<String, Value>;

impl Value {
    /// Reads one document.
    ///
    /// # Errors
    /// A sentence that says what is wrong, and where.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let left = Cell::new(MOST_VALUES);
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let value = Strict { depth: DEEPEST, left: &left }.deserialize(&mut deserializer);
        let whole = value.and_then(|value| deserializer.end().map(|()| value));
        whole.map_err(|error| error.to_string())
    }

    /// The bytes that are signed: OLPC's canonical JSON. No spaces, members sorted, and in strings nothing but the
    /// quote and the backslash escaped.
    pub(crate) fn canonical(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => separated(items, b"[]", out, Self::write),
            Self::Object(members) => separated(members, b"{}", out, |(name, value), out| {
                write_text(name, out);
                out.push(b':');
                value.write(out);
            }),
        }
    }
}

fn separated<T>(
    items: impl IntoIterator<Item = T>,
    brackets: &[u8; 2],
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    let [open, close] = *brackets;
    out.push(open);
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(close);
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[derive(Clone, Copy)]
struct Strict<'c> {
    depth: u32,
    left: &'c Cell<u32>,
}

impl Strict<'_> {
    fn inner<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom(format!("deeper than {DEEPEST}")))?;
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| de::Error::custom(format!("more than {MOST_VALUES} values")))?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without fractions")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        match value.unsigned_abs() <= LARGEST_INTEGER.unsigned_abs() {
            true => Ok(Value::Integer(value)),
            false => Err(E::custom("an integer beyond 2^53")),
        }
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        self.visit_i64(i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Value, E> {
        Err(E::custom("a number that is no integer, or beyond 2^53"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if object.insert(name.clone(), value).is_some() {
                return Err(de::Error::custom(format!("the member {name:?} stands twice")));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Result<String, String> {
        Value::parse(text.as_bytes()).map(|value| String::from_utf8(value.canonical()).unwrap())
    }

    #[test]
    fn canonical_form() {
        assert_eq!(
            canonical(r#" { "b": [ 1, -2, null ], "a": true } "#).unwrap(),
            r#"{"a":true,"b":[1,-2,null]}"#
        );
        // Only the quote and the backslash are escaped; the rest stays as it is, composed or not.
        assert_eq!(canonical(r#""\u00e9 e\u0301 \/ \" \\ \n""#).unwrap(), "\"é e\u{301} / \\\" \\\\ \n\"");
        assert_eq!(canonical(r#"{"é":1,"z":2,"Z":3}"#).unwrap(), r#"{"Z":3,"z":2,"é":1}"#, "sorted by bytes");
    }

    #[test]
    fn what_parsers_read_differently_is_refused() {
        for (text, why) in [
            (r#"{"a":1,"a":1}"#, "twice"),
            (r#"{"a":1,"\u0061":1}"#, "twice"),
            ("1.0", "no integer"),
            ("1e3", "no integer"),
            ("9007199254740992", "2^53"),
            ("-9007199254740992", "2^53"),
            ("18446744073709551616", "2^53"),
            ("1 2", "trailing"),
            ("\u{feff}1", "expected"),
            (r#""\ud800 ""#, "hex escape"),
            ("\"\t\"", "control character"),
        ] {
            let error = canonical(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
        assert_eq!(canonical("9007199254740991").unwrap(), "9007199254740991");
        assert!(Value::parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn bounds() {
        assert!(canonical(&format!("{}1{}", "[".repeat(16), "]".repeat(16))).is_ok());
        assert!(canonical(&"[".repeat(17)).unwrap_err().contains("deeper"));
        let many = format!("[{}1]", "1,".repeat(1_000_000));
        assert!(canonical(&many).unwrap_err().contains("values"));
    }
}
