//! docs/upgrade-effects.md names every effect and every trap, and no other.

use std::collections::BTreeSet;

use plimsoll_upgrade::{EffectKind, trap_ids};

const PAGE: &str = include_str!("../../../docs/upgrade-effects.md");

/// The names in the first column of the table below a heading.
fn rows(heading: &str) -> BTreeSet<&'static str> {
    let section = PAGE.split(heading).nth(1).expect("the section is there");
    let section = section.split("\n#").next().unwrap_or(section);
    section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

#[test]
fn effects() {
    assert_eq!(rows("\n## The effects"), EffectKind::ALL.map(EffectKind::id).into());
}

#[test]
fn traps() {
    assert_eq!(rows("\n## The traps"), trap_ids().collect());
}
