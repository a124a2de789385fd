//! What docs/policy.md shows is what the parser takes.

use plimsoll_policy::parse;

const PAGE: &str = include_str!("../../../docs/policy.md");

/// The blocks of the page in one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    PAGE.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn every_example_is_a_policy() {
    let examples = blocks("toml");
    assert!(examples.len() >= 2);
    for example in examples {
        parse(example, "docs/policy.md").unwrap_or_else(|mistakes| panic!("{mistakes}\n{example}"));
    }
}

#[test]
fn the_messages_are_those_of_the_parser() {
    let text = "\n\n\n[rules.container-privileged]\nseverty = \"low\"\n\n\n\n[rules.container-priviledged]\n";
    let mistakes = parse(text, "plimsoll.toml").expect_err("has mistakes");
    assert_eq!(blocks("text")[0].trim_end(), mistakes.to_string());
}

#[test]
fn every_finding_about_the_policy_has_its_row() {
    for rule in &plimsoll_policy::RULES {
        assert!(PAGE.contains(&format!("| `{}` | {} |", rule.id, rule.severity.id())), "{}", rule.id);
    }
}
