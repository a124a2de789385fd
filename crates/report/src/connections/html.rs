//! The connections as one self-contained HTML page, without scripts: a matrix of listeners and groups.

use std::io::{self, Write};

use askama::Template;
use plimsoll_facts::ReachedListener;

use super::{ConnectionReport, kind, socket, way};
use crate::html::{STYLE, STYLE_HASH, show};

/// Names of a group that are shown above its column.
const NAMES: usize = 3;

/// Writes the connections as one HTML page.
///
/// # Errors
/// What the writer answers.
pub fn write(report: &ConnectionReport, out: &mut dyn Write) -> io::Result<()> {
    let page = Page {
        report,
        columns: (0..report.connections.groups.len()).map(|group| Column::of(report, group)).collect(),
        rows: report.listeners().into_iter().map(|listener| Row::of(report, listener)).collect(),
        style: STYLE,
        style_hash: STYLE_HASH,
    };
    page.write_into(out)
}

#[derive(Template)]
#[template(path = "connections.html")]
struct Page<'a> {
    report: &'a ConnectionReport,
    columns: Vec<Column>,
    rows: Vec<Row>,
    style: &'static str,
    style_hash: &'static str,
}

/// A group that connects alike.
struct Column {
    title: String,
    all: String,
}

impl Column {
    fn of(report: &ConnectionReport, group: usize) -> Self {
        let names = report.names(&[group], usize::MAX);
        let mut title = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
        if names.len() > NAMES {
            title.push_str(&format!(" and {} more", names.len() - NAMES));
        }
        Self { title, all: names.join(", ") }
    }
}

struct Row {
    end: String,
    kind: &'static str,
    socket: String,
    cells: Vec<Cell>,
    ways: Vec<String>,
}

struct Cell {
    class: &'static str,
    text: &'static str,
    why: String,
}

impl Row {
    fn of(report: &ConnectionReport, listener: &ReachedListener) -> Self {
        let end = report.end(listener.end);
        Self {
            end: end.map(|end| end.name.clone()).unwrap_or_default(),
            kind: end.map_or("", kind),
            socket: socket(listener),
            cells: (0..report.connections.groups.len()).map(|group| cell(report, listener, group)).collect(),
            ways: listener.ways.iter().filter(|by| !by.open.is_empty()).map(way).collect(),
        }
    }
}

fn cell(report: &ConnectionReport, listener: &ReachedListener, group: usize) -> Cell {
    if report.others(group, listener.end).next().is_none() {
        return Cell { class: "plain", text: "", why: "itself".to_owned() };
    }
    if let Some(by) = listener.ways.iter().find(|by| by.open.contains(&group)) {
        return Cell { class: "medium", text: "open", why: way(by) };
    }
    let first = |unknown: bool| {
        listener.ways.iter().find_map(|by| {
            let answers = if unknown { &by.unknown } else { &by.blocked };
            let answer = answers.iter().find(|answer| answer.groups.contains(&group))?;
            Some(format!("{}: {}", by.to, report.reason(answer)))
        })
    };
    match first(true) {
        Some(why) => Cell { class: "unknown", text: "?", why },
        None => Cell { class: "ok", text: "·", why: first(false).unwrap_or_default() },
    }
}
