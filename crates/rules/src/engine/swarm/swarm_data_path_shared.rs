use plimsoll_facts::{Engine, Facts};

use crate::address::host_of;
use crate::answer::{fail, not_applicable, pass, unknown};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "swarm-data-path-shared",
    title: "Containers' traffic and the swarm's management share one network",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "Overlay traffic of containers (4789/udp) on the interface of the management plane lets a flood from one container \
          cut nodes off from their managers, and puts who can read the one in reach of the other.",
    fix: "docker swarm init/join --data-path-addr ADDRESS of a second interface. On an existing swarm each node has to leave \
          and join again, which moves its containers; drain it first (docker node update --availability drain NODE).",
    references: &["https://docs.docker.com/reference/cli/docker/swarm/init/#data-path-addr"],
    cis: &["7.9"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let Some(swarm) = engine.swarm.get()? else {
        return not_applicable("the engine is not part of a swarm");
    };
    let source = engine.swarm.source();
    if swarm.manager && swarm.nodes == 1 {
        return not_applicable("a swarm of one node sends nothing over the network");
    }
    if swarm.node_address.is_empty() {
        return unknown(source, "the node did not tell its own address");
    }
    let data = if swarm.data_path_address.is_empty() { &swarm.node_address } else { &swarm.data_path_address };
    let evidence = vec![
        Evidence::new("address of the data path", data.clone(), source).expected("another than the management's"),
        Evidence::new("address of the management plane", swarm.node_address.clone(), source),
    ];
    if host_of(data) == host_of(&swarm.node_address) {
        return fail(Problem::new(format!("both planes use {}", swarm.node_address), evidence));
    }
    pass(Evidence::new("address of the data path", data.clone(), source))
}

#[cfg(test)]
mod tests {
    use super::super::swarm;
    use super::RULE;
    use crate::Status;
    use crate::testing::status_of;

    #[test]
    fn addresses_differ_or_not() {
        let with = |data: &str| swarm(|s| (s.node_address, s.data_path_address) = ("10.0.0.5".into(), data.into()));
        assert_eq!(status_of(&RULE, &with("")), Status::Fail);
        assert_eq!(status_of(&RULE, &with("10.0.0.5")), Status::Fail);
        assert_eq!(status_of(&RULE, &with("10.1.0.5")), Status::Pass);
        assert_eq!(status_of(&RULE, &swarm(|_| ())), Status::Unknown);
        assert_eq!(status_of(&RULE, &swarm(|s| s.nodes = 1)), Status::NotApplicable);
    }
}
