use plimsoll_facts::{Container, PublishedPort, Socket};

use super::port_on_all_interfaces::shown;
use crate::address::is_loopback;
use crate::answer::{fail, not_applicable, pass};
use crate::processes::shortened;
use crate::sides::by_both;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "published-port-unused",
    title: "A port is published, but nothing in the container listens on it",
    concern: Concern::Exposure,
    severity: Severity::Info,
    why: "It is a hole in the firewall that waits for whatever opens the port first, or the service does not work and \
          nobody has noticed: a program that listens on the container's loopback is not reachable through it.",
    fix: "Recreate the container without the port (this stops it), or let the program listen on the container's address: \
          bind-address=0.0.0.0 inside the container is right.",
    references: &["https://docs.docker.com/engine/network/port-publishing/"],
    cis: &["5.9"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_both(container, |declared, effective| {
        let ports: Vec<_> = declared.ports.iter().filter(|port| port.protocol != "sctp").collect();
        if ports.is_empty() {
            return not_applicable("the container publishes no port");
        }
        let listeners = effective.listeners.require()?;
        let source = effective.listeners.source();
        let unused: Vec<_> = ports.iter().filter(|port| !listeners.iter().any(|s| serves(s, port))).collect();
        let Some(first) = unused.first() else {
            let shown = format!("on all {} published ports", ports.len());
            return pass(Evidence::new("listening sockets", shown, source));
        };
        let on_loopback = |port: &PublishedPort| {
            listeners.iter().any(|s| s.port == port.container_port && is_loopback(&s.address))
        };
        let found = |port: &PublishedPort| {
            if on_loopback(port) { "listens on the container's loopback only" } else { "nothing listens" }
        };
        let evidence =
            shortened(&unused, |port| Evidence::new(shown(port), found(port), source).expected("a listener"), "ports");
        let (port, protocol) = (first.container_port, &first.protocol);
        fail(Problem::new(format!("publishes port {port}/{protocol}, but {}", found(first)), evidence))
    })
}

fn serves(socket: &Socket, port: &PublishedPort) -> bool {
    socket.port == port.container_port
        && socket.protocol.trim_end_matches('6') == port.protocol
        && !is_loopback(&socket.address)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::exposure::port_on_all_interfaces::tests::publishing;
    use crate::testing::{Reach, World, answer, container, status_of, stopped};

    #[test]
    fn somebody_must_listen() {
        assert_eq!(status_of(&RULE, &publishing(&[("", 13306, 3306)])), Status::Pass);
        assert_eq!(status_of(&RULE, &publishing(&[("", 80, 80)])), Status::Fail);
        let mut loopback = publishing(&[("", 13306, 3306)]);
        loopback.engine().containers.value_mut().unwrap()[0].listeners()[0].address = "127.0.0.1".into();
        assert!(answer(&RULE, &loopback).message.contains("loopback only"));
    }

    #[test]
    fn not_applicable_and_unknown() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
