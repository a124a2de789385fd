use plimsoll_facts::{Container, Gap, Socket};

use super::host_network_listener::own_listeners;
use super::port_on_all_interfaces::shown;
use crate::answer::{fail, pass};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// Ports below this one may be opened by privileged processes alone (ip(7)).
const FIRST_UNPRIVILEGED: u16 = 1024;

pub(super) const RULE: Rule = Rule {
    id: "privileged-port-published",
    title: "The container serves a port of the host below 1024",
    concern: Concern::Exposure,
    severity: Severity::Low,
    why: "Clients trust what answers there to be a service of the host's administrator (SSH, DNS, mail), and a \
          container that takes such a port can pose as one. A web server on 80 and 443 is the usual, wanted case: \
          record it as an exception.",
    fix: "Recreate the container with a port from 1024 on (-p 8443:443), and put a proxy or the load balancer in front; \
          this stops it.",
    references: &["ip(7)", "https://docs.docker.com/engine/network/port-publishing/"],
    cis: &["5.8"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    let source = container.declared.source();
    let is_privileged = |port: u16| (1..FIRST_UNPRIVILEGED).contains(&port);
    let published: Vec<_> = declared.ports.iter().filter(|port| is_privileged(port.host_port)).collect();
    let opened = match privileged_listeners(cx, container) {
        // What is published decides, whatever else there may be.
        Err(_) if !published.is_empty() => Vec::new(),
        listeners => listeners?,
    };
    let number = published.first().map(|port| port.host_port).or(opened.first().map(|socket| socket.port));
    let Some(number) = number else {
        return pass(Evidence::new("ports of the host below 1024", "none", source));
    };
    let mut evidence = shortened(
        &published,
        |port| Evidence::new("published port", shown(port), source).expected("a host port from 1024 on"),
        "ports",
    );
    evidence.extend(shortened(
        &opened,
        |socket| {
            let at = format!("{}:{}/{}", socket.address, socket.port, socket.protocol);
            Evidence::new("listens in the host's network", at, "inet_diag").expected("a port from 1024 on")
        },
        "sockets",
    ));
    fail(Problem::new(format!("serves port {number} of the host"), evidence))
}

fn privileged_listeners<'a>(cx: &EngineContext<'a>, container: &'a Container) -> Result<Vec<&'a Socket>, Gap> {
    let listeners = own_listeners(cx, container)?.unwrap_or_default();
    Ok(listeners.into_iter().filter(|socket| (1..FIRST_UNPRIVILEGED).contains(&socket.port)).collect())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::exposure::port_on_all_interfaces::tests::publishing;
    use crate::testing::{HOST_NAMESPACES, Reach, World, container, status_of};

    /// 1024 is not privileged; 1023 is.
    #[test]
    fn case_43_the_first_unprivileged_port() {
        assert_eq!(status_of(&RULE, &publishing(&[("0.0.0.0", 1024, 80)])), Status::Pass);
        assert_eq!(status_of(&RULE, &publishing(&[("0.0.0.0", 1023, 80)])), Status::Fail);
    }

    /// On IPv6, on loopback, and opened in the host's own network.
    #[test]
    fn case_13_every_way_to_a_port() {
        assert_eq!(status_of(&RULE, &publishing(&[("::1", 81, 80)])), Status::Fail);
        let host = container(|c| {
            c.namespaces().net = HOST_NAMESPACES.net;
            c.listeners()[0].port = 88;
        });
        assert_eq!(status_of(&RULE, &host), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|c| c.listeners()[0].port = 88)), Status::Pass, "its own network");
    }

    #[test]
    fn a_port_chosen_at_start_is_not_privileged() {
        assert_eq!(status_of(&RULE, &publishing(&[("0.0.0.0", 0, 80)])), Status::Pass);
    }

    #[test]
    fn unreadable_is_unknown() {
        assert_eq!(status_of(&RULE, &container(|c| c.declared = Default::default())), Status::Unknown);
        assert_eq!(status_of(&RULE, &container(|c| c.effective().listeners = Default::default())), Status::Pass);
        let host = container(|c| {
            c.namespaces().net = HOST_NAMESPACES.net;
            c.effective().listeners = Default::default();
        });
        assert_eq!(status_of(&RULE, &host), Status::Unknown);
        let mut published = publishing(&[("0.0.0.0", 80, 80)]);
        published.engine().containers.value_mut().unwrap()[0].hide();
        assert_eq!(status_of(&RULE, &published), Status::Fail);
    }
}
