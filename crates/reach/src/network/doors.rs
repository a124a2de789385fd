//! What can be connected to: each address and port behind which a socket listens, or to which a packet filter or a proxy
//! of Docker leads.

use std::collections::BTreeMap;
use std::net::IpAddr;

use plimsoll_facts::{FilterRule, FilterStep, Socket};

use super::packet::{TCP, UDP};
use super::register::bytes;
use super::walk::{Dial, Target, accepts};
use super::world::{Space, World, is_link_local, is_wildcard};

/// Most ways that are followed: beyond them the answer is that there are too many.
const MOST_DOORS: usize = 262_144;

/// Addresses and ports with the place of the namespace that each leads to, and the socket's number there. Several engines
/// may have the same addresses.
pub(super) type Doors = BTreeMap<(Dial, usize), usize>;

/// Every door; whether there are more than are followed.
pub(super) fn find(world: &World<'_>) -> (Doors, bool) {
    let mut doors = Doors::new();
    for (place, space) in world.spaces.iter().enumerate() {
        own(space, place, &mut doors);
        if doors.len() > MOST_DOORS {
            return (doors, true);
        }
    }
    // What is led on from here ends at a socket of another namespace: known by now.
    let direct = doors.clone();
    for (place, space) in world.spaces.iter().enumerate() {
        let behind = Behind { world, direct: &direct, place };
        behind.proxied(space, &mut doors);
        behind.rewritten(space, &mut doors);
        if doors.len() > MOST_DOORS {
            return (doors, true);
        }
    }
    (doors, false)
}

/// Sockets at the addresses of their own namespace.
fn own(space: &Space<'_>, place: usize, doors: &mut Doors) {
    for (number, socket) in space.listeners().iter().enumerate() {
        for (address, port, protocol) in dials(space, socket) {
            let dial = Dial { address, port, protocol };
            // A socket of one address goes before one of every address.
            if is_wildcard(&socket.address) {
                doors.entry((dial, place)).or_insert(number);
            } else {
                doors.insert((dial, place), number);
            }
        }
    }
}

fn dials<'s>(space: &'s Space<'_>, socket: &'s Socket) -> impl Iterator<Item = (IpAddr, u16, u8)> + 's {
    let protocol = if socket.protocol.starts_with("tcp") { TCP } else { UDP };
    let seen = move |address: &IpAddr| {
        !address.is_loopback() && !is_link_local(*address) && accepts(socket, *address)
    };
    space
        .addresses
        .iter()
        .map(|(address, ..)| *address)
        .filter(seen)
        .map(move |address| (address, socket.port, protocol))
}

/// What a namespace leads on to.
struct Behind<'w, 'a> {
    world: &'w World<'a>,
    direct: &'w Doors,
    place: usize,
}

impl Behind<'_, '_> {
    /// The socket at an address that this namespace can lead to: its own, or that of one that is tied to it.
    fn target(&self, dial: Dial) -> Option<Target> {
        let inode = self.world.spaces.get(self.place)?.facts.inode;
        let tied = |place: usize| {
            let interfaces = self.world.spaces.get(place).map_or(&[][..], |space| space.interfaces);
            place == self.place
                || interfaces
                    .iter()
                    .any(|it| it.peer.as_ref().is_some_and(|peer| peer.namespace == Some(inode)))
        };
        let doors = self.direct.range((dial, 0)..=(dial, usize::MAX));
        doors.map(|((_, place), number)| (*place, *number)).find(|(place, _)| tied(*place))
    }

    /// Sockets of Docker's proxies lead to the socket of the container.
    fn proxied(&self, space: &Space<'_>, doors: &mut Doors) {
        for (number, socket) in space.listeners().iter().enumerate() {
            let Some(proxy) = space.proxy(socket) else { continue };
            let Ok(address) = proxy.address.parse() else { continue };
            for (own, port, protocol) in dials(space, socket) {
                let dial = Dial { address: own, port, protocol };
                if doors.get(&(dial, self.place)).is_some_and(|held| *held != number) {
                    continue;
                }
                // The proxy itself is nobody's aim; where nothing listens behind it, nothing is reached.
                doors.remove(&(dial, self.place));
                if let Some((place, number)) = self.target(Dial { address, port: proxy.port, protocol }) {
                    doors.insert((dial, place), number);
                }
            }
        }
    }

    /// Ports that the packet filter leads on, at each address of the namespace.
    fn rewritten(&self, space: &Space<'_>, doors: &mut Doors) {
        let rules = space.tables().iter().flat_map(|table| &table.chains).flat_map(|chain| &chain.rules);
        for rule in rules {
            let Some(Onward { protocol, port, address, to_port, only }) = leads_on(rule) else { continue };
            let Some((place, number)) =
                self.target(Dial { address, port: to_port.unwrap_or(port), protocol })
            else {
                continue;
            };
            let own = space.addresses.iter().map(|(own, ..)| *own).filter(|own| !is_link_local(*own));
            for own in
                own.filter(|own| own.is_ipv4() == address.is_ipv4() && only.is_none_or(|only| only == *own))
            {
                doors.entry((Dial { address: own, port, protocol }, place)).or_insert(number);
            }
        }
    }
}

/// The protocol and port that a rule looks for, and where it rewrites them to.
struct Onward {
    protocol: u8,
    port: u16,
    address: IpAddr,
    to_port: Option<u16>,
    /// The only destination that the rule takes, where it names one.
    only: Option<IpAddr>,
}

fn leads_on(rule: &FilterRule) -> Option<Onward> {
    let (address, to_port) = rule.steps.iter().find_map(|step| match step {
        FilterStep::Nat { end, address: Some(address), last_address: None, port } if end == "destination" => {
            Some((address.parse().ok()?, *port))
        }
        _ => None,
    })?;
    let (mut protocol, mut port, mut only) = (TCP, None, None);
    for pair in rule.steps.windows(2) {
        match pair {
            [
                FilterStep::Payload { base, offset: 2, length: 2, .. },
                FilterStep::Compare { operator, value, .. },
            ] if base == "transport" && operator == "==" => {
                port = bytes(value).try_into().ok().map(u16::from_be_bytes);
            }
            [
                FilterStep::Payload { base, offset: 16, length: 4, .. },
                FilterStep::Compare { operator, value, .. },
            ] if base == "network" && operator == "==" => {
                only = <[u8; 4]>::try_from(bytes(value)).ok().map(IpAddr::from);
            }
            [FilterStep::Meta { key, .. }, FilterStep::Compare { operator, value, .. }]
                if key == "l4proto" && operator == "==" =>
            {
                protocol = *bytes(value).first()?;
            }
            _ => {}
        }
    }
    for step in &rule.steps {
        if let FilterStep::Ports { protocol: name, destination, not_destination: false, .. } = step
            && let [(low, high)] = destination.as_slice()
            && low == high
        {
            port = Some(*low);
            protocol = if name.as_deref() == Some("udp") { UDP } else { protocol };
        }
    }
    Some(Onward { protocol, port: port?, address, to_port, only })
}
