//! The audit for a person at a terminal: worst first, nothing wider than asked.

mod cis;
mod containers;
mod effects;
mod failures;
mod paths;
mod summary;
mod unknown;

use std::collections::BTreeSet;
use std::io::{self, Write};

use plimsoll_rules::SubjectKind;

use crate::layout::{BOLD, DIM, PLAIN, Page, TerminalOptions, UNKNOWN, span};
use crate::{Audit, escape, words};

/// Writes the audit for a terminal; where it has a view by controls of the benchmark, by control instead of by
/// concern.
///
/// # Errors
/// What the writer answers.
pub fn write(audit: &Audit, options: &TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options);
    head(&mut page, audit, options)?;
    if let Some(view) = &audit.cis {
        cis::write(&mut page, audit, view, options)?;
    } else {
        containers::write(&mut page, audit, options)?;
        failures::write(&mut page, audit, options)?;
        paths::write(&mut page, audit, options)?;
        effects::write(&mut page, audit, options)?;
    }
    unknown::write(&mut page, audit, options)?;
    summary::write(&mut page, audit, options)
}

/// The names of the images that were looked at.
fn images(audit: &Audit, options: &TerminalOptions) -> String {
    let subjects = audit.findings.iter().map(|finding| &finding.subject);
    let images: BTreeSet<&str> =
        subjects.filter(|it| it.kind == SubjectKind::Image).map(|it| it.name.as_str()).collect();
    names(images.into_iter(), 4, options)
}

fn head(page: &mut Page<'_>, audit: &Audit, options: &TerminalOptions) -> io::Result<()> {
    let host = &audit.host;
    let os = host.os.as_deref().unwrap_or("unknown distribution");
    let kernel = host.kernel.as_deref().unwrap_or("of unknown release");
    if audit.is_of_images() {
        page.paragraph(&[span(&images(audit, options), BOLD)])?;
    } else {
        page.paragraph(&[
            span(&host.name, BOLD),
            span(" · ", DIM),
            span(os, PLAIN),
            span(" · ", DIM),
            span("Linux ", PLAIN),
            span(kernel, PLAIN),
        ])?;
    }
    for engine in &host.engines {
        page.paragraph(&[
            span(&engine.endpoint, PLAIN),
            span(if engine.version.is_some() { " · engine " } else { " · " }, DIM),
            span(&words::engine(engine), if engine.version.is_some() { DIM } else { UNKNOWN }),
        ])?;
    }
    let policy = match audit.policy.name.as_str() {
        "" => String::new(),
        name => format!(" · policy {name}"),
    };
    let tool = format!(
        "{} {} · read as {} · {}{policy}",
        audit.tool.name,
        audit.tool.version,
        words::who(audit),
        audit.collected_at
    );
    page.paragraph(&[span(&tool, DIM)])?;
    match audit.blindness.is_empty() {
        true => Ok(()),
        false => page.paragraph(&[span(&words::blindness(audit), UNKNOWN)]),
    }
}

/// At most this many columns for a name among others.
const NAME: usize = 40;

/// Names with commas between, the first `most` of them, and how many more there are.
pub(crate) fn names<'a>(
    all: impl ExactSizeIterator<Item = &'a str>,
    most: usize,
    options: &TerminalOptions,
) -> String {
    let total = all.len();
    let shown = options.shown(total, most);
    let mut text = String::new();
    for (number, name) in all.take(shown).enumerate() {
        if number > 0 {
            text.push_str(", ");
        }
        text.push_str(&escape::fit(&escape::visible(name), NAME));
    }
    if shown < total {
        text.push_str(&format!(" and {} more", total - shown));
    }
    text
}
