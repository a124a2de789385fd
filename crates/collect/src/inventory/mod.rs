//! One image of an engine and its packages, by the best way that leads to its files.

mod ways;

use plimsoll_facts::{EngineKind, Image, PackageInventory};
use plimsoll_image::Reader;
use plimsoll_rootdir::RootDir;

use crate::engine::{Endpoint, Session};
use ways::Ways;

/// Why an image of an engine was not read.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The name cannot be one.
    #[error("{0:?} is no name or id of an image or container")]
    Name(String),
    /// The engine did not answer.
    #[error("{0}")]
    Engine(String),
    /// The engine has no such image.
    #[error("{endpoint}: the engine has no image {name}")]
    NotFound {
        /// The engine.
        endpoint: String,
        /// What was asked for.
        name: String,
    },
    /// The engine has it, but no way leads to its files.
    #[error("the files of {name} cannot be read: {why}")]
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

/// Reads the packages of the image `reference` (a name, tag, digest or id) of an engine, without running it and with
/// nothing written to disk. Where its directories cannot be read in place, the inventory's source says why.
///
/// # Errors
/// When the engine does not answer or has no such image, or no way leads to its files.
pub fn of_image(
    root: &RootDir,
    endpoint: &Endpoint,
    reference: &str,
    reader: &mut Reader,
) -> Result<EngineImage, InventoryError> {
    let (session, image) = find(root, endpoint, reference)?;
    let ways = Ways { root, endpoint, session: &session, image: &image };
    match ways.first(reader) {
        Ok(inventory) => Ok(EngineImage { inventory, image }),
        Err(why) => Err(InventoryError::Files { name: image.name(), why }),
    }
}

/// All that an audit asks of the image `reference`, its history and its files included, as [`of_image`] reads it; and the
/// kind of its engine. What cannot be read of its files is a gap in it.
///
/// # Errors
/// When the engine does not answer or has no such image.
pub fn facts_of(
    root: &RootDir,
    endpoint: &Endpoint,
    reference: &str,
    reader: &mut Reader,
) -> Result<(EngineKind, Image), InventoryError> {
    let (session, mut image) = find(root, endpoint, reference)?;
    let history = session.history(&image).map_err(InventoryError::Engine)?;
    if let Some(config) = image.config.value_mut() {
        config.history = history;
    }
    let content = Ways { root, endpoint, session: &session, image: &image }.content(reader);
    Ok((session.kind(), Image { content, ..image }))
}

fn find(root: &RootDir, endpoint: &Endpoint, reference: &str) -> Result<(Session, Image), InventoryError> {
    check(reference)?;
    let session = Session::open(root, endpoint).map_err(InventoryError::Engine)?;
    let not_found =
        || InventoryError::NotFound { endpoint: endpoint.to_string(), name: reference.to_owned() };
    let image = session.image(reference).map_err(InventoryError::Engine)?.ok_or_else(not_found)?;
    Ok((session, image))
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
