#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| plimsoll_seccomp::fuzzing::program(bytes));
