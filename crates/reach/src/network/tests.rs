//! The walls and ways of networks, each from small facts: a router with a bridge, and containers on it.

use plimsoll_facts::{
    Connections, Container, Effective, Engine, Fact, Facts, FilterChain, FilterElement, FilterHook,
    FilterRule, FilterSet, FilterStep, FilterTable, FilterVerdict, Host, Interface, InterfaceAddress,
    InterfacePeer, InterfaceSettings, Namespaces, NetNamespace, PortProxy, Route, Socket,
};

use super::judge;

const ROUTER: u64 = 100;

fn interface(index: u32, name: &str, kind: &str, address: &str) -> Interface {
    let address = address.split_once('/').map(|(address, prefix)| InterfaceAddress {
        address: address.into(),
        prefix: prefix.parse().unwrap(),
    });
    Interface {
        index,
        name: name.into(),
        kind: kind.into(),
        up: true,
        addresses: address.into_iter().collect(),
        ipv4: InterfaceSettings { forwarding: true, ..InterfaceSettings::default() },
        ..Interface::default()
    }
}

fn route(destination: &str, gateway: Option<&str>, interface: u32) -> Route {
    Route {
        destination: destination.into(),
        kind: "unicast".into(),
        table: 254,
        gateway: gateway.map(str::to_owned),
        interface: Some(interface),
        ..Route::default()
    }
}

fn listens(port: u16) -> Socket {
    Socket { protocol: "tcp".into(), address: "0.0.0.0".into(), port, ..Socket::default() }
}

fn namespace(inode: u64, interfaces: Vec<Interface>, routes: Vec<Route>) -> NetNamespace {
    let sysctls = [
        ("net.ipv4.ip_forward", "1"),
        ("net.ipv4.conf.all.rp_filter", "0"),
        ("net.ipv4.conf.all.route_localnet", "0"),
        ("net.bridge.bridge-nf-call-iptables", "1"),
    ];
    NetNamespace {
        inode,
        interfaces: Fact::known(interfaces, "test"),
        routes: Fact::known(routes, "test"),
        routing_rules: Fact::known(Vec::new(), "test"),
        filter: Fact::known(Vec::new(), "test"),
        sysctls: sysctls.map(|(name, value)| (name.into(), Fact::known(value.into(), "test"))).into(),
        listeners: Fact::known(Vec::new(), "test"),
        ..NetNamespace::default()
    }
}

/// A router with two bridges (172.17.0.1, 172.18.0.1); containers `a` and `b` on the first, `c` on the second, each with a
/// listener on port 80.
struct Scene(Facts);

impl Scene {
    fn new() -> Self {
        let mut router = vec![
            interface(1, "lo", "loopback", "127.0.0.1/8"),
            interface(2, "docker0", "bridge", "172.17.0.1/16"),
            interface(3, "br-1", "bridge", "172.18.0.1/16"),
            interface(4, "eth0", "", "192.0.2.2/24"),
        ];
        let mut namespaces = Vec::new();
        let mut containers = Vec::new();
        for (number, name, bridge, address) in
            [(1_u32, "a", 2, "172.17.0.2"), (2, "b", 2, "172.17.0.3"), (3, "c", 3, "172.18.0.2")]
        {
            let inode = ROUTER + u64::from(number);
            let mut port = interface(10 + number, &format!("veth{name}"), "veth", "");
            port.master = Some(bridge);
            port.peer = Some(InterfacePeer { index: 9, namespace: Some(inode) });
            router.push(port);
            let mut eth0 = interface(9, "eth0", "veth", &format!("{address}/16"));
            eth0.peer = Some(InterfacePeer { index: 10 + number, namespace: Some(ROUTER) });
            let network = if bridge == 2 { "172.17.0" } else { "172.18.0" };
            let routes = vec![
                route("0.0.0.0/0", Some(&format!("{network}.1")), 9),
                route(&format!("{network}.0/16"), None, 9),
            ];
            let mut own = namespace(inode, vec![interface(1, "lo", "loopback", "127.0.0.1/8"), eth0], routes);
            own.listeners = Fact::known(vec![listens(80)], "test");
            namespaces.push(own);
            let effective = Effective {
                namespaces: Fact::known(Namespaces { net: inode, ..Namespaces::default() }, "test"),
                ..Effective::default()
            };
            let effective = Fact::known(effective, "test");
            containers.push(Container {
                id: name.into(),
                name: name.into(),
                effective,
                ..Container::default()
            });
        }
        let routes = vec![
            route("172.17.0.0/16", None, 2),
            route("172.18.0.0/16", None, 3),
            route("192.0.2.0/24", None, 4),
            route("0.0.0.0/0", Some("192.0.2.1"), 4),
        ];
        namespaces.insert(0, namespace(ROUTER, router, routes));
        let engine = Engine { containers: Fact::known(containers, "test"), ..Engine::default() };
        let host = Host {
            namespaces: Fact::known(Namespaces { net: ROUTER, ..Namespaces::default() }, "test"),
            ..Host::default()
        };
        Self(Facts {
            net_namespaces: Fact::known(namespaces, "test"),
            engines: vec![engine],
            host,
            ..Facts::default()
        })
    }

