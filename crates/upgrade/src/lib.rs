//! What each upgrade step stops, and for how long: a pure function over facts.
//!
//! It answers which restarts are pending (another version runs than is installed, or a newer one is offered) and
//! what each of them, or a reboot, does to every container, with the reason and an estimate whose basis is named.
//! What cannot be told stays unknown, with the reason.

mod effect;
mod live_restore;
mod measured;
mod outcome;
mod restart_policy;
mod step;
#[cfg(test)]
mod testing;
mod trap;
mod view;

pub use effect::*;
use plimsoll_facts::Facts;
pub use trap::trap_ids;

use crate::view::EngineView;

/// What each restart that is pending, or that may be asked for, does to the containers of this host.
pub fn effects(facts: &Facts) -> Effects {
    let views: Vec<_> = facts.engines.iter().map(|engine| EngineView::new(facts, engine)).collect();
    Effects { steps: step::all(facts, &views), traps: trap::all(&views) }
}
