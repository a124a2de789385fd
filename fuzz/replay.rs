//! Replays the seeds of a crate's fuzz targets; the crate's module `fuzzing` takes this file in as its tests.

use std::fs;
use std::path::Path;

use super::TARGETS;

/// Seeds are small real inputs and whatever once made a target fail.
#[test]
fn seeds_of_the_fuzz_targets() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (name, target) in TARGETS {
        let mut count = 0;
        for seed in fs::read_dir(seeds.join(name)).unwrap() {
            target(&fs::read(seed.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "{name} has no seeds");
    }
}
