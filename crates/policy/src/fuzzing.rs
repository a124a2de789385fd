//! Entrance for the fuzz target of `/fuzz`: a policy that somebody else wrote.

use crate::parse;

/// Name of a fuzz target, and its entrance.
pub type Target = (&'static str, fn(&[u8]));

/// Every entrance.
pub const TARGETS: [Target; 1] = [("policy_file", policy)];

/// The text of a policy, and the message about its mistakes.
pub fn policy(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Err(mistakes) = parse(text, "plimsoll.toml")
    {
        let _ = mistakes.to_string();
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod tests;
