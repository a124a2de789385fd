//! What can be reached from inside a container: which conditions of a published flaw hold there, what stops it, and what
//! would have to be known to tell.

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod network;
pub mod precondition;
