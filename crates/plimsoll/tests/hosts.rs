//! Captured hosts: the facts of a whole host, and every answer that they must give.
//!
//! Each folder of `tests/hosts/` holds `facts.json` (from `plimsoll facts --redact`) and `expected.txt`. After a change
//! that is meant to alter answers, `PLIMSOLL_BLESS=1 cargo test -p plimsoll --test hosts` writes the files anew; the
//! difference belongs into the review.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll_facts::{FACTS_SCHEMA, Facts};
use serde_json::Value;

#[test]
fn every_captured_host_gives_the_expected_answers() {
    let bless = std::env::var_os("PLIMSOLL_BLESS").is_some();
    let mut wrong = String::new();
    for host in hosts() {
        let mut facts = facts(&host);
        plimsoll_advisories::boundary::judge(&mut facts);
        plimsoll_reach::network::judge(&mut facts);
        let found = answers(&facts);
        let path = host.join("expected.txt");
        if bless {
            fs::write(&path, &found).expect("expected.txt can be written");
            continue;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        wrong += &difference(&path, &expected, &found);
    }
    assert!(wrong.is_empty(), "{wrong}PLIMSOLL_BLESS=1 accepts these, where they are meant");
}

#[test]
fn every_captured_host_holds_facts_of_this_version_only() {
    for host in hosts() {
        let path = host.join("facts.json");
        let written: Value = serde_json::from_str(&text(&path)).expect("facts.json is JSON");
        let facts = facts(&host);
        assert_eq!(facts.schema, FACTS_SCHEMA, "{}", path.display());
        let known = serde_json::to_value(&facts).expect("facts can be written");
        assert_eq!(unknown_key(&written, &known, String::new()), None, "{}", path.display());
    }
}

/// The folders, by name.
fn hosts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hosts");
    let entries = fs::read_dir(&root).expect("tests/hosts can be read");
    let mut folders: Vec<_> =
        entries.map(|entry| entry.expect("an entry of it").path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    assert!(!folders.is_empty(), "no captured host in {}", root.display());
    folders
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn facts(host: &Path) -> Facts {
    let path = host.join("facts.json");
    serde_json::from_str(&text(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One line an answer, in an order that does not change; then the steps and the traps.
fn answers(facts: &Facts) -> String {
    let mut lines = BTreeSet::new();
    for finding in plimsoll_rules::judge(facts, plimsoll_rules::all()).findings {
        let subject = finding.subject;
        lines.insert(format!(
            "{} | {} {} | {}",
            finding.rule,
            subject.kind.id(),
            subject.name,
            finding.status.id()
        ));
    }
    let effects = plimsoll_upgrade::effects(facts);
    for step in effects.steps {
        let name = format!("step {} {}", step.action.id(), step.layer.name());
        lines.insert(format!("{name} | pending {}", step.pending.id()));
        for one in step.containers {
            let kinds: Vec<_> = one.effects.iter().map(|effect| effect.kind.id()).collect();
            lines.insert(format!("{name} | container {} | {}", one.container.name, kinds.join(", ")));
        }
    }
    for trap in effects.traps {
        let names: Vec<_> = trap.containers.into_iter().map(|container| container.name).collect();
        lines.insert(
            format!("trap {} | {}", trap.id, names.join(" ")).trim_end_matches([' ', '|']).to_owned(),
        );
    }
    lines.into_iter().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "{line}");
        all
    })
}

/// Lines that are missing (`-`) and that were not expected (`+`).
fn difference(path: &Path, expected: &str, found: &str) -> String {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (expected, found) = (lines(expected), lines(found));
    let missing = expected.difference(&found).map(|line| format!("  - {line}\n"));
    let surplus = found.difference(&expected).map(|line| format!("  + {line}\n"));
    let all: String = missing.chain(surplus).collect();
    if all.is_empty() { all } else { format!("{}:\n{all}", path.display()) }
}

/// The first key of a facts file that no type reads: misspelt, or of another version.
fn unknown_key(written: &Value, known: &Value, at: String) -> Option<String> {
    match (written, known) {
        (Value::Object(written), Value::Object(known)) => {
            written.iter().find_map(|(key, value)| match known.get(key) {
                Some(known) => unknown_key(value, known, format!("{at}.{key}")),
                None => Some(format!("{at}.{key}")),
            })
        }
        (Value::Array(written), Value::Array(known)) => written
            .iter()
            .zip(known)
            .enumerate()
            .find_map(|(index, (written, known))| unknown_key(written, known, format!("{at}[{index}]"))),
        _ => None,
    }
}
