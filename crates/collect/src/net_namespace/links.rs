//! Interfaces, addresses and routes (rtnetlink(7)).

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd};

use plimsoll_facts::{Interface, InterfaceAddress, InterfacePeer, InterfaceSettings, Route, RoutingRule};

use crate::netlink::{Error, Netlink, array, attributes, put, text, u32_at};

const RTM_GETLINK: u16 = 18;
const RTM_GETADDR: u16 = 22;
const RTM_GETROUTE: u16 = 26;
const RTM_GETRULE: u16 = 34;
const RTM_GETQDISC: u16 = 38;
const RTM_GETTFILTER: u16 = 46;
const RTM_GETNSID: u16 = 90;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IFF_UP: u32 = 1;
const IFF_LOOPBACK: u32 = 8;
/// `RTEXT_FILTER_SKIP_STATS`: an answer a third as long.
const SKIP_STATS: u32 = 8;
const IFLA_IFNAME: u16 = 3;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_XDP: u16 = 43;
/// Length of `struct tcmsg`.
const TRAFFIC: usize = 20;
/// Disciplines that ask filters about packets, and where these are (`TC_H_MIN_INGRESS`, `TC_H_MIN_EGRESS`).
const WATCHING: [(&str, &[u32]); 2] = [("clsact", &[0xffff_fff2, 0xffff_fff3]), ("ingress", &[0xffff_0000])];
/// The main table of routes; what the kernel makes itself of addresses is in 255.
const TABLE_LOCAL: u32 = 255;
const RTPROT_KERNEL: u8 = 2;
/// Most interfaces, addresses and routes that are read of one namespace: a busy host has one interface a container.
const MOST: usize = 65_536;

/// A link before it is known where its peer is.
#[derive(Default)]
pub(super) struct Link {
    pub(super) interface: Interface,
    /// The namespace's own number for the namespace of the peer; `None` where that is the same namespace.
    pub(super) peer_id: Option<u32>,
}

/// Interfaces with their addresses.
pub(super) fn interfaces(socket: &mut Netlink) -> Result<Vec<Link>, Error> {
    let mut request = vec![0; 16];
    put(&mut request, IFLA_EXT_MASK, &SKIP_STATS.to_ne_bytes());
    let mut links: Vec<Link> = Vec::new();
    socket.dump(RTM_GETLINK, &request, |message| {
        links.push(link(message)?);
        bounded(links.len())
    })?;
    let place: HashMap<u32, usize> =
        links.iter().enumerate().map(|(at, it)| (it.interface.index, at)).collect();
    socket.dump(RTM_GETADDR, &[0; 8], |message| {
        let (index, address) = address(message)?;
        if let (Some(link), Some(address)) = (place.get(&index).and_then(|at| links.get_mut(*at)), address) {
            link.interface.addresses.push(address);
            bounded(link.interface.addresses.len())?;
        }
        Ok(())
    })?;
    let watched = by_traffic_control(socket);
    for Link { interface, .. } in &mut links {
        let by_netlink = watched.as_ref().map_or(true, |watched| watched.contains(&interface.index));
        interface.traffic_control =
            by_netlink || plimsoll_probe::traffic::is_watched(interface.index).unwrap_or(true);
    }
    Ok(links)
}

/// Interfaces whose packets filters of traffic control look at (tc(8)).
fn by_traffic_control(socket: &mut Netlink) -> Result<HashSet<u32>, Error> {
    let mut disciplines = Vec::new();
    let asked = socket.dump(RTM_GETQDISC, &[0; TRAFFIC], |message| {
        disciplines.extend(watching(message)?);
        bounded(disciplines.len())
    });
    match asked {
        // A kernel without traffic control.
        Err(Error::Unsupported) => return Ok(HashSet::new()),
        other => other?,
    }
    let mut watched = HashSet::new();
    for (interface, places) in disciplines {
        for place in places {
            let mut request = [0; TRAFFIC];
            request[4..8].copy_from_slice(&interface.to_ne_bytes());
            request[12..16].copy_from_slice(&place.to_ne_bytes());
            socket.dump(RTM_GETTFILTER, &request, |_| {
                watched.insert(interface);
                Ok(())
            })?;
        }
    }
    Ok(watched)
}

/// The interface of a discipline that asks filters, and where these are.
pub(super) fn watching(message: &[u8]) -> Result<Option<(u32, &'static [u32])>, Error> {
    let interface = u32_at(message, 4)?;
    let kind = nested(message.get(TRAFFIC..).ok_or(Error::Malformed)?, 1)?.map(text);
    let places = WATCHING.iter().find(|(name, _)| kind.as_deref() == Some(name));
    Ok(places.map(|(_, places)| (interface, *places)))
}

