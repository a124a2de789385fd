//! Looks at the host that the command line names, and tells where plimsoll keeps its own data there.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use plimsoll_collect::engine::{DockerEnvironment, Endpoint};
use plimsoll_facts::{FACTS_SCHEMA, Facts};
use plimsoll_rootdir::RootDir;

use crate::cli::Where;
use crate::exit::Usage;
use crate::progress::Progress;

/// The largest facts file that is read: some thousands of containers.
const MAX_FACTS: u64 = 512 << 20;

/// The facts in a file, or those of a host.
///
/// # Errors
/// When the file holds none, or as [`at`].
pub(crate) fn facts(file: Option<&Path>, place: &Where) -> Result<Facts> {
    match file {
        Some(path) => read(path),
        None => at(place),
    }
}

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
        stop_threads: place.stop_threads,
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

/// A folder of plimsoll's own data: what is named, what the variable names, the system's for root, the user's own for
/// others.
pub(crate) fn data_folder(named: Option<&Path>, variable: &str, name: &str) -> PathBuf {
    if let Some(named) = named {
        return named.to_owned();
    }
    if let Some(folder) = env::var_os(variable) {
        return PathBuf::from(folder);
    }
    if rustix::process::geteuid().is_root() {
        return Path::new("/var/lib/plimsoll").join(name);
    }
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let home = || Some(env::home_dir()?.join(".local/share"));
    data.or_else(home).unwrap_or_default().join("plimsoll").join(name)
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
