//! The way of one packet: from namespace to namespace, through bridges and packet filters, and of the answer back.

use std::collections::HashMap;
use std::net::IpAddr;

use super::filter;
use super::packet::{Change, Hook, Packet, State, Stop, TCP};
use super::step::At;
use plimsoll_facts::{FilterTable, Interface, Socket};

use super::world::{Next, Owner, Space, World, is_wildcard};

/// Most interfaces that a packet passes.
const MOST_HOPS: usize = 32;

/// What is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Dial {
    /// Address.
    pub(super) address: IpAddr,
    /// Port.
    pub(super) port: u16,
    /// Number of the protocol.
    pub(super) protocol: u8,
}

/// Where a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A process in this namespace.
    Inside(usize),
    /// Whoever sends to this interface of this namespace, from this address; `None` is any.
    Outside(usize, usize, Option<IpAddr>),
}

/// A socket: places of its namespace and among that one's listeners.
pub(super) type Target = (usize, usize);

/// Follows a connection. Returns the socket that it ends at and the way there, in words.
///
/// # Errors
/// Where it is stopped, or that is not known.
pub(super) fn connect(world: &World<'_>, start: Start, dial: Dial) -> (Result<Target, Stop>, Vec<String>) {
    let mut journey = Journey { world, via: Vec::new(), tracked: HashMap::new(), hops: 0, exit: None };
    let outcome = journey.connect(start, dial);
    (outcome, journey.via)
}

/// Both ends of a connection as one namespace knows it: as it came, and as it was rewritten.
#[derive(Clone)]
struct Tracked {
    came: Packet,
    went: Packet,
}

struct Journey<'w, 'a> {
    world: &'w World<'a>,
    via: Vec<String>,
    tracked: HashMap<usize, Tracked>,
    hops: usize,
    /// The interface by which an answer to the outside must leave.
    exit: Option<(usize, usize)>,
}

/// What a packet does next.
enum Move {
    /// Comes in by an interface of a namespace.
    Into(usize, usize, IpAddr),
    /// Goes up into a namespace by an interface; whether its filter for what comes in has been asked.
    Up(usize, usize, bool),
    /// Goes out by an interface of a namespace to a neighbour; the port by which it came, where it is bridged.
    Onto(usize, usize, IpAddr, Option<usize>),
    /// Has arrived.
    Here(usize, Option<usize>),
}

fn unknown<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Unknown(why.into()))
}

fn blocked<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Blocked(why.into()))
}

/// What traffic control does with packets of an interface is not followed.
fn watched(interface: &Interface) -> Result<(), Stop> {
    match interface.traffic_control {
        true => unknown(format!("filters of traffic control on {}", interface.name)),
        false => Ok(()),
    }
}

impl<'w, 'a> Journey<'w, 'a> {
    fn connect(&mut self, start: Start, dial: Dial) -> Result<Target, Stop> {
        let mut packet = Packet {
            source: None,
            destination: dial.address,
            protocol: dial.protocol,
            source_port: None,
            destination_port: Some(dial.port),
            mark: Some(0),
            state: State::New,
            destination_rewritten: false,
            source_rewritten: false,
        };
        let first = match start {
            Start::Inside(space) => self.originate(space, &mut packet)?,
            Start::Outside(space, interface, source) => {
                packet.source = source;
                Move::Into(space, interface, dial.address)
            }
        };
        let (space, input) = self.travel(first, &mut packet)?;
        let target = self.listener(space, input, &packet)?;
        if dial.protocol == TCP && packet.source.is_some() {
            self.answer(start, dial, space, &packet)?;
        }
        Ok(target)
    }

    /// The answer must come back to where the connection began, from the address that was dialled.
    fn answer(&mut self, start: Start, dial: Dial, space: usize, arrived: &Packet) -> Result<(), Stop> {
        let Some(source) = arrived.source else { return Ok(()) };
        let mut packet = Packet {
            source: Some(arrived.destination),
            destination: source,
            source_port: arrived.destination_port,
            destination_port: None,
            mark: Some(0),
            state: State::Invalid,
            ..arrived.clone()
        };
        let way = std::mem::take(&mut self.via);
        self.hops = 0;
        if let Start::Outside(space, interface, _) = start {
            self.exit = Some((space, interface));
        }
        let came_back = self.originate(space, &mut packet).and_then(|first| self.travel(first, &mut packet));
        self.via = way;
        let wrong = match came_back {
            Ok((back, _)) if Start::Inside(back) == start => None,
            Ok((back, Some(by))) if self.exit == Some((back, by)) => None,
            Ok(_) => Some("ends elsewhere".to_owned()),
            Err(Stop::Blocked(why)) => Some(why),
            Err(Stop::Unknown(why)) => return unknown(format!("the answer: {why}")),
        };
        match wrong {
            Some(why) => blocked(format!("the answer: {why}")),
            None if packet.source != Some(dial.address) || packet.source_port != Some(dial.port) => {
                blocked("the answer comes from another address than the one that was asked")
            }
            None => Ok(()),
        }
    }

