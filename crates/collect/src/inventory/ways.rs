//! The ways to the files of an image, best first.

use plimsoll_facts::{Container, Engine, Fact, Image, ImageConfig, ImageContent, PackageInventory};
use plimsoll_image::{LayeredRoot, Parts, ReadImage, Reader, read_stream};
use plimsoll_rootdir::RootDir;

use crate::Options;
use crate::engine::{Endpoint, Session};
use crate::images::{self, Host};

/// One image of one engine.
pub(super) struct Ways<'a> {
    pub(super) root: &'a RootDir,
    pub(super) endpoint: &'a Endpoint,
    pub(super) session: &'a Session,
    pub(super) image: &'a Image,
}

/// The files of an image, and which way led to them.
enum Files {
    Layers(LayeredRoot, String),
    Archive(ReadImage),
    Saved(ReadImage),
    Parts(Box<Parts>, String),
}

const SAVED: &str = "saved by the engine and read as a stream";

impl Files {
    fn inventory(self, reader: &mut Reader) -> PackageInventory {
        match self {
            Self::Layers(layers, source) => reader.inventory(&layers, &source),
            Self::Archive(read) => read.inventory(),
            Self::Saved(read) => PackageInventory { source: SAVED.to_owned(), ..read.inventory() },
            Self::Parts(parts, source) => parts.inventory(&source),
        }
    }

    /// What an audit asks of them; `None` where only single files came.
    fn content(self, config: &ImageConfig, reader: &mut Reader) -> Option<ImageContent> {
        match self {
            Self::Layers(layers, source) => Some(images::content(reader, &layers, &source, config).0),
            Self::Archive(read) => Some(read.content(&config.user)),
            Self::Saved(read) => {
                Some(ImageContent { source: SAVED.to_owned(), ..read.content(&config.user) })
            }
            Self::Parts(..) => None,
        }
    }
}

type Way<'a> = fn(&Ways<'a>) -> Result<Files, String>;

impl<'a> Ways<'a> {
    /// The packages, by the first way that leads to the image's files.
    ///
    /// # Errors
    /// Why none does.
    pub(super) fn first(&self, reader: &mut Reader) -> Result<PackageInventory, String> {
        let (files, reasons) = self.find(&[Self::parts, Self::saved])?;
        let mut inventory = files.inventory(reader);
        if !reasons.is_empty() {
            inventory.source = format!("{} ({})", inventory.source, reasons.join("; "));
        }
        Ok(inventory)
    }

    /// What an audit asks of the image's files: all of them are needed for that.
    pub(super) fn content(&self, reader: &mut Reader) -> Fact<ImageContent> {
        let config = self.image.config.value();
        let content = self.find(&[Self::saved]).and_then(|(files, _)| {
            let content = config.and_then(|config| files.content(config, reader));
            content.ok_or_else(|| "the engine did not describe the image".to_owned())
        });
        match content {
            Ok(content) => {
                let source = content.source.clone();
                Fact::known(content, source)
            }
            Err(why) => Fact::unreadable("files of the image", why),
        }
    }

    /// The files by the first way that leads to them, and why those before did not; `asked` are the ways through the engine.
    fn find(&self, asked: &[Way<'a>]) -> Result<(Files, Vec<String>), String> {
        let mut reasons = Vec::new();
        // Behind any other address may be another host, whose paths and process numbers mean something else here.
        let in_place: &[Way<'a>] = match self.endpoint {
            Endpoint::Unix(_) => &[Self::layers, Self::container, Self::packed],
            _ => {
                reasons.push("only engines behind a unix socket are read in place".to_owned());
                &[]
            }
        };
        for way in in_place.iter().chain(asked) {
            match way(self) {
                Ok(files) => return Ok((files, reasons)),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(reasons.join("; "))
    }

    /// Its layers, where they are directories of this host.
    fn layers(&self) -> Result<Files, String> {
        let (layers, source) = Host::of(self.root, &self.engine()?).layers(self.image)?;
        Ok(Files::Layers(layers, source))
    }

    /// The engine, as far as it is needed to find layers.
    fn engine(&self) -> Result<Engine, String> {
        let mut engine = Engine { endpoint: self.endpoint.to_string(), ..Engine::default() };
        if self.image.config.value().is_some_and(|config| config.layer_dirs.is_empty()) {
            engine.info = Fact::known(self.session.info()?, "GET /info");
        }
        Ok(engine)
    }

    /// What its layers came as, where that is kept on this host.
    fn packed(&self) -> Result<Files, String> {
        Ok(Files::Archive(Host::of(self.root, &self.engine()?).packed(self.image)?))
    }

    /// A container of this host that runs from it.
    fn container(&self) -> Result<Files, String> {
        if !self.session.containers_of(self.image)?.iter().any(|container| container.is_running()) {
            return Err("no container runs from it".to_owned());
        }
        // Which processes are a container's only a whole look tells.
        let options = Options {
            endpoints: vec![self.endpoint.clone()],
            version: "",
            stop_threads: false,
            progress: &|_| (),
        };
        let found = crate::collect(self.root, &options).engines.into_iter().next();
        let engine = found.ok_or("the engine does not answer any more")?;
        let containers = engine.containers.value().map_or(&[][..], Vec::as_slice);
        let running = containers.iter().find(|container| self.is_running(container));
        let running = running.ok_or("no process of its containers was found here")?;
        let (layers, source) = Host::of(self.root, &engine).container(running)?;
        Ok(Files::Layers(layers, source))
    }

    fn is_running(&self, container: &Container) -> bool {
        let declared = container.declared.value();
        container.effective.value().is_some()
            && declared.is_some_and(|declared| declared.image_id == self.image.id)
    }

    /// The files that are needed, of a container that was made from it, running or not.
    fn parts(&self) -> Result<Files, String> {
        let containers = self.session.containers_of(self.image)?;
        let container = containers.first().ok_or("no container was made from it")?;
        let mut parts = Parts::default();
        for group in Parts::asked() {
            for path in group {
                if let Some(archive) = self.session.file(&container.id, path)? {
                    parts.add(path, archive).map_err(|error| error.to_string())?;
                    break;
                }
            }
        }
        // Of a container that was removed meanwhile, the engine has no file either.
        self.session.has_container(&container.id)?;
        let name = container.id.get(..12).unwrap_or(&container.id);
        let source = format!("files of container {name}, its changes included, sent by the engine");
        Ok(Files::Parts(Box::new(parts), source))
    }

    /// All of it, as `docker save` writes it.
    fn saved(&self) -> Result<Files, String> {
        let layers = self.image.config.value().map_or(&[][..], |config| &config.layers);
        let images = read_stream(self.session.saved(self.image)?).map_err(|error| error.to_string())?;
        // An engine that keeps an image for several platforms sends all of them.
        let mut images = images.into_iter();
        let found = images.find(|(image, _)| image.id == self.image.id || image.diff_ids() == layers);
        let (_, read) = found.ok_or("what the engine sends has other layers")?;
        Ok(Files::Saved(read))
    }
}
