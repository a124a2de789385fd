//! Looks at the host that the command line names.

use std::path::Path;

use anyhow::{Context, Result};
use plimsoll_collect::engine::{DockerEnvironment, Endpoint};
use plimsoll_facts::Facts;
use plimsoll_rootdir::RootDir;

use crate::cli::Where;
use crate::exit::Usage;
use crate::progress::Progress;

/// Collects the facts of a host.
///
/// # Errors
/// When the root directory cannot be opened, or an endpoint is not one.
pub(crate) fn at(place: &Where) -> Result<Facts> {
    let root = RootDir::open(&place.root)
        .with_context(|| format!("opening {} as the host's root", place.root.display()))?;
    let progress = Progress::new();
    let options = plimsoll_collect::Options {
        endpoints: endpoints_at(place)?,
        version: env!("CARGO_PKG_VERSION"),
        progress: &|what| progress.tell(what),
    };
    Ok(plimsoll_collect::collect(&root, &options))
}

/// docker's environment speaks about this host's engine: it names none for another root.
fn endpoints_at(place: &Where) -> Result<Vec<Endpoint>> {
    if place.host.is_empty() && place.root != Path::new("/") {
        return Ok(Vec::new());
    }
    endpoints(&place.host)
}

/// The engines that are named on the command line, else the one that docker's environment or context names; none
/// where neither does.
///
/// # Errors
/// When what is named cannot be an engine.
pub(crate) fn endpoints(named: &[String]) -> Result<Vec<Endpoint>> {
    let environment = DockerEnvironment::of_this_process();
    if named.is_empty() {
        let endpoint = environment.endpoint().map_err(|error| Usage(error.to_string()))?;
        return Ok(endpoint.into_iter().collect());
    }
    named
        .iter()
        .map(|text| Ok(environment.named(text).map_err(|error| Usage(format!("--host: {error}")))?))
        .collect()
}
