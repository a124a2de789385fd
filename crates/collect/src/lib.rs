//! Looks at a host and writes down facts. The only part that touches the system; it judges nothing.
//!
//! One file a source. The root directory and the engines' endpoints are parameters, so a captured tree is read by
//! the same code as `/`. Whatever cannot be read becomes an unreadable fact and a gap; the rest goes on.

mod collector;
mod component;
pub mod compose;
mod effective;
pub mod engine;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod gaps;
mod host;
mod images;
pub mod inventory;
mod mountinfo;
mod net_namespace;
mod netlink;
mod packages;
mod procs;
mod sockets;
mod source;
pub mod syn;
mod written;

pub use written::written;

use std::time::{SystemTime, UNIX_EPOCH};

use plimsoll_facts::{FACTS_SCHEMA, Fact, Facts};
use plimsoll_rootdir::RootDir;

use crate::engine::Endpoint;
use crate::gaps::Gaps;
use crate::packages::Packages;
use crate::procs::Processes;

/// What to look at.
pub struct Options<'a> {
    /// Engines to ask; where none is named, those whose sockets are found on the host.
    pub endpoints: Vec<Endpoint>,
    /// Version of plimsoll, for the record.
    pub version: &'a str,
    /// Whether a thread of a container may be stopped for some microseconds to read its seccomp filter where the kernel
    /// shows it in no other way.
    pub stop_threads: bool,
    /// Told what is being read, for a progress line.
    pub progress: &'a dyn Fn(&str),
}

/// Reads everything. Never fails as a whole: what could not be read is a gap.
pub fn collect(root: &RootDir, options: &Options<'_>) -> Facts {
    let mut gaps = Gaps::default();
    let mut facts = Facts {
        schema: FACTS_SCHEMA.to_owned(),
        collected_at: now(),
        collector: collector::collect(root, options.version),
        ..Facts::default()
    };
    (options.progress)("host");
    let packages = Packages::open(root);
    facts.host = host::collect(root, &packages, &mut gaps);
    facts.engines = engine::collect(root, options, &mut gaps);
    (options.progress)("kernel state of containers");
    // Read after the engines were asked: what runs by now is in the table.
    let processes = Processes::scan(root);
    let local = engine::of_this_host(&mut facts.engines);
    let means = effective::Means { collector: &facts.collector, stop_threads: options.stop_threads };
    facts.net_namespaces = effective::fill(root, &processes, &means, &mut facts.host, local, &mut gaps);
    facts.syn_probes = Fact::absent("plimsoll audit --probe-syn");
    (options.progress)("images");
    images::fill(root, processes.as_ref().ok(), local, &mut gaps);
    (options.progress)("components");
    facts.components = component::collect(root, &packages, processes.as_ref(), &facts.engines, &mut gaps);
    facts.host.files.extend(component::files(root, &facts.components));
    facts.host.files.extend(engine::files(root, &facts.engines, &facts.host.files));
    facts.gaps = gaps.into_sorted();
    facts
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
}
