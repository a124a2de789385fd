//! Live tests: real containers of a real engine, audited by the real binary, held against the kernel.
//!
//! They need root, a Docker engine and the images of `tests/live/images.sh`. Where these are missing they are skipped by
//! name and counted; in CI (`CI=true`) that is a failure.

mod bad_input;
mod behind_ports;
mod blind;
mod cases;
mod connections;
mod content_trust;
mod cuts;
mod docker;
mod engines;
mod filters;
mod gates;
mod inspect;
mod lint;
mod notary;
mod own_engine;
mod packages;
mod privileged;
mod registry;
mod scene;
mod signatures;
mod untouched;
mod ways;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::docker::missing;

#[expect(clippy::print_stderr, reason = "a harness of its own tells on its own why it skips")]
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
    let tests = scene::tests(cases::CASES)
        .chain(bad_input::tests())
        .chain(blind::tests())
        .chain(engines::tests())
        .chain(inspect::tests())
        .chain(lint::tests())
        .chain(packages::tests())
        .chain(privileged::tests())
        .chain(ways::tests())
        .chain(registry::tests())
        .chain(content_trust::tests())
        .chain(signatures::tests())
        .chain(connections::tests())
        .chain(cuts::tests())
        .chain(behind_ports::tests())
        .chain(filters::tests())
        .chain(untouched::tests())
        .chain(gates::tests());
    let trials = tests.map(|test| {
        // In CI a program that is missing lets the test fail.
        let is_ignored = missing.is_some() || (test.lacks() && std::env::var_os("CI").is_none());
        Trial::test(test.name, move || (test.run)().map_err(Failed::from)).with_ignored_flag(is_ignored)
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    docker::clean();
    conclusion.exit_code()
}
