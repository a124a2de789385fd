//! `plimsoll connections`, and the probe that proves it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use plimsoll_facts::Facts;
use plimsoll_report::connections::{ConnectionReport, html, json, terminal};
use plimsoll_rootdir::RootDir;

use crate::cli::{ConnectionsArgs, ConnectionsFormat};
use crate::commands::look;
use crate::{Exit, output};

/// Tells who can connect to whom.
pub(crate) fn run(args: &ConnectionsArgs) -> Result<Exit> {
    let mut facts = look::facts(args.facts.as_deref(), &args.place)?;
    plimsoll_reach::network::judge(&mut facts);
    if args.redact {
        plimsoll_facts::redact(&mut facts);
    }
    let report = ConnectionReport::of(&facts).map_err(|gap| anyhow!("{}: {}", gap.source, gap.reason))?;
    output::with(args.output.as_deref(), |out| match args.format {
        ConnectionsFormat::Terminal => {
            terminal::write(&report, &output::terminal_options(args.full, args.output.as_deref()), out)
        }
        ConnectionsFormat::Json => json::write(&report, out),
        ConnectionsFormat::Html => html::write(&report, out),
    })?;
    let ways = || report.connections.listeners.iter().flat_map(|listener| &listener.ways);
    Ok(Exit::Done { findings: false, unknown: ways().any(|way| !way.unknown.is_empty()) })
}

/// Works out who can connect to whom, and asks every TCP listener by a SYN from every network namespace.
///
/// # Errors
/// When the root directory cannot be opened.
pub(super) fn probe(facts: &mut Facts, root: &Path) -> Result<()> {
    plimsoll_reach::network::judge(facts);
    let Some(connections) = facts.connections.value() else { return Ok(()) };
    let listeners = connections.listeners.iter().filter(|listener| listener.protocol == "tcp");
    let targets: BTreeSet<SocketAddr> =
        listeners.flat_map(|listener| &listener.ways).filter_map(|way| way.to.parse().ok()).collect();
    let namespaces: BTreeSet<u64> = connections.ends.iter().map(|end| end.namespace).collect();
    let root =
        RootDir::open(root).with_context(|| format!("opening {} as the host's root", root.display()))?;
    let targets: Vec<_> = targets.into_iter().collect();
    let namespaces: Vec<_> = namespaces.into_iter().collect();
    facts.syn_probes = plimsoll_collect::syn::probe(&root, &namespaces, &targets);
    Ok(())
}
