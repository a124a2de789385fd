//! Images by name, wherever they are: the engine, registries, archives, folders, and bills of materials in their place.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use plimsoll_collect::engine::{DEFAULT_SOCKET, Endpoint, image_of_config};
use plimsoll_collect::inventory::{self, InventoryError};
use plimsoll_facts::{EngineKind, Fact, Image, PackageInventory};
use plimsoll_image::{Archive, ArchiveImage, LayeredRoot, ReadImage, Reader, Union, read_sbom, read_stream};
use plimsoll_report::scan::ScannedImage;
use plimsoll_rootdir::RootDir;

use crate::cli::RegistryArgs;
use crate::commands::look;
use crate::commands::registry::{self, RegistryImage};
use crate::exit::Usage;
use crate::progress::Progress;

/// Where images come from.
pub(super) struct Sources<'a> {
    host: &'a [String],
    registry: &'a RegistryArgs,
    progress: &'a Progress,
    engine: Option<Endpoint>,
    reader: Reader,
}

/// An image, and what is in it.
pub(super) type Read = (ScannedImage, PackageInventory);

/// An image with all that rules ask of it, and the engine that has it; of none where it comes from elsewhere.
pub(super) struct Found {
    pub(super) endpoint: String,
    pub(super) kind: EngineKind,
    pub(super) image: Image,
}

/// What a name stands for.
enum Opened {
    Engine,
    Directory(LayeredRoot),
    Layers(Box<Archived>),
}

/// An image whose layers were read one after the other, from an archive or a registry.
struct Archived {
    /// What a report calls it.
    name: String,
    id: String,
    tags: Vec<String>,
    config: Vec<u8>,
    read: ReadImage,
}

/// How the files of a folder are read, as reports say it.
const FOLDER: &str = "folder";

impl<'a> Sources<'a> {
    /// Images of archives and folders, of the engine at this endpoint, and of registries that are spoken to this way.
    pub(super) fn new(host: &'a [String], registry: &'a RegistryArgs, progress: &'a Progress) -> Self {
        Self { host, registry, progress, engine: None, reader: Reader::default() }
    }

    /// The packages of what a name stands for: `registry:REFERENCE`, `docker-archive:PATH` or `oci:PATH` (`-` is standard
    /// input), `dir:PATH`; a path that is there; else an image of the engine. An archive may hold several images.
    pub(super) fn read(&mut self, name: &str) -> Result<Vec<Read>> {
        self.each(name, |sources, opened| match opened {
            Opened::Engine => {
                let (root, endpoint) = sources.engine()?;
                let found = inventory::of_image(&root, &endpoint, name, &mut sources.reader);
                let found = found.map_err(|error| explained(name, error))?;
                Ok((scanned(name, Some(found.image.id), &found.inventory), found.inventory))
            }
            Opened::Directory(root) => {
                let inventory = sources.reader.inventory(&root, FOLDER);
                Ok((scanned(name, None, &inventory), inventory))
            }
            Opened::Layers(it) => {
                let inventory = it.read.inventory();
                Ok((scanned(&it.name, Some(it.id), &inventory), inventory))
            }
        })
    }

    /// All that rules ask of the images that a name stands for, as for [`Self::read`].
    pub(super) fn facts(&mut self, name: &str) -> Result<Vec<Found>> {
        let elsewhere = |image| Found { endpoint: String::new(), kind: EngineKind::Unknown, image };
        self.each(name, |sources, opened| match opened {
            Opened::Engine => {
                let (root, endpoint) = sources.engine()?;
                let found = inventory::facts_of(&root, &endpoint, name, &mut sources.reader);
                let (kind, image) = found.map_err(|error| explained(name, error))?;
                Ok(Found { endpoint: endpoint.to_string(), kind, image })
            }
            Opened::Directory(root) => {
                let (content, packages) = sources.reader.image(&root, FOLDER, "");
                Ok(elsewhere(Image {
                    id: name.to_owned(),
                    config: Fact::unreadable(FOLDER, "a folder has no configuration and no history"),
                    content: Fact::known(content, FOLDER),
                    packages: Fact::known(packages, FOLDER),
                    ..Image::default()
                }))
            }
            Opened::Layers(it) => Ok(elsewhere(it.facts())),
        })
    }

