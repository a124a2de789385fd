//! The sample audit with hostile text wherever it holds text.

use plimsoll_report::Audit;

use crate::sample;

/// The same with hostile text in every place that holds text.
pub(crate) fn audit() -> Audit {
    let mut document = serde_json::to_value(sample::audit(12)).expect("an audit is JSON");
    spoil(&mut document, "");
    serde_json::from_value(document).expect("only texts were changed")
}

/// Keys whose value is one of a few words.
const WORDS: [&str; 11] = [
    "status",
    "severity",
    "concern",
    "confidence",
    "kind",
    "pending",
    "action",
    "basis",
    "component",
    "capabilities",
    "ecosystem",
];

fn spoil(value: &mut serde_json::Value, key: &str) {
    match value {
        serde_json::Value::String(text) if !WORDS.contains(&key) => {
            *text = format!("{text}{}", sample::HOSTILE[..4].concat());
        }
        serde_json::Value::Array(members) => members.iter_mut().for_each(|member| spoil(member, key)),
        serde_json::Value::Object(members) => members.iter_mut().for_each(|(key, member)| spoil(member, key)),
        _ => {}
    }
}
