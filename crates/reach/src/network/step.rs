//! One step of a rule on one packet.

use std::cmp::Ordering;
use std::net::IpAddr;

use plimsoll_facts::{FilterSet, FilterStep, FilterTable, FilterVerdict, Interface};

use super::packet::{CHOSEN, Change, Packet, State, TCP};
use super::register::{Bits, Registers, bytes};
use super::world::Space;

/// `RTN_*` of rtnetlink(7).
const UNICAST: u32 = 1;
const LOCAL: u32 = 2;
const BROADCAST: u32 = 3;
const MULTICAST: u32 = 5;
/// `IFNAMSIZ`.
const NAME: usize = 16;

/// What surrounds a packet at a hook.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    /// The namespace.
    pub(super) space: &'a Space<'a>,
    /// The interface by which it came.
    pub(super) input: Option<&'a Interface>,
    /// The interface by which it will leave.
    pub(super) output: Option<&'a Interface>,
}

/// What a step says.
pub(super) enum Said {
    /// On with the next step.
    Go,
    /// The rule does not match.
    No,
    /// The rule may match or not, for want of this.
    Perhaps(String),
    /// The rule ends so.
    End(FilterVerdict),
    /// The packet is rewritten and passes.
    Rewrite(Change),
    /// The packet is rewritten, and it is not known how.
    RewriteUnknown(String),
}

/// A rule that is asked about a packet.
pub(super) struct Rule<'a> {
    pub(super) at: At<'a>,
    pub(super) table: &'a FilterTable,
    pub(super) registers: Registers,
}

