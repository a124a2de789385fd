//! One file a subcommand.

mod audit;
mod connections;
mod db;
mod explain;
mod facts;
mod harden;
mod images;
mod judge;
mod lint;
mod look;
mod outcome;
mod registry;
mod sbom;
mod scan;
mod trust;
mod verify;
mod what_if;

pub use explain::rules;

use std::io::{self, Write};

use anyhow::Result;
use clap::CommandFactory;

use crate::cli::{Cli, Command, Document};
use crate::{Exit, output};

/// Does what the command line asks for.
///
/// # Errors
/// What ended the command; [`Exit::of_error`] gives its exit code.
pub fn run(cli: Cli) -> Result<Exit> {
    match cli.command {
        Command::Audit(args) => audit::run(&args),
        Command::Facts(args) => facts::run(&args),
        Command::WhatIf(args) => what_if::run(&args),
        Command::Harden(args) => harden::run(&args),
        Command::Lint(args) => lint::run(&args),
        Command::Scan(args) => scan::run(&args),
        Command::Sbom(args) => sbom::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Trust(args) => trust::run(&args),
        Command::Connections(args) => connections::run(&args),
        Command::Db(args) => db::run(&args),
        Command::Explain { rule } => explain::run(&rule),
        Command::Rules => explain::list(),
        Command::Schema { document } => {
            let schema = match document {
                Document::Facts => plimsoll_facts::schema_json(),
                Document::Audit => plimsoll_report::json::schema_json(),
                Document::Connections => plimsoll_report::connections::json::schema_json(),
                Document::Scan => plimsoll_report::scan::json::schema_json(),
                Document::Policy => plimsoll_policy::schema_json(),
                Document::Verify => plimsoll_report::verify::json::schema_json(),
            };
            print(|out| out.write_all(schema.as_bytes()))
        }
        Command::Completions { shell } => print(|out| {
            // The generator writes to a writer that cannot fail, so it writes to memory first.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "plimsoll", &mut script);
            out.write_all(&script)
        }),
    }
}

/// Prints something that cannot be wrong.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Exit> {
    output::with(None, write)?;
    Ok(Exit::CLEAN)
}
