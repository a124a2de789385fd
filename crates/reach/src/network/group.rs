//! Which namespaces connect alike: the same answer holds for all of a group, so one of them is followed.
//!
//! Two are alike where everything that a packet filter, a route or a bridge on the way can tell apart is the same: the
//! bridges that they are on, their routes and settings, their own filters, and, for each constant to which any router's
//! rules compare a source address, whether their addresses match it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::IpAddr;

use plimsoll_facts::{FilterStep, FilterTable};

use super::register::bytes;
use super::world::{Space, World};

/// Where the source stands in an IPv4 header, and in an IPv6 header: first byte and the one after the last.
const SOURCES: [(u32, u32); 2] = [(12, 16), (8, 24)];
/// Where the destination stands.
const DESTINATIONS: [(u32, u32); 2] = [(16, 20), (24, 40)];

/// Groups of places of namespaces; `alone` tells those that are compared with nobody.
pub(super) fn groups(world: &World<'_>, alone: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    let constants = Constants::of(world, &alone);
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, space) in world.spaces.iter().enumerate() {
        let signature = match alone(place) || space.blind.is_some() {
            true => format!("alone {place}"),
            false => signature(world, space, &constants),
        };
        groups.entry(signature).or_default().push(place);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort();
    groups
}

/// What the rules of routers compare sources with.
#[derive(Default)]
pub(super) struct Constants {
    /// Leading bytes of an address, with a mask.
    masked: BTreeSet<(bool, Vec<u8>, Vec<u8>)>,
    /// Whether rules look at sources in a way that is not taken apart: then every address is its own.
    each: bool,
}

impl Constants {
    /// An address that matches each constant, as far as it is told; `None` where rules look at sources in other ways, too.
    pub(super) fn samples(&self) -> Option<Vec<IpAddr>> {
        let sample = |(v6, value, _): &(bool, Vec<u8>, Vec<u8>)| {
            let mut octets = value.clone();
            let length = if *v6 { 16 } else { 4 };
            // The last octet of a network's own address is 0: take a neighbour of it.
            if octets.len() < length || octets.last() == Some(&0) {
                octets.resize(length, 0);
                *octets.last_mut()? = 77;
            }
            match length {
                4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
                _ => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
            }
        };
        (!self.each).then(|| self.masked.iter().filter_map(sample).collect())
    }

    /// Of the rules of routers.
    pub(super) fn of(world: &World<'_>, alone: &impl Fn(usize) -> bool) -> Self {
        let mut constants = Self::default();
        for (place, space) in world.spaces.iter().enumerate() {
            if alone(place) {
                let tables = space.tables().iter();
                tables.flat_map(|t| t.chains.iter().map(move |c| (t, c))).for_each(|(table, chain)| {
                    chain.rules.iter().for_each(|rule| constants.rule(table, &rule.steps));
                });
            }
        }
        constants
    }

    fn rule(&mut self, table: &FilterTable, steps: &[FilterStep]) {
        let v6 = table.family == "ip6";
        let mut loaded: Option<Vec<u8>> = None;
        let (mut sources, mut destinations) = (Vec::new(), Vec::new());
        let mut is_source = false;
        for step in steps {
            match step {
                FilterStep::Payload { base, offset, length, .. } if base == "network" => {
                    is_source = within(&SOURCES, v6, *offset, *length);
                    let known = is_source || within(&DESTINATIONS, v6, *offset, *length);
                    // A load that touches the source in another way.
                    self.each |= !known && touches(SOURCES[usize::from(v6)], *offset, *length);
                    self.each |= is_source && table.family == "inet";
                    loaded = known.then(|| vec![0xff; usize::try_from(*length).unwrap_or(0).min(16)]);
                }
                FilterStep::Bitwise { mask, .. } if loaded.is_some() => loaded = Some(bytes(mask)),
                FilterStep::Compare { value, .. } => {
                    if let Some(mask) = loaded.take() {
                        let constant = (v6, bytes(value), mask);
                        if is_source { sources.push(constant) } else { destinations.push(constant) }
                    }
                    is_source = false;
                }
                FilterStep::Range { .. } | FilterStep::Lookup { .. } => {
                    self.each |= is_source;
                    is_source = false;
                }
                FilterStep::Connection { key, .. } => self.each |= key.starts_with("key "),
                FilterStep::Payload { .. } | FilterStep::Meta { .. } => is_source = false,
                _ => {}
            }
        }
        // A rule for what a container sends to itself tells it from nobody.
        if !(sources.len() == 1 && sources == destinations) {
            self.masked.extend(sources);
        }
    }