    fn each<T>(&mut self, name: &str, take: impl Fn(&mut Self, Opened) -> Result<T>) -> Result<Vec<T>> {
        let is_path = name.starts_with(['/', '.']);
        let is_folder = is_path && Path::new(name).is_dir() && !Archive::is_layout(Path::new(name));
        match name.split_once(':') {
            // `registry:2` is a tag of the image that is called registry.
            Some(("registry", reference)) if reference.contains(['/', ':', '@']) => {
                self.progress.tell(name);
                let RegistryImage { id, config, read } =
                    registry::read(reference, self.registry, self.progress)?;
                let tags = vec![reference.to_owned()];
                let image = Archived { name: name.to_owned(), id, tags, config, read };
                Ok(vec![take(self, Opened::Layers(Box::new(image)))?])
            }
            Some(("docker-archive" | "oci" | "oci-archive", path)) => {
                self.archive(name, Path::new(path), take)
            }
            Some(("dir", path)) => self.directory(Path::new(path), take),
            _ if is_folder => self.directory(Path::new(name), take),
            _ if is_path => self.archive(name, Path::new(name), take),
            _ => Ok(vec![take(self, Opened::Engine)?]),
        }
    }

    fn directory<T>(&mut self, path: &Path, take: impl Fn(&mut Self, Opened) -> Result<T>) -> Result<Vec<T>> {
        let root = LayeredRoot::new(vec![RootDir::open(path)?], Union::Plain)?;
        Ok(vec![take(self, Opened::Directory(root))?])
    }

    fn archive<T>(
        &mut self,
        name: &str,
        path: &Path,
        take: impl Fn(&mut Self, Opened) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut take = |several, image: &ArchiveImage, read| {
            take(self, Opened::Layers(Box::new(Archived::of(name, several, image, read))))
        };
        let images = match (path == Path::new("-"), Archive::open(path)) {
            (true, _) => read_stream(io::stdin().lock())?,
            (false, Err(plimsoll_image::Error::Compressed { .. })) => read_stream(File::open(path)?)?,
            (false, archive) => {
                let archive = archive?;
                let several = archive.images().len() > 1;
                return archive
                    .images()
                    .iter()
                    .map(|image| take(several, image, archive.read(image)?))
                    .collect();
            }
        };
        let several = images.len() > 1;
        images.into_iter().map(|(image, read)| take(several, &image, read)).collect()
    }

    /// The engine that is named, with the root below which its socket is.
    fn engine(&mut self) -> Result<(RootDir, Endpoint)> {
        let endpoint = match &self.engine {
            Some(endpoint) => endpoint.clone(),
            None => {
                let named = look::endpoints(self.host)?.into_iter().next();
                named.unwrap_or_else(|| Endpoint::Unix(PathBuf::from(DEFAULT_SOCKET)))
            }
        };
        self.engine = Some(endpoint.clone());
        Ok((RootDir::open("/")?, endpoint))
    }
}

/// An error about an image of the engine, with what to try next.
fn explained(name: &str, error: InventoryError) -> anyhow::Error {
    match &error {
        InventoryError::Name(_) => anyhow!(Usage(error.to_string())),
        InventoryError::NotFound { .. } => match registry::hint(name) {
            Some(hint) => anyhow!("{error}; {hint}"),
            None => anyhow!(error),
        },
        _ => anyhow!(error),
    }
}

impl Archived {
    fn of(name: &str, several: bool, image: &ArchiveImage, read: ReadImage) -> Self {
        let tag = image.names.first().map_or(image.id.as_str(), String::as_str);
        let name = if several { format!("{name} {tag}") } else { name.to_owned() };
        Self { name, id: image.id.clone(), tags: image.names.clone(), config: image.config.clone(), read }
    }

    fn facts(self) -> Image {
        let image = image_of_config(&self.config, "the image's configuration");
        let user = image.config.value().map_or("", |config| config.user.as_str());
        let content = self.read.content(user);
        let source = content.source.clone();
        Image { id: self.id, tags: self.tags, content: Fact::known(content, source), ..image }
    }
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
