//! Each network namespace that matters: what could carry a packet through it, and what would stop one.

mod expression;
mod filter;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod legacy;
mod links;
mod proxies;
mod xtables;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::os::fd::OwnedFd;

use plimsoll_facts::{Fact, FilterTable, Host, Interface, InterfacePeer, NetNamespace, Socket};
use plimsoll_probe::xtables::Family;
use plimsoll_rootdir::RootDir;
use rustix::net::netlink;

use crate::gaps::Gaps;
use crate::netlink::{Error, Netlink};
use crate::procs::Processes;
use crate::source;

const VETH: &str = "veth";
/// Sysctls that decide where packets go, or which flaws of the network code can be reached; of a network namespace each.
const SYSCTLS: [&str; 7] = [
    "net.ipv4.ip_forward",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.all.route_localnet",
    "net.ipv6.conf.all.forwarding",
    "net.ipv6.conf.all.rpl_seg_enabled",
    "net.bridge.bridge-nf-call-iptables",
    "net.bridge.bridge-nf-call-ip6tables",
];
/// Tables of iptables-legacy that exist, one a line. To ask for a table that does not would make the kernel create it.
const LEGACY: [(&str, &str, Family); 2] = [
    ("ip", "/proc/thread-self/net/ip_tables_names", Family::Ip),
    ("ip6", "/proc/thread-self/net/ip6_tables_names", Family::Ip6),
];
/// Most tables of iptables-legacy: the kernel has five.
const MAX_LEGACY: usize = 16;

/// What one visit to a namespace brings back.
pub(crate) struct Seen {
    namespace: NetNamespace,
    /// The interfaces again, with the namespace's own numbers for those of their peers.
    links: Vec<links::Link>,
    /// Numbers that the namespace has for others, by their inodes.
    numbers: HashMap<u32, u64>,
}

/// Whether nftables is in the kernel: to ask a kernel that has it as a module would load that.
pub(crate) fn has_nftables(host: &Host) -> bool {
    let kernel = &host.kernel;
    let built_in =
        kernel.config.value().is_some_and(|config| config.get("CONFIG_NF_TABLES").is_some_and(|v| v == "y"));
    // Where neither list could be read, the question is asked.
    built_in || kernel.modules.value().is_none_or(|modules| modules.iter().any(|name| name == "nf_tables"))
}

/// What is the same for every visit.
pub(crate) struct Visits<'a> {
    /// The host's root.
    pub(crate) root: &'a RootDir,
    /// The namespaces that others are tied to: the host's and those of engines, by inode.
    pub(crate) routers: Vec<(u64, OwnedFd)>,
    /// As [`has_nftables`].
    pub(crate) nftables: bool,
}

/// Looks around in the network namespace of the calling thread.
pub(crate) fn look(visits: &Visits<'_>, inode: u64) -> Seen {
    let root = visits.root;
    let mut seen = Seen {
        namespace: NetNamespace { inode, sysctls: sysctls(root), ..NetNamespace::default() },
        links: Vec::new(),
        numbers: HashMap::new(),
    };
    match Netlink::open(None) {
        Ok(mut socket) => by_rtnetlink(&mut socket, &visits.routers, &mut seen),
        Err(error) => seen.namespace.interfaces = Fact::unreadable("rtnetlink(7)", error.to_string()),
    }
    seen.namespace.filter = packet_filter(root, visits.nftables);
    seen
}

fn by_rtnetlink(socket: &mut Netlink, routers: &[(u64, OwnedFd)], seen: &mut Seen) {
    match links::interfaces(socket) {
        Ok(links) => seen.links = links,
        Err(error) => seen.namespace.interfaces = Fact::unreadable("rtnetlink(7)", error.to_string()),
    }
    seen.namespace.routes = fact("rtnetlink(7) RTM_GETROUTE", links::routes(socket));
    seen.namespace.routing_rules = fact("rtnetlink(7) RTM_GETRULE", links::routing_rules(socket));
    for (inode, namespace) in routers {
        if let Ok(Some(number)) = links::number_of(socket, namespace) {
            seen.numbers.insert(number, *inode);
        }
    }
}

fn packet_filter(root: &RootDir, nftables: bool) -> Fact<Vec<FilterTable>> {
    let mut tables = match legacy_tables(root) {
        Ok(tables) => tables,
        Err((source, reason)) => return Fact::unreadable(source, reason),
    };
    let nftables = nftables
        .then(|| Netlink::open(Some(netlink::NETFILTER)).and_then(|mut socket| filter::tables(&mut socket)));
    let source = match (tables.is_empty(), &nftables) {
        (true, _) => "NETLINK_NETFILTER",
        (false, Some(Ok(_))) => "IPT_SO_GET_ENTRIES, NETLINK_NETFILTER",
        (false, _) => "IPT_SO_GET_ENTRIES",
    };
    match nftables {
        None | Some(Err(Error::Unsupported)) => {}
        Some(Err(error)) => return Fact::unreadable("NETLINK_NETFILTER", error.to_string()),
        Some(Ok(more)) => tables.extend(more),
    }
    Fact::known(tables, source)
}

