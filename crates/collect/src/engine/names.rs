//! What an engine calls its images and what its containers were made from: two lists, and nothing about each of them.

use plimsoll_facts::Image;
use plimsoll_rootdir::RootDir;
use serde::Deserialize;

use super::endpoint::Endpoint;
use super::image::WireImage;
use super::json::lenient;
use super::session::Session;

/// The images and containers of an engine, as its lists tell them.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Images: id, tags, digests.
    pub images: Vec<Image>,
    /// Containers.
    pub containers: Vec<NamedContainer>,
}

/// A container, and what it was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedContainer {
    /// Container id.
    pub id: String,
    /// Name, without the leading slash.
    pub name: String,
    /// Whether it has a process.
    pub running: bool,
    /// The image's name when it was made; its id where that name now means another image.
    pub image: String,
    /// Image id.
    pub image_id: String,
}

/// Asks an engine for its lists.
///
/// # Errors
/// A sentence: the engine does not answer.
pub fn names(root: &RootDir, endpoint: &Endpoint) -> Result<Names, String> {
    let session = Session::open(root, endpoint)?;
    let images = session.list::<WireImage>("/images/json?digests=1")?;
    let containers = session.list::<Row>("/containers/json?all=1")?;
    Ok(Names {
        images: images.into_iter().map(WireImage::into_facts).collect(),
        containers: containers.into_iter().map(Row::into_named).collect(),
    })
}

/// One row of `GET /containers/json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Row {
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) names: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) state: String,
    #[serde(default, deserialize_with = "lenient")]
    image: String,
    #[serde(default, rename = "ImageID", deserialize_with = "lenient")]
    image_id: String,
}

impl Row {
    fn into_named(self) -> NamedContainer {
        NamedContainer {
            name: super::api::own_name(&self.names).unwrap_or(&self.id).to_owned(),
            id: self.id,
            running: matches!(self.state.as_str(), "running" | "paused" | "restarting"),
            image: self.image,
            image_id: self.image_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_as_docker_writes_it() {
        let row = r#"{"Id": "c0ffee", "Names": ["/other/alias", "/db"], "Image": "mariadb:11",
            "ImageID": "sha256:5b86", "State": "paused", "Labels": null}"#;
        let container = serde_json::from_str::<Row>(row).unwrap().into_named();
        assert_eq!((container.name.as_str(), container.image.as_str()), ("db", "mariadb:11"));
        assert_eq!((container.image_id.as_str(), container.running), ("sha256:5b86", true));
    }
}
