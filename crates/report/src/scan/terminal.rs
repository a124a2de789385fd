//! The scan for a person at a terminal: what can be mended first.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;
use plimsoll_facts::{Verdict, Vulnerability};
use plimsoll_rules::Severity;

use super::{OfImage, Scan, ScannedImage};
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
    summary(&mut page, scan)
}

fn one(page: &mut Page<'_>, scan: &Scan, image: &ScannedImage, options: &TerminalOptions) -> io::Result<()> {
    let flaws: Vec<&Vulnerability> =
        scan.vulnerabilities.iter().filter(|flaw| flaw.image == image.name).map(|flaw| &flaw.item).collect();
    page.heading(&image.name, &words::count(flaws.len(), "flaw"))?;
    let os = image.os.as_ref().and_then(|os| os.pretty_name.as_deref()).unwrap_or("unknown distribution");
    page.paragraph(&[span(os, PLAIN), span(" · read from ", DIM), span(&image.source, DIM)])?;
    if let Some(day) = &image.end_of_life {
        let text =
            format!("its distribution gets no fixes since {day}: what is found since then is not known here");
        page.labelled("end", BAD, &[span(&text, PLAIN)])?;
    }
    let shown = options.shown(flaws.len(), SHOWN);
    for flaw in flaws.iter().take(shown) {
        one_flaw(page, flaw)?;
    }
    if shown < flaws.len() {
        let more = format!("and {} more; --full names all", flaws.len() - shown);
        page.beside(&[span(&more, DIM)])?;
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
    let remedy = match (&flaw.fixed, &flaw.state) {
        (Some(fixed), Some(state)) => format!("fixed in {fixed} ({state})"),
        (Some(fixed), None) => format!("fixed in {fixed}"),
        (None, Some(state)) => format!("no fix ({state})"),
        (None, None) => "no fix yet".to_owned(),
    };
    let remedy_style = if flaw.fixed.is_some() { REMEDY } else { DIM };
    page.beside(&[span(&remedy, remedy_style), span("  ", PLAIN), span(&flaw.summary, DIM)])
}

fn style(severity: &str) -> Style {
    let known = Severity::WORST_FIRST.into_iter().find(|it| it.id() == severity);
    known.map_or(DIM, layout::severity)
}

fn uncovered(page: &mut Page<'_>, scan: &Scan) -> io::Result<()> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for OfImage { item, .. } in
        scan.packages.iter().filter(|package| package.item.verdict == Verdict::NotCovered)
    {
        *reasons.entry(item.reason.as_deref().unwrap_or("no source speaks about it")).or_default() += 1;
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
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

fn summary(page: &mut Page<'_>, scan: &Scan) -> io::Result<()> {
    page.heading("Coverage", "")?;
    let counts = [
        (Verdict::FixAvailable, "to update"),
        (Verdict::NoFix, "without a fix"),
        (Verdict::Fixed, "fixed"),
        (Verdict::NotAffected, "not affected"),
        (Verdict::NotCovered, "not covered"),
    ];
    let counts: Vec<String> =
        counts.iter().map(|(verdict, text)| format!("{} {text}", scan.count(*verdict))).collect();
    let line = format!("{}: {}", words::count(scan.packages.len(), "package"), counts.join(", "));
    page.paragraph(&[span(&line, PLAIN)])?;
    for source in &scan.sources {
        let limits = source.limits.as_ref().map(|limits| format!("; {limits}")).unwrap_or_default();
        let text = format!("{}: {} advisories{limits}", source.release, source.advisories);
        page.paragraph(&[span(&text, DIM)])?;
    }
    let mut worst: BTreeMap<std::cmp::Reverse<Severity>, usize> = BTreeMap::new();
    for flaw in &scan.vulnerabilities {
        if let Some(severity) = Severity::WORST_FIRST.into_iter().find(|it| it.id() == flaw.item.severity) {
            *worst.entry(std::cmp::Reverse(severity)).or_default() += 1;
        }
    }
    let worst: Vec<String> =
        worst.iter().map(|(severity, count)| format!("{count} {}", severity.0.id())).collect();
    let verdict =
        if worst.is_empty() { words::count(scan.vulnerabilities.len(), "flaw") } else { worst.join(", ") };
    page.paragraph(&[span("Verdict: ", BOLD), span(&verdict, BOLD)])
}
