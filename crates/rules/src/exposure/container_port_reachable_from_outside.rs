use plimsoll_facts::{Container, EndKind};

use super::ports::severity;
use crate::answer::{fail, not_applicable, pass};
use crate::connections::{SOURCE, internal, listeners_of, open};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "container-port-reachable-from-outside",
    title: "A port that was not published is reached from outside of the host",
    concern: Concern::Exposure,
    severity: Severity::High,
    why: "A machine in the same network that sends packets for the container's own address by way of this host gets through: \
          nothing drops them. docker ps shows no such port.",
    fix: "Let Docker keep its firewall (iptables: true in daemon.json, gateway_mode_ipv4=nat on the network), and forward \
          nothing else by default: iptables -P FORWARD DROP. Both take effect without a restart of containers; daemon.json \
          needs one of the daemon.",
    references: &[
        "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
        "https://docs.docker.com/engine/network/drivers/bridge/#options",
    ],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    if container.effective.get()?.is_none() {
        return not_applicable("the container does not run");
    }
    let connections = cx.facts.connections.require()?;
    let declared = container.declared.require()?;
    let published = |port: u16| declared.ports.iter().any(|it| it.container_port == port && it.protocol == "tcp");
    let own = listeners_of(connections, container).filter(|listener| {
        // In the network of the host its ports are the host's.
        let end = connections.ends.get(listener.end);
        !published(listener.port) && end.is_some_and(|end| end.kind == EndKind::Container)
    });
    let mut reached = open(connections, own, |_, _, _, end| end.kind == EndKind::Outside)?;
    reached.sort_by_key(|it| std::cmp::Reverse(severity(it.listener.port)));
    let Some(worst) = reached.first() else {
        return pass(Evidence::new("ports beyond those that are published", "not reached from outside", SOURCE));
    };
    let message = match internal(worst) {
        Some(service) => format!("port {} ({service}) is reached from outside, and not published", worst.listener.port),
        None => format!("port {} is reached from outside, and not published", worst.listener.port),
    };
    fail(Problem::new(message, shortened(&reached, |it| it.evidence(), "ways")))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{ConnectionEnd, Connections, EndKind, Fact, Facts, PublishedPort, ReachedListener, Way};

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, World, container, status_of, stopped};

    fn reached(publish: &[u16]) -> Facts {
        let mut facts = container(|c| {
            c.declared().ports = publish
                .iter()
                .map(|port| PublishedPort { protocol: "tcp".into(), container_port: *port, ..PublishedPort::default() })
                .collect();
        });
        let id = facts.engine().containers.value_mut().unwrap()[0].id.clone();
        facts.connections = Fact::known(
            Connections {
                ends: vec![
                    ConnectionEnd { containers: vec![id], ..ConnectionEnd::default() },
                    ConnectionEnd { kind: EndKind::Outside, ..ConnectionEnd::default() },
                ],
                groups: vec![vec![0], vec![1]],
                listeners: vec![ReachedListener {
                    protocol: "tcp".into(),
                    port: 3306,
                    ways: vec![Way { to: "172.17.0.2:3306".into(), open: vec![1], ..Way::default() }],
                    ..ReachedListener::default()
                }],
                ..Connections::default()
            },
            "test",
        );
        facts
    }

    #[test]
    fn what_was_not_published_is_not_expected() {
        assert_eq!(status_of(&RULE, &reached(&[])), Status::Fail);
        assert_eq!(status_of(&RULE, &reached(&[3306])), Status::Pass);
    }

    #[test]
    fn not_running_and_unreadable() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Unknown);
    }
}
