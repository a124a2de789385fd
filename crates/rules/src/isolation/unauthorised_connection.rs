use std::collections::BTreeSet;

use plimsoll_facts::{ConnectionEnd, Container, Declared, Network, ReachedListener, Way};

use super::default_bridge_used::is_default;
use crate::answer::{fail, not_applicable, pass};
use crate::connections::{SOURCE, internal, is_container, listeners_of, open};
use crate::processes::shortened;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "unauthorised-connection",
    title: "A container is reached by others that share no network with it, or that the policy does not expect",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "A broken container attacks what it reaches. Containers are meant to meet on the networks that they were given, and \
          nowhere else; the kernel may let more through: an interface that was moved by hand, walls between bridges that are \
          gone, a published port that leads around them.",
    fix: "Give both a network of their own where the connection is wanted (docker network connect NET NAME: stops nothing), or \
          declare it as [[connections]] in plimsoll.toml. Where it is not: publish the port on the address that needs it alone \
          (this stops the container), drop it in DOCKER-USER (iptables -I DOCKER-USER -s FROM -d TO -j DROP), or take the \
          interface away.",
    references: &[
        "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
        "https://docs.docker.com/engine/network/drivers/bridge/",
        "docs/policy.md",
    ],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    if container.effective.get()?.is_none() {
        return not_applicable("the container does not run");
    }
    let connections = cx.facts.connections.require()?;
    let networks = cx.engine.networks.require()?;
    let declared = container.declared.require()?;
    let meets = Meets { cx, networks, own: shared_networks(networks, declared), container };
    let unexpected = |listener: &ReachedListener, way: &Way, place: usize, end: &ConnectionEnd| {
        is_container(end)
            && match connections.declared {
                true => !listener.expected.contains(&place),
                false => !meets.is_meant(listener, way, end),
            }
    };
    let reached = open(connections, listeners_of(connections, container), unexpected)?;
    if reached.is_empty() {
        return pass(Evidence::new("containers that reach it unexpectedly", "none", SOURCE));
    }
    let evidence = shortened(&reached, |it| it.evidence(), "ways");
    let worst = reached.iter().find_map(internal);
    let severity = if worst.is_some() { Severity::High } else { Severity::Medium };
    let message = match worst {
        Some(service) => format!("containers reach its {service} that are not meant to"),
        None => "containers reach its ports that are not meant to".to_owned(),
    };
    fail(Problem::new(message, evidence).severity(severity))
}

/// What makes a connection meant, where the policy declares none.
struct Meets<'a> {
    cx: &'a EngineContext<'a>,
    networks: &'a [Network],
    own: BTreeSet<&'a str>,
    container: &'a Container,
}

impl Meets<'_> {
    /// Both are on a network (of the default bridge another rule speaks), or it is a published port that is meant for the
    /// world: a database is not.
    fn is_meant(&self, listener: &ReachedListener, way: &Way, end: &ConnectionEnd) -> bool {
        let published = way.via.iter().any(|step| step.starts_with("DNAT to") || step.starts_with("docker-proxy to"));
        if published && crate::exposure::ports::internal_service(listener.port).is_none() {
            return true;
        }
        let containers = self.cx.engine.containers.value().map_or(&[][..], Vec::as_slice);
        end.containers.iter().any(|id| {
            let Some(other) = containers.iter().find(|other| other.id == *id) else { return false };
            let Some(declared) = other.declared.value() else { return false };
            let linked = declared.host_config.links.iter().any(|link| {
                link.trim_start_matches('/').split(':').next() == Some(self.container.name.as_str())
            });
            linked || !self.own.is_disjoint(&shared_networks(self.networks, declared))
        })
    }
}

/// The networks of a container, by id. Direct connections on the default bridge are the matter of another rule.
fn shared_networks<'a>(networks: &'a [Network], declared: &'a Declared) -> BTreeSet<&'a str> {
    let known = declared.networks.iter().filter_map(|(name, endpoint)| {
        networks.iter().find(|network| network.id == endpoint.network_id || network.name == *name)
    });
    known.filter(|network| network.driver != "host" && network.driver != "null" || is_default(network)).map(|network| network.id.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{ConnectionEnd, Connections, Fact, Facts, ReachedListener, Way};

    use super::RULE;
    use crate::testing::{Reach, World, answer_about, container, status_of};
    use crate::{Finding, Severity, Status};

    /// The default container's MariaDB, and a neighbour that reaches it.
    fn reached(change: impl FnOnce(&mut Connections)) -> Facts {
        let mut facts = container(|_| ());
        facts.another("neighbour", |c| c.declared().networks.clear());
        let ids: Vec<String> =
            facts.engine().containers.value_mut().unwrap().iter().map(|container| container.id.clone()).collect();
        let end = |id: &String, name: &str| ConnectionEnd {
            name: name.into(),
            containers: vec![id.clone()],
            ..ConnectionEnd::default()
        };
        let mut connections = Connections {
            ends: vec![end(&ids[0], "db"), end(&ids[1], "neighbour")],
            groups: vec![vec![0], vec![1]],
            listeners: vec![ReachedListener {
                end: 0,
                protocol: "tcp".into(),
                port: 3306,
                ways: vec![Way { to: "172.17.0.2:3306".into(), open: vec![1], ..Way::default() }],
                ..ReachedListener::default()
            }],
            ..Connections::default()
        };
        change(&mut connections);
        facts.connections = Fact::known(connections, "test");
        facts
    }

    fn of_database(facts: &Facts) -> Finding {
        answer_about(&RULE, facts, &facts.engines[0].containers.value().unwrap()[0].id)
    }

    #[test]
    fn a_database_is_reached_from_nowhere() {
        let found = of_database(&reached(|_| ()));
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::High));
        assert_eq!(of_database(&reached(|c| c.listeners[0].port = 8000)).severity, Severity::Medium);
    }

    #[test]
    fn who_shares_a_network_is_meant_to() {
        let mut facts = reached(|_| ());
        let networks = facts.engine().containers.value_mut().unwrap()[0].declared().networks.clone();
        facts.engine().containers.value_mut().unwrap()[1].declared().networks = networks;
        assert_eq!(of_database(&facts).status, Status::Pass);
    }

    #[test]
    fn declared_connections_are_all_that_is_expected() {
        assert_eq!(of_database(&reached(|c| c.declared = true)).status, Status::Fail);
        let expected = |c: &mut Connections| (c.declared, c.listeners[0].expected) = (true, vec![1]);
        assert_eq!(of_database(&reached(expected)).status, Status::Pass);
    }

    #[test]
    fn a_published_port_is_for_everybody_unless_it_is_a_database_s() {
        let published = |port| {
            reached(move |c| {
                c.listeners[0].port = port;
                c.listeners[0].ways[0].via = vec!["DNAT to 172.17.0.2:80".into()];
            })
        };
        assert_eq!(of_database(&published(8000)).status, Status::Pass);
        assert_eq!(of_database(&published(5432)).status, Status::Fail);
    }

    #[test]
    fn unknown_is_not_blocked() {
        let unknown = |c: &mut Connections| {
            c.reasons = vec!["tables of iptables-legacy".into()];
            let way = &mut c.listeners[0].ways[0];
            way.open.clear();
            way.unknown = vec![plimsoll_facts::Answer { groups: vec![1], reason: 0 }];
        };
        assert_eq!(of_database(&reached(unknown)).status, Status::Unknown);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Unknown);
    }
}
