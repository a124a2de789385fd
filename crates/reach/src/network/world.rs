//! The network namespaces, taken apart once: addresses as numbers, routes in the order in which they are looked up, who
//! is on which bridge.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use plimsoll_facts::{Fact, FilterTable, Interface, NetNamespace, PortProxy, Route, Socket};

const TABLE_LOCAL: u32 = 255;
const TABLE_MAIN: u32 = 254;
const TABLE_DEFAULT: u32 = 253;

/// Every namespace.
pub(super) struct World<'a> {
    /// In the order of the facts.
    pub(super) spaces: Vec<Space<'a>>,
    by_inode: HashMap<u64, usize>,
    islands: Vec<usize>,
    open_islands: HashSet<usize>,
}

/// One namespace.
pub(super) struct Space<'a> {
    /// What was read.
    pub(super) facts: &'a NetNamespace,
    /// Interfaces; empty where they could not be read.
    pub(super) interfaces: &'a [Interface],
    /// Addresses of its own, those of lo left out, with the place of their interface.
    pub(super) addresses: Vec<(IpAddr, u8, usize)>,
    /// Why nothing can be said about packets in it.
    pub(super) blind: Option<String>,
    by_index: HashMap<u32, usize>,
    routes: Vec<ParsedRoute<'a>>,
    segments: HashMap<usize, Segment>,
}

struct ParsedRoute<'a> {
    network: IpAddr,
    length: u8,
    facts: &'a Route,
}

/// Who is on a bridge.
#[derive(Default)]
struct Segment {
    /// Address → the ports behind which a namespace has it.
    owners: HashMap<IpAddr, Vec<usize>>,
    /// Ports that lead where nobody looked.
    elsewhere: Vec<String>,
}

/// Where a packet goes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To the namespace itself.
    Local,
    /// Out by this interface (by place), to this neighbour; with this source, where the route prefers one.
    Out { interface: usize, neighbour: IpAddr, source: Option<IpAddr> },
    /// Nowhere, and why.
    Nowhere(String),
    /// Not known, and why.
    Unknown(String),
}

/// Who answers for an address on a bridge.
pub(super) enum Owner {
    /// The namespace that the bridge is in.
    Itself,
    /// The namespace behind this port (by place).
    Port(usize),
    /// Nobody.
    Nobody,
    /// Not known, and why.
    Unknown(String),
}

impl<'a> World<'a> {
    /// Takes the facts apart.
    pub(super) fn new(namespaces: &'a [NetNamespace]) -> Self {
        let spaces: Vec<_> = namespaces.iter().map(Space::new).collect();
        let by_inode = namespaces.iter().enumerate().map(|(at, it)| (it.inode, at)).collect();
        let mut world = Self { spaces, by_inode, islands: Vec::new(), open_islands: HashSet::new() };
        world.find_islands();
        for at in 0..world.spaces.len() {
            let segments = world.segments(at);
            if let Some(space) = world.spaces.get_mut(at) {
                space.segments = segments;
            }
        }
        world
    }

    /// Place of a namespace.
    pub(super) fn find(&self, inode: u64) -> Option<usize> {
        self.by_inode.get(&inode).copied()
    }

    /// The other end of a veth: places of its namespace and of the interface there.
    pub(super) fn peer(&self, interface: &Interface) -> Option<(usize, usize)> {
        let peer = interface.peer.as_ref()?;
        let space = self.find(peer.namespace?)?;
        Some((space, self.spaces.get(space)?.interface(peer.index)?))
    }

    /// An interface that rests on this device and has the address: a macvlan, an ipvlan.
    pub(super) fn above(&self, space: usize, lower: usize, address: IpAddr) -> Option<&Interface> {
        self.spaces.iter().find_map(|other| {
            let has = other.addresses.iter().filter(|(own, ..)| *own == address);
            let interfaces = has.filter_map(|(.., place)| other.interfaces.get(*place));
            let mut resting = interfaces.filter(|it| !matches!(it.kind.as_str(), "veth" | "bridge" | ""));
            resting.find(|it| self.peer(it) == Some((space, lower)))
        })
    }

    /// Whether no chain of interfaces leads from one namespace to the other.
    pub(super) fn are_apart(&self, one: usize, other: usize) -> bool {
        let island = |space| self.islands.get(space).copied();
        // Where an interface leads out of the known, packets may come back in by another.
        let open = |space| island(space).is_none_or(|island| self.open_islands.contains(&island));
        island(one) != island(other) && !(open(one) && open(other))
    }