    fn describe(&self, address: IpAddr, to: &mut String) {
        let octets = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        if self.each {
            let _ = write!(to, "={address}");
        }
        for (number, (v6, value, mask)) in self.masked.iter().enumerate() {
            let mut bytes = octets.iter().zip(mask).zip(value);
            if *v6 == address.is_ipv6() && bytes.all(|((octet, mask), value)| octet & mask == *value) {
                let _ = write!(to, "~{number}");
            }
        }
    }
}

fn within(places: &[(u32, u32); 2], v6: bool, offset: u32, length: u32) -> bool {
    let (start, end) = places[usize::from(v6)];
    offset == start && offset.saturating_add(length) <= end
}

fn touches((start, end): (u32, u32), offset: u32, length: u32) -> bool {
    offset < end && offset.saturating_add(length) > start
}

fn signature(world: &World<'_>, space: &Space<'_>, constants: &Constants) -> String {
    let mut text = String::new();
    for (place, interface) in space.interfaces.iter().enumerate() {
        if !interface.up && interface.peer.is_none() {
            continue;
        }
        let _ = write!(
            text,
            "{place}:{}:{}:{}:{}:{:?}",
            interface.kind, interface.up, interface.xdp, interface.traffic_control, interface.ipv4
        );
        let _ = write!(text, ":{:?}", interface.master);
        match world
            .peer(interface)
            .and_then(|(space, at)| Some((space, world.spaces.get(space)?.interfaces.get(at)?)))
        {
            Some((router, port)) => {
                let behind =
                    port.master.map_or_else(|| format!("port {}", port.index), |master| format!("{master}"));
                let _ = write!(text, ":{router}:{behind}:{}:{}:{}", port.up, port.isolated, port.hairpin);
                let _ = write!(text, ":{}:{}", port.xdp, port.traffic_control);
            }
            None => {
                let _ = write!(text, ":{:?}", interface.peer);
            }
        }
        for (address, prefix, _) in space.addresses.iter().filter(|(.., at)| *at == place) {
            let _ = write!(text, ":{}", network(*address, *prefix));
            constants.describe(*address, &mut text);
        }
        text.push(';');
    }
    let own: BTreeSet<String> = space.addresses.iter().map(|(address, ..)| address.to_string()).collect();
    for route in space.facts.routes.value().into_iter().flatten() {
        let source = route.source.as_deref().map(|source| if own.contains(source) { "own" } else { source });
        let interface = route.interface.and_then(|index| space.interface(index));
        let _ = write!(text, "{}>{:?}>{interface:?}>{source:?}", route.destination, route.gateway);
        let _ = write!(text, ">{}>{}>{}>{};", route.kind, route.table, route.metric, route.multipath);
    }
    let _ = write!(text, "{:?}", space.facts.routing_rules.value());
    for (name, value) in &space.facts.sysctls {
        let _ = write!(text, "{name}={:?};", value.value());
    }
    filters(space.tables(), &mut text);
    text
}

/// The network of an address. Names of link-local addresses tell nothing.
fn network(address: IpAddr, prefix: u8) -> String {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix.into())).unwrap_or(0);
            format!("{}/{prefix}", std::net::Ipv4Addr::from(u32::from(address) & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix.into())).unwrap_or(0);
            format!("{}/{prefix}", std::net::Ipv6Addr::from(u128::from(address) & mask))
        }
    }
}

/// A container's own filters, without the rules for its loopback, in which Docker's resolver has a port of its own.
fn filters(tables: &[FilterTable], text: &mut String) {
    for table in tables {
        let _ = write!(text, "{}{}{}", table.family, table.name, table.dormant);
        for chain in &table.chains {
            let _ = write!(text, "{}{:?}", chain.name, chain.hook);
            for rule in chain.rules.iter().filter(|rule| !is_of_loopback(&rule.steps)) {
                let _ = write!(text, "{:?}", rule.steps);
            }
        }
        let _ = write!(text, "{:?}", table.sets);
    }
}

fn is_of_loopback(steps: &[FilterStep]) -> bool {
    steps.windows(2).any(|pair| match pair {
        [FilterStep::Payload { base, offset: 12 | 16, .. }, FilterStep::Compare { operator, value, .. }] => {
            base == "network" && operator == "==" && value.starts_with("7f")
        }
        _ => false,
    })
}
