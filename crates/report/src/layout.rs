//! Lines for a terminal: wrapped, aligned, never wider than asked, styled only when asked.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use plimsoll_rules::Severity;

use crate::escape;

/// Plain text.
pub(crate) const PLAIN: Style = Style::new();
/// What a reader may skip: sources, identifiers.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Headings and names.
pub(crate) const BOLD: Style = Style::new().bold();
/// What is right.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What could not be known.
pub(crate) const UNKNOWN: Style = AnsiColor::Magenta.on_default();
/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What needs attention.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
/// What to do.
pub(crate) const REMEDY: Style = AnsiColor::Green.on_default();

/// The style of a severity.
pub(crate) fn severity(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold(),
        Severity::High => BAD,
        Severity::Medium => WARNING,
        Severity::Low => AnsiColor::Cyan.on_default(),
        Severity::Info => DIM,
    }
}

/// How to write for a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalOptions {
    /// Columns; no line is wider. At least 40 are used.
    pub width: usize,
    /// Whether to write colours.
    pub color: bool,
    /// Whether to name every subject and every fact, instead of the first few and a count.
    pub full: bool,
}

impl Default for TerminalOptions {
    fn default() -> Self {
        Self { width: 80, color: false, full: false }
    }
}

impl TerminalOptions {
    /// How many of `total` to show where `most` are shown by default. One more takes no more room than saying
    /// that there is one more.
    pub(crate) fn shown(&self, total: usize, most: usize) -> usize {
        if self.full || total <= most + 1 { total } else { most }
    }
}

/// A piece of a line.
pub(crate) struct Span<'a> {
    pub(crate) text: &'a str,
    pub(crate) style: Style,
    /// Whether to keep it on one line, or break it only where a line is full.
    whole: bool,
}

/// A piece of a line in a style.
pub(crate) fn span(text: &str, style: Style) -> Span<'_> {
    Span { text, style, whole: false }
}

/// A piece of a line that is better not broken: a path, a command.
pub(crate) fn whole(text: &str, style: Style) -> Span<'_> {
    Span { text, style, whole: true }
}

/// Columns of the gutter that holds severities and labels, without the two spaces after it.
const GUTTER: usize = 8;

/// A page of a terminal. Everything that is written through it is escaped.
pub(crate) struct Page<'w> {
    out: &'w mut dyn Write,
    width: usize,
    color: bool,
}

impl<'w> Page<'w> {
    pub(crate) fn new(out: &'w mut dyn Write, options: &TerminalOptions) -> Self {
        Self { out, width: options.width.max(40), color: options.color }
    }

    /// Columns beside the gutter.
    pub(crate) fn beside_gutter(&self) -> usize {
        self.width - GUTTER - 2
    }

    pub(crate) fn blank(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")
    }

    /// A heading with a line to the right edge.
    pub(crate) fn heading(&mut self, title: &str, note: &str) -> io::Result<()> {
        self.blank()?;
        let used = escape::width(title) + if note.is_empty() { 1 } else { escape::width(note) + 4 };
        let rule = "─".repeat(self.width.saturating_sub(used));
        let mut line = vec![span(title, BOLD), span(" ", PLAIN), span(&rule, DIM)];
        if !note.is_empty() {
            line.extend([span(" ", PLAIN), span(note, DIM), span(" ─", DIM)]);
        }
        self.line(&line)?;
        self.blank()
    }

    /// One line, cut at the right edge.
    pub(crate) fn line(&mut self, spans: &[Span<'_>]) -> io::Result<()> {
        let mut left = self.width;
        for span in spans {
            let text = escape::visible(span.text);
            let text = escape::fit(&text, left);
            left -= escape::width(&text);
            self.styled(&text, span.style)?;
        }
        self.blank()
    }

    /// A label in the gutter, and text that is wrapped beside it.
    pub(crate) fn labelled(&mut self, label: &str, label_style: Style, spans: &[Span<'_>]) -> io::Result<()> {
        self.gutter(label, label_style)?;
        self.wrapped(GUTTER + 2, spans)
    }

    fn gutter(&mut self, label: &str, style: Style) -> io::Result<()> {
        let label = format!("{label:>GUTTER$}");
        self.styled(&escape::fit(&label, GUTTER), style)?;
        self.out.write_all(b"  ")
    }

    /// A cell of `columns` beside the gutter, and text that is wrapped beside the cell.
    pub(crate) fn row(&mut self, cell: Span<'_>, columns: usize, spans: &[Span<'_>]) -> io::Result<()> {
        self.labelled_row("", PLAIN, cell, columns, spans)
    }

    /// The same with a label in the gutter. A cell that is too wide stands on a line of its own.
    pub(crate) fn labelled_row(
        &mut self,
        label: &str,
        label_style: Style,
        cell: Span<'_>,
        columns: usize,
        spans: &[Span<'_>],
    ) -> io::Result<()> {
        self.gutter(label, label_style)?;
        let text = escape::visible(cell.text);
        let indent = GUTTER + 2 + columns + 2;
        if escape::width(&text) > columns {
            self.wrapped(GUTTER + 2, &[cell])?;
            write!(self.out, "{:indent$}", "")?;
        } else {
            self.styled(&text, cell.style)?;
            write!(self.out, "{:pad$}", "", pad = columns - escape::width(&text) + 2)?;
        }
        self.wrapped(indent, spans)
    }

    /// Text that is wrapped beside the gutter.
    pub(crate) fn beside(&mut self, spans: &[Span<'_>]) -> io::Result<()> {
        self.labelled("", PLAIN, spans)
    }

    /// Text that is wrapped at the left edge.
    pub(crate) fn paragraph(&mut self, spans: &[Span<'_>]) -> io::Result<()> {
        self.wrapped(0, spans)
    }

    /// Writes words from column `indent` on, breaking lines between words (and inside those that are longer
    /// than a line).
    fn wrapped(&mut self, indent: usize, spans: &[Span<'_>]) -> io::Result<()> {
        let room = self.width - indent;
        let mut used = 0;
        let mut space = false;
        for part in spans {
            let text = escape::visible(part.text);
            for (number, mut word) in text.split(|c| c == ' ' && !part.whole).enumerate() {
                space |= number > 0;
                if word.is_empty() {
                    continue;
                }
                let gap = usize::from(space && used > 0);
                if used + gap + escape::width(word) <= room {
                    self.out.write_all(&b" "[..gap])?;
                    used += gap;
                } else if used > 0 {
                    self.break_line(indent)?;
                    used = 0;
                }
                while escape::width(word) > room {
                    let head = escape::prefix(word, room);
                    self.styled(head, part.style)?;
                    self.break_line(indent)?;
                    word = &word[head.len()..];
                }
                self.styled(word, part.style)?;
                used += escape::width(word);
                space = false;
            }
        }
        self.blank()
    }

    fn break_line(&mut self, indent: usize) -> io::Result<()> {
        write!(self.out, "\n{:indent$}", "")
    }

    fn styled(&mut self, text: &str, style: Style) -> io::Result<()> {
        if self.color && !style.is_plain() && !text.is_empty() {
            write!(self.out, "{style}{text}{style:#}")
        } else {
            self.out.write_all(text.as_bytes())
        }
    }
}
