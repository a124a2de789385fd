//! What a running daemon tells of its options, by word or by deed.

use plimsoll_facts::{Engine, EngineInfo, EngineListener, ListenerPurpose, Network, TlsState};
use serde_json::{Value, json};

use super::hosts;
use super::info::Extra;

/// Loopback networks are always among the insecure registries.
const ALWAYS_INSECURE: [&str; 2] = ["127.0.0.0/8", "::1/128"];
/// From this API version on, `GET /info` tells of `no-new-privileges` (moby PR 45320).
const TELLS_NO_NEW_PRIVILEGES: (u32, u32) = (1, 43);

/// An option as the daemon shows it.
pub(super) struct Told {
    pub(super) option: &'static str,
    pub(super) value: Value,
    pub(super) source: &'static str,
}

/// Everything that a daemon shows. `proxies` is the number of its docker-proxy processes, where that is known.
pub(super) fn all(engine: &Engine, extra: Option<&Extra>, proxies: Option<usize>) -> Vec<Told> {
    let mut told = Vec::new();
    if let Some(info) = engine.info.value() {
        let api = engine.version.value().map_or("", |version| version.api.as_str());
        told.extend(by_info(info, api).map(|(option, value)| Told { option, value, source: "GET /info" }));
    }
    if let Some(extra) = extra {
        told.extend(by_extra(extra).map(|(option, value)| Told { option, value, source: "GET /info" }));
    }
    let bridge = engine.networks.value().and_then(|networks| networks.iter().find(|n| is_default_bridge(n)));
    if let Some(bridge) = bridge {
        let source = "GET /networks (bridge)";
        told.extend(by_bridge(bridge).map(|(option, value)| Told { option, value, source }));
    }
    if let Some(listeners) = engine.listeners.value() {
        let source = "the daemon's listening sockets";
        told.extend(by_listeners(listeners).into_iter().map(|(option, value)| Told {
            option,
            value,
            source,
        }));
    }
    if let Some(value) = proxies.and_then(|count| userland_proxy(engine, count)) {
        told.push(Told { option: "userland-proxy", value: json!(value), source: "docker-proxy processes" });
    }
    told
}

fn by_info(info: &EngineInfo, api: &str) -> impl Iterator<Item = (&'static str, Value)> {
    let has = |name: &str| security_option(info, name).is_some();
    let seccomp =
        security_option(info, "seccomp").map(|profile| profile.trim_start_matches("profile=").to_owned());
    let no_new_privileges = has("no-new-privileges");
    let tells = version(api) >= TELLS_NO_NEW_PRIVILEGES || no_new_privileges;
    let runtimes: serde_json::Map<String, Value> =
        info.runtimes.iter().map(|(name, path)| (name.clone(), json!({ "path": path }))).collect();
    let insecure: Vec<&String> =
        info.insecure_registries.iter().filter(|r| !ALWAYS_INSECURE.contains(&r.as_str())).collect();
    let cgroup_driver = format!("native.cgroupdriver={}", info.cgroup_driver);
    [
        ("authorization-plugins", json!(info.authorization_plugins)),
        ("data-root", json!(info.data_root)),
        ("debug", json!(info.debug)),
        ("default-cgroupns-mode", json!(if has("cgroupns") { "private" } else { "host" })),
        ("default-runtime", json!(info.default_runtime)),
        ("exec-opts", json!([cgroup_driver])),
        ("experimental", json!(info.experimental)),
        ("insecure-registries", json!(insecure)),
        ("live-restore", json!(info.live_restore)),
        ("log-driver", json!(info.logging_driver)),
        ("registry-mirrors", json!(info.registry_mirrors)),
        ("runtimes", Value::Object(runtimes)),
        ("selinux-enabled", json!(has("selinux"))),
        ("storage-driver", json!(info.storage_driver)),
        ("userns-remap", json!(if has("userns") { "default" } else { "" })),
    ]
    .into_iter()
    .chain(seccomp.map(|profile| ("seccomp-profile", json!(profile))))
    .chain(tells.then(|| ("no-new-privileges", json!(no_new_privileges))))
}