    fn router(&mut self) -> &mut NetNamespace {
        &mut self.0.net_namespaces.value_mut().unwrap()[0]
    }

    /// A chain of the router at its forward hook.
    fn forward(mut self, drops: bool, rules: Vec<Vec<FilterStep>>) -> Self {
        let hook =
            FilterHook { kind: "filter".into(), point: "forward".into(), drops, ..FilterHook::default() };
        self.chain("ip", hook, rules);
        self
    }

    fn chain(&mut self, family: &str, hook: FilterHook, rules: Vec<Vec<FilterStep>>) {
        let rules = rules.into_iter().zip(1..).map(|(steps, handle)| FilterRule { handle, steps });
        let chain = FilterChain { name: hook.point.clone(), hook: Some(hook), rules: rules.collect() };
        let table = FilterTable {
            family: family.into(),
            name: "filter".into(),
            chains: vec![chain],
            ..FilterTable::default()
        };
        self.router().filter.value_mut().unwrap().push(table);
    }

    fn worked(mut self) -> Connections {
        judge(&mut self.0);
        self.0.connections.value().unwrap().clone()
    }

    fn answer(self, from: &str, to: &str) -> String {
        answer(&self.worked(), from, to)
    }
}

fn answer(worked: &Connections, from: &str, to: &str) -> String {
    let place = worked.ends.iter().position(|end| end.name == from).unwrap();
    let group = worked.groups.iter().position(|group| group.contains(&place)).unwrap();
    let way = worked.listeners.iter().flat_map(|it| &it.ways).find(|way| way.to == to).unwrap();
    let among = |answers: &[plimsoll_facts::Answer]| {
        let answer = answers.iter().find(|answer| answer.groups.contains(&group))?;
        Some(worked.reasons[answer.reason].clone())
    };
    if way.open.contains(&group) {
        return "open".into();
    }
    among(&way.unknown).map(|why| format!("unknown: {why}")).or_else(|| among(&way.blocked)).unwrap()
}

fn verdict(verdict: FilterVerdict) -> FilterStep {
    FilterStep::Verdict { verdict }
}

fn compare(operator: &str, value: &str) -> FilterStep {
    FilterStep::Compare { from: 0, operator: operator.into(), value: value.into() }
}

fn payload(base: &str, offset: u32, length: u32) -> FilterStep {
    FilterStep::Payload { base: base.into(), offset, length, to: 0 }
}

/// `br-1` with a zero byte at its end, as iptables writes an interface.
const BR_1: &str = "62722d3100";

#[test]
fn without_a_filter_everybody_meets() {
    assert_eq!(Scene::new().answer("a", "172.17.0.3:80"), "open");
    assert_eq!(Scene::new().answer("a", "172.18.0.2:80"), "open");
    assert_eq!(Scene::new().answer("host", "172.18.0.2:80"), "open");
    assert_eq!(Scene::new().answer("outside, by eth0", "172.17.0.2:80"), "open");
}

#[test]
fn alike_are_one_group() {
    let mut scene = Scene::new();
    scene.router().listeners = Fact::known(vec![listens(22)], "test");
    let worked = scene.worked();
    assert!(worked.groups.contains(&vec![1, 2]), "{:?}", worked.groups);
    assert_eq!(answer(&worked, "b", "172.18.0.1:22"), "open");
}

