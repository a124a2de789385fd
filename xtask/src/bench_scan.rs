//! What a scan costs beside a peer's on the same image in the same run.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::bench::say;
use crate::cost::{Cost, cost};

/// Scans `image` with plimsoll and with the Syft at `syft`. Each source is written as that tool writes it.
pub(crate) fn run(repository: &Path, syft: &Path, sources: &[(String, String)]) -> Result<()> {
    let plimsoll = repository.join("target/release/plimsoll");
    ensure!(plimsoll.exists(), "no {}: cargo build --release", plimsoll.display());
    say(
        "source                                    plimsoll wall  CPU       peak       syft wall  CPU       wall ratio  CPU ratio",
    );
    // Peaks are those of the largest child so far: ours come first, the largest last.
    let scan = |ours: &str| cost(Command::new(&plimsoll).args(["scan", "--format", "json", ours]), 10);
    let mine = sources.iter().map(|(ours, _)| scan(ours)).collect::<Result<Vec<_>>>()?;
    for ((ours, theirs), mine) in sources.iter().zip(&mine) {
        let peer = cost(Command::new(syft).args(["--quiet", "--output", "json", theirs]), 1)?;
        say(&line(ours, mine, &peer));
    }
    Ok(())
}

fn line(source: &str, mine: &Cost, peer: &Cost) -> String {
    format!(
        "{source:<40}  {:>9.1} ms  {:>5.1} ms  {:>5.1} MiB  {:>7.2} s  {:>6.2} s  {:>10.0}  {:>9.0}",
        mine.wall * 1000.0,
        mine.cpu * 1000.0,
        mine.peak_mib,
        peer.wall,
        peer.cpu,
        peer.wall / mine.wall,
        peer.cpu / mine.cpu,
    )
}
