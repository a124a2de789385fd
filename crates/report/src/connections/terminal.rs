//! The connections for a person at a terminal: each listener with who reaches it, and by which way.

use std::io::{self, Write};

use plimsoll_facts::{ReachedListener, Way};

use super::{ConnectionReport, kind, socket};
use crate::layout::{BOLD, DIM, GOOD, PLAIN, Page, TerminalOptions, UNKNOWN, WARNING, span};
use crate::words;

/// Columns of port and process.
const CELL: usize = 20;
/// Names in a row.
const NAMES: usize = 8;

/// Writes the connections.
///
/// # Errors
/// What the writer answers.
pub fn write(report: &ConnectionReport, options: &TerminalOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out, options);
    let connections = &report.connections;
    let counted = format!(
        "{}, {}, {} that connect alike",
        words::count(connections.ends.len(), "network"),
        words::count(connections.listeners.len(), "listener"),
        words::count(connections.groups.len(), "group"),
    );
    page.paragraph(&[span(&report.host, BOLD), span(" · ", DIM), span(&counted, PLAIN)])?;
    let mut last = None;
    for listener in report.listeners() {
        if last.replace(listener.end) != Some(listener.end)
            && let Some(end) = report.end(listener.end)
        {
            page.heading(&end.name, kind(end))?;
        }
        write_listener(&mut page, report, listener, options)?;
    }
    for gap in &report.gaps {
        page.blank()?;
        page.labelled(
            "unread",
            UNKNOWN,
            &[
                span(&gap.subject, BOLD),
                span(" ", PLAIN),
                span(&gap.source, PLAIN),
                span(": ", PLAIN),
                span(&gap.reason, PLAIN),
            ],
        )?;
    }
    Ok(())
}

fn write_listener(
    page: &mut Page<'_>,
    report: &ConnectionReport,
    listener: &ReachedListener,
    options: &TerminalOptions,
) -> io::Result<()> {
    let name = socket(listener);
    let mut cell = name.as_str();
    for (groups, via, to) in alike(&listener.ways) {
        let who = report.names(groups, listener.end);
        if who.is_empty() {
            continue;
        }
        let list = crate::terminal::names(who.into_iter(), NAMES, options);
        let through = if via.is_empty() { to } else { format!("{to} ({})", via.join(", ")) };
        page.labelled_row(
            "open",
            WARNING,
            span(cell, BOLD),
            CELL,
            &[span(&list, PLAIN), span(" by ", DIM), span(&through, DIM)],
        )?;
        cell = "";
    }
    for (label, style, unknown) in [("unknown", UNKNOWN, true), ("blocked", GOOD, false)] {
        if !unknown && !options.full {
            continue;
        }
        for by in &listener.ways {
            for answer in if unknown { &by.unknown } else { &by.blocked } {
                let who = report.names(&answer.groups, listener.end);
                if who.is_empty() {
                    continue;
                }
                let list = crate::terminal::names(who.into_iter(), NAMES, options);
                let why = format!("{}: {}", by.to, report.reason(answer));
                page.labelled_row(
                    label,
                    style,
                    span(cell, BOLD),
                    CELL,
                    &[span(&list, PLAIN), span(" ", DIM), span(&why, DIM)],
                )?;
                cell = "";
            }
        }
    }
    if !cell.is_empty() {
        page.labelled_row("closed", GOOD, span(cell, BOLD), CELL, &[span("nobody else reaches it", DIM)])?;
    }
    Ok(())
}

/// Ways that lead the same people along the same steps: groups, steps, and the addresses that are connected to.
fn alike(ways: &[Way]) -> Vec<(&[usize], &[String], String)> {
    let mut alike: Vec<(&[usize], &[String], String)> = Vec::new();
    for way in ways.iter().filter(|way| !way.open.is_empty()) {
        match alike.iter_mut().find(|(groups, via, _)| *groups == way.open && *via == way.via) {
            Some((.., to)) => {
                to.push_str(", ");
                to.push_str(&way.to);
            }
            None => alike.push((&way.open, &way.via, way.to.clone())),
        }
    }
    alike
}
