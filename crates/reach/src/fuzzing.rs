//! Entrance for the fuzz target of `/fuzz`: conditions that somebody else wrote.

use crate::precondition::Precondition;

/// Name of a fuzz target, and its entrance.
pub type Target = (&'static str, fn(&[u8]));

/// Every entrance.
pub const TARGETS: [Target; 1] = [("reach_precondition", precondition)];

/// A precondition: what is read is printed as it reads.
///
/// # Panics
/// When what is printed reads as something else.
pub fn precondition(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(read) = Precondition::parse(text) else { return };
    assert_eq!(Precondition::parse(&read.to_string()).as_ref(), Ok(&read), "{text}");
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "seeds are files")]
#[path = "../../../fuzz/replay.rs"]
mod replay;
