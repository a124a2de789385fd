//! Everything that an engine's API tells, each call once.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_facts::{Container, Declared, Engine, ExecSession, Fact, Image, ImageConfig, Swarm};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::client::{CallError, Client};
use super::declared::{WireContainer, WireExec};
use super::image::{self, WireImage, WireInspect, WireStep};
use super::info::{Extra, WireInfo, WireVersion};
use super::names::Row;
use super::network::{WireNetwork, WirePlugin, WireVolumes};
use super::swarm::{self, WireNode, WireService, WireSwarm};
use crate::gaps::Gaps;

/// The most exec sessions of one container that are asked for.
const MAX_EXECS: usize = 64;
/// Containers between two words to the user.
const PROGRESS_STEP: usize = 50;

/// An engine's API, together with where its gaps go.
pub(super) struct Api<'a> {
    pub(super) client: Client,
    pub(super) subject: String,
    pub(super) gaps: &'a mut Gaps,
    pub(super) progress: &'a dyn Fn(&str),
}

impl Api<'_> {
    /// Fills what the API tells; gives back what is needed besides. An engine that does not tell its version is not
    /// asked any further.
    pub(super) fn fill(&mut self, engine: &mut Engine) -> Option<Extra> {
        match self.client.get::<WireVersion>("/version") {
            Ok(version) => {
                self.client.negotiate(&version.api_version, &version.min_api_version);
                engine.kind = version.kind();
                engine.version = Fact::known(version.into_facts(), "GET /version");
            }
            Err(error) => {
                silent(engine, &self.subject, &error.to_string(), self.gaps);
                return None;
            }
        }
        let extra = self.info(engine);
        engine.networks = self.list("/networks", WireNetwork::into_facts);
        engine.volumes = self.read::<WireVolumes>("/volumes").map(WireVolumes::into_facts);
        engine.plugins = self.list("/plugins", WirePlugin::into_facts);
        engine.containers = self.containers();
        engine.images = self.images(engine.containers.value().map_or(&[][..], Vec::as_slice));
        attach(engine);
        name_storage(engine);
        extra
    }

    fn info(&mut self, engine: &mut Engine) -> Option<Extra> {
        match self.client.get::<WireInfo>("/info") {
            Ok(info) => {
                if !info.id.is_empty() {
                    engine.id.clone_from(&info.id);
                }
                let (info, extra) = info.into_facts();
                engine.info = Fact::known(info, "GET /info");
                engine.swarm = self.swarm(&extra);
                Some(extra)
            }
            Err(error) => {
                engine.info = self.gaps.unreadable(&self.subject, "GET /info", error);
                engine.swarm = Fact::unreadable("GET /info", "what the engine is could not be read");
                None
            }
        }
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

    fn list<W: DeserializeOwned, T>(&mut self, path: &str, into_facts: fn(W) -> T) -> Fact<Vec<T>> {
        self.read::<Vec<W>>(path).map(|list| list.into_iter().map(into_facts).collect())
    }

    fn swarm(&mut self, extra: &Extra) -> Fact<Swarm> {
        if !extra.swarm.is_member() {
            return Fact::absent("GET /info");
        }
        let mut swarm = extra.swarm.to_facts();
        match self.managed(&mut swarm) {
            Ok(()) => Fact::known(swarm, "GET /info, /swarm, /nodes, /services"),
            // Half a swarm could pass for one without services.
            Err((path, error)) => self.gaps.unreadable(&self.subject, format!("GET {path}"), error),
        }
    }

    /// What managers tell besides.
    fn managed(&self, swarm: &mut Swarm) -> Result<(), (&'static str, CallError)> {
        if swarm.manager {
            self.ask::<WireSwarm>("/swarm")?.complete(swarm);
            swarm.managers = swarm::reachable_managers(&self.ask::<Vec<WireNode>>("/nodes")?);
            let services = self.ask::<Vec<WireService>>("/services")?;
            swarm.services = services.into_iter().map(WireService::into_facts).collect();
            swarm.secrets = u32::try_from(self.ask::<Vec<IgnoredAny>>("/secrets")?.len()).ok();
        }
        Ok(())
    }

    fn ask<T: DeserializeOwned>(&self, path: &'static str) -> Result<T, (&'static str, CallError)> {
        self.client.get(path).map_err(|error| (path, error))
    }

    fn containers(&mut self) -> Fact<Vec<Container>> {
        let rows = match self.read::<Vec<Row>>("/containers/json?all=1") {
            Fact::Known { value, .. } => value,
            other => return other.map(|_| Vec::new()),
        };
        let count = rows.len();
        let mut containers = Vec::with_capacity(count);
        for (done, row) in rows.into_iter().enumerate() {
            if done > 0 && done % PROGRESS_STEP == 0 {
                (self.progress)(&format!("{done} of {count} containers"));
            }
            containers.push(self.container(row));
        }
        Fact::known(containers, "GET /containers/json")
    }

    fn container(&mut self, row: Row) -> Container {
        let name = own_name(&row.names).unwrap_or(&row.id).to_owned();
        let mut container = Container { name, id: row.id, state: row.state, ..Container::default() };
        let path = format!("/containers/{}/json", container.id);
        let source = format!("GET {path}");
        let answer = self.client.get::<WireContainer>(&path).and_then(|wire| wire.about(&container.id));
        container.declared = match answer {
            Ok(wire) => {
                if !wire.name.is_empty() {
                    wire.name.trim_start_matches('/').clone_into(&mut container.name);
                }
                if !wire.state.status.is_empty() {
                    container.state.clone_from(&wire.state.status);
                }
                let mut declared = wire.into_facts();
                if container.is_running() {
                    declared.execs = self.execs(&container.name, &declared);
                }
                Fact::known(declared, source)
            }
            Err(error) => {
                let why = match error {
                    CallError::NotFound(_) => "vanished while the engine was being asked".to_owned(),
                    other => other.to_string(),
                };
                self.gaps.unreadable(&format!("container {}", container.name), source, why)
            }
        };
        container
    }

    /// Exec sessions that run. One that ended meanwhile is none.
    fn execs(&mut self, container: &str, declared: &Declared) -> Vec<ExecSession> {
        let mut sessions = Vec::new();
        for id in declared.exec_ids.iter().take(MAX_EXECS) {
            let path = format!("/exec/{id}/json");
            match self.client.get::<WireExec>(&path) {
                Ok(exec) => sessions.extend(exec.into_session()),
                Err(CallError::NotFound(_)) => {}
                Err(error) => {
                    self.gaps.unreadable::<()>(
                        &format!("container {container}"),
                        format!("GET {path}"),
                        error,
                    );
                }
            }
        }
        sessions
    }

    /// The images of the list, and those that containers use though no list shows them.
    fn images(&mut self, containers: &[Container]) -> Fact<Vec<Image>> {
        let listed = match self.list("/images/json", WireImage::into_facts) {
            Fact::Known { value, .. } => value,
            other => return other,
        };
        let mut images: BTreeMap<String, Image> =
            listed.into_iter().map(|image| (image.id.clone(), image)).collect();
        let declared = containers.iter().filter_map(|container| container.declared.value());
        let used: BTreeSet<&str> =
            declared.map(|d| d.image_id.as_str()).filter(|id| !id.is_empty()).collect();
        for id in used {
            images.entry(id.to_owned()).or_insert_with(|| Image { id: id.to_owned(), ..Image::default() });
        }
        (self.progress)(&format!("{} images", images.len()));
        Fact::known(images.into_values().map(|image| self.image(image)).collect(), "GET /images/json")
    }

    fn image(&mut self, listed: Image) -> Image {
        let subject = format!("image {}", listed.name());
        let path = format!("/images/{}/json", listed.id);
        let source = format!("GET {path}, /history");
        let answer = self.client.get::<WireInspect>(&path).map(WireInspect::into_facts);
        // Half an image could pass for one whose history is clean.
        let answer = answer.and_then(|(inspected, config)| {
            let history = self.client.get::<Vec<WireStep>>(&format!("/images/{}/history", listed.id))?;
            Ok((inspected, ImageConfig { history: image::history(history), ..config }))
        });
        let (inspected, config) = match answer {
            Ok(both) => both,
            Err(error) => {
                let why = match error {
                    CallError::NotFound(_) => "the engine has it no more".to_owned(),
                    other => other.to_string(),
                };
                return Image { config: self.gaps.unreadable(&subject, source, why), ..listed };
            }
        };
        let created_at = inspected.created_at.or(listed.created_at);
        Image { id: listed.id, created_at, config: Fact::known(config, source), ..inspected }
    }
}