/// `struct ifinfomsg` and its attributes.
pub(super) fn link(message: &[u8]) -> Result<Link, Error> {
    let flags = u32_at(message, 8)?;
    let mut link = Link::default();
    let it = &mut link.interface;
    it.index = u32_at(message, 4)?;
    it.up = flags & IFF_UP != 0;
    if flags & IFF_LOOPBACK != 0 {
        it.kind = "loopback".to_owned();
    }
    let mut peer = None;
    for attribute in attributes(message.get(16..).ok_or(Error::Malformed)?) {
        let (kind, value) = attribute?;
        match kind {
            IFLA_IFNAME => it.name = text(value),
            IFLA_LINK => peer = Some(u32_at(value, 0)?),
            IFLA_MASTER => it.master = Some(u32_at(value, 0)?),
            IFLA_LINKINFO => link_info(value, it)?,
            IFLA_AF_SPEC => it.ipv4 = settings(value)?,
            IFLA_LINK_NETNSID => link.peer_id = Some(u32_at(value, 0)?),
            // IFLA_XDP_ATTACHED: 0 is none.
            IFLA_XDP => it.xdp = nested(value, 2)?.is_some_and(|mode| mode.first() != Some(&0)),
            _ => {}
        }
    }
    it.peer = peer.filter(|index| *index != 0).map(|index| InterfacePeer { index, namespace: None });
    Ok(link)
}

fn link_info(value: &[u8], interface: &mut Interface) -> Result<(), Error> {
    if let Some(kind) = nested(value, 1)? {
        interface.kind = text(kind);
    }
    if nested(value, 4)?.is_some_and(|kind| text(kind) == "bridge")
        && let Some(port) = nested(value, 5)?
    {
        let is_on =
            |attribute| nested(port, attribute).map(|value| value.is_some_and(|it| it.first() == Some(&1)));
        interface.hairpin = is_on(4)?;
        interface.isolated = is_on(33)?;
    }
    Ok(())
}

/// `IFLA_INET_CONF`: an array that begins with setting 1 (`linux/ip.h`, `IPV4_DEVCONF_*`).
fn settings(value: &[u8]) -> Result<InterfaceSettings, Error> {
    let Some(values) = nested(value, AF_INET.into())?.map(|inet| nested(inet, 1)).transpose()?.flatten()
    else {
        return Ok(InterfaceSettings::default());
    };
    let setting = |number: usize| u32_at(values, (number - 1) * 4).unwrap_or(0);
    Ok(InterfaceSettings {
        forwarding: setting(1) != 0,
        rp_filter: setting(8),
        accept_local: setting(23) != 0,
        route_localnet: setting(26) != 0,
    })
}