    fn travel(&mut self, first: Move, packet: &mut Packet) -> Result<(usize, Option<usize>), Stop> {
        let mut next = first;
        loop {
            self.hops += 1;
            if self.hops > MOST_HOPS {
                return unknown(format!("more than {MOST_HOPS} hops"));
            }
            next = match next {
                Move::Here(space, input) => return Ok((space, input)),
                Move::Onto(space, interface, ..) if self.exit == Some((space, interface)) => {
                    return Ok((space, Some(interface)));
                }
                Move::Into(space, interface, neighbour) => self.enter(space, interface, neighbour, packet)?,
                Move::Up(space, interface, asked) => self.up(space, interface, asked, packet)?,
                Move::Onto(space, interface, neighbour, from) => {
                    self.leave(space, interface, neighbour, from)?
                }
            };
        }
    }

    /// A process of a namespace sends.
    fn originate(&mut self, space: usize, packet: &mut Packet) -> Result<Move, Stop> {
        let here = self.space(space)?;
        if let Some(why) = &here.blind {
            return unknown(why.clone());
        }
        let mut next = here.route(packet.destination, packet.mark);
        if packet.source.is_none() {
            packet.source = match &next {
                Next::Local => Some(packet.destination),
                Next::Out { source: Some(source), .. } => Some(*source),
                Next::Out { interface, neighbour, .. } => here.source(*interface, *neighbour),
                _ => None,
            };
            if matches!(next, Next::Out { .. }) && packet.source.is_none() {
                return blocked(format!("no address of its own to reach {} from", packet.destination));
            }
        }
        self.track(space, packet);
        let before = packet.destination;
        self.ask(space, Hook::Output, None, outgoing(&next), packet)?;
        if packet.destination != before {
            next = here.route(packet.destination, packet.mark);
        }
        match next {
            Next::Local => {
                let lo = here.interfaces.iter().position(|it| it.kind == "loopback");
                self.ask(space, Hook::Input, lo, None, packet)?;
                Ok(Move::Here(space, lo))
            }
            other => self.out(space, other, packet),
        }
    }

    /// A packet goes out by its route.
    fn out(&mut self, space: usize, next: Next, packet: &mut Packet) -> Result<Move, Stop> {
        match next {
            Next::Out { interface, neighbour, .. } => {
                self.ask(space, Hook::Postrouting, None, Some(interface), packet)?;
                Ok(Move::Onto(space, interface, neighbour, None))
            }
            Next::Nowhere(why) => blocked(why),
            Next::Unknown(why) => unknown(why),
            Next::Local => unknown("a route that leads back"),
        }
    }

    /// A frame comes in by an interface.
    fn enter(
        &mut self,
        space: usize,
        interface: usize,
        neighbour: IpAddr,
        packet: &mut Packet,
    ) -> Result<Move, Stop> {
        let here = self.space(space)?;
        let port = here
            .interfaces
            .get(interface)
            .ok_or_else(|| Stop::Unknown("an interface that is gone".to_owned()))?;
        if !port.up {
            return blocked(format!("{} is down", port.name));
        }
        if port.xdp {
            return unknown(format!("an XDP program on {}", port.name));
        }
        watched(port)?;
        if let Some(above) = self.world.above(space, interface, neighbour) {
            return unknown(format!(
                "what {} ({}) on {} does with packets is not followed",
                above.name, above.kind, port.name
            ));
        }
        let Some(master) = port.master else {
            packet.destination_rewritten = false;
            packet.source_rewritten = false;
            return Ok(Move::Up(space, interface, false));
        };
        let Some(bridge) = here.interface(master) else {
            return unknown(format!("the master of {} is gone", port.name));
        };
        let bridge_facts = here.interfaces.get(bridge).filter(|it| it.kind == "bridge");
        let Some(bridge_facts) = bridge_facts else {
            return unknown(format!("{} is a port of what is no bridge", port.name));
        };
        self.bridge_filter(space)?;
        match self.world.owner(space, bridge, neighbour) {
            Owner::Itself => Ok(Move::Up(space, bridge, false)),
            Owner::Nobody => blocked(format!("nobody on {} has the address {neighbour}", bridge_facts.name)),
            Owner::Unknown(why) => unknown(why),
            Owner::Port(to) => self.bridge(space, bridge, (interface, to), neighbour, packet),
        }
    }

