//! `plimsoll sbom`.

use anyhow::{Context, Result};
use jiff::Timestamp;
use plimsoll_facts::{PackageVerdict, Vulnerabilities};
use plimsoll_report::sbom::{Bill, cyclonedx, spdx};
use plimsoll_report::scan::Scan;

use crate::cli::{SbomArgs, SbomFormat};
use crate::commands::images::Sources;
use crate::progress::Progress;
use crate::{Exit, output};

/// Lists the images that are named.
pub(crate) fn run(args: &SbomArgs) -> Result<Exit> {
    let mut scan = Scan::new(Timestamp::now().to_string());
    let progress = Progress::new();
    let mut sources = Sources::new(&args.host, &args.registry, &progress);
    for name in &args.images {
        for (image, inventory) in sources.read(name).with_context(|| format!("reading {name}"))? {
            let packages = inventory.packages.into_iter();
            let packages = packages.map(|package| PackageVerdict { package, ..PackageVerdict::default() });
            scan.add(
                image,
                Vulnerabilities {
                    packages: packages.collect(),
                    gaps: inventory.gaps,
                    ..Vulnerabilities::default()
                },
            );
        }
    }
    output::with(args.output.as_deref(), |out| match args.format {
        SbomFormat::Cyclonedx => cyclonedx::write(&Bill::of(&scan), out),
        SbomFormat::Spdx => spdx::write(&Bill::of(&scan), out),
    })?;
    Ok(Exit::Done { findings: false, unknown: !scan.gaps.is_empty() })
}
