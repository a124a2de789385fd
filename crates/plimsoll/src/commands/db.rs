//! `plimsoll db`: the local advisories.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use plimsoll_advisories::store::{About, StoreError};
use plimsoll_advisories::{
    DEFAULT_ECOSYSTEMS, Database, ExploitProbability, Exploited, Imported, OSV_EXPORTS, Release, Updated,
    download, import, update,
};

use crate::cli::{DbArgs, DbCommand};
use crate::commands::look::data_folder;
use crate::progress::Progress;
use crate::{Exit, output};

/// The largest list that is read: EPSS has 10 MB.
const MAX_LIST: u64 = 256 << 20;
/// Advisories that are older say little about what is known today.
const OLD_AFTER_DAYS: i64 = 7;

/// The folder of the database: what is named, `$PLIMSOLL_DB`, the system's for root, the user's own for others.
pub(crate) fn folder(named: Option<&Path>) -> PathBuf {
    data_folder(named, "PLIMSOLL_DB", "advisories")
}

/// The database in that folder.
pub(crate) fn database(named: Option<&Path>) -> Database {
    Database::new(folder(named))
}

/// Whether advisories of this time are too old to speak about today.
pub(crate) fn is_old(made_at: i64, now: i64) -> bool {
    now.saturating_sub(made_at) > OLD_AFTER_DAYS * 86_400
}

/// Does what is asked for.
pub(crate) fn run(args: &DbArgs) -> Result<Exit> {
    let folder = folder(args.db.as_deref());
    match &args.command {
        DbCommand::Import { sources } => sources.iter().try_for_each(|source| import_any(source, &folder))?,
        DbCommand::Update { from, ecosystems } => return update_all(from.as_deref(), ecosystems, &folder),
        DbCommand::Status => return status(&folder),
    }
    Ok(Exit::CLEAN)
}

/// Imports a file or folder, or what a URL gives.
fn import_any(source: &Path, folder: &Path) -> Result<()> {
    let Some(url) = source.to_str().filter(|it| it.starts_with("https://") || it.starts_with("http://"))
    else {
        return import_one(source, folder);
    };
    let progress = Progress::new();
    let told = |done: u64, total: Option<u64>| {
        let of = total.map_or(String::new(), |total| format!(" of {total}"));
        progress.tell(&format!("{url}: fetching {done}{of}"));
    };
    let fetched = download(url, folder, &told).with_context(|| format!("importing {url}"))?;
    drop(progress);
    let imported = import_one(&fetched, folder).with_context(|| format!("importing {url}"));
    // What it holds is in the database, or it is not usable.
    let _ = fs::remove_file(&fetched);
    imported
}

fn import_one(source: &Path, folder: &Path) -> Result<()> {
    let context = || format!("importing {}", source.display());
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    match list_kind(source).with_context(context)? {
        Some(ListKind::Exploited) => {
            let count = Exploited::import(&read_list(source)?, folder).with_context(context)?;
            say(&format!("{count} flaws that are known to be exploited"))
        }
        Some(ListKind::Probability) => {
            let text = String::from_utf8(read_list(source)?).with_context(context)?;
            let count = ExploitProbability::import(&text, folder).with_context(context)?;
            say(&format!("{count} probabilities of exploitation"))
        }
        None => {
            let progress = Progress::new();
            let told = |done: u64, total: Option<u64>| {
                if done.is_multiple_of(256) || Some(done) == total {
                    let of = total.map_or(String::new(), |total| format!(" of {total}"));
                    progress.tell(&format!("{}: record {done}{of}", source.display()));
                }
            };
            let began = Instant::now();
            let imported = import(source, folder, now(), &told).with_context(context)?;
            drop(progress);
            say_imported(&imported)?;
            let seconds = began.elapsed().as_secs_f64();
            let rate = imported.records as f64 / seconds.max(f64::EPSILON);
            say(&format!("{} records in {seconds:.1} s, {rate:.0} a second", imported.records))
        }
    }
}

enum ListKind {
    Exploited,
    Probability,
}

/// KEV and EPSS are told by how they begin.
fn list_kind(source: &Path) -> Result<Option<ListKind>> {
    use std::io::Read;
    if source.is_dir() {
        return Ok(None);
    }
    let mut head = Vec::new();
    fs::File::open(source)?.take(4096).read_to_end(&mut head)?;
    let head = String::from_utf8_lossy(&head);
    if head.contains("\"catalogVersion\"") || head.contains("\"cveID\"") {
        return Ok(Some(ListKind::Exploited));
    }
    Ok(head.lines().take(2).any(|line| line.starts_with("cve,epss")).then_some(ListKind::Probability))
}

