//! Images by name, wherever they are: the engine, registries, archives, folders, and bills of materials in their place.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use plimsoll_collect::engine::{DEFAULT_SOCKET, Endpoint};
use plimsoll_collect::inventory;
use plimsoll_facts::PackageInventory;
use plimsoll_image::{Archive, ArchiveImage, LayeredRoot, Reader, Union, read_sbom, read_stream};
use plimsoll_report::scan::ScannedImage;
use plimsoll_rootdir::RootDir;

use crate::cli::RegistryArgs;
use crate::commands::{look, registry};
use crate::exit::Usage;
use crate::progress::Progress;

/// Where images come from.
pub(super) struct Sources<'a> {
    host: &'a [String],
    registry: &'a RegistryArgs,
    progress: &'a Progress,
    engine: Option<(RootDir, Endpoint)>,
    reader: Reader,
}

/// An image, and what is in it.
pub(super) type Read = (ScannedImage, PackageInventory);

impl<'a> Sources<'a> {
    /// Images of archives and folders, of the engine at this endpoint, and of registries that are spoken to this way.
    pub(super) fn new(host: &'a [String], registry: &'a RegistryArgs, progress: &'a Progress) -> Self {
        Self { host, registry, progress, engine: None, reader: Reader::default() }
    }

    /// Reads what a name stands for: `registry:REFERENCE`, `docker-archive:PATH` or `oci:PATH` (`-` is standard input),
    /// `dir:PATH`; a path that is there; else an image of the engine. An archive may hold several images.
    pub(super) fn read(&mut self, name: &str) -> Result<Vec<Read>> {
        match name.split_once(':') {
            // `registry:2` is a tag of the image that is called registry.
            Some(("registry", reference)) if reference.contains(['/', ':', '@']) => {
                self.progress.tell(name);
                let (id, inventory) = registry::read(reference, self.registry, self.progress)?;
                Ok(vec![(scanned(name, Some(id), &inventory), inventory)])
            }
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

    fn directory(&mut self, name: &str, path: &Path) -> Result<Vec<Read>> {
        let root = LayeredRoot::new(vec![RootDir::open(path)?], Union::Plain)?;
        let inventory = self.reader.inventory(&root, "folder");
        Ok(vec![(scanned(name, None, &inventory), inventory)])
    }

    fn of_engine(&mut self, name: &str) -> Result<Vec<Read>> {
        if self.engine.is_none() {
            let named = look::endpoints(self.host)?.into_iter().next();
            let endpoint = named.unwrap_or_else(|| Endpoint::Unix(PathBuf::from(DEFAULT_SOCKET)));
            self.engine = Some((RootDir::open("/")?, endpoint));
        }
        let Some((root, endpoint)) = &self.engine else { bail!("no engine") };
        let found =
            inventory::of_image(root, endpoint, name, &mut self.reader).map_err(|error| match &error {
                inventory::InventoryError::Name(_) => anyhow!(Usage(error.to_string())),
                inventory::InventoryError::NotFound { .. } => match registry::hint(name) {
                    Some(hint) => anyhow!("{error}; {hint}"),
                    None => anyhow!(error),
                },
                _ => anyhow!(error),
            })?;
        let image = scanned(name, Some(found.image.id), &found.inventory);
        Ok(vec![(image, found.inventory)])
    }
}

fn archive(name: &str, path: &Path) -> Result<Vec<Read>> {
    if path == Path::new("-") {
        return stream(name, io::stdin().lock());
    }
    let archive = match Archive::open(path) {
        Err(plimsoll_image::Error::Compressed { .. }) => return stream(name, File::open(path)?),
        opened => opened?,
    };
    let several = archive.images().len() > 1;
    let read = |image| Ok(of_archive(name, several, image, archive.read(image)?.inventory()));
    archive.images().iter().map(read).collect()
}

fn stream(name: &str, stream: impl io::Read) -> Result<Vec<Read>> {
    let images = read_stream(stream)?;
    let several = images.len() > 1;
    Ok(images.iter().map(|(image, read)| of_archive(name, several, image, read.inventory())).collect())
}

fn of_archive(name: &str, several: bool, image: &ArchiveImage, inventory: PackageInventory) -> Read {
    let tag = image.names.first().map_or(image.id.as_str(), String::as_str);
    let name = if several { format!("{name} {tag}") } else { name.to_owned() };
    (scanned(&name, Some(image.id.clone()), &inventory), inventory)
}

/// Reads a bill of materials in the place of an image.
pub(super) fn bill(path: &Path) -> Result<Read> {
    let inventory = match path == Path::new("-") {
        true => read_sbom(io::stdin().lock()),
        false => read_sbom(File::open(path)?),
    }?;
    Ok((scanned(&path.display().to_string(), None, &inventory), inventory))
}

fn scanned(name: &str, id: Option<String>, inventory: &PackageInventory) -> ScannedImage {
    ScannedImage {
        name: name.to_owned(),
        id,
        source: inventory.source.clone(),
        os: inventory.os.clone(),
        ..ScannedImage::default()
    }
}
