//! Engines: their API over its socket, their daemon, their configuration three ways.

mod client;
mod declared;
mod endpoint;
mod environment;
mod graph;
mod host_config;
mod image;
mod info;
mod json;
mod network;
mod ports;
mod tls;
mod transport;

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_facts::{Container, Engine, Fact, Image};
use plimsoll_rootdir::RootDir;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use endpoint::{Endpoint, EndpointError, Tls};

use crate::Options;
use crate::gaps::Gaps;
use client::{CallError, Client};
use declared::{WireContainer, WireExec};
use image::{WireImage, WireInspect, WireStep};
use info::{WireInfo, WireVersion};
use network::{WireNetwork, WirePlugin, WireVolumes};

/// The engine's socket where nothing else is known.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// The most running exec sessions of one container that are asked for.
const MAX_EXECS: usize = 64;

/// Asks each engine.
pub(crate) fn collect(_root: &RootDir, options: &Options<'_>, gaps: &mut Gaps) -> Vec<Engine> {
    let default = [Endpoint::Unix(DEFAULT_SOCKET.into())];
    let endpoints = if options.endpoints.is_empty() { &default[..] } else { &options.endpoints };
    endpoints.iter().map(|endpoint| ask(endpoint, options, gaps)).collect()
}

/// One engine through its API.
fn ask(endpoint: &Endpoint, options: &Options<'_>, gaps: &mut Gaps) -> Engine {
    let address = endpoint.to_string();
    (options.progress)(&address);
    let mut engine = Engine { id: address.clone(), endpoint: address.clone(), ..Engine::default() };
    let subject = format!("engine {address}");
    let client = match Client::new(endpoint) {
        Ok(client) => client,
        Err(error) => {
            engine.version = gaps.unreadable(&subject, "GET /version", error);
            return engine;
        }
    };
    let mut api = Api { client, subject, gaps };
    api.fill(&mut engine, options);
    engine
}

/// An engine's API, together with where its gaps go.
struct Api<'a> {
    client: Client,
    subject: String,
    gaps: &'a mut Gaps,
}

