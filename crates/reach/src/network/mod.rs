//! Who can connect to whom.
//!
//! A packet is followed as the kernel would carry it: through the namespaces' routes, bridges and packet filters, with the
//! answer back. What is not understood on the way makes the answer *unknown*, never open or blocked.

mod doors;
mod filter;
mod group;
mod packet;
mod register;
mod step;
#[cfg(test)]
mod tests;
mod walk;
mod world;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use plimsoll_facts::{
    Answer, ConnectionEnd, Connections, Container, EndKind, Fact, Facts, NetNamespace, ReachedListener, Way,
};

use doors::Doors;
use packet::Stop;
use walk::{Dial, Start, Target, connect, shown};
use world::{Next, World, is_link_local};

/// Kinds of interfaces that lead to nobody by themselves.
const INNER: [&str; 5] = ["loopback", "bridge", "dummy", "ifb", "sit"];

/// Most addresses that stand for the senders of the outside.
const MOST_SENDERS: usize = 64;

/// Works out who can connect to whom, and adds it to the facts.
pub fn judge(facts: &mut Facts) {
    // Redacted facts bring the answers, and not what they are worked out from.
    let has_interfaces = |all: &Vec<NetNamespace>| all.iter().any(|it| it.interfaces.value().is_some());
    if facts.connections.value().is_some() && !facts.net_namespaces.value().is_some_and(has_interfaces) {
        return;
    }
    facts.connections = match &facts.net_namespaces {
        Fact::Known { value, source } => Fact::known(connections(facts, value), source.as_str()),
        Fact::Absent { source } => Fact::absent(source.as_str()),
        Fact::Unreadable { source, reason } => Fact::unreadable(source.as_str(), reason.as_str()),
    };
}

fn connections(facts: &Facts, namespaces: &[NetNamespace]) -> Connections {
    let world = World::new(namespaces);
    let containers = containers(facts);
    let host = facts.host.namespaces.value().map_or(0, |namespaces| namespaces.net);
    let mut ends: Vec<_> = namespaces.iter().map(|it| end(facts, it, host, &containers)).collect();
    let routes = |place: usize| ends.get(place).is_some_and(|end| end.kind != EndKind::Container);
    let mut groups = group::groups(&world, routes);
    let mut starts: Vec<Vec<Start>> =
        groups.iter().map(|group| group.iter().map(|it| Start::Inside(*it)).collect()).collect();
    let outer: Vec<_> = (0..world.spaces.len())
        .filter(|place| routes(*place))
        .flat_map(|place| outside(&world, place))
        .collect();
    let samples = group::Constants::of(&world, &routes).samples();
    for (place, interface) in outer {
        groups.push(vec![ends.len()]);
        starts.push(senders(&world, place, interface, samples.as_deref()));
        ends.push(outside_end(&world, place, interface));
    }
    let (doors, cut) = doors::find(&world);
    let mut matrix = Matrix { world: &world, reasons: Reasons::default(), listeners: BTreeMap::new() };
    if cut {
        matrix.reasons.place("more addresses and ports than are followed".to_owned());
    }
    matrix.fill(&doors, &starts);
    let held = held(facts);
    let listeners = matrix.listeners.into_iter().filter_map(|((place, number), ways)| {
        let socket = world.spaces.get(place)?.listeners().get(number)?;
        Some(ReachedListener {
            end: place,
            protocol: socket.protocol.trim_end_matches('6').to_owned(),
            address: socket.address.clone(),
            port: socket.port,
            process: socket.process.clone(),
            container: socket.pid.and_then(|pid| held.get(&pid)).cloned(),
            ways,
            expected: Vec::new(),
        })
    });
    Connections {
        listeners: listeners.collect(),
        ends,
        groups,
        reasons: matrix.reasons.texts,
        declared: false,
    }
}

/// Running containers by the inode of their network namespace.
fn containers(facts: &Facts) -> HashMap<u64, Vec<&Container>> {
    let mut by_namespace: HashMap<u64, Vec<&Container>> = HashMap::new();
    for container in facts.engines.iter().filter_map(|engine| engine.containers.value()).flatten() {
        let namespaces = container.effective.value().and_then(|effective| effective.namespaces.value());
        if let Some(namespaces) = namespaces {
            by_namespace.entry(namespaces.net).or_default().push(container);
        }
    }
    by_namespace
}

/// The container of each process in one.
fn held(facts: &Facts) -> HashMap<u32, String> {
    let containers = facts.engines.iter().filter_map(|engine| engine.containers.value()).flatten();
    let mut held = HashMap::new();
    for container in containers {
        let processes = container.effective.value().and_then(|effective| effective.processes.value());
        held.extend(processes.into_iter().flatten().map(|process| (process.pid, container.id.clone())));
    }
    held
}

