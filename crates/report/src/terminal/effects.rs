//! What each upgrade step does to the containers.

use std::io;

use anstyle::Style;
use plimsoll_upgrade::{EffectKind, Pending, Step, Trap};

use super::names;
use crate::group::{self, SameEffect};
use crate::layout::{self, BOLD, DIM, GOOD, PLAIN, Page, REMEDY, TerminalOptions, UNKNOWN, span};
use crate::{Audit, words};

/// Names in a row.
const NAMES: usize = 6;
/// Columns of the cell that says what happens.
const CELL: usize = 15;

pub(super) fn write(page: &mut Page<'_>, audit: &Audit, options: &TerminalOptions) -> io::Result<()> {
    if audit.effects.steps.is_empty() {
        return Ok(());
    }
    page.heading("Upgrades", "what each step does to the containers")?;
    let matters = |step: &&Step| {
        let due = matches!(step.pending, Pending::Installed | Pending::Offered);
        due || step.affected().next().is_some() || !step.gaps.is_empty()
    };
    let (shown, idle): (Vec<_>, Vec<_>) = audit.effects.steps.iter().partition(matters);
    for (number, step) in shown.into_iter().enumerate() {
        if number > 0 {
            page.blank()?;
        }
        write_step(page, audit, step, options)?;
    }
    for (number, step) in idle.into_iter().enumerate() {
        if number == 0 {
            page.blank()?;
        }
        page.labelled(
            words::pending(step.pending),
            pending_style(step),
            &[span(&words::step(audit, step), BOLD), span(": no container notices", PLAIN)],
        )?;
    }
    for trap in &audit.effects.traps {
        page.blank()?;
        write_trap(page, trap, options)?;
    }
    Ok(())
}

fn write_step(page: &mut Page<'_>, audit: &Audit, step: &Step, options: &TerminalOptions) -> io::Result<()> {
    page.labelled(
        words::pending(step.pending),
        pending_style(step),
        &[span(&words::step(audit, step), BOLD)],
    )?;
    page.beside(&[span(&step.why, DIM)])?;
    for same in group::by_effect(step) {
        write_effect(page, &same, options)?;
    }
    for gap in &step.gaps {
        page.row(
            span("unread", UNKNOWN),
            CELL,
            &[span(&gap.source, PLAIN), span(": ", PLAIN), span(&gap.reason, PLAIN)],
        )?;
    }
    Ok(())
}

fn write_effect(page: &mut Page<'_>, same: &SameEffect<'_>, options: &TerminalOptions) -> io::Result<()> {
    let list = names(same.containers.iter().copied(), NAMES, options);
    let cell = span(words::effect(same.kind), style_of(same.kind));
    if same.kind == EffectKind::None {
        let number = words::count(same.containers.len(), "container");
        return page.row(cell, CELL, &[span(if options.full { &list } else { &number }, PLAIN)]);
    }
    let estimate = same.first.estimate.as_ref().map(|estimate| format!(", {}", words::estimate(estimate)));
    page.row(cell, CELL, &[span(&list, BOLD)])?;
    page.row(
        span("", PLAIN),
        CELL,
        &[span(&same.first.reason, PLAIN), span(estimate.as_deref().unwrap_or(""), DIM)],
    )
}

fn pending_style(step: &Step) -> Style {
    match step.pending {
        Pending::Installed | Pending::Offered => layout::WARNING,
        Pending::Unknown => UNKNOWN,
        Pending::No => DIM,
    }
}

fn style_of(kind: EffectKind) -> Style {
    match kind {
        EffectKind::Removed | EffectKind::StaysDown | EffectKind::Killed => layout::BAD,
        EffectKind::Unknown => UNKNOWN,
        EffectKind::Restart | EffectKind::Starts => layout::WARNING,
        EffectKind::CutExec | EffectKind::CutLoopback | EffectKind::CutDns => PLAIN,
        EffectKind::None => GOOD,
    }
}

fn write_trap(page: &mut Page<'_>, trap: &Trap, options: &TerminalOptions) -> io::Result<()> {
    page.labelled("trap", layout::WARNING, &[span(&trap.message, PLAIN)])?;
    if !trap.containers.is_empty() {
        let list = names(trap.containers.iter().map(|container| container.name.as_str()), NAMES, options);
        page.labelled("in", DIM, &[span(&list, BOLD)])?;
    }
    page.labelled("fix", REMEDY, &[span(&trap.remedy, PLAIN)])
}
