use plimsoll_facts::{Container, Effective, Socket};

use crate::address::is_loopback;
use crate::answer::{fail, not_applicable, pass};
use crate::processes::shortened;
use crate::sides::by_kernel;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// UDP sockets from here on are those of clients (ip_local_port_range's default).
const FIRST_EPHEMERAL: u16 = 32768;

pub(super) const RULE: Rule = Rule {
    id: "undeclared-listener",
    title: "The container listens on a port that neither its image nor its owner declared",
    concern: Concern::Exposure,
    severity: Severity::Info,
    why: "Every container on the same network reaches it. It may be a debug or cluster port that nobody thought of \
          (MySQL's 33060, Galera's 4567), or something that does not belong there.",
    fix: "Switch the listener off or bind it to loopback (mysqlx=OFF, bind-address=127.0.0.1) and restart the container; \
          where it is wanted, declare it with EXPOSE in the image or --expose.",
    references: &["https://docs.docker.com/reference/dockerfile/#expose"],
    cis: &["5.9"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel(container, |effective| {
        let network = effective.namespaces.require()?.net;
        if network == cx.facts.host.namespaces.require()?.net {
            return not_applicable("it shares the host's network; host-network-listener judges its sockets");
        }
        let listeners = effective.listeners.require()?;
        let declared = declared_ports(cx, network)?;
        let source = effective.listeners.source();
        let unknown: Vec<_> = listeners
            .iter()
            .filter(|socket| is_server(socket) && !declared.contains(&(transport(socket), socket.port)))
            .collect();
        let Some(first) = unknown.first() else {
            return pass(Evidence::new("listening sockets beyond the declared ports", "none", source));
        };
        let evidence = shortened(
            &unknown,
            |socket| {
                let holder = socket.process.as_deref().unwrap_or("unknown");
                let at = format!("{}:{}/{} ({holder})", socket.address, socket.port, socket.protocol);
                Evidence::new("listens", at, source).expected("an exposed or published port")
            },
            "sockets",
        );
        let message = format!("listens on port {}/{}, which is not declared", first.port, transport(first));
        fail(Problem::new(message, evidence))
    })
}

fn is_server(socket: &Socket) -> bool {
    match transport(socket) {
        "tcp" => !is_loopback(&socket.address),
        "udp" => !is_loopback(&socket.address) && (1..FIRST_EPHEMERAL).contains(&socket.port),
        _ => false,
    }
}

fn transport(socket: &Socket) -> &str {
    socket.protocol.trim_end_matches('6')
}

/// The ports that any container in this network namespace exposes or publishes: they share its sockets.
fn declared_ports<'a>(
    cx: &EngineContext<'a>,
    network: u64,
) -> Result<Vec<(&'a str, u16)>, plimsoll_facts::Gap> {
    let mut ports = Vec::new();
    let shares = |effective: &Effective| effective.namespaces.value().is_some_and(|n| n.net == network);
    for container in cx.engine.containers.require()? {
        if !container.effective.value().is_some_and(shares) {
            continue;
        }
        let declared = container.declared.require()?;
        ports.extend(declared.ports.iter().map(|port| (port.protocol.as_str(), port.container_port)));
        ports.extend(declared.exposed_ports.iter().filter_map(|text| {
            let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
            Some((protocol, port.parse().ok()?))
        }));
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Facts, Socket};

    use super::RULE;
    use crate::Status;
    use crate::testing::{HOST_NAMESPACES, Reach, World, answer_about, container, status_of, stopped};

    fn listening(protocol: &str, address: &str, port: u16) -> Facts {
        container(|c| {
            let (protocol, address) = (protocol.into(), address.into());
            c.listeners().push(Socket { protocol, address, port, ..Socket::default() });
        })
    }

    #[test]
    fn exposed_ports_pass_and_others_are_told() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &listening("tcp6", "::", 3306)), Status::Pass);
        assert_eq!(status_of(&RULE, &listening("tcp", "0.0.0.0", 33060)), Status::Fail);
        assert_eq!(status_of(&RULE, &listening("tcp", "127.0.0.11", 43210)), Status::Pass, "the engine's DNS");
        assert_eq!(status_of(&RULE, &listening("udp", "0.0.0.0", 45000)), Status::Pass, "a client");
        assert_eq!(status_of(&RULE, &listening("udp", "0.0.0.0", 53)), Status::Fail);
    }

    #[test]
    fn a_neighbour_in_the_same_network_may_have_declared_it() {
        let mut it = listening("tcp", "0.0.0.0", 9104);
        it.another("exporter", |c| c.declared().exposed_ports = vec!["9104/tcp".into()]);
        assert_eq!(answer_about(&RULE, &it, "c0ffee").status, Status::Pass);
    }

    #[test]
    fn not_applicable_and_unknown() {
        let host = container(|c| c.namespaces().net = HOST_NAMESPACES.net);
        assert_eq!(status_of(&RULE, &host), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(
            status_of(&RULE, &container(|c| c.effective().listeners = Default::default())),
            Status::Unknown
        );
    }
}
