//! Network namespaces and what listens in them.

use plimsoll_facts::Socket;

use crate::world::{container, docker, effective, enter, facts, init};

const LISTEN: &str = "use IO::Socket::INET; \
    my $t = IO::Socket::INET->new(Listen => 1, LocalAddr => '0.0.0.0:8080') or die; \
    my $u = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1:5353') or die; sleep 600";

/// The listeners of a container, and of one that shares its network.
#[test]
fn listeners_of_a_network_namespace() {
    let Some(mut world) = enter("listen") else { return };
    let name = world.start("a", &[], &["perl", "-e", LISTEN]);
    let shared = format!("--network=container:{name}");
    let joined = world.start("b", &[&shared], &["sleep", "600"]);
    let hosted = world.start("c", &["--network=host"], &["sleep", "600"]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let facts = facts();
    let of = |name: &str| effective(&facts, name).listeners.require().unwrap().clone();
    let short = |s: &Socket| (s.protocol.clone(), s.address.clone(), s.port, s.pid, s.process.clone());
    let expected = [
        ("tcp".to_owned(), "0.0.0.0".to_owned(), 8080, Some(init(&name)), Some("perl".to_owned())),
        ("udp".to_owned(), "127.0.0.1".to_owned(), 5353, Some(init(&name)), Some("perl".to_owned())),
    ];
    assert_eq!(of(&name).iter().map(short).collect::<Vec<_>>(), expected);
    assert_eq!(of(&joined), of(&name));
    assert_eq!(&of(&hosted), facts.host.listeners.require().unwrap());
    // Sharing that was asked for makes nobody a visitor.
    for name in [&name, &joined, &hosted] {
        assert_eq!(effective(&facts, name).processes.require().unwrap().len(), 1, "{name}");
    }
}

/// inspect: in the network of another container. The kernel: in the one that it had before its restart.
#[test]
fn a_network_that_is_gone() {
    let Some(mut world) = enter("orphan") else { return };
    let name = world.start("a", &["--stop-timeout=0"], &["sleep", "600"]);
    let joined = world.start("b", &[&format!("--network=container:{name}")], &["sleep", "600"]);
    let net = |name: &str| {
        let facts = facts();
        effective(&facts, name).namespaces.require().unwrap().net
    };
    assert_eq!(net(&name), net(&joined));
    docker(&["restart", "--time=0", &name]);
    assert_ne!(net(&name), net(&joined));
    let facts = facts();
    let mode = &container(&facts, &joined).declared.value().unwrap().host_config.network_mode;
    assert!(mode.starts_with("container:"), "{mode}");
}
