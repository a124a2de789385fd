//! The ways to the files of an image, best first.

use plimsoll_facts::{Container, Engine, Fact, Image, PackageInventory};
use plimsoll_image::{Parts, Reader, read_stream};
use plimsoll_rootdir::RootDir;

use crate::Options;
use crate::engine::{Endpoint, Session};
use crate::images::Host;

/// One image of one engine.
pub(super) struct Ways<'a> {
    pub(super) root: &'a RootDir,
    pub(super) endpoint: &'a Endpoint,
    pub(super) session: &'a Session,
    pub(super) image: &'a Image,
}

type Way<'a> = fn(&Ways<'a>, &mut Reader) -> Result<PackageInventory, String>;

impl<'a> Ways<'a> {
    /// What the first way that leads to the image's files finds there.
    ///
    /// # Errors
    /// Why none does.
    pub(super) fn first(&self, reader: &mut Reader) -> Result<PackageInventory, String> {
        let mut reasons = Vec::new();
        // Behind any other address may be another host, whose paths and process numbers mean something else here.
        let in_place: &[Way<'a>] = match self.endpoint {
            Endpoint::Unix(_) => &[Self::layers, Self::container, Self::packed],
            _ => {
                reasons.push("only engines behind a unix socket are read in place".to_owned());
                &[]
            }
        };
        let asked: [Way<'a>; 2] = [Self::parts, Self::saved];
        for way in in_place.iter().chain(&asked) {
            match way(self, reader) {
                Ok(mut inventory) if !reasons.is_empty() => {
                    inventory.source = format!("{} ({})", inventory.source, reasons.join("; "));
                    return Ok(inventory);
                }
                Ok(inventory) => return Ok(inventory),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(reasons.join("; "))
    }

    /// Its layers, where they are directories of this host.
    fn layers(&self, reader: &mut Reader) -> Result<PackageInventory, String> {
        let (layers, source) = Host::of(self.root, &self.engine()?).layers(self.image)?;
        Ok(reader.inventory(&layers, &source))
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
    fn packed(&self, _: &mut Reader) -> Result<PackageInventory, String> {
        Ok(Host::of(self.root, &self.engine()?).packed(self.image)?.inventory())
    }

    /// A container of this host that runs from it.
    fn container(&self, reader: &mut Reader) -> Result<PackageInventory, String> {
        if !self.session.containers_of(self.image)?.iter().any(|container| container.is_running()) {
            return Err("no container runs from it".to_owned());
        }
        // Which processes are a container's only a whole look tells.
        let options = Options { endpoints: vec![self.endpoint.clone()], version: "", progress: &|_| () };
        let found = crate::collect(self.root, &options).engines.into_iter().next();
        let engine = found.ok_or("the engine does not answer any more")?;
        let containers = engine.containers.value().map_or(&[][..], Vec::as_slice);
        let running = containers.iter().find(|container| self.is_running(container));
        let running = running.ok_or("no process of its containers was found here")?;
        let (layers, source) = Host::of(self.root, &engine).container(running)?;
        Ok(reader.inventory(&layers, &source))
    }

    fn is_running(&self, container: &Container) -> bool {
        let declared = container.declared.value();
        container.effective.value().is_some()
            && declared.is_some_and(|declared| declared.image_id == self.image.id)
    }

    /// The files that are needed, of a container that was made from it, running or not.
    fn parts(&self, _: &mut Reader) -> Result<PackageInventory, String> {
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
        Ok(parts.inventory(&source))
    }

    /// All of it, as `docker save` writes it.
    fn saved(&self, _: &mut Reader) -> Result<PackageInventory, String> {
        let layers = self.image.config.value().map_or(&[][..], |config| &config.layers);
        let images = read_stream(self.session.saved(self.image)?).map_err(|error| error.to_string())?;
        // An engine that keeps an image for several platforms sends all of them.
        let found = images.iter().find(|(image, _)| image.id == self.image.id || image.diff_ids() == layers);
        let (_, read) = found.ok_or("what the engine sends has other layers")?;
        let mut inventory = read.inventory();
        inventory.source = "saved by the engine and read as a stream".to_owned();
        Ok(inventory)
    }
}