fn end(
    facts: &Facts,
    namespace: &NetNamespace,
    host: u64,
    containers: &HashMap<u64, Vec<&Container>>,
) -> ConnectionEnd {
    let inode = namespace.inode;
    let has_bridge = namespace.interfaces.value().into_iter().flatten().any(|it| it.kind == "bridge");
    let own = containers.get(&inode).map_or(&[][..], Vec::as_slice);
    let mut names: Vec<&str> = own.iter().map(|container| container.name.as_str()).collect();
    names.sort_unstable();
    let ids = own.iter().map(|container| container.id.clone()).collect();
    let (kind, name) = match () {
        () if inode == host => {
            (EndKind::Host, facts.host.hostname.value().cloned().unwrap_or_else(|| "host".to_owned()))
        }
        () if own.is_empty() => (EndKind::Engine, format!("network namespace {inode}")),
        // Containers that route for others: those in the network of an engine that is not in the host's, or with an engine
        // inside.
        () if has_bridge => (EndKind::Engine, names.join(", ")),
        () => (EndKind::Container, names.join(", ")),
    };
    ConnectionEnd { kind, name, namespace: inode, containers: ids }
}

/// Interfaces by which others than those that are known send packets into a namespace that routes.
fn outside(world: &World<'_>, place: usize) -> Vec<(usize, usize)> {
    let Some(space) = world.spaces.get(place) else { return Vec::new() };
    let leads_out = |interface: &plimsoll_facts::Interface| {
        interface.up && !INNER.contains(&interface.kind.as_str()) && world.peer(interface).is_none()
    };
    let found = space.interfaces.iter().enumerate().filter(|(_, interface)| leads_out(interface));
    found.map(|(interface, _)| (place, interface)).collect()
}

/// Addresses from which somebody behind an interface may send: a neighbour, one far away, and one for each constant to which
/// rules compare a source; of these, those to which the answer would leave by that interface. Where they get different
/// answers, the answer depends on the sender.
fn senders(world: &World<'_>, place: usize, interface: usize, samples: Option<&[IpAddr]>) -> Vec<Start> {
    let Some(space) = world.spaces.get(place) else { return Vec::new() };
    let Some(samples) = samples.filter(|samples| samples.len() <= MOST_SENDERS) else {
        return vec![Start::Outside(place, interface, None)];
    };
    let far = [IpAddr::from([198, 51, 100, 77]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 77])];
    let neighbours = space.addresses.iter().filter(|(.., at)| *at == interface).map(|(own, ..)| match own {
        IpAddr::V4(own) => IpAddr::from(u32::to_be_bytes(u32::from(*own) ^ 3)),
        IpAddr::V6(own) => IpAddr::from((u128::from(*own) ^ 3).to_be_bytes()),
    });
    let mut senders: Vec<_> = neighbours.chain(far).chain(samples.iter().copied()).collect();
    senders.retain(|sender| {
        let out = space.route(*sender, Some(0));
        matches!(out, Next::Out { interface: back, .. } if back == interface) && !is_link_local(*sender)
    });
    senders.sort_unstable();
    senders.dedup();
    senders.into_iter().map(|sender| Start::Outside(place, interface, Some(sender))).collect()
}

fn outside_end(world: &World<'_>, place: usize, interface: usize) -> ConnectionEnd {
    let space = world.spaces.get(place);
    let name = space.and_then(|space| space.interfaces.get(interface)).map_or("", |it| it.name.as_str());
    ConnectionEnd {
        kind: EndKind::Outside,
        name: format!("outside, by {name}"),
        namespace: space.map_or(0, |space| space.facts.inode),
        containers: Vec::new(),
    }
}

/// Texts, each once.
#[derive(Default)]
struct Reasons {
    texts: Vec<String>,
    places: HashMap<String, usize>,
}

impl Reasons {
    fn place(&mut self, text: String) -> usize {
        if let Some(place) = self.places.get(&text) {
            return *place;
        }
        self.places.insert(text.clone(), self.texts.len());
        self.texts.push(text);
        self.texts.len() - 1
    }
}

/// What a proxy's own connection from a namespace comes to.
type Onward = HashMap<(usize, Dial), Result<Target, Stop>>;

struct Matrix<'w, 'a> {
    world: &'w World<'a>,
    reasons: Reasons,
    listeners: BTreeMap<Target, Vec<Way>>,
}

