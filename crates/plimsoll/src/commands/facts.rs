//! `plimsoll facts`.

use anyhow::Result;
use plimsoll_advisories::inventories;

use crate::cli::FactsArgs;
use crate::commands::{db, look};
use crate::{Exit, output};

/// Writes the facts of a host.
pub(crate) fn run(args: &FactsArgs) -> Result<Exit> {
    let mut facts = look::at(&args.place)?;
    if args.redact {
        inventories::judge(&mut facts, &db::database(args.db.as_deref()));
        // What it is worked out from is left out.
        plimsoll_reach::network::judge(&mut facts);
        plimsoll_facts::redact(&mut facts);
    }
    output::with(args.output.as_deref(), |out| {
        serde_json::to_writer_pretty(&mut *out, &facts)?;
        out.write_all(b"\n")
    })?;
    Ok(Exit::Done { findings: false, unknown: !facts.gaps.is_empty() })
}
