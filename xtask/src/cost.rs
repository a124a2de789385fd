//! What a command costs.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;

pub(crate) struct Cost {
    /// User and system seconds.
    pub(crate) cpu: f64,
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Largest resident set of any child so far, in MiB: right as long as the largest child is the one measured.
    pub(crate) peak_mib: f64,
}

/// The best of some runs: the least disturbed one.
pub(crate) fn cost(command: &mut Command, runs: u32) -> Result<Cost> {
    let mut best: Option<Cost> = None;
    for _ in 0..runs {
        let before = seconds(&children()?);
        let started = Instant::now();
        let status =
            command.stdout(Stdio::null()).status().with_context(|| format!("running {command:?}"))?;
        // An audit ends with 1, 4 or 5 where it found something.
        ensure!(matches!(status.code(), Some(0 | 1 | 4 | 5)), "{command:?} ended with {status}");
        let wall = started.elapsed().as_secs_f64();
        let after = children()?;
        let kib = u32::try_from(after.max_rss()).unwrap_or(u32::MAX);
        let this = Cost { cpu: seconds(&after) - before, wall, peak_mib: f64::from(kib) / 1024.0 };
        if best.as_ref().is_none_or(|best| this.cpu < best.cpu) {
            best = Some(this);
        }
    }
    best.context("nothing was run")
}

pub(crate) fn children() -> Result<Usage> {
    getrusage(UsageWho::RUSAGE_CHILDREN).context("getrusage")
}

pub(crate) fn seconds(usage: &Usage) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a benchmark")]
    let microseconds = (usage.user_time() + usage.system_time()).num_microseconds() as f64;
    microseconds / 1e6
}
