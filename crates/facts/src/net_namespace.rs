//! A network namespace: its interfaces, routes, packet filter and listeners.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Fact, FilterTable, Socket};

/// One network namespace, of the host, of an engine, or of containers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NetNamespace {
    /// Inode number of the namespace, as in [`crate::Namespaces::net`].
    pub inode: u64,
    /// Interfaces (rtnetlink(7), `RTM_GETLINK` and `RTM_GETADDR`).
    pub interfaces: Fact<Vec<Interface>>,
    /// Routes of all tables, but for those that the kernel makes itself of each address in table 255.
    pub routes: Fact<Vec<Route>>,
    /// Rules of policy routing beyond those that every namespace has (ip-rule(8)).
    pub routing_rules: Fact<Vec<RoutingRule>>,
    /// Tables of nftables, and of iptables in either form.
    pub filter: Fact<Vec<FilterTable>>,
    /// Sysctls that decide where packets go, or which flaws of the network code can be reached, by dotted name; absent
    /// where this kernel has none.
    pub sysctls: BTreeMap<String, Fact<String>>,
    /// Listening TCP and UDP sockets.
    pub listeners: Fact<Vec<Socket>>,
    /// Processes of Docker that forward a port to a container.
    pub proxies: Vec<PortProxy>,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Interface {
    /// Number, unique in its namespace.
    pub index: u32,
    /// Name.
    pub name: String,
    /// `veth`, `bridge`, `macvlan`, `vxlan` …; empty for hardware, `loopback` for lo.
    pub kind: String,
    /// Whether it is up (`IFF_UP`).
    pub up: bool,
    /// Addresses with the length of their prefix.
    pub addresses: Vec<InterfaceAddress>,
    /// The bridge (or other master) that it is a port of, by number.
    pub master: Option<u32>,
    /// What it is tied to: the other end of a veth, the lower device of a macvlan.
    pub peer: Option<InterfacePeer>,
    /// As a port of a bridge: may not reach other isolated ports (`BR_ISOLATED`).
    pub isolated: bool,
    /// As a port of a bridge: frames may go back through it (`BR_HAIRPIN_MODE`).
    pub hairpin: bool,
    /// Whether an XDP program looks at what comes in.
    pub xdp: bool,
    /// Whether filters or programs of traffic control look at packets (`clsact`, `ingress`, tcx), or that could not be told.
    pub traffic_control: bool,
    /// Settings of IPv4 for this interface alone, as in `/proc/sys/net/ipv4/conf/NAME`.
    pub ipv4: InterfaceSettings,
}

/// An address of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InterfaceAddress {
    /// The address.
    pub address: String,
    /// Length of the prefix, in bits.
    pub prefix: u8,
}

/// What an interface is tied to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InterfacePeer {
    /// Number of the interface there.
    pub index: u32,
    /// Namespace that it is in; `None` where that is not one of those that were looked into.
    pub namespace: Option<u64>,
}

/// Settings of one interface (Documentation/networking/ip-sysctl).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InterfaceSettings {
    /// `forwarding`.
    pub forwarding: bool,
    /// `rp_filter`.
    pub rp_filter: u32,
    /// `accept_local`.
    pub accept_local: bool,
    /// `route_localnet`.
    pub route_localnet: bool,
}

/// A route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Route {
    /// Destination in CIDR notation; `0.0.0.0/0` and `::/0` are the default routes.
    pub destination: String,
    /// `unicast`, `local`, `blackhole`, `unreachable`, `prohibit` … (rtnetlink(7)).
    pub kind: String,
    /// Table.
    pub table: u32,
    /// The next router, where the destination is not on the interface's own network.
    pub gateway: Option<String>,
    /// Number of the interface.
    pub interface: Option<u32>,
    /// Preferred source address.
    pub source: Option<String>,
    /// Metric.
    pub metric: u32,
    /// Whether it has several next hops, or one in a form that is not read.
    pub multipath: bool,
}

/// A rule of policy routing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RoutingRule {
    /// Priority.
    pub priority: u32,
    /// Whether it is about IPv6.
    pub ipv6: bool,
    /// Whether it concerns marked packets alone (`fwmark` with a value that is not zero).
    pub marked: bool,
    /// Table that it leads to.
    pub table: u32,
}

/// A docker-proxy: takes connections on a port of the host and makes its own to the container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PortProxy {
    /// Process.
    pub pid: u32,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// Address that it listens on.
    pub host_address: String,
    /// Port that it listens on.
    pub host_port: u16,
    /// Address that it connects to.
    pub address: String,
    /// Port that it connects to.
    pub port: u16,
}