/// The tables of iptables-legacy that the namespace has.
///
/// # Errors
/// Which could not be read, and why.
fn legacy_tables(root: &RootDir) -> Result<Vec<FilterTable>, (String, String)> {
    let mut tables = Vec::new();
    for (name, path, family) in LEGACY {
        let names = match source::text(root, path) {
            Fact::Known { value, .. } => value,
            Fact::Absent { .. } => continue,
            Fact::Unreadable { source, reason } => return Err((source, reason)),
        };
        for table in names.split_whitespace().take(MAX_LEGACY) {
            let failed = |error: String| (format!("IPT_SO_GET_ENTRIES of {name} {table}"), error);
            let read =
                plimsoll_probe::xtables::read(family, table).map_err(|error| failed(error.to_string()))?;
            tables.push(legacy::table(name, table, &read).map_err(|error| failed(error.to_string()))?);
        }
    }
    Ok(tables)
}

fn sysctls(root: &RootDir) -> BTreeMap<String, Fact<String>> {
    let read =
        |name: &str| (name.to_owned(), source::text(root, &format!("/proc/sys/{}", name.replace('.', "/"))));
    SYSCTLS.iter().map(|name| read(name)).collect()
}

fn fact<T>(source: &str, read: Result<T, impl Display>) -> Fact<T> {
    match read {
        Ok(value) => Fact::known(value, source),
        Err(error) => Fact::unreadable(source, error.to_string()),
    }
}

/// Puts together what the visits brought back: who is tied to whom, what listens, and which proxies stand where.
pub(crate) fn finish(
    seen: Vec<Seen>,
    listeners: impl Fn(u64) -> Fact<Vec<Socket>>,
    processes: &Processes,
    gaps: &mut Gaps,
) -> Vec<NetNamespace> {
    let mut proxies: HashMap<u64, Vec<_>> = HashMap::new();
    for (namespace, proxy) in proxies::find(processes) {
        proxies.entry(namespace).or_default().push(proxy);
    }
    let mut namespaces = Vec::new();
    for Seen { mut namespace, links, numbers } in seen {
        if !matches!(&namespace.interfaces, Fact::Unreadable { source, .. } if !source.is_empty()) {
            let known = links.into_iter().map(|link| tied(link, namespace.inode, &numbers)).collect();
            namespace.interfaces = Fact::known(known, "rtnetlink(7) RTM_GETLINK");
        }
        namespace.listeners = listeners(namespace.inode);
        namespace.proxies = proxies.remove(&namespace.inode).unwrap_or_default();
        note_gaps(&namespace, gaps);
        namespaces.push(namespace);
    }
    tie_back(&mut namespaces);
    namespaces
}

/// The interface with the namespace of its peer, where that is the same one or a router's.
fn tied(link: links::Link, own: u64, numbers: &HashMap<u32, u64>) -> Interface {
    let mut interface = link.interface;
    if let Some(peer) = &mut interface.peer {
        peer.namespace = match link.peer_id {
            None => Some(own),
            Some(number) => numbers.get(&number).copied(),
        };
    }
    interface
}

/// A container's veth names the router that it ends in; from there the same pair leads back.
fn tie_back(namespaces: &mut [NetNamespace]) {
    let mut ends = HashMap::new();
    for namespace in namespaces.iter() {
        for interface in namespace.interfaces.value().into_iter().flatten().filter(|it| it.kind == VETH) {
            if let Some(InterfacePeer { index, namespace: Some(inode) }) = interface.peer {
                ends.insert((inode, index), (namespace.inode, interface.index));
            }
        }
    }
    for namespace in namespaces {
        for interface in namespace.interfaces.value_mut().into_iter().flatten().filter(|it| it.kind == VETH) {
            let Some(peer) = interface.peer.as_mut().filter(|peer| peer.namespace.is_none()) else {
                continue;
            };
            let back = ends.get(&(namespace.inode, interface.index));
            peer.namespace = back.filter(|(_, index)| *index == peer.index).map(|(inode, _)| *inode);
        }
    }
}

fn note_gaps(namespace: &NetNamespace, gaps: &mut Gaps) {
    let subject = format!("network namespace {}", namespace.inode);
    let mut note = |gap: Option<plimsoll_facts::Gap>| {
        if let Some(gap) = gap {
            gaps.unreadable::<()>(&subject, gap.source, gap.reason);
        }
    };
    note(namespace.interfaces.get().err());
    note(namespace.routes.get().err());
    note(namespace.routing_rules.get().err());
    note(namespace.filter.get().err());
}
