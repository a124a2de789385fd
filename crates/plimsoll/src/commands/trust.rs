//! `plimsoll trust`: which keys are trusted, and what is known of repositories.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use plimsoll_registry::Reference;
use plimsoll_report::escape;
use plimsoll_trust::Store;
use plimsoll_trust::tuf::RepositoryState;

use crate::cli::{TrustArgs, TrustCommand};
use crate::commands::look::data_folder;
use crate::exit::Usage;
use crate::{Exit, output};

/// The store in the folder that is named, or in the usual one.
pub(crate) fn store(named: Option<&Path>) -> Store {
    Store::new(data_folder(named, "PLIMSOLL_TRUST", "trust"))
}

/// Does what is asked for.
pub(crate) fn run(args: &TrustArgs) -> Result<Exit> {
    let store = store(args.trust.as_deref());
    let text = match &args.command {
        TrustCommand::Pin { repository, keys } => pin(&store, &gun(repository)?, keys)?,
        TrustCommand::List => return list(&store),
        TrustCommand::Forget { repository } => forget(&store, &gun(repository)?)?,
    };
    output::with(None, |out| writeln!(out, "{text}"))?;
    Ok(Exit::CLEAN)
}

fn pin(store: &Store, gun: &str, keys: &[String]) -> Result<String> {
    let is_id = |key: &str| key.len() == 64 && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if let Some(key) = keys.iter().find(|key| !is_id(key)) {
        bail!(Usage(format!("{key:?} is no key id: 64 hexadecimal digits, in lower case")));
    }
    let before = store.pin(gun, keys.to_vec())?;
    Ok(match before.as_slice() {
        [] => format!("{gun}: pinned to {}", keys.join(", ")),
        before => format!("{gun}: pinned to {} (before: {})", keys.join(", "), before.join(", ")),
    })
}

fn forget(store: &Store, gun: &str) -> Result<String> {
    let pins = store.pin(gun, Vec::new())?;
    let known = store.forget(gun)?;
    if pins.is_empty() && !known {
        bail!(Usage(format!("nothing is known of {gun}; `plimsoll trust list` tells of what there is")));
    }
    Ok(format!("{gun}: forgotten"))
}

fn list(store: &Store) -> Result<Exit> {
    let pins = store.pins()?;
    let mut text = String::new();
    let (mut seen, mut damaged) = (BTreeSet::new(), false);
    for state in store.list()? {
        match state {
            Ok(state) => {
                let pinned = pins.contains_key(&state.gun);
                writeln!(text, "{}", line(&state, pinned))?;
                seen.insert(state.gun);
            }
            Err(error) => {
                damaged = true;
                writeln!(text, "unusable: {error}")?;
            }
        }
    }
    for (gun, keys) in pins.iter().filter(|(gun, _)| !seen.contains(*gun)) {
        writeln!(text, "{}  pinned to {}, not seen yet", escape::visible(gun), keys.join(", "))?;
    }
    for accepted in store.list_accepted()? {
        match accepted {
            Ok(accepted) => {
                for (tag, known) in &accepted.tags {
                    let name = format!("{}:{tag}", accepted.repository);
                    let (of, on) = (known.time, day(known.at));
                    writeln!(text, "{}  accepted {} of {of} on {on}", escape::visible(&name), known.digest)?;
                }
            }
            Err(error) => {
                damaged = true;
                writeln!(text, "unusable: {error}")?;
            }
        }
    }
    if text.is_empty() {
        text = "nothing is pinned, and nothing known\n".to_owned();
    }
    output::with(None, |out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Done { findings: false, unknown: damaged })
}

fn day(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

fn line(state: &RepositoryState, pinned: bool) -> String {
    let by = match (pinned, state.first_use) {
        (true, _) => "pinned",
        (false, true) => "trusted on first use",
        (false, false) => "pinned once, not any more",
    };
    let versions: Vec<_> = state.versions.iter().map(|(role, version)| format!("{role} {version}")).collect();
    format!(
        "{}  {by} since {}, root keys {}, last checked {}, at {}",
        escape::visible(&state.gun),
        day(state.since),
        state.anchor.join(", "),
        day(state.checked_at),
        versions.join(", ")
    )
}

/// The full name of a repository.
fn gun(text: &str) -> Result<String> {
    let reference: Reference = text.parse().map_err(|error| Usage(format!("{error}")))?;
    if reference.tag().is_some() || reference.digest().is_some() {
        bail!(Usage(format!("{text:?} is an image; keys are trusted for a whole repository")));
    }
    Ok(reference.to_string())
}
