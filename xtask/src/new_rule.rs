//! Begins a rule.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use plimsoll_rules::Concern;

const TEMPLATE: &str = include_str!("rule.template");

/// Writes the file of a new rule and adds it to the list of its concern.
pub(crate) fn run(repository: &Path, concern: &str, id: &str) -> Result<()> {
    let known = Concern::ALL.into_iter().find(|c| c.id() == concern);
    let Some(concern) = known else { bail!("no concern {concern:?}: {}", ids()) };
    ensure!(is_kebab_case(id), "{id:?} is not kebab-case: lower-case letters, digits and single hyphens");
    ensure!(plimsoll_rules::find(id).is_none(), "there is a rule {id} already");

    let folder = repository.join("crates/rules/src").join(concern.id());
    let module = id.replace('-', "_");
    let file = folder.join(format!("{module}.rs"));
    ensure!(!file.exists(), "{} exists", file.display());
    let list = folder.join("mod.rs");
    let text = fs::read_to_string(&list).with_context(|| format!("reading {}", list.display()))?;
    let listed =
        with_module(&text, &module).with_context(|| format!("no rules! list in {}", list.display()))?;

    fs::write(&file, TEMPLATE.replace("RULE_ID", id).replace("CONCERN", &format!("{concern:?}")))
        .with_context(|| format!("writing {}", file.display()))?;
    fs::write(&list, listed).with_context(|| format!("writing {}", list.display()))?;
    println_to_stderr(&format!("{}: write its text, its judgement and its tests", file.display()));
    Ok(())
}

/// Adds a module to the `rules!` list, in alphabetical order.
fn with_module(text: &str, module: &str) -> Option<String> {
    let start = text.find("rules! {\n")? + "rules! {\n".len();
    let end = start + text[start..].find('}')?;
    let line = format!("    {module},");
    let mut lines: Vec<&str> = text[start..end].lines().collect();
    let place = lines.iter().position(|other| *other > line.as_str()).unwrap_or(lines.len());
    lines.insert(place, &line);
    Some(format!("{}{}\n{}", &text[..start], lines.join("\n"), &text[end..]))
}

fn is_kebab_case(id: &str) -> bool {
    id.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

fn ids() -> String {
    Concern::ALL.map(Concern::id).join(", ")
}

#[expect(clippy::print_stderr, reason = "a chore talks to whoever runs it")]
fn println_to_stderr(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_listed_in_order() {
        let before = "//! X.\n\ncrate::rules! {\n    a_rule,\n    c_rule,\n}\n";
        let after = "//! X.\n\ncrate::rules! {\n    a_rule,\n    b_rule,\n    c_rule,\n}\n";
        assert_eq!(with_module(before, "b_rule").as_deref(), Some(after));
        assert!(with_module("nothing", "b_rule").is_none());
    }

    #[test]
    fn ids_are_kebab_case() {
        assert!(is_kebab_case("container-privileged"));
        for wrong in ["", "Container", "a--b", "-a", "a_b", "../x"] {
            assert!(!is_kebab_case(wrong), "{wrong}");
        }
    }
}
