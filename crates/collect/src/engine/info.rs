//! `GET /version` and `GET /info`.

use std::collections::BTreeMap;

use plimsoll_facts::{EngineInfo, EngineKind, EngineVersion};
use serde::Deserialize;

use super::json::{lenient, or_default};

/// `GET /version`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireVersion {
    version: String,
    pub(super) api_version: String,
    #[serde(default, rename = "MinAPIVersion", deserialize_with = "or_default")]
    pub(super) min_api_version: String,
    #[serde(default, deserialize_with = "lenient")]
    git_commit: String,
    #[serde(default, deserialize_with = "lenient")]
    build_time: String,
    #[serde(default, deserialize_with = "lenient")]
    go_version: String,
    #[serde(default, deserialize_with = "or_default")]
    components: Vec<WireComponent>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct WireComponent {
    #[serde(deserialize_with = "or_default")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    version: String,
}

impl WireVersion {
    /// Whose API it is, by the components that it names.
    pub(super) fn kind(&self) -> EngineKind {
        let names = |name: &str| self.components.iter().any(|component| component.name == name);
        if names("Podman Engine") { EngineKind::Podman } else { EngineKind::Docker }
    }

    pub(super) fn into_facts(self) -> EngineVersion {
        EngineVersion {
            version: self.version,
            api: self.api_version,
            min_api: self.min_api_version,
            commit: self.git_commit,
            build_time: self.build_time,
            go: self.go_version,
            components: self.components.into_iter().map(|c| (c.name, c.version)).collect(),
        }
    }
}

/// `GET /info`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireInfo {
    #[serde(default, rename = "ID", deserialize_with = "or_default")]
    pub(super) id: String,
    driver: String,
    #[serde(default, deserialize_with = "lenient")]
    driver_status: Vec<(String, String)>,
    docker_root_dir: String,
    #[serde(default, deserialize_with = "or_default")]
    logging_driver: String,
    #[serde(default, deserialize_with = "or_default")]
    cgroup_driver: String,
    #[serde(default, deserialize_with = "or_default")]
    cgroup_version: String,
    #[serde(default, deserialize_with = "or_default")]
    security_options: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    runtimes: BTreeMap<String, WireRuntime>,
    #[serde(default, deserialize_with = "or_default")]
    default_runtime: String,
    #[serde(default, deserialize_with = "or_default")]
    live_restore_enabled: bool,
    #[serde(default, deserialize_with = "or_default")]
    experimental_build: bool,
    #[serde(default, deserialize_with = "or_default")]
    debug: bool,
    #[serde(default, deserialize_with = "or_default")]
    registry_config: RegistryConfig,
    #[serde(default, deserialize_with = "or_default")]
    plugins: PluginNames,
    #[serde(default, deserialize_with = "lenient")]
    warnings: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    operating_system: String,
    #[serde(default, deserialize_with = "lenient")]
    kernel_version: String,
    #[serde(default, deserialize_with = "lenient")]
    containers: u64,
    #[serde(default, deserialize_with = "lenient")]
    images: u64,
    #[serde(default, deserialize_with = "or_default")]
    swarm: SwarmInfo,
    /// From API 1.41 on.
    #[serde(default, deserialize_with = "lenient")]
    default_address_pools: Vec<AddressPool>,
    /// From API 1.49 on.
    #[serde(default, deserialize_with = "lenient")]
    firewall_backend: FirewallBackend,
}

/// What is needed of `GET /info` but not kept as such.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) swarm: SwarmInfo,
    pub(super) address_pools: Vec<AddressPool>,
    /// `iptables`, `nftables`, with `+firewalld` where that is in charge; empty where it is not told.
    pub(super) firewall_backend: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireRuntime {
    #[serde(deserialize_with = "lenient")]
    path: String,
    #[serde(rename = "runtimeType", deserialize_with = "lenient")]
    runtime_type: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct RegistryConfig {
    #[serde(rename = "InsecureRegistryCIDRs", deserialize_with = "or_default")]
    insecure_registry_cidrs: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    index_configs: BTreeMap<String, IndexConfig>,
    #[serde(deserialize_with = "or_default")]
    mirrors: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexConfig {
    secure: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PluginNames {
    #[serde(deserialize_with = "or_default")]
    authorization: Vec<String>,
}

/// The part of a swarm that every node tells.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct SwarmInfo {
    #[serde(deserialize_with = "or_default")]
    pub(super) local_node_state: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) control_available: bool,
    #[serde(deserialize_with = "lenient")]
    pub(super) node_addr: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) nodes: u32,
    #[serde(deserialize_with = "lenient")]
    pub(super) managers: u32,
}

/// A range of addresses for new networks.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct AddressPool {
    pub(super) base: String,
    pub(super) size: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FirewallBackend {
    #[serde(deserialize_with = "lenient")]
    driver: String,
}

impl WireInfo {
    pub(super) fn into_facts(self) -> (EngineInfo, Extra) {
        let RegistryConfig { insecure_registry_cidrs, index_configs, mirrors } = self.registry_config;
        let insecure_names =
            index_configs.into_iter().filter(|(_, index)| !index.secure).map(|(name, _)| name);
        let runtimes = self.runtimes.into_iter().map(|(name, runtime)| {
            (name, if runtime.path.is_empty() { runtime.runtime_type } else { runtime.path })
        });
        let extra = Extra {
            swarm: self.swarm,
            address_pools: self.default_address_pools,
            firewall_backend: self.firewall_backend.driver,
        };
        let info = EngineInfo {
            storage_driver: self.driver,
            storage_status: self.driver_status,
            data_root: self.docker_root_dir,
            logging_driver: self.logging_driver,
            cgroup_driver: self.cgroup_driver,
            cgroup_version: self.cgroup_version,
            security_options: self.security_options,
            runtimes: runtimes.collect(),
            default_runtime: self.default_runtime,
            live_restore: self.live_restore_enabled,
            experimental: self.experimental_build,
            debug: self.debug,
            insecure_registries: insecure_registry_cidrs.into_iter().chain(insecure_names).collect(),
            registry_mirrors: mirrors,
            authorization_plugins: self.plugins.authorization,
            warnings: self.warnings,
            operating_system: self.operating_system,
            kernel_version: self.kernel_version,
            containers: self.containers,
            images: self.images,
        };
        (info, extra)
    }
}
