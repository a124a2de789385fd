//! Looks at the host that the command line names.

use anyhow::{Context, Result};
use plimsoll_collect::engine::Endpoint;
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
        endpoints: endpoints(place)?,
        version: env!("CARGO_PKG_VERSION"),
        progress: &|what| progress.tell(what),
    };
    Ok(plimsoll_collect::collect(&root, &options))
}

fn endpoints(place: &Where) -> Result<Vec<Endpoint>> {
    place
        .host
        .iter()
        .map(|text| Ok(Endpoint::parse(text, None).map_err(|e| Usage(format!("--host: {e}")))?))
        .collect()
}
