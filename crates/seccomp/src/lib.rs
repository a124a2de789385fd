//! What a seccomp filter lets a process do: classic BPF programs decoded and checked as the kernel does, run on one
//! system call, and explored over all arguments of one.
//!
//! Two ways to an answer that do not share code: [`Program::run`] executes instructions as the kernel does; exploration
//! follows every path that some arguments could take. What exploration finds allowed is run again with the arguments
//! that it found, and a claim that *nothing* is allowed rests on all paths. What can't be told is
//! [`Outcome::Unknown`], never denied.

mod abi;
mod action;
mod call;
mod canonical;
mod compile;
mod condition;
mod explore;
mod filter;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod instruction;
mod machine;
mod operation;
mod profile;
mod program;
mod solve;

pub use abi::{Abi, known_to_every_libseccomp};
pub use action::Action;
pub use call::{Arg, Data};
pub use filter::{Denial, Doubt, Filter, FilterError, Outcome};
pub use instruction::Instruction;
pub use profile::{Compiled, Profile, ProfileError};
pub use program::{Program, ProgramError};
