//! plimsoll: see `plimsoll --help`.

use std::process::ExitCode;

use clap::Parser;
use plimsoll::Exit;
use plimsoll::cli::Cli;

fn main() -> ExitCode {
    match plimsoll::run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => {
            anstream::eprintln!("error: {}", plimsoll::describe(&error));
            Exit::of_error(&error).into()
        }
    }
}
