//! Asks the running kernel what no file tells. Nothing here judges, and nothing but [`tracing`] disturbs a process.

mod assembler;
mod bpf;
mod btf;
pub mod device_program;
pub mod devices;
pub mod filters;
mod layout;
pub mod native_abis;
pub mod tracing;
pub mod traffic;
pub mod xtables;
