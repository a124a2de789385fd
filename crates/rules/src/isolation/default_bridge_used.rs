use plimsoll_facts::{Container, Network};

use crate::answer::{fail, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "default-bridge-used",
    title: "Container is on Docker's default bridge",
    concern: Concern::Isolation,
    severity: Severity::Low,
    why: "Every container that was started without --network is there as well, and each can connect to every port of \
          the others, published or not. A network of its own takes strangers away, and gives names by DNS.",
    fix: "docker network create NET; docker network connect NET NAME; docker network disconnect bridge NAME. This does \
          not stop the container, but it changes its address and ends open connections; then write --network NET \
          where it is created.",
    references: &[
        "https://docs.docker.com/engine/network/drivers/bridge/#use-the-default-bridge-network",
        "https://docs.docker.com/reference/cli/docker/network/connect/",
    ],
    cis: &["5.30"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    let networks = cx.engine.networks.require()?;
    let source = container.declared.source();
    let on_default = declared.networks.iter().find(|(name, endpoint)| {
        let network = networks.iter().find(|n| n.id == endpoint.network_id || n.name == **name);
        network.map_or(name.as_str() == "bridge", is_default)
    });
    match on_default {
        None => {
            let names: Vec<_> = declared.networks.keys().map(String::as_str).collect();
            let shown = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            pass(Evidence::new("networks", shown, source))
        }
        Some((name, endpoint)) => {
            let shown = if endpoint.ipv4.is_empty() { name.clone() } else { format!("{name}, {}", endpoint.ipv4) };
            let evidence = Evidence::new("network", shown, source).expected("a network of its own");
            fail(Problem::new("is attached to the default bridge", vec![evidence]))
        }
    }
}

/// The default bridge, whatever its interface is called.
pub(super) fn is_default(network: &Network) -> bool {
    network.options.get("com.docker.network.bridge.default_bridge").is_some_and(|v| v == "true")
        || (network.name == "bridge" && network.driver == "bridge")
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Fact, Network};

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, World, container, status_of};

    #[test]
    fn docker_defaults_fail() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Fail);
    }

    #[test]
    fn networks_are_told_apart_by_what_they_are() {
        let mut own = container(|c| {
            let mut endpoint = c.declared().networks.remove("bridge").unwrap();
            endpoint.network_id = "0b5e55".into();
            c.declared().networks.insert("app".into(), endpoint);
        });
        own.engine().networks.value_mut().unwrap().push(Network {
            id: "0b5e55".into(),
            name: "app".into(),
            driver: "bridge".into(),
            ..Network::default()
        });
        assert_eq!(status_of(&RULE, &own), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| c.declared().networks.clear())), Status::Pass);
    }

    #[test]
    fn unreadable_networks_are_unknown() {
        let mut it = container(|_| ());
        it.engine().networks = Fact::unreadable("GET /networks", "timed out");
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
