//! The scan as Markdown, for a comment on a change. Whatever a name holds, it formats, links and mentions nothing.

use std::io::{self, Write};

use plimsoll_facts::Vulnerability;

use super::{Scan, ScannedImage};
use crate::escape::{markdown as prose, markdown_cell as cell, markdown_code as code};
use crate::words;

/// Flaws of one image that are named, unless all are asked for: a comment has a limited size.
const SHOWN: usize = 50;

/// Writes the scan as Markdown (CommonMark with tables). `full` names every flaw.
///
/// # Errors
/// What the writer answers.
pub fn write(scan: &Scan, full: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {} scan\n\n**{}**\n\n{}.", scan.tool.name, scan.verdict(), scan.coverage())?;
    for image in &scan.images {
        one(scan, image, full, out)?;
    }
    listed("Not covered", reasons(scan), out)?;
    let gaps = scan.gaps.iter().map(|gap| {
        let text = format!("{}: {}", gap.subject, words::gap(gap));
        prose(&text)
    });
    listed("Could not be read", gaps.collect(), out)?;
    let unmatched = scan.vex_unmatched.iter().map(|statement| prose(statement));
    listed("VEX about nothing that was found", unmatched.collect(), out)?;
    let expired = scan.exceptions_expired.iter().map(|exception| prose(exception));
    listed("Exceptions that have expired", expired.collect(), out)?;
    let sources = scan.sources.iter().map(|source| {
        let limits = source.limits.as_ref().map_or(String::new(), |limits| format!("; {limits}"));
        prose(&format!("{}: {} advisories{limits}", source.release, source.advisories))
    });
    listed("Sources", sources.collect(), out)
}

fn reasons(scan: &Scan) -> Vec<String> {
    let reasons = scan.not_covered(None);
    reasons
        .iter()
        .map(|(reason, count)| format!("{}: {}", words::count(*count, "package"), prose(reason)))
        .collect()
}

fn listed(title: &str, items: Vec<String>, out: &mut dyn Write) -> io::Result<()> {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {title}\n")?;
    items.iter().try_for_each(|item| writeln!(out, "- {item}"))
}

fn one(scan: &Scan, image: &ScannedImage, full: bool, out: &mut dyn Write) -> io::Result<()> {
    let flaws: Vec<&Vulnerability> =
        scan.vulnerabilities.iter().filter(|flaw| flaw.image == image.name).map(|flaw| &flaw.item).collect();
    let os = image.os.as_ref().and_then(|os| os.pretty_name.as_deref()).unwrap_or("unknown distribution");
    writeln!(out, "\n## {}\n\n{} · read from {}", code(&image.name), prose(os), prose(&image.source))?;
    if let Some(day) = &image.end_of_life {
        writeln!(out, "\n**{}**", prose(&super::end_of_life(day)))?;
    }
    if flaws.is_empty() {
        return writeln!(out, "\nNo known flaws in what is covered.");
    }
    writeln!(
        out,
        "\n| severity | flaw | package | installed | remedy | |\n| --- | --- | --- | --- | --- | --- |"
    )?;
    let shown = if full { flaws.len() } else { flaws.len().min(SHOWN) };
    for flaw in flaws.iter().take(shown) {
        row(flaw, out)?;
    }
    match flaws.len() - shown {
        0 => Ok(()),
        more => writeln!(out, "\nAnd {more} more."),
    }
}

fn row(flaw: &Vulnerability, out: &mut dyn Write) -> io::Result<()> {
    let mut notes = Vec::new();
    notes.extend(flaw.exploited.as_ref().map(|day| format!("exploited since {day}")));
    notes.extend(super::said(flaw));
    writeln!(
        out,
        "| {} | {} | {} | {} | {} | {} |",
        prose(&flaw.severity),
        cell(&flaw.id),
        cell(&flaw.package),
        cell(&flaw.installed),
        prose(&super::remedy(flaw)).replace('|', "\\|"),
        prose(&notes.join("; ")).replace('|', "\\|"),
    )
}
