//! Writes the facts of this host as JSON: `cargo run -p plimsoll-collect --example facts -- [ENGINE …]`.

use plimsoll_collect::engine::DockerEnvironment;
use plimsoll_collect::{Options, collect};
use plimsoll_rootdir::RootDir;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let environment = DockerEnvironment::of_this_process();
    let named = std::env::args().skip(1).map(|address| environment.named(&address));
    let mut endpoints = named.collect::<Result<Vec<_>, _>>()?;
    if endpoints.is_empty() {
        endpoints.extend(environment.endpoint()?);
    }
    let root = RootDir::open("/")?;
    let facts =
        collect(&root, &Options { endpoints, version: "example", stop_threads: false, progress: &|_| {} });
    serde_json::to_writer_pretty(std::io::stdout().lock(), &facts)?;
    Ok(())
}
