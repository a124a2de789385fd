//! The command layer: what the binary does with its parts. The declaration of the command line is public so that
//! man pages and completions can be generated from it.

pub mod cli;
mod commands;
mod exit;
mod output;
mod progress;

pub use commands::{rules, run};
pub use exit::{Exit, describe};
