//! What the kernel enforces, read from a real engine's containers, where the engine's own description says something
//! else. Each test makes its containers and removes them; nothing of the engine or of other containers is touched.
//!
//! Needs root, a Docker engine at its default socket, and the image `plimsoll-test/base:bookworm`
//! (tests/live/images.sh). Without them each test says so and passes; with `CI=true` it fails.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

mod limits;
mod mounts;
mod network;
mod ordinary_user;
mod processes;
mod world;