/// A container's own name, without the slash: one that others link to has their names for it too, with a second slash.
pub(super) fn own_name(names: &[String]) -> Option<&str> {
    let own = names.iter().find(|name| name.rfind('/') == Some(0)).or(names.first());
    own.map(|name| name.trim_start_matches('/'))
}

/// Nothing can be asked of an engine, for one reason.
pub(super) fn silent(engine: &mut Engine, subject: &str, reason: &str, gaps: &mut Gaps) {
    engine.version = gaps.unreadable(subject, "GET /version", reason);
    engine.info = Fact::unreadable("GET /info", reason);
    engine.networks = Fact::unreadable("GET /networks", reason);
    engine.volumes = Fact::unreadable("GET /volumes", reason);
    engine.plugins = Fact::unreadable("GET /plugins", reason);
    engine.swarm = Fact::unreadable("GET /info", reason);
    engine.containers = Fact::unreadable("GET /containers/json", reason);
    engine.images = Fact::unreadable("GET /images/json", reason);
}

/// Writes down at each network who is attached to it.
fn attach(engine: &mut Engine) {
    let (Some(networks), Some(containers)) = (engine.networks.value_mut(), engine.containers.value()) else {
        return;
    };
    for network in networks {
        let attached = containers.iter().filter(|container| {
            let declared = container.declared.value();
            // podman writes a network's name where Docker writes its id.
            let is_here = |id: &str| id == network.id || id == network.name;
            declared.is_some_and(|d| d.networks.values().any(|endpoint| is_here(&endpoint.network_id)))
        });
        network.containers = attached.map(|container| container.id.clone()).collect();
    }
}

/// Engines that keep images in containerd tell the storage driver once for all images.
fn name_storage(engine: &mut Engine) {
    let Some(info) = engine.info.value() else { return };
    let images = engine.images.value_mut().into_iter().flatten();
    for config in images.filter_map(|image| image.config.value_mut()) {
        if config.storage_driver.is_empty() {
            config.storage_driver.clone_from(&info.storage_driver);
        }
    }
}
