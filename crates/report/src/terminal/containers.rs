//! One line a container.

use std::io;

use super::NAME;
use crate::group::{self, ContainerLine};
use crate::layout::{self, BOLD, DIM, GOOD, PLAIN, Page, TerminalOptions, UNKNOWN, span};
use crate::{Audit, escape};

/// Lines that are shown unless all are asked for.
const SHOWN: usize = 25;

pub(super) fn write(page: &mut Page<'_>, audit: &Audit, options: &TerminalOptions) -> io::Result<()> {
    let lines = group::containers(audit);
    if lines.is_empty() {
        return Ok(());
    }
    let wrong = lines.iter().filter(|line| !line.failures.is_empty()).count();
    page.heading("Containers", &format!("{wrong} of {} with problems", lines.len()))?;
    let shown = options.shown(lines.len(), SHOWN);
    let column = name_column(&lines[..shown], page);
    for line in &lines[..shown] {
        one(page, line, column)?;
    }
    if shown < lines.len() {
        let rest = &lines[shown..];
        let wrong = rest.iter().filter(|line| !line.failures.is_empty()).count();
        let more = format!("and {} more, {wrong} with problems", rest.len());
        page.beside(&[span(&more, DIM)])?;
    }
    Ok(())
}

fn name_column(lines: &[ContainerLine<'_>], page: &Page<'_>) -> usize {
    let longest = lines.iter().map(|line| escape::width(&escape::visible(&line.name))).max();
    longest.unwrap_or(0).clamp(8, NAME).min(page.beside_gutter() / 2)
}

fn one(page: &mut Page<'_>, line: &ContainerLine<'_>, column: usize) -> io::Result<()> {
    let (state, style) = match line.worst() {
        Some(severity) => (severity.id(), layout::severity(severity)),
        None if line.unknown > 0 => ("unknown", UNKNOWN),
        None => ("ok", GOOD),
    };
    let state = format!("{state:>8}  ");
    let name = escape::visible(&line.name);
    let name = escape::fit(&name, column);
    let pad = " ".repeat(column - escape::width(&name) + 2);
    let problems = problems(line, page.beside_gutter() - column - 2);
    page.line(&[span(&state, style), span(&name, BOLD), span(&pad, PLAIN), span(&problems, PLAIN)])
}

/// The worst problems by the name of their rule, as many as fit, and how many more there are.
fn problems(line: &ContainerLine<'_>, room: usize) -> String {
    let mut tail = Vec::new();
    if line.unknown > 0 {
        tail.push(format!("{} unknown", line.unknown));
    }
    if line.excepted > 0 {
        tail.push(format!("{} excepted", line.excepted));
    }
    let mut text = String::new();
    for (number, finding) in line.failures.iter().enumerate() {
        let left = line.failures.len() - number - 1;
        let separator = if number == 0 { "" } else { ", " };
        let reserve = if left == 0 { 0 } else { format!(", +{left} more").len() };
        if number > 0 && escape::width(&text) + separator.len() + finding.rule.len() + reserve > room {
            text.push_str(&format!(", +{}", left + 1));
            break;
        }
        text.push_str(separator);
        text.push_str(&finding.rule);
    }
    let tail = tail.join(", ");
    if text.is_empty() {
        return tail;
    }
    if !tail.is_empty() && escape::width(&text) + tail.len() + 2 <= room {
        text.push_str("; ");
        text.push_str(&tail);
    }
    text
}
