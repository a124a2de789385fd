//! What can be reached from inside a container: which conditions of a published flaw hold there, what stops it, and what
//! would have to be known to tell.

mod calls;
mod change;
mod conditions;
mod credentials;
mod drift;
mod files;
mod filters;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod gain;
mod gates;
mod harden;
mod kernel;
mod modules;
pub mod network;
mod path;
pub mod precondition;
mod setting;
mod sockets;
mod stand;
#[cfg(test)]
mod testing;
mod truth;
mod verdict;
mod what_if;
#[cfg(test)]
mod worked;

pub use calls::{Calls, Passes};
pub use change::{Change, Effort};
pub use gates::{GATES, Gate};
pub use harden::{Hardened, Hardening, harden};
pub use stand::{Rights, Stand, root_of};
pub use truth::Truth;
pub use verdict::judge;
pub use what_if::{Difference, NotRunning, what_if};