impl Matrix<'_, '_> {
    fn fill(&mut self, doors: &Doors, starts: &[Vec<Start>]) {
        let mut onward = Onward::new();
        for ((dial, place), number) in doors {
            let target = (*place, *number);
            let mut way = Way { to: shown(dial.address, dial.port), ..Way::default() };
            let mut seen = HashSet::new();
            for (group, members) in starts.iter().enumerate() {
                // Whoever is in the same namespace needs no network.
                let Some((outcome, via)) = self.of_group(members, *dial, target.0, &mut onward) else {
                    continue;
                };
                match outcome {
                    Ok(reached) if reached == target => {
                        way.open.push(group);
                        if seen.insert(via.clone()) {
                            way.via.extend(
                                via.into_iter().filter(|step| !way.via.contains(step)).collect::<Vec<_>>(),
                            );
                        }
                    }
                    // Another engine has the same address.
                    Ok((other, _)) if doors.contains_key(&(*dial, other)) => {}
                    Ok(_) => self.note(&mut way.blocked, group, "another socket answers".to_owned()),
                    Err(Stop::Blocked(why)) => self.note(&mut way.blocked, group, why),
                    Err(Stop::Unknown(why)) => self.note(&mut way.unknown, group, why),
                }
            }
            self.listeners.entry(target).or_default().push(way);
        }
    }

    /// The answer for a group. All members within the host get the same; of the senders of the outside each is asked.
    fn of_group(
        &self,
        members: &[Start],
        dial: Dial,
        target: usize,
        onward: &mut Onward,
    ) -> Option<(Result<Target, Stop>, Vec<String>)> {
        let apart = |from| self.world.are_apart(from, target);
        let nothing = |why: &str| Some((Err(Stop::Blocked(why.to_owned())), Vec::new()));
        let mut answer = None;
        for member in members.iter().filter(|start| **start != Start::Inside(target)) {
            match member {
                Start::Inside(from) | Start::Outside(from, ..) if apart(*from) => {
                    return nothing("no interface leads there");
                }
                Start::Inside(_) => return Some(self.follow(*member, dial, onward)),
                Start::Outside(.., Some(sender)) if sender.is_ipv4() != dial.address.is_ipv4() => continue,
                Start::Outside(..) => {}
            }
            let (outcome, via) = self.follow(*member, dial, onward);
            let decides = |why: &String| Err(Stop::Unknown(format!("the sender's address decides: {why}")));
            answer = Some(match (answer, outcome) {
                (None, outcome) | (Some(_), outcome @ Err(Stop::Unknown(_))) => (outcome, via),
                (Some((Ok(_), _)), Err(Stop::Blocked(why))) | (Some((Err(Stop::Blocked(why)), _)), Ok(_)) => {
                    (decides(&why), via)
                }
                (Some(same), _) => same,
            });
        }
        match answer {
            None if members.iter().all(|start| matches!(start, Start::Outside(..))) => {
                nothing("no route back to anybody behind that interface")
            }
            answer => answer,
        }
    }

    fn note(&mut self, answers: &mut Vec<Answer>, group: usize, why: String) {
        let reason = self.reasons.place(why);
        match answers.iter_mut().find(|answer| answer.reason == reason) {
            Some(answer) => answer.groups.push(group),
            None => answers.push(Answer { groups: vec![group], reason }),
        }
    }

    /// Follows a connection, and the one that a proxy of Docker makes where it ends at one.
    fn follow(&self, start: Start, dial: Dial, onward: &mut Onward) -> (Result<Target, Stop>, Vec<String>) {
        let (outcome, mut via) = connect(self.world, start, dial);
        let Ok((place, number)) = outcome else { return (outcome, via) };
        let space = self.world.spaces.get(place);
        let proxy = space.and_then(|space| space.proxy(space.listeners().get(number)?));
        let Some(proxy) = proxy else { return (outcome, via) };
        let Ok(address) = proxy.address.parse() else {
            return (Err(Stop::Unknown(format!("docker-proxy {} leads to no address", proxy.pid))), via);
        };
        let next = Dial { address, port: proxy.port, protocol: dial.protocol };
        via.push(format!("docker-proxy to {}", shown(address, proxy.port)));
        let reached =
            onward.entry((place, next)).or_insert_with(|| connect(self.world, Start::Inside(place), next).0);
        let reached = reached.clone().map_err(|stop| match stop {
            Stop::Blocked(why) => Stop::Blocked(format!("docker-proxy: {why}")),
            Stop::Unknown(why) => Stop::Unknown(format!("docker-proxy: {why}")),
        });
        (reached, via)
    }
}
