//! `plimsoll audit`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use plimsoll_advisories::inventories;
use plimsoll_facts::{FACTS_SCHEMA, Facts};
use plimsoll_report::{Benchmark, CisView};

use crate::Exit;
use crate::cli::{AuditArgs, CisVersion};
use crate::commands::{db, judge, look, outcome};
use crate::exit::Usage;

/// The largest facts file that is read: some thousands of containers.
const MAX_FACTS: u64 = 512 << 20;

/// Judges a host or a facts file and writes the report.
pub(crate) fn run(args: &AuditArgs) -> Result<Exit> {
    let policy = judge::policy(args.report.policy.as_deref())?;
    let mut facts = match &args.facts {
        Some(path) => read(path)?,
        None => look::at(&args.place)?,
    };
    inventories::judge(&mut facts, &db::database(args.db.as_deref()));
    if args.redact {
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

fn read(path: &Path) -> Result<Facts> {
    let name = path.display();
    let bytes =
        if path == Path::new("-") { limited(io::stdin().lock()) } else { File::open(path).and_then(limited) };
    let bytes = bytes.with_context(|| format!("reading {name}"))?;
    ensure!(bytes.len() as u64 <= MAX_FACTS, Usage(format!("{name}: larger than {MAX_FACTS} bytes")));
    let facts: Facts =
        serde_json::from_slice(&bytes).map_err(|e| Usage(format!("{name} is no facts file: {e}")))?;
    ensure!(
        facts.schema == FACTS_SCHEMA,
        Usage(format!("{name} has schema {:?}; this plimsoll reads {FACTS_SCHEMA:?}", facts.schema))
    );
    Ok(facts)
}

fn limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_FACTS + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
