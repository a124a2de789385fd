//! Attack paths: what somebody would do, step by step, from an open port to the host.

use std::io;

use plimsoll_facts::AttackPath;

use crate::layout::{self, BOLD, DIM, PLAIN, Page, REMEDY, TerminalOptions, UNKNOWN, span};
use crate::{Audit, escape, words};

/// Paths that are shown unless all are asked for.
const SHOWN: usize = 5;

pub(super) fn write(page: &mut Page<'_>, audit: &Audit, options: &TerminalOptions) -> io::Result<()> {
    let paths = &audit.attack_paths;
    if paths.is_empty() {
        return Ok(());
    }
    page.heading("Attack paths", &words::paths(paths))?;
    let shown = options.shown(paths.len(), SHOWN);
    for (number, path) in paths[..shown].iter().enumerate() {
        if number > 0 {
            page.blank()?;
        }
        one(page, path)?;
    }
    if shown < paths.len() {
        page.blank()?;
        page.beside(&[span(&format!("and {} more", paths.len() - shown), DIM)])?;
    }
    Ok(())
}

fn one(page: &mut Page<'_>, path: &AttackPath) -> io::Result<()> {
    let label = if path.shown { span("shown", layout::BAD) } else { span("assumed", UNKNOWN) };
    page.labelled(label.text, label.style, &[span(&escape::visible(&words::route(path)), BOLD)])?;
    for step in &path.steps {
        let style = if step.assumed { UNKNOWN } else { PLAIN };
        page.labelled(words::step_kind(step.kind), DIM, &[span(&step.what, style)])?;
        if !step.evidence.is_empty() {
            page.beside(&[span(&step.evidence.join("; "), DIM)])?;
        }
    }
    for cut in &path.cuts {
        page.labelled("cut", REMEDY, &[span(&words::cut(cut), PLAIN)])?;
    }
    Ok(())
}
