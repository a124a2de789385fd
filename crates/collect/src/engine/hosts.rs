//! The daemon's `hosts`: which listener each of them means.

use std::net::IpAddr;

use plimsoll_facts::{EngineListener, ListenerPurpose};
use serde_json::Value;

/// One of `hosts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// `unix://PATH`.
    Unix(String),
    /// `tcp://ADDRESS:PORT`. No address: one that is not written as a number.
    Tcp(Option<IpAddr>, u16),
    /// `fd://`: whatever systemd passes.
    Passed,
}

/// dockerd's default port without TLS, and with it.
const PORTS: (u16, u16) = (2375, 2376);

impl Host {
    /// All of a `hosts` option; what is not understood is left out.
    pub(super) fn all(option: Option<&Value>, tls: bool) -> Vec<Self> {
        let list = option.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(|host| Self::parse(host.as_str()?, tls)).collect()
    }

    fn parse(host: &str, tls: bool) -> Option<Self> {
        match host.split_once("://") {
            Some(("unix", path)) => {
                Some(Self::Unix(if path.is_empty() { super::DEFAULT_SOCKET } else { path }.to_owned()))
            }
            Some(("fd", _)) => Some(Self::Passed),
            Some(("tcp", rest)) => Self::of_address(rest)
                .or(Some(Self::Tcp(rest.parse().ok(), if tls { PORTS.1 } else { PORTS.0 }))),
            Some(_) => None,
            None => Self::of_address(host),
        }
    }

    /// `ADDRESS:PORT`.
    pub(super) fn of_address(text: &str) -> Option<Self> {
        let (address, port) = text.trim_end_matches('/').rsplit_once(':')?;
        let address = address.trim_start_matches('[').trim_end_matches(']');
        let ip =
            if address == "localhost" { Some(IpAddr::from([127, 0, 0, 1])) } else { address.parse().ok() };
        Some(Self::Tcp(ip, port.parse().ok()?))
    }

    /// Whether a listener at this path may be meant.
    pub(super) fn is_unix(&self, path: &str) -> bool {
        match self {
            Self::Unix(own) => plain(own) == plain(path),
            // systemd passes what docker.socket names; the daemon's own helpers are no part of that.
            Self::Passed => path.ends_with("docker.sock"),
            Self::Tcp(..) => false,
        }
    }

    /// Whether a listener at this address may be meant.
    pub(super) fn is_tcp(&self, address: &str, port: u16) -> bool {
        let Self::Tcp(own, own_port) = self else { return false };
        let Ok(address) = address.parse::<IpAddr>() else { return false };
        let fits = |own: IpAddr| own == address || (own.is_unspecified() && address.is_unspecified());
        *own_port == port && own.is_none_or(fits)
    }
}

/// `/var/run` is a link to `/run` on every current distribution.
fn plain(path: &str) -> &str {
    path.strip_prefix("/var").filter(|rest| rest.starts_with("/run/")).unwrap_or(path)
}

/// `hosts` as they are served now.
pub(super) fn served(listeners: &[EngineListener]) -> Vec<String> {
    let apis = listeners.iter().filter(|listener| listener.purpose == ListenerPurpose::Api);
    apis.map(|listener| {
        let socket = &listener.socket;
        match socket.protocol.as_str() {
            "unix" => format!("unix://{}", socket.address),
            _ if socket.address.contains(':') => format!("tcp://[{}]:{}", socket.address, socket.port),
            _ => format!("tcp://{}:{}", socket.address, socket.port),
        }
    })
    .collect()
}

/// Whether the configured hosts and the served ones mean the same listeners.
pub(super) fn same(configured: &Value, served: &Value) -> bool {
    let (configured, served) = (Host::all(Some(configured), false), Host::all(Some(served), false));
    let means = |host: &Host, listener: &Host| match listener {
        Host::Unix(path) => host.is_unix(path) || *host == Host::Passed,
        Host::Tcp(Some(ip), port) => host.is_tcp(&ip.to_string(), *port),
        Host::Tcp(None, _) | Host::Passed => false,
    };
    configured.iter().all(|host| served.iter().any(|listener| means(host, listener)))
        && served.iter().all(|listener| configured.iter().any(|host| means(host, listener)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hosts_mean_listeners() {
        let hosts = Host::all(
            Some(&json!(["fd://", "unix:///srv/x.sock", "tcp://:2375", "tcp://10.0.0.1", "x://"])),
            true,
        );
        assert_eq!(hosts.len(), 4);
        assert!(hosts[0].is_unix("/run/docker.sock") && !hosts[0].is_unix("/run/docker/metrics.sock"));
        assert!(hosts[1].is_unix("/srv/x.sock"));
        assert!(hosts[2].is_tcp("127.0.0.1", 2375) && hosts[2].is_tcp("::", 2375));
        assert!(hosts[3].is_tcp("10.0.0.1", 2376) && !hosts[3].is_tcp("10.0.0.2", 2376));
        assert!(Host::of_address("[::1]:9323").unwrap().is_tcp("::1", 9323));
        assert!(Host::Unix("/var/run/docker.sock".into()).is_unix("/run/docker.sock"));
    }

    #[test]
    fn the_same_hosts_are_no_difference() {
        let served = json!(["unix:///run/docker.sock", "tcp://0.0.0.0:2376"]);
        assert!(same(&json!(["fd://", "tcp://0.0.0.0:2376"]), &served));
        assert!(same(&json!(["unix:///var/run/docker.sock", "tcp://[::]:2376"]), &served));
        assert!(!same(&json!(["fd://", "tcp://127.0.0.1:2376"]), &served));
        assert!(!same(&json!(["fd://"]), &served));
        assert!(!same(&json!(["fd://", "tcp://0.0.0.0:2376", "tcp://10.0.0.1:1"]), &served));
    }
}
