//! `plimsoll scan`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use jiff::Timestamp;
use plimsoll_advisories::{Database, Severity, match_packages};
use plimsoll_collect::engine::{DEFAULT_SOCKET, Endpoint};
use plimsoll_collect::inventory;
use plimsoll_facts::{PackageInventory, Vulnerability};
use plimsoll_image::{Archive, LayeredRoot, Reader, Union};
use plimsoll_report::scan::{Scan, ScannedImage, json, terminal};
use plimsoll_rootdir::RootDir;

use crate::cli::{ScanArgs, ScanFormat};
use crate::commands::{db, look};
use crate::exit::Usage;
use crate::progress::Progress;
use crate::{Exit, output};

/// Scans the images that are named.
pub(crate) fn run(args: &ScanArgs) -> Result<Exit> {
    let database = Database::new(db::folder(args.db.as_deref()));
    let progress = Progress::new();
    let mut sources = Sources { args, engine: None, reader: Reader::default() };
    let mut scan = Scan::new(Timestamp::now().to_string());
    for (number, name) in (1..).zip(&args.images) {
        progress.tell(&format!("{name} ({number} of {})", args.images.len()));
        for (image, inventory) in sources.read(name).with_context(|| format!("scanning {name}"))? {
            let mut found = match_packages(&inventory, &database);
            found.vulnerabilities.retain(|flaw| is_wanted(args, flaw));
            scan.add(image, found);
        }
    }
    drop(progress);
    output::with(args.output.as_deref(), |out| write(args, &scan, out))?;
    let fails = |bound: plimsoll_rules::Severity| {
        let bound = Severity::of_word(bound.id());
        scan.vulnerabilities.iter().any(|flaw| Severity::of_word(&flaw.item.severity) >= bound)
    };
    Ok(Exit::Done {
        findings: args.fail_on.is_some_and(fails),
        unknown: !scan.gaps.is_empty() || scan.sources.is_empty(),
    })
}

fn is_wanted(args: &ScanArgs, flaw: &Vulnerability) -> bool {
    !args.only_fixed || flaw.fixed.is_some()
}

fn write(args: &ScanArgs, scan: &Scan, out: &mut dyn Write) -> io::Result<()> {
    match args.format {
        ScanFormat::Terminal => {
            let mut options = output::terminal_options();
            options.full = args.full;
            options.color &= args.output.is_none();
            terminal::write(scan, &options, out)
        }
        ScanFormat::Json => json::write(scan, out),
    }
}

/// Where images come from.
struct Sources<'a> {
    args: &'a ScanArgs,
    engine: Option<(RootDir, Endpoint)>,
    reader: Reader,
}

impl Sources<'_> {
    /// Reads what a name stands for: `docker-archive:PATH`, `oci:PATH`, `dir:PATH`; a path that is there; else an image
    /// of the engine. An archive may hold several images.
    fn read(&mut self, name: &str) -> Result<Vec<(ScannedImage, PackageInventory)>> {
        match name.split_once(':') {
            Some(("docker-archive" | "oci" | "oci-archive", path)) => archive(name, Path::new(path)),
            Some(("dir", path)) => self.directory(name, Path::new(path)),
            _ if name.starts_with(['/', '.'])
                && Path::new(name).is_dir()
                && !Archive::is_layout(Path::new(name)) =>
            {
                self.directory(name, Path::new(name))
            }
            _ if name.starts_with(['/', '.']) => archive(name, Path::new(name)),
            _ => self.of_engine(name),
        }
    }

    fn directory(&mut self, name: &str, path: &Path) -> Result<Vec<(ScannedImage, PackageInventory)>> {
        let root = LayeredRoot::new(vec![RootDir::open(path)?], Union::Plain)?;
        let inventory = self.reader.inventory(&root, "folder");
        Ok(vec![(scanned(name, None, &inventory), inventory)])
    }

    fn of_engine(&mut self, name: &str) -> Result<Vec<(ScannedImage, PackageInventory)>> {
        if self.engine.is_none() {
            let named = look::endpoints(&self.args.host)?.into_iter().next();
            let endpoint = named.unwrap_or_else(|| Endpoint::Unix(PathBuf::from(DEFAULT_SOCKET)));
            self.engine = Some((RootDir::open("/")?, endpoint));
        }
        let Some((root, endpoint)) = &self.engine else { bail!("no engine") };
        let found =
            inventory::of_image(root, endpoint, name, &mut self.reader).map_err(|error| match error {
                inventory::InventoryError::Name(_) => anyhow!(Usage(error.to_string())),
                other => anyhow!(other),
            })?;
        let image = scanned(name, Some(found.image.id), &found.inventory);
        Ok(vec![(image, found.inventory)])
    }
}

fn archive(name: &str, path: &Path) -> Result<Vec<(ScannedImage, PackageInventory)>> {
    let archive = Archive::open(path)?;
    let several = archive.images().len() > 1;
    let read = |image: &plimsoll_image::ArchiveImage| {
        let inventory = archive.read(image)?.inventory();
        let tag = image.names.first().map_or(image.id.as_str(), String::as_str);
        let name = if several { format!("{name} {tag}") } else { name.to_owned() };
        Ok((scanned(&name, Some(image.id.clone()), &inventory), inventory))
    };
    archive.images().iter().map(read).collect()
}

fn scanned(name: &str, id: Option<String>, inventory: &PackageInventory) -> ScannedImage {
    ScannedImage {
        name: name.to_owned(),
        id,
        source: inventory.source.clone(),
        os: inventory.os.clone(),
        end_of_life: None,
    }
}