impl Rule<'_> {
    /// Takes one step.
    pub(super) fn take(&mut self, step: &FilterStep, packet: &mut Packet) -> Said {
        match step {
            FilterStep::Neutral { .. } => Said::Go,
            FilterStep::Other { name } => {
                self.registers.forget();
                Said::Perhaps(name.clone())
            }
            FilterStep::Verdict { verdict } => Said::End(verdict.clone()),
            FilterStep::Compare { from, operator, value } => {
                let value = bytes(value);
                holds(
                    compare(&self.registers.read(*from, value.len()), operator, &value),
                    "a value that is not known",
                )
            }
            FilterStep::Range { from, negate, low, high } => {
                let (low, high) = (bytes(low), bytes(high));
                let within = self.registers.read(*from, low.len()).within(&low, &high);
                holds(within.map(|within| within != *negate), "a value that is not known")
            }
            FilterStep::Bitwise { from, to, mask, xor } => {
                let (mask, xor) = (bytes(mask), bytes(xor));
                let bits = self.registers.read(*from, mask.len()).masked(&mask, &xor);
                self.registers.write(*to, &bits);
                Said::Go
            }
            FilterStep::Immediate { value, to } => {
                self.registers.write(*to, &Bits::known(bytes(value)));
                Said::Go
            }
            FilterStep::Lookup { set, from, negate, to } => self.lookup(set, *from, *negate, *to),
            FilterStep::SetMarkFrom { from } => {
                let bits = self.registers.read(*from, 4);
                packet.mark = bits.whole().and_then(|it| it.try_into().ok()).map(u32::from_ne_bytes);
                Said::Go
            }
            FilterStep::SetMark { keep, xor } => {
                packet.mark = packet.mark.map(|mark| (mark & keep) ^ xor);
                Said::Go
            }
            FilterStep::Masquerade => Said::Rewrite(Change::Source(None)),
            FilterStep::Redirect { port } => Said::Rewrite(Change::Redirect(*port)),
            FilterStep::Nat { end, address, last_address, port } => {
                nat(end, address.as_deref(), last_address, *port)
            }
            FilterStep::NatRegisters { end, address, port } => self.nat_from(end, *address, *port, packet),
            other => match self.load(other, packet) {
                Some((register, bits)) => {
                    self.registers.write(register, &bits);
                    Said::Go
                }
                None => matches(other, &self.at, packet),
            },
        }
    }

    /// Steps that fill a register.
    fn load(&self, step: &FilterStep, packet: &Packet) -> Option<(u8, Bits)> {
        Some(match step {
            FilterStep::Meta { key, to } => (*to, self.meta(key, packet)),
            FilterStep::Payload { base, offset, length, to } => {
                let (offset, length) = (usize::try_from(*offset).ok()?, usize::try_from(*length).ok()?);
                (*to, header(base, packet).part(offset, length))
            }
            FilterStep::Connection { key, to } => (*to, connection(key, packet)),
            FilterStep::Fib { result, flags, to } => (*to, self.fib(result, *flags, packet)),
            _ => return None,
        })
    }

    fn meta(&self, key: &str, packet: &Packet) -> Bits {
        let name = |interface: Option<&Interface>| {
            let mut name = interface.map(|it| it.name.clone().into_bytes()).unwrap_or_default();
            name.resize(NAME, 0);
            Bits::known(name)
        };
        let index =
            |interface: Option<&Interface>| Bits::known(interface.map_or(0, |it| it.index).to_ne_bytes());
        let v6 = packet.destination.is_ipv6();
        match key {
            "iifname" => name(self.at.input),
            "oifname" => name(self.at.output),
            "iif" => index(self.at.input),
            "oif" => index(self.at.output),
            "l4proto" => Bits::known([packet.protocol]),
            "nfproto" => Bits::known([if v6 { 10 } else { 2 }]),
            "protocol" => Bits::known(if v6 { [0x86, 0xdd] } else { [0x08, 0x00] }),
            "mark" => packet.mark.map_or_else(|| Bits::unknown(4), |mark| Bits::known(mark.to_ne_bytes())),
            // PACKET_HOST: what is followed here is for one receiver.
            "pkttype" if self.at.input.is_some_and(|it| it.kind != "loopback") => Bits::known([0]),
            _ => Bits::unknown(NAME),
        }
    }

    fn fib(&self, result: &str, flags: u32, packet: &Packet) -> Bits {
        const SOURCE: u32 = 1;
        const INPUT: u32 = 8;
        const BY_INTERFACE: u32 = 24;
        let address = if flags & SOURCE == 0 { Some(packet.destination) } else { packet.source };
        let Some(address) = address else { return Bits::unknown(NAME) };
        match result {
            "type" if flags & BY_INTERFACE == 0 => Bits::known(kind_of(self.at.space, address).to_ne_bytes()),
            // The way back: 0 where it is not the way in.
            "oif" if flags & INPUT != 0 => match (self.at.space.route(address, packet.mark), self.at.input) {
                (super::world::Next::Out { interface, .. }, Some(input)) => {
                    let out = self.at.space.interfaces.get(interface).filter(|out| out.index == input.index);
                    Bits::known(out.map_or(0, |out| out.index).to_ne_bytes())
                }
                _ => Bits::unknown(4),
            },
            _ => Bits::unknown(NAME),
        }
    }

    fn lookup(&mut self, name: &str, from: u8, negate: bool, to: Option<u8>) -> Said {
        let Some(set) = self.table.sets.iter().find(|set| set.name == name) else {
            return Said::Perhaps(format!("set {name}, which was not read"));
        };
        if set.cut || set.changes {
            let why = if set.cut { "is too large to be read" } else { "changes by itself" };
            return Said::Perhaps(format!("set {name}, which {why}"));
        }
        let mut found = set.elements.iter().find(|element| element.catch_all);
        for element in set.elements.iter().filter(|element| !element.catch_all) {
            let (low, high) = (bytes(&element.low), bytes(&element.high));
            match contains(set, &self.registers.read(from, low.len()), &low, &high) {
                None => return Said::Perhaps(format!("whether set {name} holds a value that is not known")),
                Some(true) => {
                    found = Some(element);
                    break;
                }
                Some(false) => {}
            }
        }
        match (found, to) {
            (None, _) if negate => Said::Go,
            (None, _) => Said::No,
            (Some(_), _) if negate => Said::No,
            (Some(element), Some(to)) => {
                self.registers.write(to, &Bits::known(bytes(element.value.as_deref().unwrap_or_default())));
                Said::Go
            }
            (Some(element), None) if set.verdicts => match &element.verdict {
                Some(verdict) => Said::End(verdict.clone()),
                None => Said::Perhaps(format!("a verdict of map {name} that is not understood")),
            },
            (Some(_), None) => Said::Go,
        }
    }

    fn nat_from(&self, end: &str, address: Option<u8>, port: Option<u8>, packet: &Packet) -> Said {
        let length = if packet.destination.is_ipv6() { 16 } else { 4 };
        let address = address.map(|register| self.registers.read(register, length));
        let port = port.map(|register| self.registers.read(register, 2));
        let known = |bits: &Option<Bits>| bits.as_ref().is_none_or(|bits| bits.whole().is_some());
        if end == "source" {
            return match address {
                Some(bits) if bits.whole().is_none() => {
                    Said::RewriteUnknown("a source that is not known".to_owned())
                }
                Some(bits) => Said::Rewrite(Change::Source(bits.whole().and_then(ip))),
                None => Said::Rewrite(Change::Source(packet.source)),
            };
        }
        if !known(&address) || !known(&port) {
            return Said::RewriteUnknown("a destination that is not known".to_owned());
        }
        let port =
            port.and_then(|bits| bits.whole().and_then(|it| it.try_into().ok())).map(u16::from_be_bytes);
        Said::Rewrite(Change::Destination(address.and_then(|bits| bits.whole().and_then(ip)), port))
    }
}