    /// Namespaces that are tied to each other are one island.
    fn find_islands(&mut self) {
        let mut islands: Vec<usize> = (0..self.spaces.len()).collect();
        let mut ties = Vec::new();
        for (at, space) in self.spaces.iter().enumerate() {
            for interface in
                space.interfaces.iter().filter(|it| !matches!(it.kind.as_str(), "loopback" | "bridge"))
            {
                match interface.peer.as_ref().and_then(|peer| self.find(peer.namespace?)) {
                    Some(peer) => ties.push((at, peer)),
                    None => ties.push((at, usize::MAX)),
                }
            }
            // What could not be read may lead anywhere.
            if space.blind.is_some() && space.interfaces.is_empty() {
                ties.push((at, usize::MAX));
            }
        }
        for (one, other) in ties.iter().filter(|(_, other)| *other != usize::MAX) {
            let (Some(from), Some(to)) = (islands.get(*one).copied(), islands.get(*other).copied()) else {
                continue;
            };
            islands.iter_mut().filter(|island| **island == from).for_each(|island| *island = to);
        }
        let open = ties.iter().filter(|(_, other)| *other == usize::MAX);
        self.open_islands = open.filter_map(|(at, _)| islands.get(*at).copied()).collect();
        self.islands = islands;
    }

    /// Who answers for an address on a bridge.
    pub(super) fn owner(&self, space: usize, bridge: usize, address: IpAddr) -> Owner {
        let Some(space) = self.spaces.get(space) else { return Owner::Nobody };
        if space.is_local(address) {
            return Owner::Itself;
        }
        let Some(segment) = space.segments.get(&bridge) else { return Owner::Nobody };
        match segment.owners.get(&address).map(Vec::as_slice) {
            Some([port]) => Owner::Port(*port),
            Some(_) => Owner::Unknown(format!("several containers have the address {address}")),
            None => match segment.elsewhere.first() {
                Some(port) => Owner::Unknown(format!("{address} may be behind {port}, where nobody looked")),
                None => Owner::Nobody,
            },
        }
    }

    fn segments(&self, at: usize) -> HashMap<usize, Segment> {
        let mut segments: HashMap<usize, Segment> = HashMap::new();
        let Some(space) = self.spaces.get(at) else { return segments };
        for (place, port) in space.interfaces.iter().enumerate() {
            let Some(bridge) = port.master.and_then(|master| space.interface(master)) else { continue };
            let segment = segments.entry(bridge).or_default();
            match self.peer(port).and_then(|(peer, interface)| Some((self.spaces.get(peer)?, interface))) {
                Some((peer, interface))
                    if peer.interfaces.get(interface).is_some_and(|it| it.master.is_none()) =>
                {
                    for (address, ..) in &peer.addresses {
                        segment.owners.entry(*address).or_default().push(place);
                    }
                }
                _ => segment.elsewhere.push(port.name.clone()),
            }
        }
        segments
    }
}

impl<'a> Space<'a> {
    fn new(facts: &'a NetNamespace) -> Self {
        let interfaces = facts.interfaces.value().map_or(&[][..], Vec::as_slice);
        let mut addresses = Vec::new();
        for (place, interface) in interfaces.iter().enumerate().filter(|(_, it)| it.kind != "loopback") {
            let parsed =
                interface.addresses.iter().filter_map(|it| Some((it.address.parse().ok()?, it.prefix)));
            addresses.extend(parsed.map(|(address, prefix)| (address, prefix, place)));
        }
        let routes = facts.routes.value().map_or(&[][..], Vec::as_slice);
        let mut routes: Vec<_> = routes.iter().filter_map(ParsedRoute::new).collect();
        routes.sort_by_key(|it| (std::cmp::Reverse(it.length), it.facts.metric));
        Self {
            facts,
            interfaces,
            addresses,
            blind: blind(facts),
            by_index: interfaces.iter().enumerate().map(|(place, it)| (it.index, place)).collect(),
            routes,
            segments: HashMap::new(),
        }
    }

    /// Place of the interface of this number.
    pub(super) fn interface(&self, index: u32) -> Option<usize> {
        self.by_index.get(&index).copied()
    }