/// enable_icc=false, and bridge-nf-call-iptables=0 that makes nothing of it.
#[test]
fn a_filter_that_never_sees_what_stays_on_a_bridge() {
    assert_eq!(
        Scene::new().forward(true, Vec::new()).answer("a", "172.17.0.3:80"),
        "policy drop of nftables ip filter forward"
    );
    let mut scene = Scene::new().forward(true, Vec::new());
    let off = Fact::known("0".into(), "test");
    scene.router().sysctls.insert("net.bridge.bridge-nf-call-iptables".into(), off);
    let worked = scene.worked();
    assert_eq!(answer(&worked, "a", "172.17.0.3:80"), "open");
    assert_eq!(answer(&worked, "a", "172.18.0.2:80"), "policy drop of nftables ip filter forward");
}

#[test]
fn walls_between_bridges_and_their_answers() {
    let wall = || {
        vec![vec![
            FilterStep::Meta { key: "oifname".into(), to: 0 },
            compare("==", BR_1),
            verdict(FilterVerdict::Drop),
        ]]
    };
    assert_eq!(
        Scene::new().forward(false, wall()).answer("a", "172.18.0.2:80"),
        "nftables ip filter forward handle 1"
    );
    // The answer of the other direction is stopped by the same wall.
    assert_eq!(
        Scene::new().forward(false, wall()).answer("c", "172.17.0.2:80"),
        "the answer: nftables ip filter forward handle 1"
    );
    let state =
        |states| vec![FilterStep::ConnectionState { states, negate: false }, verdict(FilterVerdict::Accept)];
    let mut rules = wall();
    rules.insert(0, state(6));
    assert_eq!(Scene::new().forward(false, rules).answer("c", "172.17.0.2:80"), "open");
}

#[test]
fn what_is_not_understood_is_unknown_unless_it_changes_nothing() {
    let rule = |end| vec![vec![FilterStep::Other { name: "socket".into() }, verdict(end)]];
    let dropped = Scene::new().forward(false, rule(FilterVerdict::Drop)).answer("a", "172.18.0.2:80");
    assert_eq!(
        dropped,
        "unknown: nftables ip filter forward handle 1 depends on socket (nftables ip filter forward handle 1)"
    );
    assert_eq!(Scene::new().forward(false, rule(FilterVerdict::Accept)).answer("a", "172.18.0.2:80"), "open");
    let mut scene = Scene::new();
    scene.router().filter = Fact::unreadable("NETLINK_NETFILTER", "permission denied");
    assert_eq!(scene.answer("a", "172.18.0.2:80"), "unknown: NETLINK_NETFILTER: permission denied");
}

#[test]
fn the_sender_s_address_may_decide() {
    let rule = |constant| {
        vec![vec![payload("network", 12, 4), compare("==", constant), verdict(FilterVerdict::Drop)]]
    };
    let of_one = Scene::new().forward(false, rule("c6336301")).worked();
    assert!(
        answer(&of_one, "outside, by eth0", "172.17.0.2:80")
            .starts_with("unknown: the sender's address decides")
    );
    assert_eq!(answer(&of_one, "c", "172.17.0.2:80"), "open");
    // Nobody outside has an address of a bridge of this host.
    let inner = Scene::new().forward(false, rule("ac120009")).worked();
    assert_eq!(answer(&inner, "outside, by eth0", "172.17.0.2:80"), "open");
}

#[test]
fn maps_of_verdicts_and_sets_of_ports() {
    let set = |verdicts, elements| FilterSet { name: "s".into(), verdicts, elements, ..FilterSet::default() };
    let element = |low: &str, high: &str, verdict| FilterElement {
        low: low.into(),
        high: high.into(),
        verdict,
        ..FilterElement::default()
    };
    let lookup = || FilterStep::Lookup { set: "s".into(), from: 0, negate: false, to: None };
    let with = |set: FilterSet, steps: Vec<FilterStep>| {
        let mut scene = Scene::new().forward(false, vec![steps]);
        scene.router().filter.value_mut().unwrap()[0].sets.push(set);
        scene.answer("a", "172.18.0.2:80")
    };
    let map = set(true, vec![element("0050", "0050", Some(FilterVerdict::Drop))]);
    assert_eq!(with(map, vec![payload("transport", 2, 2), lookup()]), "nftables ip filter forward handle 1");
    let steps = || vec![payload("transport", 2, 2), lookup(), verdict(FilterVerdict::Drop)];
    assert_eq!(with(set(false, vec![element("0051", "0060", None)]), steps()), "open");
    assert_eq!(
        with(set(false, vec![element("0001", "0400", None)]), steps()),
        "nftables ip filter forward handle 1"
    );
    let changing = FilterSet { changes: true, ..set(false, Vec::new()) };
    assert!(with(changing, steps()).starts_with("unknown"));
}