    /// A frame goes from one port of a bridge to another.
    fn bridge(
        &mut self,
        space: usize,
        bridge: usize,
        (from, to): (usize, usize),
        neighbour: IpAddr,
        packet: &mut Packet,
    ) -> Result<Move, Stop> {
        let here = self.space(space)?;
        let isolated = |port: usize| here.interfaces.get(port).is_some_and(|it| it.isolated);
        let name = here.interfaces.get(bridge).map_or("", |it| it.name.as_str());
        if isolated(from) && isolated(to) {
            return blocked(format!("both are isolated ports of {name}"));
        }
        let setting = match packet.destination {
            IpAddr::V4(_) => "net.bridge.bridge-nf-call-iptables",
            IpAddr::V6(_) => "net.bridge.bridge-nf-call-ip6tables",
        };
        match here.sysctl(setting) {
            Err(why) => return unknown(why),
            Ok(0) => {}
            Ok(_) => {
                let before = packet.destination;
                packet.destination_rewritten = false;
                packet.source_rewritten = false;
                self.track(space, packet);
                self.ask(space, Hook::Prerouting, Some(bridge), None, packet)?;
                // What is rewritten to go elsewhere is routed.
                if packet.destination != before {
                    return Ok(Move::Up(space, bridge, true));
                }
                self.ask(space, Hook::Forward, Some(bridge), Some(bridge), packet)?;
                self.ask(space, Hook::Postrouting, None, Some(bridge), packet)?;
            }
        }
        self.pass(format!("bridge {name}"));
        Ok(Move::Onto(space, bridge, neighbour, Some(from)))
    }

    /// A packet comes in by an interface of a namespace that is to route it.
    fn up(&mut self, space: usize, input: usize, asked: bool, packet: &mut Packet) -> Result<Move, Stop> {
        let here = self.space(space)?;
        if let Some(why) = &here.blind {
            return unknown(why.clone());
        }
        here.interfaces.get(input).map_or(Ok(()), watched)?;
        if !asked {
            self.track(space, packet);
            self.ask(space, Hook::Prerouting, Some(input), None, packet)?;
        }
        self.validate(space, input, packet)?;
        let next = here.route(packet.destination, packet.mark);
        if next == Next::Local {
            self.ask(space, Hook::Input, Some(input), None, packet)?;
            return Ok(Move::Here(space, Some(input)));
        }
        if !self.forwards(space, input, packet)? {
            return blocked(
                "the namespace does not forward (net.ipv4.ip_forward, net.ipv6.conf.all.forwarding)",
            );
        }
        self.ask(space, Hook::Forward, Some(input), outgoing(&next), packet)?;
        if let Some(output) = outgoing(&next).and_then(|output| here.interfaces.get(output)) {
            self.pass(format!("routed to {}", output.name));
        }
        self.out(space, next, packet)
    }

    fn forwards(&self, space: usize, input: usize, packet: &Packet) -> Result<bool, Stop> {
        let here = self.space(space)?;
        match packet.destination {
            IpAddr::V4(_) => Ok(here.interfaces.get(input).is_some_and(|it| it.ipv4.forwarding)),
            IpAddr::V6(_) => {
                here.sysctl("net.ipv6.conf.all.forwarding").map(|on| on != 0).map_err(Stop::Unknown)
            }
        }
    }

