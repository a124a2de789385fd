//! The page of a rule, in Markdown: for the reference, and as help in SARIF.

use std::fmt::Write;

use plimsoll_rules::{Concern, Rule};

use crate::{RuleText, words};

/// A page of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// File name below the folder of the reference.
    pub file: String,
    /// Its Markdown.
    pub text: String,
}

/// The reference of rules: an index, and one page a rule.
pub fn rules_markdown<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Vec<Page> {
    let mut rules: Vec<_> = rules.into_iter().map(RuleText::from).collect();
    rules.sort_by(|a, b| (a.concern, &a.id).cmp(&(b.concern, &b.id)));
    let mut pages = vec![Page { file: "README.md".to_owned(), text: index(&rules) }];
    pages.extend(rules.iter().map(|rule| Page { file: format!("{}.md", rule.id), text: rule_page(rule) }));
    pages
}

fn index(rules: &[RuleText]) -> String {
    let mut text = format!("# Rules\n\n{}.\n", words::count(rules.len(), "rule"));
    for concern in Concern::ALL {
        let of_concern: Vec<_> = rules.iter().filter(|rule| rule.concern == concern).collect();
        if of_concern.is_empty() {
            continue;
        }
        let _ = write!(
            text,
            "\n## {}\n\n| rule | severity | what is wrong | CIS 1.8 |\n| --- | --- | --- | --- |\n",
            words::concern(concern)
        );
        for rule in of_concern {
            let _ = writeln!(
                text,
                "| [{id}]({id}.md) | {} | {} | {} |",
                rule.severity.id(),
                rule.title.replace('|', "\\|"),
                rule.cis.join(", "),
                id = rule.id,
            );
        }
    }
    text
}

fn rule_page(rule: &RuleText) -> String {
    format!("# {}\n\n{}\n\n{}", rule.id, rule.title, rule_body(rule))
}

/// What a rule's page says below its title. The texts are the build's own, so their Markdown is meant.
pub(crate) fn rule_body(rule: &RuleText) -> String {
    let mut text = format!("Concern {}, severity {}", rule.concern.id(), rule.severity.id());
    if !rule.cis.is_empty() {
        let _ = write!(text, "; answers CIS Docker Benchmark 1.8: {}", rule.cis.join(", "));
    }
    let _ = write!(text, ".\n\n## Why it matters\n\n{}\n\n## How to fix it\n\n{}\n", rule.why, rule.fix);
    if !rule.references.is_empty() {
        text.push_str("\n## References\n\n");
        for reference in &rule.references {
            let _ = match reference.starts_with("https://") {
                true => writeln!(text, "- <{reference}>"),
                false => writeln!(text, "- {reference}"),
            };
        }
    }
    text
}

/// The same without formatting.
pub(crate) fn rule_plain(rule: &RuleText) -> String {
    format!("{}\n\nFix: {}", rule.why, rule.fix)
}
