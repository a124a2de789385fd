//! Writes the facts of this host as JSON: `cargo run -p plimsoll-collect --example facts -- [ENGINE …]`.

use plimsoll_collect::engine::Endpoint;
use plimsoll_collect::{Options, collect};
use plimsoll_rootdir::RootDir;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut endpoints = Vec::new();
    for address in std::env::args().skip(1) {
        endpoints.push(Endpoint::parse(&address, None)?);
    }
    let root = RootDir::open("/")?;
    let facts = collect(&root, &Options { endpoints, version: "example", progress: &|_| {} });
    serde_json::to_writer_pretty(std::io::stdout().lock(), &facts)?;
    Ok(())
}
