//! An engine that is asked for one image: what it is, and its files where they cannot be read in place.

use std::io::Read;
use std::time::Duration;

use plimsoll_facts::{EngineInfo, EngineKind, Fact, HistoryStep, Image};
use plimsoll_rootdir::RootDir;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::client::{CallError, Client};
use super::endpoint::Endpoint;
use super::image::{self, WireInspect, WireStep};
use super::info::{WireInfo, WireVersion};
use super::json::lenient;
use super::socket_file::SocketFile;

/// Time for one file or directory of a container.
const FILE_LIMIT: Duration = Duration::from_secs(30);
/// Time for a whole image, which an engine puts together before it sends the first byte.
const IMAGE_LIMIT: Duration = Duration::from_secs(3600);

/// A connection to one engine, API version negotiated.
pub(crate) struct Session {
    client: Client,
    kind: EngineKind,
    address: String,
    /// Keeps the address of the socket that the client knows.
    _file: Option<SocketFile>,
}

/// A container as the list tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ContainerOfImage {
    pub(crate) id: String,
    #[serde(rename = "ImageID")]
    image_id: String,
    #[serde(default, deserialize_with = "lenient")]
    state: String,
}

impl ContainerOfImage {
    /// Whether its processes can be looked into.
    pub(crate) fn is_running(&self) -> bool {
        self.state == "running" || self.state == "paused"
    }
}

impl Session {
    /// Connects to an engine; its unix socket is one below `root`.
    ///
    /// # Errors
    /// A sentence: it cannot be reached, or does not tell its version.
    pub(crate) fn open(root: &RootDir, endpoint: &Endpoint) -> Result<Self, String> {
        let file = endpoint.unix_path().map(|path| SocketFile::open(root, path)).transpose()?;
        let client = match &file {
            Some(file) => Client::of_socket(file.address()),
            None => Client::new(endpoint)?,
        };
        let address = endpoint.to_string();
        let mut session = Self { client, kind: EngineKind::Unknown, address, _file: file };
        let version = session.client.get::<WireVersion>("/version").map_err(|error| session.said(&error))?;
        session.client.negotiate(&version.api_version, &version.min_api_version);
        session.kind = version.kind();
        Ok(session)
    }

    /// What kind of engine it is.
    pub(crate) fn kind(&self) -> EngineKind {
        self.kind
    }

    fn said(&self, error: &CallError) -> String {
        format!("{}: {error}", self.address)
    }

    /// One image by its name or id, without its history; `None` where the engine has no such image.
    ///
    /// # Errors
    /// A sentence: the engine does not answer.
    pub(crate) fn image(&self, reference: &str) -> Result<Option<Image>, String> {
        let path = format!("/images/{reference}/json");
        let inspected = match self.client.get::<WireInspect>(&path) {
            Err(CallError::NotFound(_)) => return Ok(None),
            other => other.map_err(|error| self.said(&error))?,
        };
        let (image, config) = inspected.into_facts();
        Ok(Some(Image { config: Fact::known(config, format!("GET {path}")), ..image }))
    }

    /// The steps that built an image, oldest first.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn history(&self, image: &Image) -> Result<Vec<HistoryStep>, String> {
        let steps: Vec<WireStep> =
            self.client.get(&format!("/images/{}/history", image.id)).map_err(|error| self.said(&error))?;
        Ok(image::history(steps))
    }

    /// What the engine tells of itself.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn info(&self) -> Result<EngineInfo, String> {
        let info = self.client.get::<WireInfo>("/info").map_err(|error| self.said(&error))?;
        Ok(info.into_facts().0)
    }

    /// What a list of the engine holds.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, String> {
        self.client.get(path).map_err(|error| self.said(&error))
    }

    /// The containers that were made from exactly this image, running or not.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn containers_of(&self, image: &Image) -> Result<Vec<ContainerOfImage>, String> {
        let all: Vec<ContainerOfImage> = self.list("/containers/json?all=1")?;
        Ok(all.into_iter().filter(|container| container.image_id == image.id).collect())
    }

    /// A file or directory of a container as a tar archive, `None` where there is none. `path` has no leading slash.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn file(&self, container: &str, path: &str) -> Result<Option<impl Read + use<>>, String> {
        let path = format!("/containers/{container}/archive?path=/{path}");
        match self.client.stream(&path, FILE_LIMIT) {
            Ok(archive) => Ok(Some(archive)),
            Err(CallError::NotFound(_)) => Ok(None),
            Err(error) => Err(self.said(&error)),
        }
    }

    /// Whether there is such a container.
    ///
    /// # Errors
    /// A sentence: there is none, or the engine does not answer.
    pub(crate) fn has_container(&self, id: &str) -> Result<(), String> {
        let path = format!("/containers/{id}/json");
        self.client.get::<IgnoredAny>(&path).map(drop).map_err(|error| self.said(&error))
    }

    /// An image as the archive that `docker save` writes.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn saved(&self, image: &Image) -> Result<impl Read + use<>, String> {
        let path = format!("/images/{}/get", image.id);
        self.client.stream(&path, IMAGE_LIMIT).map_err(|error| self.said(&error))
    }
}
