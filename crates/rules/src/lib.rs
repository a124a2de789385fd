//! Facts in, findings out. Rules are pure: no files, no network, no environment, no clock.
//!
//! A rule is a `RULE` in a file of its own below the folder of its concern; [`judge`] asks every rule about
//! every subject and adds what is the same for all: identifiers, the gap where a fact is missing.

mod address;
mod age;
mod answer;
pub mod cis;
mod connections;
mod declared;
mod distributions;
mod finding;
mod history;
mod judge;
mod known_flaws;
mod package_flaws;
mod paths;
mod processes;
mod reference;
mod rule;
mod sides;
mod support;
#[cfg(test)]
mod testing;
mod version;

mod authenticity;
mod engine;
mod exposure;
mod freshness;
mod isolation;
mod kernel;
mod limits;
mod privilege;
mod runtime;

pub use finding::*;
pub use judge::{Report, judge};
pub use rule::*;

/// Declares the rules of a concern: the module and its place in the list at once, so that neither is forgotten.
macro_rules! rules {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+
        pub(crate) const RULES: &[&$crate::Rule] = &[$(&$name::RULE),+];
    };
}
pub(crate) use rules;

/// Every rule, by concern.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        kernel::RULES,
        isolation::RULES,
        limits::RULES,
        runtime::RULES,
        engine::RULES,
        engine::files::RULES,
        engine::swarm::RULES,
        privilege::RULES,
        exposure::RULES,
        authenticity::RULES,
        freshness::RULES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}
