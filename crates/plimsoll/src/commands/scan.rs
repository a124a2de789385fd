//! `plimsoll scan`.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use plimsoll_advisories::{
    LARGEST_VEX, Severity, VexStatement, apply_vex, match_packages, read_vex, support_of,
};
use plimsoll_facts::{Gap, PackageInventory, Vulnerability};
use plimsoll_policy::{Exception, FlawExceptions};
use plimsoll_report::sbom::{Bill, cyclonedx, spdx};
use plimsoll_report::scan::{Scan, ScannedImage, html, json, markdown, sarif, terminal};
use plimsoll_rules::{Subject, SubjectKind};

use crate::cli::{ScanArgs, ScanFormat};
use crate::commands::db;
use crate::commands::images::{self, Sources};
use crate::commands::judge;
use crate::progress::Progress;
use crate::{Exit, output};

/// Scans the images that are named.
pub(crate) fn run(args: &ScanArgs) -> Result<Exit> {
    let policy = judge::policy(args.policy.as_deref())?;
    let database = db::database(args.db.as_deref());
    let now = Timestamp::now();
    let mut exceptions = FlawExceptions::new(&policy, judge::day(now.as_second())?);
    let mut scan = Scan::new(now.to_string());
    let mut statements = read_vex_files(&args.vex)?;
    each_read(args, |mut image, inventory| {
        let mut found = match_packages(&inventory, &database);
        apply_vex(&mut statements, &mut found);
        exceptions.note(&[subject(&image)], &mut found.vulnerabilities);
        found.vulnerabilities.retain(|flaw| is_wanted(args, flaw));
        found.gaps.extend(judge_support(&mut image, now));
        scan.add(image, found);
    })?;
    scan.vex_unmatched = statements.iter().filter_map(VexStatement::unmatched).collect();
    scan.exceptions_expired = exceptions.expired().map(expired).collect();
    output::with(args.output.as_deref(), |out| write(args, &scan, out))?;
    Ok(exit(args, &scan))
}

/// What the policy calls an image.
fn subject(image: &ScannedImage) -> Subject {
    Subject {
        kind: SubjectKind::Image,
        name: image.name.clone(),
        id: image.id.clone().unwrap_or_default(),
        engine: String::new(),
    }
}

fn expired(exception: &Exception) -> String {
    let Exception { covers, owner, expires, place, .. } = exception;
    format!(
        "{place}: the exception of {owner} for {covers} expired on {expires}: what it covered counts again"
    )
}

/// Hands on what is in each image as soon as it is read.
fn each_read(args: &ScanArgs, mut take: impl FnMut(ScannedImage, PackageInventory)) -> Result<()> {
    let progress = Progress::new();
    let mut sources = Sources::new(&args.host, &args.registry, &progress);
    for (number, name) in (1..).zip(&args.images) {
        progress.tell(&format!("{name} ({number} of {})", args.images.len()));
        let read = sources.read(name).with_context(|| format!("scanning {name}"))?;
        read.into_iter().for_each(|(image, inventory)| take(image, inventory));
    }
    for path in &args.sbom {
        let (image, inventory) = images::bill(path).with_context(|| format!("reading {}", path.display()))?;
        take(image, inventory);
    }
    Ok(())
}

fn read_vex_files(paths: &[PathBuf]) -> Result<Vec<VexStatement>> {
    let mut statements = Vec::new();
    for path in paths {
        let context = || format!("reading {}", path.display());
        let mut bytes = Vec::new();
        let file = File::open(path).with_context(context)?;
        file.take(LARGEST_VEX + 1).read_to_end(&mut bytes).with_context(context)?;
        if bytes.len() as u64 > LARGEST_VEX {
            bail!("{}: larger than {LARGEST_VEX} bytes", path.display());
        }
        statements.extend(read_vex(&bytes, &path.display().to_string()).with_context(context)?);
    }
    Ok(statements)
}

/// Whether the image's distribution still gets fixes; a gap where plimsoll does not know.
fn judge_support(image: &mut ScannedImage, now: Timestamp) -> Option<Gap> {
    let os = image.os.as_ref()?;
    let today = now.strftime("%Y-%m-%d").to_string();
    let Some(support) = support_of(os) else {
        let version = os.version_id.as_deref().unwrap_or("without a version");
        let reason = format!("plimsoll does not know until when {} {version} gets fixes", os.id);
        return Some(Gap { subject: String::new(), source: "end of life".to_owned(), reason });
    };
    image.end_of_life = support.ended(&today).map(str::to_owned);
    image.long_term_since = support.long_term_since(&today).map(str::to_owned);
    None
}

/// Unknown is what could not be read, and an image of which no package is covered.
fn exit(args: &ScanArgs, scan: &Scan) -> Exit {
    let fails = |bound: plimsoll_rules::Severity| {
        let bound = Severity::of_word(bound.id());
        scan.counted().any(|flaw| Severity::of_word(&flaw.item.severity) >= bound)
    };
    Exit::Done {
        findings: args.fail_on.is_some_and(fails),
        unknown: !scan.gaps.is_empty() || scan.images.iter().any(|image| !scan.is_covered(image)),
    }
}

fn is_wanted(args: &ScanArgs, flaw: &Vulnerability) -> bool {
    !args.only_fixed || flaw.fixed.is_some()
}

fn write(args: &ScanArgs, scan: &Scan, out: &mut dyn Write) -> io::Result<()> {
    match args.format {
        ScanFormat::Terminal => {
            terminal::write(scan, &output::terminal_options(args.full, args.output.as_deref()), out)
        }
        ScanFormat::Json => json::write(scan, out),
        ScanFormat::Sarif => sarif::write(scan, out),
        ScanFormat::Cyclonedx => cyclonedx::write(&Bill::of(scan), out),
        ScanFormat::Spdx => spdx::write(&Bill::of(scan), out),
        ScanFormat::Html => html::write(scan, out),
        ScanFormat::Markdown => markdown::write(scan, args.full, out),
    }
}
