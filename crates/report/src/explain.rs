//! What a rule is about, for a person at a terminal.

use std::io::{self, Write};

use plimsoll_rules::{Concern, Judge, Rule};

use crate::layout::{self, BOLD, DIM, PLAIN, Page, REMEDY, TerminalOptions, span, whole};
use crate::words;

/// Writes the page of one rule.
///
/// # Errors
/// What the writer answers.
pub fn write(rule: &Rule, options: &TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let page = &mut Page::new(out, options);
    page.labelled(rule.severity.id(), layout::severity(rule.severity), &[span(rule.title, BOLD)])?;
    let about = format!("{} · {} · {}", rule.id, rule.concern.id(), asked_about(rule));
    page.beside(&[span(&about, DIM)])?;
    page.blank()?;
    page.labelled("why", DIM, &[span(rule.why, PLAIN)])?;
    page.blank()?;
    page.labelled("fix", REMEDY, &[span(rule.fix, PLAIN)])?;
    if let Judge::Manual(look_at) = rule.judge {
        page.blank()?;
        page.labelled("look", DIM, &[span(look_at, PLAIN)])?;
    }
    if !rule.cis.is_empty() {
        page.blank()?;
        let controls = format!("Docker Benchmark 1.8: {}", rule.cis.join(", "));
        page.labelled("CIS", DIM, &[span(&controls, PLAIN)])?;
    }
    for (number, reference) in rule.references.iter().enumerate() {
        if number == 0 {
            page.blank()?;
        }
        page.labelled(if number == 0 { "see" } else { "" }, DIM, &[whole(reference, PLAIN)])?;
    }
    Ok(())
}

fn asked_about(rule: &Rule) -> &'static str {
    match rule.judge {
        Judge::Host(_) => "asked about the host",
        Judge::Component(..) => "asked about each program",
        Judge::Engine(_) => "asked about each engine",
        Judge::Network(_) => "asked about each network",
        Judge::Image(_) => "asked about each image",
        Judge::Container(_) => "asked about each container",
        Judge::Packages(_) => {
            "asked about each image, and each running container that changed the packages of its image"
        }
        Judge::Service(_) => "asked about each service",
        Judge::Manual(_) => "a person has to look",
    }
}

/// Writes all rules, one line each, by concern and worst first.
///
/// # Errors
/// What the writer answers.
pub fn list<'r>(
    rules: impl IntoIterator<Item = &'r Rule>,
    options: &TerminalOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let page = &mut Page::new(out, options);
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|rule| (std::cmp::Reverse(rule.severity), rule.id));
    let column = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0).min(page.beside_gutter() / 2);
    for concern in Concern::ALL {
        let of_concern: Vec<_> = rules.iter().filter(|rule| rule.concern == concern).collect();
        if of_concern.is_empty() {
            continue;
        }
        page.heading(words::concern(concern), &words::count(of_concern.len(), "rule"))?;
        for rule in of_concern {
            page.labelled_row(
                rule.severity.id(),
                layout::severity(rule.severity),
                span(rule.id, BOLD),
                column,
                &[span(rule.title, PLAIN)],
            )?;
        }
    }
    Ok(())
}