/// The attribute of this type.
fn nested(bytes: &[u8], wanted: u16) -> Result<Option<&[u8]>, Error> {
    for attribute in attributes(bytes) {
        let (kind, value) = attribute?;
        if kind == wanted {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// `struct ifaddrmsg` and its attributes: number of the interface, and the address.
pub(super) fn address(message: &[u8]) -> Result<(u32, Option<InterfaceAddress>), Error> {
    let (family, prefix) = (byte(message, 0)?, byte(message, 1)?);
    let mut found = None;
    for attribute in attributes(message.get(8..).ok_or(Error::Malformed)?) {
        // IFA_LOCAL is the own one where IFA_ADDRESS is that of the other end.
        match attribute? {
            (1, value) if found.is_none() => found = ip(family, value)?,
            (2, value) => found = ip(family, value)?,
            _ => {}
        }
    }
    let address = found.map(|address| InterfaceAddress { address: address.to_string(), prefix });
    Ok((u32_at(message, 4)?, address))
}

/// Routes of both families.
pub(super) fn routes(socket: &mut Netlink) -> Result<Vec<Route>, Error> {
    let mut routes = Vec::new();
    for family in [AF_INET, AF_INET6] {
        let mut request = [0; 12];
        request[0] = family;
        let listed = socket.dump(RTM_GETROUTE, &request, |message| {
            routes.extend(route(message)?);
            bounded(routes.len())
        });
        supported(listed)?;
    }
    Ok(routes)
}

/// A kernel without IPv6 has none of its routes.
fn supported(listed: Result<(), Error>) -> Result<(), Error> {
    match listed {
        Err(Error::Unsupported) => Ok(()),
        other => other,
    }
}

/// `struct rtmsg` and its attributes; `None` for what the kernel makes itself of an address, and of multicast.
pub(super) fn route(message: &[u8]) -> Result<Option<Route>, Error> {
    let (family, length) = (byte(message, 0)?, byte(message, 1)?);
    let (protocol, kind) = (byte(message, 5)?, byte(message, 7)?);
    let mut route = Route { kind: route_kind(kind), table: byte(message, 4)?.into(), ..Route::default() };
    let mut destination = if family == AF_INET6 {
        IpAddr::from(Ipv6Addr::UNSPECIFIED)
    } else {
        IpAddr::from(Ipv4Addr::UNSPECIFIED)
    };
    for attribute in attributes(message.get(12..).ok_or(Error::Malformed)?) {
        let (kind, value) = attribute?;
        match kind {
            1 => destination = ip(family, value)?.ok_or(Error::Malformed)?,
            4 => route.interface = Some(u32_at(value, 0)?),
            5 => route.gateway = ip(family, value)?.map(|gateway| gateway.to_string()),
            6 => route.metric = u32_at(value, 0)?,
            7 => route.source = ip(family, value)?.map(|source| source.to_string()),
            15 => route.table = u32_at(value, 0)?,
            // Several next hops, one of another family, or a next hop object.
            9 | 18 | 30 => route.multipath = true,
            _ => {}
        }
    }
    let by_itself = route.table == TABLE_LOCAL && protocol == RTPROT_KERNEL;
    if by_itself || destination.is_multicast() || !matches!(family, AF_INET | AF_INET6) {
        return Ok(None);
    }
    route.destination = format!("{destination}/{length}");
    Ok(Some(route))
}

fn route_kind(kind: u8) -> String {
    let names = [
        "unspecified",
        "unicast",
        "local",
        "broadcast",
        "anycast",
        "multicast",
        "blackhole",
        "unreachable",
        "prohibit",
        "throw",
        "nat",
    ];
    names.get(usize::from(kind)).map_or_else(|| kind.to_string(), |name| (*name).to_owned())
}

/// Rules of policy routing, but for those that every namespace has.
pub(super) fn routing_rules(socket: &mut Netlink) -> Result<Vec<RoutingRule>, Error> {
    let mut rules = Vec::new();
    for family in [AF_INET, AF_INET6] {
        let mut request = [0; 12];
        request[0] = family;
        let listed = socket.dump(RTM_GETRULE, &request, |message| {
            rules.push(routing_rule(message)?);
            bounded(rules.len())
        });
        supported(listed)?;
    }
    let own = [(0, TABLE_LOCAL), (32_766, 254), (32_767, 253)];
    rules.retain(|rule| rule.marked || !own.contains(&(rule.priority, rule.table)));
    Ok(rules)
}

/// `struct fib_rule_hdr` and its attributes.
pub(super) fn routing_rule(message: &[u8]) -> Result<RoutingRule, Error> {
    let mut rule = RoutingRule {
        ipv6: byte(message, 0)? == AF_INET6,
        table: byte(message, 4)?.into(),
        ..RoutingRule::default()
    };
    for attribute in attributes(message.get(12..).ok_or(Error::Malformed)?) {
        let (kind, value) = attribute?;
        match kind {
            6 => rule.priority = u32_at(value, 0)?,
            10 => rule.marked = u32_at(value, 0)? != 0,
            15 => rule.table = u32_at(value, 0)?,
            _ => {}
        }
    }
    Ok(rule)
}

/// The number that the namespace of the socket has for another one, where it has any.
pub(super) fn number_of(socket: &mut Netlink, namespace: &OwnedFd) -> Result<Option<u32>, Error> {
    let mut request = vec![0; 4];
    let descriptor = u32::try_from(namespace.as_raw_fd()).map_err(|_| Error::Malformed)?;
    // NETNSA_FD
    put(&mut request, 3, &descriptor.to_ne_bytes());
    let mut number = None;
    socket.get(RTM_GETNSID, &request, |message| {
        // struct rtgenmsg is one byte, and padded; NETNSA_NSID is -1 where there is none.
        if let Some(value) = nested(message.get(4..).unwrap_or_default(), 1)? {
            number = Some(u32_at(value, 0)?).filter(|number| *number != u32::MAX);
        }
        Ok(())
    })?;
    Ok(number)
}

fn ip(family: u8, value: &[u8]) -> Result<Option<IpAddr>, Error> {
    Ok(match family {
        AF_INET => Some(IpAddr::from(array::<4>(value, 0)?)),
        AF_INET6 => Some(IpAddr::from(array::<16>(value, 0)?)),
        _ => None,
    })
}

fn byte(message: &[u8], at: usize) -> Result<u8, Error> {
    message.get(at).copied().ok_or(Error::Malformed)
}

fn bounded(length: usize) -> Result<(), Error> {
    if length > MOST { Err(Error::TooMany(MOST)) } else { Ok(()) }
}
