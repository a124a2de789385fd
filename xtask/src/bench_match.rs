//! What advisories cost: records that are imported a second, and the matching of one root's packages.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs, process};

use anyhow::{Context, Result, ensure};
use plimsoll_advisories::{Database, import, match_packages};
use plimsoll_image::{LayeredRoot, Reader, Union};
use plimsoll_rootdir::RootDir;

use crate::bench::say;

const RUNS: usize = 200;

/// Imports `archive`, and matches the packages of the folder `root`.
pub(crate) fn run(archive: &Path, root: &Path) -> Result<()> {
    let folder = env::temp_dir().join(format!("plimsoll-bench-match-{}", process::id()));
    let measured = measure(archive, root, &folder);
    fs::remove_dir_all(&folder)?;
    measured
}

fn measure(archive: &Path, root: &Path, folder: &Path) -> Result<()> {
    let began = Instant::now();
    let records = import(archive, folder, 0, &|_, _| ())?.records;
    let seconds = began.elapsed().as_secs_f64();
    say(&format!("import: {records} records in {seconds:.2} s, {:.0} a second", records as f64 / seconds));

    let itself = env::current_exe().context("finding this program")?;
    let status = process::Command::new(itself).arg("match").args([folder, root]).status();
    ensure!(status.context("running this program")?.success(), "the matching failed");
    Ok(())
}

/// Matches the packages of the folder `root`.
pub(crate) fn matching(folder: &Path, root: &Path) -> Result<()> {
    let tree = LayeredRoot::new(vec![RootDir::open(root)?], Union::Plain)?;
    let inventory = Reader::default().inventory(&tree, "folder");
    ensure!(!inventory.packages.is_empty(), "no packages in {}", root.display());
    let mut times: Vec<Duration> = Vec::new();
    let mut flaws = 0;
    for _ in 0..RUNS {
        let began = Instant::now();
        // Opening the files is part of it, as in a scan.
        flaws = match_packages(&inventory, &Database::new(folder)).vulnerabilities.len();
        times.push(began.elapsed());
    }
    times.sort();
    let median = times.get(RUNS / 2).context("no run")?;
    say(&format!(
        "matching: {} packages, {flaws} flaws, median of {RUNS} runs {:.3} ms",
        inventory.packages.len(),
        median.as_secs_f64() * 1000.0
    ));
    Ok(())
}