#[test]
fn a_published_port_by_nat_and_by_proxy() {
    let published = |proxy: bool| {
        let mut scene = Scene::new();
        let hook = FilterHook {
            kind: "nat".into(),
            point: "prerouting".into(),
            priority: -100,
            ..FilterHook::default()
        };
        let nat = FilterStep::Nat {
            end: "destination".into(),
            address: Some("172.18.0.2".into()),
            last_address: None,
            port: Some(80),
        };
        scene.chain("ip", hook, vec![vec![payload("transport", 2, 2), compare("==", "1f90"), nat]]);
        if proxy {
            scene.router().filter = Fact::known(Vec::new(), "test");
            scene.router().listeners = Fact::known(vec![listens(8080)], "test");
            scene.router().proxies = vec![PortProxy {
                protocol: "tcp".into(),
                host_address: "0.0.0.0".into(),
                host_port: 8080,
                address: "172.18.0.2".into(),
                port: 80,
                ..PortProxy::default()
            }];
        }
        scene.worked()
    };
    for proxy in [false, true] {
        let worked = published(proxy);
        assert_eq!(answer(&worked, "a", "172.17.0.1:8080"), "open");
        let container =
            worked.listeners.iter().find(|it| it.ways.iter().any(|way| way.to == "172.17.0.1:8080")).unwrap();
        assert_eq!(worked.ends[container.end].name, "c");
    }
    // The answer of a neighbour on the same bridge goes by the router only where its packets pass the filter.
    assert_eq!(answer(&published(false), "a", "192.0.2.2:8080"), "open");
}

#[test]
fn ports_of_a_bridge_and_interfaces() {
    let mut scene = Scene::new();
    scene.router().interfaces.value_mut().unwrap().iter_mut().for_each(|it| it.isolated = true);
    assert_eq!(scene.answer("a", "172.17.0.3:80"), "both are isolated ports of docker0");
    let mut scene = Scene::new();
    scene.router().interfaces.value_mut().unwrap()[5].up = false;
    assert_eq!(scene.answer("a", "172.17.0.3:80"), "vethb is down");
    for watch in [|it: &mut Interface| it.xdp = true, |it: &mut Interface| it.traffic_control = true] {
        let mut scene = Scene::new();
        scene.router().interfaces.value_mut().unwrap().iter_mut().for_each(watch);
        let answer = scene.answer("a", "172.17.0.3:80");
        assert!(answer.contains("XDP program on") || answer.contains("traffic control on"), "{answer}");
    }
    let mut scene = Scene::new();
    scene.0.net_namespaces.value_mut().unwrap()[2].routes =
        Fact::known(vec![route("172.17.0.0/16", None, 9)], "test");
    assert_eq!(scene.answer("c", "172.17.0.3:80"), "the answer: no route to 172.18.0.2");
}

/// Chains that lead into each other, and very many of them: the bounds of the kernel and of time hold.
#[test]
fn hostile_chains_end() {
    let jump = |name: &str| vec![verdict(FilterVerdict::Jump { chain: name.into() })];
    let mut scene = Scene::new().forward(false, vec![jump("x")]);
    let chain = FilterChain {
        name: "x".into(),
        hook: None,
        rules: (1..200).map(|handle| FilterRule { handle, steps: jump("x") }).collect(),
    };
    scene.router().filter.value_mut().unwrap()[0].chains.push(chain);
    assert!(scene.answer("a", "172.18.0.2:80").starts_with("unknown"));
}

/// Containers whose interface rests on the host's own: neither the way between them nor that from outside is followed.
#[test]
fn what_rests_on_another_device_is_unknown() {
    for kind in ["macvlan", "ipvlan", "vxlan"] {
        let mut scene = Scene::new();
        scene.router().interfaces.value_mut().unwrap().retain(|it| it.name != "vetha" && it.name != "vethb");
        for space in &mut scene.0.net_namespaces.value_mut().unwrap()[1..3] {
            let eth0 = &mut space.interfaces.value_mut().unwrap()[1];
            eth0.kind = kind.into();
            eth0.peer = Some(InterfacePeer { index: 4, namespace: Some(ROUTER) });
        }
        let worked = scene.worked();
        for from in ["a", "outside, by eth0"] {
            let answer = answer(&worked, from, "172.17.0.3:80");
            assert!(answer.starts_with("unknown") && answer.contains(kind), "{kind} from {from}: {answer}");
        }
    }
}
