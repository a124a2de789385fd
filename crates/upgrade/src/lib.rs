//! What each upgrade step stops, and for how long: a pure function over facts.

mod effect;

pub use effect::*;
use plimsoll_facts::Facts;

/// What each restart that is pending, or that may be asked for, does to the containers of this host.
pub fn effects(_: &Facts) -> Effects {
    Effects::default()
}