fn nat(end: &str, address: Option<&str>, last: &Option<String>, port: Option<u16>) -> Said {
    let parsed = address.and_then(|address| address.parse().ok());
    match end {
        _ if last.is_some() => Said::RewriteUnknown("one of several addresses".to_owned()),
        _ if address.is_some() != parsed.is_some() => {
            Said::RewriteUnknown("an address in no known form".to_owned())
        }
        "source" => Said::Rewrite(Change::Source(parsed)),
        _ => Said::Rewrite(Change::Destination(parsed, port)),
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
}

fn holds(answer: Option<bool>, unknown: &str) -> Said {
    match answer {
        Some(true) => Said::Go,
        Some(false) => Said::No,
        None => Said::Perhaps(unknown.to_owned()),
    }
}

fn compare(bits: &Bits, operator: &str, value: &[u8]) -> Option<bool> {
    match operator {
        "==" => bits.equals(value),
        "!=" => bits.equals(value).map(|equal| !equal),
        "<" => bits.compare(value).map(Ordering::is_lt),
        "<=" => bits.compare(value).map(Ordering::is_le),
        ">" => bits.compare(value).map(Ordering::is_gt),
        ">=" => bits.compare(value).map(Ordering::is_ge),
        _ => None,
    }
}

/// Whether a key lies in one element; of a concatenation each part must.
fn contains(set: &FilterSet, key: &Bits, low: &[u8], high: &[u8]) -> Option<bool> {
    if !set.concatenated || set.parts.is_empty() || low == high {
        return key.within(low, high);
    }
    let (mut start, mut all) = (0, Some(true));
    for part in &set.parts {
        let length = usize::try_from(*part).ok()?;
        let end = start + length;
        match key.part(start, length).within(low.get(start..end)?, high.get(start..end)?) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => all = None,
        }
        start = end.next_multiple_of(4);
    }
    all
}

/// Steps of iptables that compare without registers.
fn matches(step: &FilterStep, at: &At<'_>, packet: &Packet) -> Said {
    match step {
        FilterStep::AddressType { source, destination, not_source, not_destination } => {
            let is = |mask: u16, address| mask >> kind_of(at.space, address) & 1 == 1;
            let right_destination =
                *destination == 0 || is(*destination, packet.destination) != *not_destination;
            let right_source = match packet.source {
                _ if *source == 0 => Some(true),
                Some(address) => Some(is(*source, address) != *not_source),
                None => None,
            };
            holds(
                if right_destination { right_source } else { Some(false) },
                "the kind of the sender's address",
            )
        }
        FilterStep::ConnectionState { states, negate } => {
            let mut state = packet.state as u16;
            state |= if packet.source_rewritten { 64 } else { 0 }
                | if packet.destination_rewritten { 128 } else { 0 };
            holds(Some((state & states != 0) != *negate), "")
        }
        FilterStep::Mark { value, mask, negate } => holds(
            packet.mark.map(|mark| (mark & mask == *value) != *negate).filter(|_| *mask != 0),
            "the packet's mark",
        ),
        FilterStep::Ports { .. } => holds(ports(step, packet), "the sender's port"),
        _ => Said::Perhaps("a step that is not understood".to_owned()),
    }
}

