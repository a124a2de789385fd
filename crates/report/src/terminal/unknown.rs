//! What could not be checked, why, and how to make it checkable.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io;

use plimsoll_rules::Status;

use super::names;
use crate::group;
use crate::layout::{DIM, PLAIN, Page, REMEDY, TerminalOptions, UNKNOWN, span};
use crate::{Audit, hints, words};

/// Reasons that are shown, unless all are asked for.
const REASONS: usize = 8;
/// Sources that no rule missed, likewise.
const SOURCES: usize = 4;

pub(super) fn write(page: &mut Page<'_>, audit: &Audit, options: &TerminalOptions) -> io::Result<()> {
    let unknown: Vec<_> = audit.with_status(Status::Unknown).collect();
    let mut same = group::by_message(&unknown);
    same.sort_by_key(|same| Reverse(same.findings.len()));
    let messages: BTreeSet<_> = same.iter().map(|same| same.message).collect();
    let gaps: Vec<_> = audit.gaps.iter().filter(|gap| !messages.contains(words::gap(gap).as_str())).collect();
    let hints = hints::of(audit);
    if same.is_empty() && gaps.is_empty() && hints.is_empty() {
        return Ok(());
    }
    let answers = match unknown.len() {
        0 => String::new(),
        number => words::count(number, "answer"),
    };
    page.heading("Could not be checked", &answers)?;
    let (reasons, sources) = (options.shown(same.len(), REASONS), options.shown(gaps.len(), SOURCES));
    for same in same.iter().take(reasons) {
        page.labelled("unknown", UNKNOWN, &[span(same.message, PLAIN)])?;
        page.beside(&[span(&needed_by(audit, same, options), DIM)])?;
    }
    for gap in gaps.iter().take(sources) {
        let subject = match gap.subject.as_str() {
            "" => String::new(),
            subject => format!(" ({subject})"),
        };
        page.labelled("unread", UNKNOWN, &[span(&words::gap(gap), PLAIN), span(&subject, DIM)])?;
    }
    let hidden = same.len() - reasons + gaps.len() - sources;
    if hidden > 0 {
        let more = format!("and {}", words::count(hidden, "more reason"));
        page.beside(&[span(&more, DIM)])?;
    }
    for hint in hints {
        page.labelled("hint", REMEDY, &[span(&hint, PLAIN)])?;
    }
    Ok(())
}

fn needed_by(audit: &Audit, same: &group::Same<'_>, options: &TerminalOptions) -> String {
    let rules: BTreeSet<_> = same.findings.iter().map(|finding| &*finding.rule).collect();
    let subjects: BTreeSet<_> =
        same.findings.iter().map(|finding| words::subject_with_kind(audit, &finding.subject)).collect();
    format!(
        "{}: {}; about {}",
        words::plural(rules.len(), "rule"),
        names(rules.iter().copied(), 3, options),
        names(subjects.iter().map(String::as_str), 3, options)
    )
}
