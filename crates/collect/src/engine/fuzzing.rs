//! What engines and their users write.

use plimsoll_facts::Swarm;
use serde::de::DeserializeOwned;

use super::declared::{WireContainer, WireExec};
use super::endpoint::Endpoint;
use super::hosts::Host;
use super::image::{self, WireImage, WireInspect, WireStep};
use super::info::{WireInfo, WireVersion};
use super::network::{WireNetwork, WirePlugin, WireVolumes};
use super::swarm::{self, WireNode, WireService, WireSwarm};
use super::{certificate as x509, client, config_file, docker_env, flags, withheld};

/// A certificate in PEM, or in DER.
pub(crate) fn certificate(bytes: &[u8]) {
    let _ = x509::issued_at(&String::from_utf8_lossy(bytes));
    let _ = x509::not_before(bytes);
}

/// An answer of the API, read as each document.
pub(crate) fn documents(bytes: &[u8]) {
    each(bytes, |version: WireVersion| drop((version.kind(), version.into_facts())));
    each(bytes, |info: WireInfo| {
        let (_, extra) = info.into_facts();
        drop((extra.swarm.is_member(), extra.swarm.to_facts()));
    });
    each(bytes, |list: Vec<WireNetwork>| list.into_iter().for_each(|it| drop(it.into_facts())));
    each(bytes, |volumes: WireVolumes| drop(volumes.into_facts()));
    each(bytes, |list: Vec<WirePlugin>| list.into_iter().for_each(|it| drop(it.into_facts())));
    each(bytes, |swarm: WireSwarm| swarm.complete(&mut Swarm::default()));
    each(bytes, |list: Vec<WireNode>| {
        swarm::reachable_managers(&list);
    });
    each(bytes, |list: Vec<WireService>| list.into_iter().for_each(|it| drop(it.into_facts())));
    each(bytes, |container: WireContainer| drop(container.into_facts()));
    each(bytes, |exec: WireExec| drop(exec.into_session()));
    each(bytes, |list: Vec<WireImage>| list.into_iter().for_each(|it| drop(it.into_facts())));
    each(bytes, |inspect: WireInspect| drop(inspect.into_facts()));
    each(bytes, |steps: Vec<WireStep>| drop(image::history(steps)));
    let _ = super::image_of_config(bytes, "x");
    let _ = client::message(bytes);
}

fn each<T: DeserializeOwned>(body: &[u8], read: impl FnOnce(T)) {
    if let Ok(document) = client::parse(body) {
        read(document);
    }
}

/// daemon.json, a context of docker's client, addresses, and the arguments of dockerd, one after each NUL.
pub(crate) fn files(bytes: &[u8]) {
    let (options, _) = config_file::parse(bytes);
    let _ = Host::all(options.get("hosts"), false);
    let _ = docker_env::parse_context(bytes);
    let text = String::from_utf8_lossy(bytes);
    let _ = Endpoint::parse(&text, None);
    let mut arguments: Vec<String> = text.split('\0').map(str::to_owned).collect();
    let _ = Host::all(flags::parse(&arguments).get("hosts"), true);
    withheld::in_arguments(&mut arguments);
}