    /// What the kernel demands of addresses before it looks at the route (`fib_validate_source`, martians).
    fn validate(&self, space: usize, input: usize, packet: &Packet) -> Result<(), Stop> {
        let here = self.space(space)?;
        let Some(interface) = here.interfaces.get(input).filter(|it| it.kind != "loopback") else {
            return Ok(());
        };
        if packet.destination.is_loopback() {
            let all = here.sysctl("net.ipv4.conf.all.route_localnet").map_err(Stop::Unknown)?;
            if all == 0 && !interface.ipv4.route_localnet {
                return blocked("an address of loopback from outside (route_localnet is 0)");
            }
        }
        let Some(source) = packet.source.filter(IpAddr::is_ipv4) else { return Ok(()) };
        if here.is_local(source) {
            return match interface.ipv4.accept_local {
                true => Ok(()),
                false => blocked("the sender's address is one of the receiver's (accept_local is 0)"),
            };
        }
        let all = here.sysctl("net.ipv4.conf.all.rp_filter").map_err(Stop::Unknown)?;
        let strict = match all.max(interface.ipv4.rp_filter) {
            0 => return Ok(()),
            1 => true,
            _ => false,
        };
        match here.route(source, packet.mark) {
            Next::Out { interface: back, .. } if !strict || back == input => Ok(()),
            Next::Unknown(why) => unknown(why),
            _ => {
                blocked(format!("the way back to {source} is another one (rp_filter of {})", interface.name))
            }
        }
    }

    /// A frame leaves by an interface.
    fn leave(
        &mut self,
        space: usize,
        output: usize,
        neighbour: IpAddr,
        from: Option<usize>,
    ) -> Result<Move, Stop> {
        let here = self.space(space)?;
        let interface = here
            .interfaces
            .get(output)
            .ok_or_else(|| Stop::Unknown("an interface that is gone".to_owned()))?;
        let name = &interface.name;
        if !interface.up {
            return blocked(format!("{name} is down"));
        }
        watched(interface)?;
        match interface.kind.as_str() {
            "veth" => match self.world.peer(interface) {
                Some((space, interface)) => Ok(Move::Into(space, interface, neighbour)),
                None => unknown(format!(
                    "the other end of {name} is in a network namespace that nobody looked into"
                )),
            },
            "bridge" => {
                self.bridge_filter(space)?;
                match self.world.owner(space, output, neighbour) {
                    Owner::Port(port) => {
                        let facts = here.interfaces.get(port);
                        if let Some(port) = facts.filter(|port| !port.up) {
                            return blocked(format!("{} is down", port.name));
                        }
                        if from == Some(port) && !facts.is_some_and(|it| it.hairpin) {
                            return blocked(format!(
                                "back through the port that it came by (hairpin is off on {name})"
                            ));
                        }
                        match facts.and_then(|port| self.world.peer(port)) {
                            Some((space, interface)) => Ok(Move::Into(space, interface, neighbour)),
                            None => unknown(format!("a port of {name} leads where nobody looked")),
                        }
                    }
                    Owner::Nobody => blocked(format!("nobody on {name} has the address {neighbour}")),
                    Owner::Itself => {
                        unknown(format!("{neighbour} is an address of the bridge {name} itself"))
                    }
                    Owner::Unknown(why) => unknown(why),
                }
            }
            "" => blocked(format!("leaves the host by {name}")),
            "dummy" => blocked(format!("{name} leads nowhere (dummy)")),
            kind => unknown(format!("what {name} ({kind}) does with packets is not followed")),
        }
    }

    /// Filters of the family `bridge` see frames alone; what they do is not followed.
    fn bridge_filter(&self, space: usize) -> Result<(), Stop> {
        let has_rules = |table: &&FilterTable| {
            matches!(table.family.as_str(), "bridge" | "netdev")
                && !table.dormant
                && table.chains.iter().any(|chain| {
                    chain.hook.as_ref().is_some_and(|hook| hook.drops) || !chain.rules.is_empty()
                })
        };
        match self.space(space)?.tables().iter().find(has_rules) {
            Some(table) => unknown(format!(
                "nftables {} {} looks at frames, which is not followed",
                table.family, table.name
            )),
            None => Ok(()),
        }
    }

    /// Asks the packet filter of a namespace, and rewrites the packet as it says.
    fn ask(
        &mut self,
        space: usize,
        hook: Hook,
        input: Option<usize>,
        output: Option<usize>,
        packet: &mut Packet,
    ) -> Result<(), Stop> {
        let here = self.space(space)?;
        let interface = |place: Option<usize>| place.and_then(|place| here.interfaces.get(place));
        self.undo(space, hook, packet);
        let at = At { space: here, input: interface(input), output: interface(output) };
        for change in filter::ask(at, hook, packet)? {
            self.rewrite(space, input.or(output), change, packet);
        }
        if packet.state == State::New
            && let Some(tracked) = self.tracked.get_mut(&space)
        {
            tracked.went = packet.clone();
        }
        Ok(())
    }

