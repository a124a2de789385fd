//! Published and exposed ports, as the API writes them.

use std::collections::BTreeMap;

use plimsoll_facts::PublishedPort;
use serde::Deserialize;

use super::json::or_default;

/// `{"3306/tcp": [{"HostIp": "", "HostPort": "3306"}], "80/tcp": null}`.
pub(super) type Bindings = BTreeMap<String, Option<Vec<Binding>>>;

/// Where on the host a port is bound.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Binding {
    #[serde(deserialize_with = "or_default")]
    host_ip: String,
    #[serde(deserialize_with = "or_default")]
    host_port: String,
}

/// Bindings as published ports, in order; ports that are exposed only are left out.
pub(super) fn published(bindings: Bindings) -> Vec<PublishedPort> {
    let mut ports: Vec<PublishedPort> = bindings
        .into_iter()
        .flat_map(|(port, hosts)| {
            let (container_port, protocol) = number_and_protocol(&port);
            hosts.into_iter().flatten().map(move |binding| PublishedPort {
                protocol: protocol.clone(),
                container_port,
                host_port: first_port(&binding.host_port),
                host_address: binding.host_ip,
            })
        })
        .collect();
    ports.sort();
    ports
}

/// Exposed ports that `--publish-all` would bind, to a host port that is chosen at start.
pub(super) fn published_at_start<'a>(exposed: impl Iterator<Item = &'a str>) -> Vec<PublishedPort> {
    let mut ports: Vec<PublishedPort> = exposed
        .map(|port| {
            let (container_port, protocol) = number_and_protocol(port);
            PublishedPort { protocol, container_port, ..PublishedPort::default() }
        })
        .collect();
    ports.sort();
    ports
}

/// `3306/tcp`; without a protocol it is TCP.
fn number_and_protocol(port: &str) -> (u16, String) {
    let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    (first_port(number), protocol.to_owned())
}

/// A port, or the first of a range such as `8000-8010`; 0 where it is chosen at start.
fn first_port(text: &str) -> u16 {
    text.split('-').next().and_then(|port| port.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_become_published_ports() {
        let json = r#"{"53/udp": [{"HostIp": "::", "HostPort": "53"}, {"HostIp": "0.0.0.0", "HostPort": "53"}],
                       "80/tcp": null, "9": [{"HostIp": "", "HostPort": "8000-8010"}], "x/sctp": []}"#;
        let ports = published(serde_json::from_str(json).unwrap());
        let port = |protocol: &str, container_port, host: &str, host_port| PublishedPort {
            protocol: protocol.into(),
            container_port,
            host_address: host.into(),
            host_port,
        };
        assert_eq!(
            ports,
            [port("tcp", 9, "", 8000), port("udp", 53, "0.0.0.0", 53), port("udp", 53, "::", 53)]
        );
        assert_eq!(published_at_start(["80/tcp"].into_iter()), [port("tcp", 80, "", 0)]);
    }
}
