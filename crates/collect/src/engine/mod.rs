//! Engines: their API over its socket, their daemon, their configuration three ways.

mod api;
mod certificate;
mod client;
mod config_file;
mod daemon;
mod declared;
mod discover;
mod docker_env;
mod endpoint;
mod environment;
mod files;
mod flags;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod graph;
mod host_config;
#[cfg(test)]
mod hostile_bytes;
mod hosts;
mod image;
mod info;
mod json;
mod kernel;
mod listeners;
mod loaded;
mod local;
mod names;
mod network;
mod oci_config;
mod ports;
mod probe;
mod session;
mod settings;
mod socket_file;
mod swarm;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod withheld;

use plimsoll_facts::{Engine, Fact};
use plimsoll_rootdir::RootDir;

pub use docker_env::DockerEnvironment;
pub use endpoint::{Endpoint, EndpointError, Tls};
pub(crate) use files::files;
pub use names::{NamedContainer, Names, names};
pub use oci_config::image_of_config;
pub(crate) use session::Session;

use crate::Options;
use crate::gaps::Gaps;
use api::{Api, silent};
use client::Client;
use kernel::Kernel;
use socket_file::SocketFile;

/// The engine's socket where nothing else is known.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// Why nothing of an engine's host is known.
const ELSEWHERE: &str = "the engine is on another host: run plimsoll there to see what its kernel enforces";

/// Asks each engine that is named; where none is, each whose socket is found on the host.
pub(crate) fn collect(root: &RootDir, options: &Options<'_>, gaps: &mut Gaps) -> Vec<Engine> {
    let kernel = match Kernel::look(root) {
        Ok(kernel) => Some(kernel),
        Err(error) => {
            gaps.unreadable::<()>("host", "/proc", error);
            None
        }
    };
    let mut engines: Vec<Engine> = Vec::new();
    for target in targets(root, options, kernel.as_ref()) {
        let mut own_gaps = Gaps::default();
        let mut engine = target.ask(root, kernel.as_ref(), options, &mut own_gaps);
        let pid = engine.daemon.value().map(|daemon| daemon.pid);
        if engines.iter().any(|other| is_served_by(other, pid)) {
            continue;
        }
        // Engines before Docker 24 keep their id in /etc/docker, so that two of one host have the same.
        if engines.iter().any(|other| other.id == engine.id) {
            engine.id.clone_from(&engine.endpoint);
        }
        gaps.append(own_gaps);
        engines.push(engine);
    }
    engines.sort_by_key(|engine| engine.remote);
    engines
}

/// The engines whose processes and files are those of this host; [`collect`] puts them first.
pub(crate) fn of_this_host(engines: &mut [Engine]) -> &mut [Engine] {
    let count = engines.partition_point(|engine| !engine.remote);
    engines.split_at_mut(count).0
}

/// Whether this engine's daemon is the process `pid`.
fn is_served_by(engine: &Engine, pid: Option<u32>) -> bool {
    pid.is_some() && engine.daemon.value().map(|daemon| daemon.pid) == pid
}

/// An engine that is to be asked.
struct Target {
    endpoint: Endpoint,
    /// The socket, where it is one of this host; or why there is none.
    file: Option<Result<SocketFile, String>>,
}

fn targets(root: &RootDir, options: &Options<'_>, kernel: Option<&Kernel>) -> Vec<Target> {
    let named = |endpoint: &Endpoint| Target {
        file: endpoint.unix_path().map(|path| SocketFile::open(root, path)),
        endpoint: endpoint.clone(),
    };
    if !options.endpoints.is_empty() {
        return options.endpoints.iter().map(named).collect();
    }
    let found = discover::engines(root, kernel);
    if found.is_empty() {
        return vec![named(&Endpoint::Unix(DEFAULT_SOCKET.into()))];
    }
    let target = |found: discover::Found| Target { endpoint: found.endpoint, file: found.file.map(Ok) };
    found.into_iter().map(target).collect()
}

impl Target {
    fn ask(&self, root: &RootDir, kernel: Option<&Kernel>, options: &Options<'_>, gaps: &mut Gaps) -> Engine {
        let address = self.endpoint.to_string();
        (options.progress)(&address);
        let subject = format!("engine {address}");
        let mut engine = Engine { id: address.clone(), endpoint: address, ..Engine::default() };
        let client = match &self.file {
            Some(Ok(file)) => Ok(Client::of_socket(file.address())),
            Some(Err(reason)) => Err(reason.clone()),
            None => Client::new(&self.endpoint),
        };
        let client = match client {
            Ok(client) => client,
            Err(reason) => {
                silent(&mut engine, &subject, &reason, gaps);
                return engine;
            }
        };
        let mut api = Api { client, subject: subject.clone(), gaps, progress: options.progress };
        let extra = api.fill(&mut engine);
        match local::Listener::find(
            kernel,
            &self.endpoint,
            self.file.as_ref().and_then(|file| file.as_ref().ok()),
        ) {
            Ok(listener) => local::fill(root, &listener, &mut engine, extra.as_ref(), &subject, gaps),
            Err(missing) => {
                match missing {
                    local::Missing::Elsewhere => elsewhere(&mut engine, &subject, gaps),
                    local::Missing::Untold(reason) => local::unknown(&mut engine, &subject, &reason, gaps),
                }
                local::told(root, &mut engine, extra.as_ref());
            }
        }
        engine
    }
}

/// The engine's host is another one: this host's kernel knows nothing of it.
fn elsewhere(engine: &mut Engine, subject: &str, gaps: &mut Gaps) {
    engine.remote = true;
    engine.daemon = gaps.unreadable(subject, "/proc", ELSEWHERE);
    engine.config_file = Fact::unreadable("daemon.json", ELSEWHERE);
    engine.listeners = Fact::unreadable("the kernel's sockets", ELSEWHERE);
    for container in engine.containers.value_mut().into_iter().flatten() {
        container.effective = Fact::unreadable("/proc", ELSEWHERE);
    }
    for image in engine.images.value_mut().into_iter().flatten() {
        image.content = Fact::unreadable("overlay directories", ELSEWHERE);
    }
}
