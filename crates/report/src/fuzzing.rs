//! Entrance for the fuzz target of `/fuzz`: facts that somebody else collected, or made up.

use std::io;

use plimsoll_facts::{Facts, redact};
use plimsoll_rules::Rule;

use crate::{Audit, TerminalOptions, html, json, junit, markdown, sarif, terminal};

/// Name of a fuzz target, and its entrance.
pub type Target = (&'static str, fn(&[u8]));

/// Every entrance.
pub const TARGETS: [Target; 1] = [("facts_document", facts)];

/// A facts document: judged by every rule, written in every format, and the same again without names.
pub fn facts(bytes: &[u8]) {
    let Ok(mut facts) = serde_json::from_slice::<Facts>(bytes) else { return };
    report(&facts);
    redact(&mut facts);
    report(&facts);
}

fn report(facts: &Facts) {
    let rules: Vec<&Rule> = plimsoll_rules::all().collect();
    let judged = plimsoll_rules::judge(facts, rules.iter().copied());
    let mut audit = Audit::new(facts, rules, judged);
    audit.effects = plimsoll_upgrade::effects(facts);
    for (width, full) in [(0, false), (40, true), (80, false), (usize::from(u16::MAX), true)] {
        let options = TerminalOptions { width, color: full, full };
        let _ = terminal::write(&audit, &options, &mut io::sink());
    }
    for write in [html::write, json::write, junit::write, sarif::write] {
        let _ = write(&audit, &mut io::sink());
    }
    let _ = markdown::write(&audit, true, &mut io::sink());
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod tests;
