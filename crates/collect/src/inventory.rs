//! The packages of one image or container of an engine, read in place.

use plimsoll_facts::{Container, Engine, Image, PackageInventory};
use plimsoll_image::Reader;
use plimsoll_rootdir::RootDir;

use crate::Options;
use crate::engine::{self, Endpoint};
use crate::images::Host;

/// Why an image of an engine was not read.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The name cannot be one.
    #[error("{0:?} is no name or id of an image or container")]
    Name(String),
    /// The engine did not answer, or has no such image.
    #[error("{0}")]
    Engine(String),
    /// The engine has it, but its files cannot be read here.
    #[error("the files of {name} cannot be read in place: {why}")]
    Files {
        /// Its name.
        name: String,
        /// Why not, for each way that was tried.
        why: String,
    },
}

/// What was read of an image of an engine.
#[derive(Debug)]
pub struct EngineImage {
    /// The image.
    pub image: Image,
    /// Its packages.
    pub inventory: PackageInventory,
}

/// Reads the packages of the image `reference` (a name, tag, digest or id) of an engine, without running or exporting
/// it: from its overlay directories, else through a container that runs from it.
///
/// # Errors
/// When the engine does not answer or has no such image, or no way leads to its files.
pub fn of_image(
    root: &RootDir,
    endpoint: &Endpoint,
    reference: &str,
    reader: &mut Reader,
) -> Result<EngineImage, InventoryError> {
    check(reference)?;
    let image = engine::image(root, endpoint, reference).map_err(InventoryError::Engine)?;
    let failed = |why| InventoryError::Files { name: image.name(), why };
    let mut engine = Engine { endpoint: endpoint.to_string(), ..Engine::default() };
    let has_layers = image.config.value().is_some_and(|config| !config.layer_dirs.is_empty());
    if !has_layers {
        // What is left is a container that runs from it, which only a whole look finds.
        let options = Options { endpoints: vec![endpoint.clone()], version: "", progress: &|_| () };
        let found = crate::collect(root, &options).engines.into_iter().next();
        engine = found.ok_or_else(|| failed("the engine does not answer any more".to_owned()))?;
    }
    let containers = engine.containers.value().map_or(&[][..], Vec::as_slice);
    let running = containers.iter().find(|container| runs_from(container, &image));
    let (layers, source) = Host::of(root, &engine).layers(&image, running).map_err(failed)?;
    let inventory = reader.inventory(&layers, &source);
    Ok(EngineImage { image, inventory })
}

fn runs_from(container: &Container, image: &Image) -> bool {
    let declared = container.declared.value();
    container.effective.value().is_some() && declared.is_some_and(|declared| declared.image_id == image.id)
}

/// Names go into the path of a request: nothing but what names consist of.
fn check(reference: &str) -> Result<(), InventoryError> {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b);
    let fits = !reference.is_empty()
        && reference.len() <= 512
        && reference.bytes().all(is_part)
        && reference.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !reference.split('/').any(|part| matches!(part, "" | "." | ".."));
    if fits { Ok(()) } else { Err(InventoryError::Name(reference.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for name in ["mariadb:11", "localhost:5000/a/b@sha256:00", "c0ffee"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in ["", "../containers/json", "a/../b", "a?force=1", "a b", "/x", "a//b", "a%2f"] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
