//! `plimsoll lint`.

use anyhow::{Context, Result};
use jiff::Timestamp;
use plimsoll_facts::{Collector, Engine, FACTS_SCHEMA, Fact, Facts};

use crate::Exit;
use crate::cli::LintArgs;
use crate::commands::images::{Found, Sources};
use crate::commands::{judge, outcome};
use crate::progress::Progress;

/// Judges images alone, by the rules that an audit asks about every image of the host.
pub(crate) fn run(args: &LintArgs) -> Result<Exit> {
    let policy = judge::policy(args.report.policy.as_deref())?;
    let audit = judge::images(&read(args)?, policy.clone())?;
    outcome::write(&audit, &args.report)?;
    Ok(outcome::exit(&audit, &args.report, &policy))
}

/// Facts that hold nothing but images, by the engines that have them.
fn read(args: &LintArgs) -> Result<Facts> {
    let progress = Progress::new();
    let mut sources = Sources::new(&args.host, &args.registry, &progress);
    let mut engines: Vec<Engine> = Vec::new();
    for (number, name) in (1..).zip(&args.images) {
        progress.tell(&format!("{name} ({number} of {})", args.images.len()));
        for found in sources.facts(name).with_context(|| format!("reading {name}"))? {
            add(&mut engines, found);
        }
    }
    Ok(Facts {
        schema: FACTS_SCHEMA.to_owned(),
        collected_at: Timestamp::now().as_second(),
        collector: Collector {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uid: rustix::process::geteuid().as_raw(),
            ..Collector::default()
        },
        engines,
        ..Facts::default()
    })
}

fn add(engines: &mut Vec<Engine>, Found { endpoint, kind, image }: Found) {
    let place = engines.iter().position(|engine| engine.endpoint == endpoint).unwrap_or(engines.len());
    if place == engines.len() {
        engines.push(Engine {
            id: endpoint.clone(),
            endpoint,
            kind,
            images: Fact::known(Vec::new(), "the command line"),
            ..Engine::default()
        });
    }
    let images = engines[place].images.value_mut().into_iter();
    images.for_each(|images| images.push(image.clone()));
}