    fn rewrite(&mut self, space: usize, interface: Option<usize>, change: Change, packet: &mut Packet) {
        let Ok(here) = self.space(space) else { return };
        match change {
            Change::Source(source) => {
                let neighbour = packet.destination;
                let own = || interface.and_then(|interface| here.source(interface, neighbour));
                packet.source = source.or_else(own);
                packet.source_rewritten = true;
            }
            Change::Destination(address, port) => {
                packet.destination = address.unwrap_or(packet.destination);
                packet.destination_port = port.or(packet.destination_port);
                packet.destination_rewritten = true;
                let port = packet.destination_port.unwrap_or(0);
                self.pass(format!("DNAT to {}", shown(packet.destination, port)));
            }
            Change::Redirect(port) => {
                let first = here.addresses.iter().find(|(own, _, place)| {
                    Some(*place) == interface && own.is_ipv4() == packet.destination.is_ipv4()
                });
                packet.destination = first.map_or(packet.destination, |(own, ..)| *own);
                packet.destination_port = port.or(packet.destination_port);
                packet.destination_rewritten = true;
            }
        }
    }

    /// A namespace notes a new connection; it finds the one that an answer belongs to.
    fn track(&mut self, space: usize, packet: &mut Packet) {
        if packet.state == State::New {
            let entry = Tracked { came: packet.clone(), went: packet.clone() };
            self.tracked.entry(space).or_insert(entry);
            return;
        }
        let belongs = self.tracked.get(&space).is_some_and(|it| {
            it.went.destination == packet.source.unwrap_or(it.came.destination)
                && it.went.source == Some(packet.destination)
                && it.went.destination_port == packet.source_port
        });
        packet.state = if belongs { State::Established } else { State::Invalid };
    }

    /// An answer is rewritten the other way round: its destination first, its source at the end.
    fn undo(&self, space: usize, hook: Hook, packet: &mut Packet) {
        if packet.state != State::Established {
            return;
        }
        let Some(tracked) = self.tracked.get(&space) else { return };
        match hook {
            Hook::Prerouting | Hook::Output => {
                if let Some(source) = tracked.came.source {
                    packet.destination = source;
                }
            }
            Hook::Postrouting | Hook::Input => {
                packet.source = Some(tracked.came.destination);
                packet.source_port = tracked.came.destination_port;
            }
            Hook::Forward => {}
        }
    }

    /// The socket that takes a packet.
    fn listener(&self, space: usize, input: Option<usize>, packet: &Packet) -> Result<Target, Stop> {
        let here = self.space(space)?;
        if let Err(gap) = here.facts.listeners.get() {
            return unknown(format!("{}: {}", gap.source, gap.reason));
        }
        let protocol = if packet.protocol == TCP { "tcp" } else { "udp" };
        let input = input.and_then(|input| here.interfaces.get(input)).map_or(0, |it| it.index);
        let takes = |socket: &&(usize, &Socket)| {
            Some(socket.1.port) == packet.destination_port
                && socket.1.protocol.starts_with(protocol)
                && (socket.1.interface == 0 || socket.1.interface == input)
                && accepts(socket.1, packet.destination)
        };
        let all: Vec<_> = here.listeners().iter().enumerate().collect();
        let exact = all.iter().filter(takes).find(|(_, socket)| !is_wildcard(&socket.address));
        let found = exact.or_else(|| all.iter().find(takes));
        match found {
            Some((place, _)) => Ok((space, *place)),
            None => blocked(format!(
                "nothing listens on {}",
                shown(packet.destination, packet.destination_port.unwrap_or(0))
            )),
        }
    }

    fn pass(&mut self, step: String) {
        if self.via.last() != Some(&step) {
            self.via.push(step);
        }
    }

    fn space(&self, space: usize) -> Result<&'w Space<'a>, Stop> {
        self.world
            .spaces
            .get(space)
            .ok_or_else(|| Stop::Unknown("a network namespace that is gone".to_owned()))
    }
}

fn outgoing(next: &Next) -> Option<usize> {
    match next {
        Next::Out { interface, .. } => Some(*interface),
        _ => None,
    }
}

/// Whether a socket takes what is sent to an address.
pub(super) fn accepts(socket: &Socket, address: IpAddr) -> bool {
    let v6 = socket.protocol.ends_with('6');
    match socket.address.parse::<IpAddr>() {
        Ok(own) if own.is_unspecified() => v6 == address.is_ipv6() || (v6 && !socket.ipv6_only),
        Ok(own) => own.to_canonical() == address,
        Err(_) => false,
    }
}

/// `172.17.0.2:80`, `[fd00::2]:80`.
pub(super) fn shown(address: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}
