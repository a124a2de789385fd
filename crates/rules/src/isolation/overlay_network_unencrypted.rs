use plimsoll_facts::Network;

use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "overlay-network-unencrypted",
    title: "Traffic between nodes crosses the network in the clear",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "VXLAN wraps packets without encrypting or authenticating them: whoever is on the path between two nodes \
          reads what the containers say, and whoever can send UDP to port 4789 of a node puts packets into the \
          network.",
    fix: "docker network create --driver overlay --opt encrypted NET, and move the services to it: docker service \
          update --network-rm OLD --network-add NET SERVICE (its tasks restart one after the other). Firewalls \
          between the nodes must pass IP protocol 50 (ESP).",
    references: &[
        "https://docs.docker.com/engine/network/drivers/overlay/#encrypt-traffic-on-an-overlay-network",
        "CVE-2023-28840",
    ],
    cis: &["7.3"],
    judge: Judge::Network(judge),
};

fn judge(cx: &EngineContext<'_>, network: &Network) -> Judgement {
    if network.driver != "overlay" {
        return not_applicable(format!("the driver is {}, not overlay", network.driver));
    }
    let source = cx.engine.networks.source();
    match network.options.get("encrypted") {
        Some(value) if value != "false" => pass(Evidence::new("option encrypted", "set", source)),
        _ => {
            let evidence = Evidence::new("option encrypted", "not set", source).expected("set");
            let message = match network.ingress {
                true => "the routing mesh carries published ports between nodes unencrypted",
                false => "its traffic between nodes is not encrypted",
            };
            fail(Problem::new(message, vec![evidence]))
        }
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::Fact;

    use super::RULE;
    use crate::Status;
    use crate::testing::{World, network, status_of};

    #[test]
    fn overlay_networks_only() {
        let overlay = |encrypted: bool| {
            network(|n| {
                n.driver = "overlay".into();
                if encrypted {
                    n.options.insert("encrypted".into(), String::new());
                }
            })
        };
        assert_eq!(status_of(&RULE, &overlay(false)), Status::Fail);
        assert_eq!(status_of(&RULE, &overlay(true)), Status::Pass);
        assert_eq!(status_of(&RULE, &network(|_| ())), Status::NotApplicable);
    }

    #[test]
    fn unreadable_networks_are_unknown() {
        let mut it = network(|_| ());
        it.engine().networks = Fact::unreadable("GET /networks", "timed out");
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
