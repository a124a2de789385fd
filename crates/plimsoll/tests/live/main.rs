//! Live tests: real containers of a real engine, audited by the real binary, held against the kernel.
//!
//! They need root, a Docker engine and the images of `tests/live/images.sh`. Where these are missing they are skipped by
//! name and counted; in CI (`CI=true`) that is a failure.

mod cases;
mod docker;
mod scene;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::docker::missing;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let missing = missing();
    if let Some(reason) = &missing {
        if std::env::var_os("CI").is_some() {
            eprintln!("live tests cannot run here, and in CI that is a failure: {reason}");
            return ExitCode::FAILURE;
        }
        eprintln!("live tests are skipped: {reason}");
    }
    let trials = scene::tests(cases::CASES)
        .into_iter()
        .map(|(name, test)| {
            Trial::test(name, move || test().map_err(Failed::from)).with_ignored_flag(missing.is_some())
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    docker::clean();
    conclusion.exit_code()
}
