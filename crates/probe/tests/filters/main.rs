//! What facts say about the filters of real containers' processes, held against what those processes can do: each
//! system call of each ABI is tried in them. Needs root, a Docker engine and the image `plimsoll-test/base:bookworm`.
//!
//! The program has two parts: the tests, and, told so by its first argument, the part that runs in the containers.

#[cfg_attr(not(target_arch = "x86_64"), path = "attempt_elsewhere.rs")]
mod attempt;
mod calls;
mod inside;
mod scenes;
mod world;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};

use world::{Measured, World};

#[expect(clippy::print_stderr, reason = "a harness of its own tells on its own why it skips")]
fn main() -> ExitCode {
    if let [_, part, dir] = std::env::args().collect::<Vec<_>>().as_slice()
        && part == inside::PART
    {
        inside::run(Path::new(dir));
    }
    let arguments = Arguments::from_args();
    let missing = world::missing();
    if let Some(reason) = &missing {
        if std::env::var_os("CI").is_some() {
            eprintln!("tests of filters cannot run here, and in CI that is a failure: {reason}");
            return ExitCode::FAILURE;
        }
        eprintln!("tests of filters are skipped: {reason}");
    }
    let measured: Arc<OnceLock<Result<Measured, String>>> = Arc::default();
    let trial = |name: String, check: fn(&Measured, &str) -> Result<(), String>| {
        let measured = Arc::clone(&measured);
        Trial::test(name.clone(), move || {
            let measured = measured.get_or_init(|| World::start().and_then(World::measure)).as_ref();
            measured.map_err(Clone::clone).and_then(|measured| check(measured, &name)).map_err(Failed::from)
        })
        .with_ignored_flag(missing.is_some())
    };
    let mut trials: Vec<Trial> = scenes::NAMES.map(|name| trial(name.to_owned(), calls::predicted)).into();
    trials.push(trial("declared_profiles_say_what_the_kernel_does".to_owned(), calls::declared));
    trials.push(trial("tracing_reads_the_same_bytes".to_owned(), calls::traced));
    libtest_mimic::run(&arguments, trials).exit_code()
}
