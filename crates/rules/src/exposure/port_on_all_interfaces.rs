use plimsoll_facts::{Container, Declared, Network, PublishedPort};

use super::ports::{internal_service, severity};
use crate::address::is_wildcard;
use crate::answer::{fail, pass};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "port-on-all-interfaces",
    title: "A published port is open on every interface of the host",
    concern: Concern::Exposure,
    severity: Severity::Medium,
    why: "It is reachable from every network that the host is in, IPv6 included, and Docker's own firewall \
          rules let it in before those of ufw are asked. For a database or a control plane that is an \
          invitation.",
    fix: "Recreate the container with an address: -p 127.0.0.1:3306:3306 for this host alone, or the address of the \
          inner network (this stops it); or set \"ip\": \"127.0.0.1\" in daemon.json as the default for new ports. \
          Containers reach each other over a shared network without any published port.",
    references: &[
        "https://docs.docker.com/engine/network/port-publishing/",
        "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
    ],
    cis: &["5.14"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    let source = container.declared.source();
    let by_default = default_address(cx, declared);
    let address = |port: &PublishedPort| match port.host_address.as_str() {
        "" => by_default.to_owned(),
        address => address.to_owned(),
    };
    let mut open: Vec<_> = declared.ports.iter().filter(|port| is_wildcard(&address(port))).collect();
    open.sort_by_key(|port| std::cmp::Reverse(severity(port.container_port)));
    let Some(worst) = open.first() else {
        let shown = if declared.ports.is_empty() { "none" } else { "each on an address of its own" };
        return pass(Evidence::new("published ports", shown, source));
    };
    let evidence = shortened(
        &open,
        |port| Evidence::new("published port", shown(port), source).expected("an address of one interface"),
        "ports",
    );
    let message = match internal_service(worst.container_port) {
        Some(service) => format!("everybody reaches port {} ({service}) of the container", worst.container_port),
        None => format!("everybody reaches port {} of the container", worst.container_port),
    };
    fail(Problem::new(message, evidence).severity(severity(worst.container_port)))
}

/// Where a port goes that was published without an address: an option of its network, which the engine sets from
/// its own `ip` setting for the default bridge. Nothing is every interface.
fn default_address<'a>(cx: &EngineContext<'a>, declared: &Declared) -> &'a str {
    let networks = cx.engine.networks.value().map_or(&[][..], Vec::as_slice);
    let attached = |network: &&Network| {
        declared.networks.iter().any(|(name, endpoint)| *name == network.name || endpoint.network_id == network.id)
    };
    let option = |network: &'a Network| network.options.get("com.docker.network.bridge.host_binding_ipv4");
    networks.iter().filter(attached).find_map(option).map_or("", String::as_str)
}

/// `[::]:8080 → 80/tcp`.
pub(super) fn shown(port: &PublishedPort) -> String {
    let address = match port.host_address.as_str() {
        "" => "every address".to_owned(),
        address if address.contains(':') && !address.starts_with('[') => format!("[{address}]"),
        address => address.to_owned(),
    };
    let host_port = if port.host_port == 0 { "a port chosen at start".to_owned() } else { port.host_port.to_string() };
    format!("{address}:{host_port} → {}/{}", port.container_port, port.protocol)
}

#[cfg(test)]
pub(super) mod tests {
    use plimsoll_facts::{Facts, PublishedPort};

    use super::RULE;
    use crate::testing::{Reach, World, answer, container, status_of};
    use crate::{Severity, Status};

    /// A container that publishes these ports: host address, host port, container port.
    pub(in crate::exposure) fn publishing(ports: &[(&str, u16, u16)]) -> Facts {
        container(|c| {
            c.declared().ports = ports
                .iter()
                .map(|&(address, host_port, container_port)| PublishedPort {
                    protocol: "tcp".into(),
                    host_address: address.into(),
                    host_port,
                    container_port,
                })
                .collect();
        })
    }

    /// IPv6 counts: -p [::]:8080 is open to everybody; -p [::1]:81 is not.
    #[test]
    fn case_13_ipv6_and_loopback() {
        assert_eq!(status_of(&RULE, &publishing(&[("::", 8080, 80)])), Status::Fail);
        assert_eq!(status_of(&RULE, &publishing(&[("[::]", 8080, 80)])), Status::Fail);
        assert_eq!(status_of(&RULE, &publishing(&[("", 8080, 80)])), Status::Fail);
        assert_eq!(status_of(&RULE, &publishing(&[("0.0.0.0", 8080, 80)])), Status::Fail);
        assert_eq!(status_of(&RULE, &publishing(&[("::1", 81, 80)])), Status::Pass);
        assert_eq!(status_of(&RULE, &publishing(&[("192.0.2.4", 81, 80)])), Status::Pass);
    }

    #[test]
    fn the_network_s_default_address() {
        let mut it = publishing(&[("", 8080, 80)]);
        let key = "com.docker.network.bridge.host_binding_ipv4".to_owned();
        it.network().options.insert(key.clone(), "127.0.0.1".into());
        assert_eq!(status_of(&RULE, &it), Status::Pass);
        it.network().options.insert(key, "0.0.0.0".into());
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }

    #[test]
    fn the_worst_port_decides() {
        let it = publishing(&[("0.0.0.0", 80, 80), ("0.0.0.0", 13306, 3306)]);
        let finding = answer(&RULE, &it);
        assert_eq!(finding.severity, Severity::High);
        assert!(finding.message.contains("MySQL or MariaDB"));
        assert_eq!(answer(&RULE, &publishing(&[("", 80, 80)])).severity, Severity::Low);
    }

    #[test]
    fn none_and_unreadable() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| c.declared = Default::default())), Status::Unknown);
    }
}
