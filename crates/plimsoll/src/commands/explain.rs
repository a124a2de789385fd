//! `plimsoll explain` and `plimsoll rules`.

use anyhow::Result;
use plimsoll_report::explain;
use plimsoll_rules::Rule;

use crate::exit::Usage;
use crate::{Exit, output};

/// Every rule that can answer: those over facts, and those over the policy file.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    plimsoll_rules::all().chain(&plimsoll_policy::RULES)
}

/// Tells all about a rule, or about the rules that answer a control of the CIS Docker Benchmark 1.8.
pub(crate) fn run(what: &str) -> Result<Exit> {
    let rules: Vec<&Rule> = rules().filter(|rule| rule.id == what || rule.cis.contains(&what)).collect();
    if rules.is_empty() {
        return Err(Usage(format!("no rule and no CIS control {what:?}{}", hint(what))).into());
    }
    let options = output::terminal_options(false, None);
    output::with(None, |out| {
        for (number, rule) in rules.iter().enumerate() {
            if number > 0 {
                out.write_all(b"\n")?;
            }
            explain::write(rule, &options, out)?;
        }
        Ok(())
    })?;
    Ok(Exit::CLEAN)
}

/// Lists the rules.
pub(crate) fn list() -> Result<Exit> {
    let options = output::terminal_options(false, None);
    output::with(None, |out| explain::list(rules(), &options, out))?;
    Ok(Exit::CLEAN)
}

/// The rules whose ids share the most words with what was asked for, those with the fewest others first.
fn hint(what: &str) -> String {
    let asked: Vec<&str> = what.split(|c: char| !c.is_alphanumeric()).collect();
    let shared = |id: &str| id.split('-').filter(|word| asked.contains(word)).count();
    let mut near: Vec<(usize, &str)> = rules().map(|rule| (shared(rule.id), rule.id)).collect();
    near.retain(|(words, _)| *words > 0);
    near.sort_by_key(|(words, id)| (std::cmp::Reverse(*words), id.split('-').count(), *id));
    let near: Vec<&str> = near.into_iter().take(3).map(|(_, id)| id).collect();
    match near.is_empty() {
        true => "; `plimsoll rules` lists all".to_owned(),
        false => format!("; perhaps {}", near.join(", ")),
    }
}
