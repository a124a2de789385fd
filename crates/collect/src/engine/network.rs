//! Networks, volumes and plugins.

use std::collections::BTreeMap;

use plimsoll_facts::{Network, Plugin, Volume};
use serde::Deserialize;

use super::json::{lenient, or_default};

/// One of `GET /networks`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireNetwork {
    id: String,
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    driver: String,
    #[serde(default, deserialize_with = "or_default")]
    scope: String,
    #[serde(default, deserialize_with = "or_default")]
    internal: bool,
    #[serde(default, deserialize_with = "or_default")]
    attachable: bool,
    #[serde(default, deserialize_with = "or_default")]
    ingress: bool,
    #[serde(default, rename = "EnableIPv6", deserialize_with = "or_default")]
    enable_ipv6: bool,
    #[serde(default, rename = "IPAM", deserialize_with = "lenient")]
    ipam: Ipam,
    #[serde(default, deserialize_with = "or_default")]
    options: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Ipam {
    #[serde(deserialize_with = "lenient")]
    config: Vec<Pool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Pool {
    #[serde(deserialize_with = "lenient")]
    subnet: String,
}

impl WireNetwork {
    /// The network; who is attached stands with the containers.
    pub(super) fn into_facts(self) -> Network {
        let subnets =
            self.ipam.config.into_iter().map(|pool| pool.subnet).filter(|subnet| !subnet.is_empty());
        Network {
            id: self.id,
            name: self.name,
            driver: self.driver,
            scope: self.scope,
            internal: self.internal,
            attachable: self.attachable,
            ingress: self.ingress,
            ipv6: self.enable_ipv6,
            subnets: subnets.collect(),
            options: self.options,
            containers: Vec::new(),
        }
    }
}

/// `GET /volumes`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireVolumes {
    #[serde(default, deserialize_with = "or_default")]
    volumes: Vec<WireVolume>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireVolume {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    driver: String,
    #[serde(default, deserialize_with = "or_default")]
    mountpoint: String,
    #[serde(default, deserialize_with = "or_default")]
    options: BTreeMap<String, String>,
}

impl WireVolumes {
    pub(super) fn into_facts(self) -> Vec<Volume> {
        let into_facts = |wire: WireVolume| Volume {
            name: wire.name,
            driver: wire.driver,
            mountpoint: wire.mountpoint,
            options: wire.options,
        };
        self.volumes.into_iter().map(into_facts).collect()
    }
}

/// One of `GET /plugins`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WirePlugin {
    name: String,
    enabled: bool,
    #[serde(default, deserialize_with = "or_default")]
    config: PluginConfig,
    #[serde(default, deserialize_with = "or_default")]
    settings: PluginSettings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PluginConfig {
    #[serde(deserialize_with = "lenient")]
    interface: Interface,
    #[serde(deserialize_with = "or_default")]
    linux: PluginLinux,
    #[serde(deserialize_with = "or_default")]
    network: PluginNetwork,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Interface {
    #[serde(deserialize_with = "lenient")]
    types: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PluginLinux {
    #[serde(deserialize_with = "or_default")]
    capabilities: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PluginNetwork {
    #[serde(rename = "Type", deserialize_with = "or_default")]
    kind: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PluginSettings {
    #[serde(deserialize_with = "or_default")]
    mounts: Vec<PluginMount>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PluginMount {
    #[serde(deserialize_with = "or_default")]
    source: String,
}

impl WirePlugin {
    pub(super) fn into_facts(self) -> Plugin {
        let mounts = self.settings.mounts.into_iter().map(|mount| mount.source);
        Plugin {
            name: self.name,
            enabled: self.enabled,
            interfaces: self.config.interface.types,
            capabilities: self.config.linux.capabilities,
            mounts: mounts.filter(|source| !source.is_empty()).collect(),
            host_network: self.config.network.kind == "host",
        }
    }
}