    /// Tables of the packet filter.
    pub(super) fn tables(&self) -> &'a [FilterTable] {
        self.facts.filter.value().map_or(&[], Vec::as_slice)
    }

    /// Sockets that listen.
    pub(super) fn listeners(&self) -> &'a [Socket] {
        self.facts.listeners.value().map_or(&[], Vec::as_slice)
    }

    /// The proxy that holds a socket.
    pub(super) fn proxy(&self, socket: &Socket) -> Option<&'a PortProxy> {
        let by_proxy =
            socket.process.as_deref().is_none_or(|name| matches!(name, "docker-proxy" | "dockerd"));
        let same = |proxy: &&PortProxy| {
            proxy.host_port == socket.port
                && socket.protocol.starts_with(&proxy.protocol)
                && same_address(&proxy.host_address, &socket.address)
        };
        self.facts.proxies.iter().find(same).filter(|_| by_proxy)
    }

    /// Whether the namespace itself has an address, on whatever interface.
    pub(super) fn is_local(&self, address: IpAddr) -> bool {
        let routed = |route: &ParsedRoute<'_>| {
            route.facts.table == TABLE_LOCAL && route.facts.kind == "local" && route.covers(address)
        };
        address.is_loopback()
            || self.addresses.iter().any(|(own, ..)| *own == address)
            || self.routes.iter().any(routed)
    }

    /// Whether an address is the broadcast address of one of its networks.
    pub(super) fn is_broadcast(&self, address: IpAddr) -> bool {
        let IpAddr::V4(wanted) = address else { return false };
        wanted.is_broadcast()
            || self.addresses.iter().any(|(own, prefix, _)| match own {
                IpAddr::V4(own) if *prefix < 31 => {
                    let host = u32::MAX.checked_shr((*prefix).into()).unwrap_or(0);
                    u32::from(*own) | host == u32::from(wanted)
                }
                _ => false,
            })
    }

    /// A number among its sysctls; 0 where this kernel has no such setting.
    pub(super) fn sysctl(&self, name: &str) -> Result<u32, String> {
        match self.facts.sysctls.get(name) {
            Some(Fact::Known { value, .. }) => Ok(value.parse().unwrap_or(0)),
            Some(Fact::Absent { .. }) => Ok(0),
            Some(Fact::Unreadable { reason, .. }) => Err(format!("{name}: {reason}")),
            None => Err(format!("{name} was not read")),
        }
    }

    /// Looks a destination up in the routes; `mark` is the packet's, where it is known.
    pub(super) fn route(&self, to: IpAddr, mark: Option<u32>) -> Next {
        if self.is_local(to) {
            return Next::Local;
        }
        let rules = self.facts.routing_rules.value().map_or(&[][..], Vec::as_slice);
        if rules.iter().any(|rule| rule.ipv6 == to.is_ipv6() && (!rule.marked || mark != Some(0))) {
            return Next::Unknown("rules of policy routing decide the route (ip rule)".to_owned());
        }
        let usual =
            |it: &&ParsedRoute<'_>| matches!(it.facts.table, TABLE_MAIN | TABLE_DEFAULT) && it.covers(to);
        let Some(route) = self.routes.iter().find(usual) else {
            return Next::Nowhere(format!("no route to {to}"));
        };
        if route.facts.multipath {
            return Next::Unknown(format!("the route to {to} has several next hops"));
        }
        if route.facts.kind != "unicast" {
            return Next::Nowhere(format!("the route to {to} is {}", route.facts.kind));
        }
        let Some(interface) = route.facts.interface.and_then(|index| self.interface(index)) else {
            return Next::Unknown(format!("the route to {to} names no interface"));
        };
        let address = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        let neighbour = address(&route.facts.gateway).unwrap_or(to);
        Next::Out { interface, neighbour, source: address(&route.facts.source) }
    }

    /// The address that the kernel takes for a packet by this interface to this neighbour.
    pub(super) fn source(&self, interface: usize, neighbour: IpAddr) -> Option<IpAddr> {
        let alike = || {
            self.addresses
                .iter()
                .filter(|(own, ..)| own.is_ipv4() == neighbour.is_ipv4() && !is_link_local(*own))
        };
        let on_it = || alike().filter(|(_, _, place)| *place == interface);
        let near = on_it().find(|(own, prefix, _)| covers(*own, *prefix, neighbour));
        near.or_else(|| on_it().next()).or_else(|| alike().next()).map(|(own, ..)| *own)
    }
}

impl<'a> ParsedRoute<'a> {
    fn new(facts: &'a Route) -> Option<Self> {
        let (network, length) = facts.destination.split_once('/')?;
        Some(Self { network: network.parse().ok()?, length: length.parse().ok()?, facts })
    }

    fn covers(&self, address: IpAddr) -> bool {
        covers(self.network, self.length, address)
    }
}

/// Why packets in a namespace cannot be followed.
fn blind(facts: &NetNamespace) -> Option<String> {
    let gaps = [
        facts.interfaces.get().err(),
        facts.routes.get().err(),
        facts.routing_rules.get().err(),
        facts.filter.get().err(),
    ];
    let gap = gaps.into_iter().flatten().next()?;
    Some(format!("{}: {}", gap.source, gap.reason))
}

/// Whether the first `length` bits of both addresses are the same.
pub(super) fn covers(network: IpAddr, length: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length.into())).unwrap_or(0);
            u32::from(network) & mask == u32::from(address) & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length.into())).unwrap_or(0);
            u128::from(network) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}

/// Whether an address holds on one link alone.
pub(super) fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.segments()[0] & 0xffc0 == 0xfe80,
    }
}

/// Whether an address is the one of every interface.
pub(super) fn is_wildcard(address: &str) -> bool {
    matches!(address.parse(), Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED) | IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
}

fn same_address(one: &str, other: &str) -> bool {
    one == other || (one.is_empty() && is_wildcard(other))
}
