//! `plimsoll harden`.

use anyhow::{Context, Result};
use plimsoll_facts::Fact;
use plimsoll_report::harden::{self, HARDEN_SCHEMA, Harden, HardenOption};
use plimsoll_rootdir::RootDir;

use crate::cli::{HardenArgs, WhatIfFormat};
use crate::commands::{look, what_if};
use crate::{Exit, output};

/// Prints the tightest options for a container.
pub(crate) fn run(args: &HardenArgs) -> Result<Exit> {
    let facts = look::at(&args.place)?;
    let (engine, container) = what_if::container(&facts, &args.container)?;
    let written = match container.declared.value() {
        Some(declared) => plimsoll_collect::written(&RootDir::open(&args.place.root)?, declared),
        None => Fact::default(),
    };
    let hardened = plimsoll_reach::harden(engine, container, &written)
        .map_err(|gap| anyhow::anyhow!("{}: {}", gap.source, gap.reason))
        .with_context(|| format!("{} could not be observed", container.name))?;
    let option = |it: plimsoll_reach::Hardening| HardenOption {
        flag: it.flag,
        key: it.compose.0.to_owned(),
        value: it.compose.1,
        because: it.because,
    };
    let document = Harden {
        schema: HARDEN_SCHEMA.to_owned(),
        container: container.name.clone(),
        options: hardened.options.into_iter().map(option).collect(),
        unknown: hardened.unknown,
    };
    output::with(None, |out| match args.format {
        WhatIfFormat::Terminal => harden::terminal(&document, &output::terminal_options(true, None), out),
        WhatIfFormat::Json => harden::json(&document, out),
    })?;
    Ok(Exit::CLEAN)
}
