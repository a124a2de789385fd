//! What it costs to know what containers could do and whom they reach, for a growing number of containers of several
//! kinds: an upper bound, the CPU of a whole audit.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::bench::{Started, running, say, start};
use crate::cost::cost;

/// Options of `docker run`, one set after the other.
const KINDS: [&[&str]; 9] = [
    &[],
    &["--network", "none"],
    &["--network", "none", "--security-opt", "seccomp=unconfined"],
    &["--network", "none", "--cap-add", "SYS_ADMIN"],
    &["--network", "none", "--user", "1000", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    &["--network", "none", "--cap-add", "NET_ADMIN", "-v", "/etc:/host-etc:ro"],
    &["--network", "none", "--pid", "host"],
    &["--network", "none", "--device", "/dev/fuse", "--cap-add", "SYS_PTRACE"],
    &["--user", "1000", "-p", "8080"],
];
/// For how many containers the cost is foretold.
const FORETOLD: f64 = 1000.0;

/// Starts up to each of `counts` containers of `image`, and measures at each.
pub(crate) fn run(repository: &Path, counts: &[u32], image: &str) -> Result<()> {
    let plimsoll = repository.join("target/release/plimsoll");
    ensure!(plimsoll.exists(), "no {}: cargo build --release", plimsoll.display());
    let folder = tempfile::tempdir().context("making a folder")?;
    let facts = folder.path().join("facts.json");
    let facts = facts.to_str().context("the folder's name")?;
    let started = Started;
    say("containers  audit CPU  per container  facts alone  judging alone");
    let mut measured = Vec::new();
    for count in counts {
        for number in running()?..*count as usize {
            start(KINDS[number % KINDS.len()], &[image, "sleep", "86400"])?;
        }
        let audit = cost(Command::new(&plimsoll).args(["audit", "--format", "json"]), 5)?.cpu;
        let collected = cost(Command::new(&plimsoll).args(["facts", "--output", facts]), 5)?.cpu;
        let judged =
            cost(Command::new(&plimsoll).args(["audit", "--facts", facts, "--format", "json"]), 5)?.cpu;
        let each = |cpu: f64| cpu * 1000.0 / f64::from(*count);
        say(&format!(
            "{count:>10}  {audit:>7.3} s  {:>10.2} ms  {:>8.2} ms  {:>10.2} ms",
            each(audit),
            each(collected),
            each(judged)
        ));
        measured.push((f64::from(*count), audit));
    }
    drop(started);
    if let (Some((few, less)), Some((many, more))) = (measured.first(), measured.last())
        && many > few
    {
        let slope = (more - less) / (many - few);
        let total = more + slope * (FORETOLD - many);
        say(&format!(
            "each further container {:.2} ms; {FORETOLD} containers {total:.2} s, {:.2} ms each",
            slope * 1000.0,
            total * 1000.0 / FORETOLD
        ));
    }
    Ok(())
}