fn by_extra(extra: &Extra) -> impl Iterator<Item = (&'static str, Value)> {
    let pools: Vec<Value> =
        extra.address_pools.iter().map(|pool| json!({ "base": pool.base, "size": pool.size })).collect();
    let backend = extra.firewall_backend.split('+').next().unwrap_or_default();
    let pools = Some(pools)
        .filter(|pools| !pools.is_empty())
        .map(|pools| ("default-address-pools", Value::Array(pools)));
    let backend = (!backend.is_empty()).then(|| ("firewall-backend", json!(backend)));
    pools.into_iter().chain(backend)
}

/// The default bridge carries the daemon's options for it.
fn by_bridge(bridge: &Network) -> impl Iterator<Item = (&'static str, Value)> {
    let option = |name: &str| bridge.options.get(name).map(String::as_str);
    let switch = |name| option(name).and_then(|text| text.parse::<bool>().ok()).map(Value::Bool);
    let mtu = option("com.docker.network.driver.mtu").and_then(|text| text.parse::<u32>().ok());
    [
        ("icc", switch("com.docker.network.bridge.enable_icc")),
        ("ip", option("com.docker.network.bridge.host_binding_ipv4").map(|text| json!(text))),
        ("ip-masq", switch("com.docker.network.bridge.enable_ip_masquerade")),
        ("ipv6", Some(Value::Bool(bridge.ipv6))),
        ("mtu", mtu.map(|mtu| json!(mtu))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

fn by_listeners(listeners: &[EngineListener]) -> Vec<(&'static str, Value)> {
    let mut told = vec![("hosts", json!(hosts::served(listeners)))];
    let metrics = listeners.iter().find(|listener| listener.purpose == ListenerPurpose::Metrics);
    if let Some(EngineListener { socket, .. }) = metrics {
        let address = if socket.address.contains(':') {
            format!("[{}]", socket.address)
        } else {
            socket.address.clone()
        };
        told.push(("metrics-addr", json!(format!("{address}:{}", socket.port))));
    }
    // The weakest of the TCP listeners tells what TLS is worth.
    let states: Vec<TlsState> = listeners
        .iter()
        .filter(|listener| listener.purpose == ListenerPurpose::Api && listener.socket.protocol != "unix")
        .map(|listener| listener.tls)
        .collect();
    let all = |accepted: &[TlsState]| states.iter().all(|state| accepted.contains(state));
    if !states.is_empty() && !states.contains(&TlsState::Unknown) {
        told.push(("tls", json!(all(&[TlsState::ServerOnly, TlsState::Mutual]))));
        told.push(("tlsverify", json!(all(&[TlsState::Mutual]))));
    }
    told
}

/// A proxy process stands behind every published port, or behind none.
fn userland_proxy(engine: &Engine, proxies: usize) -> Option<bool> {
    let publishes =
        engine.containers.value()?.iter().filter(|container| container.is_running()).any(|container| {
            container
                .declared
                .value()
                .is_some_and(|declared| declared.ports.iter().any(|port| port.host_port != 0))
        });
    (publishes || proxies > 0).then_some(proxies > 0)
}

pub(super) fn is_default_bridge(network: &Network) -> bool {
    network.options.get("com.docker.network.bridge.default_bridge").is_some_and(|value| value == "true")
}

/// What follows `name=NAME` in a security option.
fn security_option<'a>(info: &'a EngineInfo, name: &str) -> Option<&'a str> {
    info.security_options.iter().find_map(|option| {
        let (found, rest) = option.split_once(',').unwrap_or((option, ""));
        (found.strip_prefix("name=") == Some(name)).then_some(rest)
    })
}

fn version(api: &str) -> (u32, u32) {
    let number = |text: &str| text.parse().unwrap_or(0);
    api.split_once('.').map_or((0, 0), |(major, minor)| (number(major), number(minor)))
}
