//! The JSON Schema of `plimsoll.toml`, for editors that complete and check TOML by one.

use plimsoll_rules::{Concern, Severity};
use serde_json::{Map, Value as Json, json};

use crate::keys::{Keys, TOP, Value};

/// The schema as JSON, with a line break at its end.
pub fn schema_json() -> String {
    let mut schema = table(TOP);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("plimsoll.toml");
    format!("{schema:#}\n")
}

fn table(keys: Keys) -> Json {
    let properties: Map<_, _> = keys
        .iter()
        .map(|key| {
            let mut schema = value(&key.value);
            schema["description"] = json!(key.about);
            (key.name.to_owned(), schema)
        })
        .collect();
    let required: Vec<_> = keys.iter().filter(|key| key.is_mandatory).map(|key| key.name).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn value(value: &Value) -> Json {
    let by = |names: Vec<&str>, keys| {
        let properties: Map<_, _> = names.into_iter().map(|name| (name.to_owned(), table(keys))).collect();
        json!({"type": "object", "properties": properties, "additionalProperties": false})
    };
    match value {
        Value::Text => json!({"type": "string", "minLength": 1}),
        Value::Texts => json!({"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}),
        Value::Flag => json!({"type": "boolean"}),
        Value::Number(bound) => json!({"type": "integer", "minimum": 1, "maximum": bound}),
        Value::Day => json!({"type": "string", "format": "date"}),
        Value::Severity => json!({"enum": Severity::WORST_FIRST.map(Severity::id)}),
        Value::OneOf(names) => json!({"enum": names}),
        Value::Table(keys) => table(keys),
        Value::Tables(keys) => json!({"type": "array", "items": table(keys)}),
        Value::ByRule(keys) => by(plimsoll_rules::all().map(|rule| rule.id).collect(), keys),
        Value::ByConcern(keys) => by(Concern::ALL.map(Concern::id).to_vec(), keys),
    }
}
