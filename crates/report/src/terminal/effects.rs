//! What each upgrade step would stop.

use std::io;

use super::names;
use crate::layout::{BOLD, DIM, PLAIN, Page, TerminalOptions, span};
use crate::{Audit, ContainerEffect};

pub(super) fn write(page: &mut Page<'_>, audit: &Audit, options: &TerminalOptions) -> io::Result<()> {
    if audit.effects.is_empty() {
        return Ok(());
    }
    page.heading("Upgrades", "what each step would stop")?;
    for (number, step) in audit.effects.iter().enumerate() {
        if number > 0 {
            page.blank()?;
        }
        page.labelled("step", DIM, &[span(&step.step, BOLD), span(" · ", DIM), span(&step.reason, PLAIN)])?;
        for alike in alike(&step.effects) {
            let list = names(alike.iter().map(|effect| effect.container.as_str()), 6, options);
            let Some(first) = alike.first() else { continue };
            page.beside(&[
                span(&first.effect, BOLD),
                span(": ", PLAIN),
                span(&list, PLAIN),
                span(" · ", DIM),
                span(&first.detail, DIM),
            ])?;
        }
        for note in &step.notes {
            page.labelled("note", DIM, &[span(note, PLAIN)])?;
        }
    }
    Ok(())
}

/// Effects that differ in the container alone, in the order of their first appearance.
fn alike(effects: &[ContainerEffect]) -> Vec<Vec<&ContainerEffect>> {
    let mut groups: Vec<Vec<&ContainerEffect>> = Vec::new();
    for effect in effects {
        let same = |group: &&mut Vec<&ContainerEffect>| {
            group.first().is_some_and(|first| first.effect == effect.effect && first.detail == effect.detail)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(effect),
            None => groups.push(vec![effect]),
        }
    }
    groups
}
