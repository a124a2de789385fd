//! Reads the seccomp filters of all threads, and tells what that costs: `cargo run --release -p plimsoll-probe --example
//! filters`. Needs root.
#![expect(clippy::print_stdout, reason = "an example tells what it found")]

use std::time::Instant;

use plimsoll_probe::filters::{self, Error};

fn main() -> Result<(), Error> {
    let begun = Instant::now();
    let snapshot = filters::read()?;
    let time = begun.elapsed();
    let unread = snapshot.filters.iter().filter(|filter| filter.is_err()).count();
    println!(
        "{} filtered threads, {} distinct filters ({unread} not read) of {} distinct programs in {time:?}",
        snapshot.threads.len(),
        snapshot.filters.len(),
        snapshot.programs.len(),
    );
    Ok(())
}
