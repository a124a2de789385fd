//! `plimsoll audit`.

use anyhow::Result;
use plimsoll_advisories::inventories;
use plimsoll_report::{Benchmark, CisView};

use crate::Exit;
use crate::cli::{AuditArgs, CisVersion};
use crate::commands::{connections, db, judge, look, outcome, verify};

/// Judges a host or a facts file and writes the report.
pub(crate) fn run(args: &AuditArgs) -> Result<Exit> {
    let policy = judge::policy(args.report.policy.as_deref())?;
    let mut facts = look::facts(args.facts.as_deref(), &args.place)?;
    if args.probe_syn {
        connections::probe(&mut facts, &args.place.root)?;
    }
    if args.verify {
        verify::vouch(&mut facts, policy.clone())?;
    }
    inventories::judge(&mut facts, &db::database(args.db.as_deref()));
    if args.redact {
        plimsoll_reach::network::judge(&mut facts);
        plimsoll_facts::redact(&mut facts);
    }
    let mut audit = judge::judge(&mut facts, &policy)?;
    audit.cis = args.cis.map(|version| CisView::of(&audit, benchmark(version)));
    outcome::write(&audit, &args.report)?;
    Ok(outcome::exit(&audit, &args.report, &policy))
}

fn benchmark(version: CisVersion) -> Benchmark {
    match version {
        CisVersion::V1_6 => Benchmark::V1_6,
        CisVersion::V1_7 => Benchmark::V1_7,
        CisVersion::V1_8 => Benchmark::V1_8,
    }
}
