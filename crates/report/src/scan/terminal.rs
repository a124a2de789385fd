//! The scan for a person at a terminal: what can be mended first.

use std::io::{self, Write};

use anstyle::Style;
use plimsoll_facts::{Verdict, Vulnerability};
use plimsoll_rules::Severity;

use super::{Scan, ScannedImage};
use crate::layout::{self, BAD, BOLD, DIM, PLAIN, Page, REMEDY, TerminalOptions, UNKNOWN, span};
use crate::words;

/// Flaws of one image that are shown unless all are asked for.
const SHOWN: usize = 20;
/// Reasons why packages are not covered that are shown.
const REASONS: usize = 5;

/// Writes the scan for a terminal.
///
/// # Errors
/// What the writer answers.
pub fn write(scan: &Scan, options: &TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options);
    for image in &scan.images {
        one(&mut page, scan, image, options)?;
    }
    uncovered(&mut page, scan)?;
    gaps(&mut page, scan)?;
    listed(&mut page, "VEX about nothing that was found", "statement", &scan.vex_unmatched)?;
    listed(&mut page, "Exceptions that have expired", "exception", &scan.exceptions_expired)?;
    summary(&mut page, scan)
}

fn one(page: &mut Page<'_>, scan: &Scan, image: &ScannedImage, options: &TerminalOptions) -> io::Result<()> {
    let flaws: Vec<&Vulnerability> =
        scan.vulnerabilities.iter().filter(|flaw| flaw.image == image.name).map(|flaw| &flaw.item).collect();
    let (harmless, flaws): (Vec<_>, Vec<_>) = flaws.into_iter().partition(|flaw| flaw.is_suppressed());
    page.heading(&image.name, &words::count(flaws.len(), "flaw"))?;
    let os = image.os.as_ref().and_then(|os| os.pretty_name.as_deref()).unwrap_or("unknown distribution");
    page.paragraph(&[span(os, PLAIN), span(" · read from ", DIM), span(&image.source, DIM)])?;
    if let Some(day) = &image.end_of_life {
        page.labelled("end", BAD, &[span(&super::end_of_life(day), PLAIN)])?;
    }
    if let Some(day) = &image.long_term_since {
        let text =
            format!("since {day} its fixes come from long-term support alone, which leaves packages out");
        page.labelled("support", DIM, &[span(&text, DIM)])?;
    }
    let shown = options.shown(flaws.len(), SHOWN);
    for flaw in flaws.iter().take(shown) {
        one_flaw(page, flaw)?;
    }
    if shown < flaws.len() {
        let more = format!("and {} more; --full names all", flaws.len() - shown);
        page.beside(&[span(&more, DIM)])?;
    }
    for flaw in harmless {
        let said = super::said(flaw).unwrap_or_default();
        let label = if flaw.exception.is_some() { "accepted" } else { "vex" };
        page.labelled(label, DIM, &[span(&flaw.id, BOLD), span("  ", PLAIN), span(&flaw.package, PLAIN)])?;
        page.beside(&[span(&said, DIM)])?;
    }
    Ok(())
}

fn one_flaw(page: &mut Page<'_>, flaw: &Vulnerability) -> io::Result<()> {
    let exploited = flaw.exploited.as_ref().map(|day| format!("  exploited since {day}"));
    page.labelled(
        &flaw.severity,
        style(&flaw.severity),
        &[
            span(&flaw.id, BOLD),
            span("  ", PLAIN),
            span(&flaw.package, PLAIN),
            span("  ", PLAIN),
            span(&flaw.installed, DIM),
            span(exploited.as_deref().unwrap_or_default(), BAD),
        ],
    )?;
    let remedy = super::remedy(flaw);
    let remedy_style = if flaw.fixed.is_some() { REMEDY } else { DIM };
    page.beside(&[span(&remedy, remedy_style), span("  ", PLAIN), span(&flaw.summary, DIM)])
}

fn style(severity: &str) -> Style {
    let known = Severity::WORST_FIRST.into_iter().find(|it| it.id() == severity);
    known.map_or(DIM, layout::severity)
}

fn uncovered(page: &mut Page<'_>, scan: &Scan) -> io::Result<()> {
    let reasons = scan.not_covered(None);
    if reasons.is_empty() {
        return Ok(());
    }
    page.heading("Not covered", &words::count(scan.count(Verdict::NotCovered), "package"))?;
    for (reason, count) in reasons.iter().take(REASONS) {
        page.labelled(&count.to_string(), UNKNOWN, &[span(reason, PLAIN)])?;
    }
    if reasons.len() > REASONS {
        page.beside(&[span(
            &format!("and {} more reasons; --format json has all", reasons.len() - REASONS),
            DIM,
        )])?;
    }
    Ok(())
}

fn gaps(page: &mut Page<'_>, scan: &Scan) -> io::Result<()> {
    if scan.gaps.is_empty() {
        return Ok(());
    }
    page.heading("Could not be read", &words::count(scan.gaps.len(), "gap"))?;
    for gap in &scan.gaps {
        let place = format!("{}: {}: ", gap.subject, gap.source);
        page.labelled("unknown", UNKNOWN, &[span(&place, DIM), span(&gap.reason, PLAIN)])?;
    }
    Ok(())
}

fn listed(page: &mut Page<'_>, title: &str, noun: &str, items: &[String]) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    page.heading(title, &words::count(items.len(), noun))?;
    items.iter().try_for_each(|item| page.paragraph(&[span(item, DIM)]))
}

fn summary(page: &mut Page<'_>, scan: &Scan) -> io::Result<()> {
    page.heading("Coverage", "")?;
    page.paragraph(&[span(&scan.coverage(), PLAIN)])?;
    for source in &scan.sources {
        let limits = source.limits.as_ref().map(|limits| format!("; {limits}")).unwrap_or_default();
        let text = format!("{}: {} advisories{limits}", source.release, source.advisories);
        page.paragraph(&[span(&text, DIM)])?;
    }
    page.paragraph(&[span("Verdict: ", BOLD), span(&scan.verdict(), BOLD)])
}