fn read_list(source: &Path) -> Result<Vec<u8>> {
    if fs::metadata(source)?.len() > MAX_LIST {
        bail!("{}: larger than {MAX_LIST} bytes", source.display());
    }
    Ok(fs::read(source)?)
}

fn update_all(from: Option<&str>, named: &[String], folder: &Path) -> Result<Exit> {
    let base = from.unwrap_or(OSV_EXPORTS);
    let defaults = DEFAULT_ECOSYSTEMS.map(str::to_owned);
    let ecosystems = if named.is_empty() { &defaults[..] } else { named };
    let progress = Progress::new();
    let mut failed = Vec::new();
    for ecosystem in ecosystems {
        let told = |what: &str, done: u64, total: Option<u64>| {
            let of = total.map_or(String::new(), |total| format!(" of {total}"));
            progress.tell(&format!("{ecosystem}: {what} {done}{of}"));
        };
        match update(base, ecosystem, folder, now(), &told) {
            Ok(Updated::Unchanged) => say(&format!("{ecosystem}: nothing newer"))?,
            Ok(Updated::Imported(imported)) => say_imported(&imported)?,
            Err(error) => failed.push(crate::describe(&anyhow::Error::from(error))),
        }
    }
    drop(progress);
    if failed.is_empty() { Ok(Exit::CLEAN) } else { bail!("not up to date:\n  {}", failed.join("\n  ")) }
}

fn status(folder: &Path) -> Result<Exit> {
    let database = Database::new(folder);
    let files = database.files().with_context(|| format!("reading {}", folder.display()))?;
    let mut lines: Vec<String> = files
        .iter()
        .map(|file| match file {
            Ok(file) => line(file.about()),
            Err(error) => format!("unusable: {error}"),
        })
        .collect();
    if files.is_empty() {
        lines.push(
            "no advisories: `plimsoll db update` fetches them, `plimsoll db import` takes them from a file"
                .to_owned(),
        );
    }
    let list = |what: &str, list: Result<usize, StoreError>, without: &str| match list {
        Ok(0) => format!("{what}: not there: {without}"),
        Ok(count) => format!("{what}: {count}"),
        Err(error) => format!("{what}: unusable: {error}"),
    };
    lines.push(list(
        "known to be exploited (KEV)",
        database.exploited().map(|list| list.count()),
        "which flaws are exploited cannot be known",
    ));
    lines.push(list(
        "probability of exploitation (EPSS)",
        database.exploit_probability().map(|list| list.count()),
        "how likely a flaw is exploited cannot be known",
    ));
    let covered: BTreeSet<_> = files.iter().flatten().map(|file| ecosystem(file.about())).collect();
    let missing: Vec<_> = DEFAULT_ECOSYSTEMS.into_iter().filter(|it| !covered.contains(*it)).collect();
    if !missing.is_empty() {
        lines.push(format!(
            "no advisories of {}: flaws of their packages cannot be known",
            missing.join(", ")
        ));
    }
    output::with(None, |out| {
        writeln!(out, "{}", folder.display())?;
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))
    })?;
    Ok(Exit::Done { findings: false, unknown: files.is_empty() || files.iter().any(Result::is_err) })
}

fn ecosystem(about: &About) -> String {
    Release::new(&about.release).ecosystem().to_owned()
}

fn line(about: &About) -> String {
    let skipped = match &about.first_skipped {
        Some(first) => format!("; {} records could not be read, the first: {first}", about.skipped),
        None => String::new(),
    };
    let old = if is_old(about.made_at, now()) { " (old: `plimsoll db update`)" } else { "" };
    format!(
        "{:<24} {:>7} advisories for {:>6} packages, newest {}, made {}{old}, from {}{skipped}",
        about.release,
        about.advisories,
        about.packages,
        day(about.newest),
        day(about.made_at),
        about.source
    )
}

fn say_imported(imported: &Imported) -> Result<()> {
    for about in &imported.files {
        say(&format!("{}: {} advisories for {} packages", about.release, about.advisories, about.packages))?;
    }
    for skipped in &imported.skipped {
        say(&format!("not read: {skipped}"))?;
    }
    let more =
        usize::try_from(imported.skipped_count).unwrap_or(usize::MAX).saturating_sub(imported.skipped.len());
    if more > 0 {
        say(&format!("not read: {more} more"))?;
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    output::with(None, |out: &mut dyn Write| -> io::Result<()> { writeln!(out, "{line}") })
}

fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| "?".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

fn now() -> i64 {
    Timestamp::now().as_second()
}