fn ports(step: &FilterStep, packet: &Packet) -> Option<bool> {
    let FilterStep::Ports {
        protocol,
        source,
        destination,
        either,
        not_source,
        not_destination,
        flags,
        not_flags,
    } = step
    else {
        return None;
    };
    let name = if packet.protocol == TCP { "tcp" } else { "udp" };
    if protocol.as_deref().is_some_and(|wanted| wanted != name) {
        return Some(false);
    }
    let within = |ranges: &[(u16, u16)], port: Option<u16>| match port {
        Some(port) => Some(ranges.iter().any(|(low, high)| (*low..=*high).contains(&port))),
        None if ranges.iter().all(|(_, high)| *high < CHOSEN) => Some(false),
        None => ranges.iter().any(|(low, high)| *low <= CHOSEN && *high == u16::MAX).then_some(true),
    };
    let tcp_flags = if packet.state == State::New { 0x02 } else { 0x12 };
    if flags.is_some_and(|(mask, set)| (tcp_flags & mask == set) == *not_flags) {
        return Some(false);
    }
    if *either {
        let ends = [within(destination, packet.source_port), within(destination, packet.destination_port)];
        let any = if ends.contains(&Some(true)) { Some(true) } else { ends[0].and(ends[1]) };
        return any.map(|any| any != *not_destination);
    }
    let right = |ranges: &[(u16, u16)], port, not: bool| match ranges.is_empty() {
        true => Some(true),
        false => within(ranges, port).map(|is| is != not),
    };
    match (
        right(source, packet.source_port, *not_source),
        right(destination, packet.destination_port, *not_destination),
    ) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn kind_of(space: &Space<'_>, address: IpAddr) -> u32 {
    if space.is_local(address) {
        LOCAL
    } else if address.is_multicast() {
        MULTICAST
    } else if space.is_broadcast(address) {
        BROADCAST
    } else {
        UNICAST
    }
}

/// The bytes of a header, as far as they are known.
fn header(base: &str, packet: &Packet) -> Bits {
    let port = |port: Option<u16>| match port {
        Some(port) => Bits::known(port.to_be_bytes()),
        None => Bits::partly(CHOSEN.to_be_bytes(), CHOSEN.to_be_bytes()),
    };
    let address = |address: Option<IpAddr>, length| match address {
        Some(IpAddr::V4(address)) => Bits::known(address.octets()),
        Some(IpAddr::V6(address)) => Bits::known(address.octets()),
        None => Bits::unknown(length),
    };
    match base {
        "network" if packet.destination.is_ipv6() => {
            let mut bits = Bits::partly([0x60], [0xf0]);
            bits.extend(&Bits::unknown(5));
            bits.extend(&Bits::known([packet.protocol]));
            bits.extend(&Bits::unknown(1));
            bits.extend(&address(packet.source, 16));
            bits.extend(&address(Some(packet.destination), 16));
            bits
        }
        "network" => {
            let mut bits = Bits::known([0x45]);
            bits.extend(&Bits::unknown(8));
            bits.extend(&Bits::known([packet.protocol]));
            bits.extend(&Bits::unknown(2));
            bits.extend(&address(packet.source, 4));
            bits.extend(&address(Some(packet.destination), 4));
            bits
        }
        "transport" => {
            let mut bits = port(packet.source_port);
            bits.extend(&port(packet.destination_port));
            if packet.protocol == TCP {
                bits.extend(&Bits::unknown(9));
                bits.extend(&Bits::known([if packet.state == State::New { 0x02 } else { 0x12 }]));
            }
            bits
        }
        _ => Bits::default(),
    }
}

fn connection(key: &str, packet: &Packet) -> Bits {
    match key {
        "state" => Bits::known((packet.state as u32).to_ne_bytes()),
        "direction" => Bits::known([u8::from(packet.state != State::New)]),
        "status" => {
            let rewritten = if packet.source_rewritten { 16 } else { 0 }
                | if packet.destination_rewritten { 32 } else { 0 };
            Bits::partly(u32::to_ne_bytes(rewritten), u32::to_ne_bytes(48))
        }
        _ => Bits::unknown(NAME),
    }
}