impl Api<'_> {
    fn fill(&mut self, engine: &mut Engine, options: &Options<'_>) {
        match self.client.get::<WireVersion>("/version") {
            Ok(version) => {
                self.client.negotiate(&version.api_version, &version.min_api_version);
                engine.kind = version.kind();
                engine.version = Fact::known(version.into_facts(), "GET /version");
            }
            Err(error) => {
                engine.version = self.gaps.unreadable(&self.subject, "GET /version", error);
                return;
            }
        }
        match self.client.get::<WireInfo>("/info") {
            Ok(info) => {
                if !info.id.is_empty() {
                    engine.id.clone_from(&info.id);
                }
                engine.info = Fact::known(info.into_facts(), "GET /info");
            }
            Err(error) => engine.info = self.gaps.unreadable(&self.subject, "GET /info", error),
        }
        engine.networks = self
            .read::<Vec<WireNetwork>>("/networks")
            .map(|list| list.into_iter().map(WireNetwork::into_facts).collect());
        engine.volumes = self.read::<WireVolumes>("/volumes").map(WireVolumes::into_facts);
        engine.plugins = self
            .read::<Vec<WirePlugin>>("/plugins")
            .map(|list| list.into_iter().map(WirePlugin::into_facts).collect());
        engine.containers = self.containers(options);
        engine.images = self.images(engine.containers.value().map_or(&[][..], Vec::as_slice));
        attach(engine);
    }

    /// One call as a fact; an engine that has no such call has no such thing.
    fn read<T: DeserializeOwned>(&mut self, path: &str) -> Fact<T> {
        let source = format!("GET {path}");
        match self.client.get(path) {
            Ok(value) => Fact::known(value, source),
            Err(CallError::NotFound(_)) => Fact::absent(source),
            Err(error) => self.gaps.unreadable(&self.subject, source, error),
        }
    }

    fn containers(&mut self, options: &Options<'_>) -> Fact<Vec<Container>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Row {
            id: String,
            #[serde(default, deserialize_with = "json::lenient")]
            names: Vec<String>,
            #[serde(default, deserialize_with = "json::lenient")]
            state: String,
        }
        let rows = match self.read::<Vec<Row>>("/containers/json?all=1") {
            Fact::Known { value, .. } => value,
            other => return other.map(|_| Vec::new()),
        };
        let count = rows.len();
        let mut containers = Vec::with_capacity(count);
        for (done, row) in rows.into_iter().enumerate() {
            if done % 50 == 49 {
                (options.progress)(&format!("{} of {count} containers", done + 1));
            }
            // A container that others link to has their names for it too, with a second slash.
            let name = row.names.iter().find(|name| name.rfind('/') == Some(0)).or(row.names.first());
            let name = name.map_or(row.id.as_str(), |name| name.trim_start_matches('/')).to_owned();
            containers.push(self.container(Container {
                id: row.id,
                name,
                state: row.state,
                ..Container::default()
            }));
        }
        Fact::known(containers, "GET /containers/json")
    }

    fn container(&mut self, mut container: Container) -> Container {
        let source = format!("GET /containers/{}/json", container.id);
        match self.client.get::<WireContainer>(&source["GET ".len()..]) {
            Ok(wire) => {
                if !wire.name.is_empty() {
                    wire.name.trim_start_matches('/').clone_into(&mut container.name);
                }
                if !wire.state.status.is_empty() {
                    container.state.clone_from(&wire.state.status);
                }
                let mut declared = wire.into_facts();
                if container.is_running() {
                    for id in declared.exec_ids.iter().take(MAX_EXECS) {
                        // A session that ended meanwhile is none.
                        if let Ok(exec) = self.client.get::<WireExec>(&format!("/exec/{id}/json")) {
                            declared.execs.extend(exec.into_session());
                        }
                    }
                }
                container.declared = Fact::known(declared, source);
            }
            Err(CallError::NotFound(_)) => {
                let subject = format!("container {}", container.name);
                container.declared =
                    self.gaps.unreadable(&subject, source, "vanished while the engine was being asked");
            }
            Err(error) => {
                let subject = format!("container {}", container.name);
                container.declared = self.gaps.unreadable(&subject, source, error);
            }
        }
        container
    }

    /// The images of the list, and those that containers use though no list shows them.
    fn images(&mut self, containers: &[Container]) -> Fact<Vec<Image>> {
        let listed = match self.read::<Vec<WireImage>>("/images/json") {
            Fact::Known { value, .. } => value,
            other => return other.map(|_| Vec::new()),
        };
        let mut images: BTreeMap<String, Image> = BTreeMap::new();
        for row in listed {
            images.insert(row.id.clone(), row.into_facts());
        }
        let used: BTreeSet<&str> = containers
            .iter()
            .filter_map(|container| container.declared.value())
            .map(|declared| declared.image_id.as_str())
            .filter(|id| !id.is_empty())
            .collect();
        for id in used {
            images.entry(id.to_owned()).or_insert_with(|| Image { id: id.to_owned(), ..Image::default() });
        }
        let images = images.into_values().map(|image| self.image(image)).collect();
        Fact::known(images, "GET /images/json")
    }

    fn image(&mut self, listed: Image) -> Image {
        let source = format!("GET /images/{}/json", listed.id);
        let subject = format!("image {}", listed.name());
        let (inspected, mut config) = match self.client.get::<WireInspect>(&source["GET ".len()..]) {
            Ok(wire) => wire.into_facts(),
            Err(CallError::NotFound(_)) => {
                let reason = "vanished while the engine was being asked, or was removed by force";
                return Image { config: self.gaps.unreadable(&subject, source, reason), ..listed };
            }
            Err(error) => return Image { config: self.gaps.unreadable(&subject, source, error), ..listed },
        };
        let history = format!("GET /images/{}/history", listed.id);
        match self.client.get::<Vec<WireStep>>(&history["GET ".len()..]) {
            Ok(steps) => config.history = image::history(steps),
            Err(error) => {
                self.gaps.unreadable::<()>(&subject, history, error);
            }
        }
        let created_at = inspected.created_at.or(listed.created_at);
        Image { id: listed.id, created_at, config: Fact::known(config, source), ..inspected }
    }
}

/// Writes down at each network who is attached to it.
fn attach(engine: &mut Engine) {
    let (Some(networks), Some(containers)) = (engine.networks.value_mut(), engine.containers.value()) else {
        return;
    };
    for network in networks {
        let attached = containers.iter().filter(|container| {
            let declared = container.declared.value();
            declared.is_some_and(|d| d.networks.values().any(|endpoint| endpoint.network_id == network.id))
        });
        network.containers = attached.map(|container| container.id.clone()).collect();
    }
}
