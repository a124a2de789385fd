use plimsoll_facts::Network;

use super::bridges::{denies_traffic, unfiltered};
use super::default_bridge_used::is_default;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "inter-container-traffic",
    title: "Containers on the default bridge can connect to each other",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "Whatever is started without --network lands on this bridge, so containers that have nothing to do with each \
          other reach all of each other's ports. One that is broken into goes on from there.",
    fix: "Set \"icc\": false in daemon.json and restart the engine: containers stop, unless live-restore is on, and \
          the bridge itself changes only when no container is on it. Containers that belong together get a network \
          of their own: docker network create NET.",
    references: &[
        "https://docs.docker.com/engine/network/drivers/bridge/",
        "https://docs.docker.com/reference/cli/dockerd/",
    ],
    cis: &["2.2"],
    judge: Judge::Network(judge),
};

fn judge(cx: &EngineContext<'_>, network: &Network) -> Judgement {
    if !is_default(network) {
        return not_applicable("only the default bridge puts strangers together; this network was made on purpose");
    }
    let attached = network.containers.len();
    let source = cx.engine.networks.source();
    let evidence = vec![
        Evidence::new(
            "com.docker.network.bridge.enable_icc",
            if denies_traffic(network) { "false" } else { "true" },
            source,
        )
        .expected("false"),
        Evidence::new("containers on it", attached.to_string(), source),
    ];
    let severity = if attached > 1 { Severity::Medium } else { Severity::Low };
    if !denies_traffic(network) {
        let message = "containers on the default bridge can connect to each other";
        return fail(Problem::new(message, evidence).severity(severity));
    }
    match unfiltered(cx, network)? {
        None => pass(evidence.into_iter().next().unwrap_or_else(|| Evidence::new("icc", "false", source))),
        Some(hole) => fail(Problem::new(
            "containers on the default bridge can connect to each other, although icc is off",
            evidence.into_iter().chain([hole]).collect(),
        )
        .severity(severity)),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::Fact;

    use super::RULE;
    use crate::testing::{World, answer, network, status_of};
    use crate::{Severity, Status};

    fn icc(value: &str) -> plimsoll_facts::Facts {
        network(|n| {
            n.options.insert("com.docker.network.bridge.enable_icc".into(), value.into());
        })
    }

    #[test]
    fn the_option_decides() {
        assert_eq!(status_of(&RULE, &icc("true")), Status::Fail);
        assert_eq!(status_of(&RULE, &icc("false")), Status::Pass);
        assert_eq!(status_of(&RULE, &network(|n| n.options.clear())), Status::Fail, "on is the default");
    }

    #[test]
    fn more_containers_are_worse() {
        assert_eq!(answer(&RULE, &icc("true")).severity, Severity::Low);
        let two = network(|n| n.containers = vec!["a".into(), "b".into()]);
        assert_eq!(answer(&RULE, &two).severity, Severity::Medium);
    }

    #[test]
    fn the_kernel_must_pass_bridged_packets_to_the_filter() {
        let mut it = icc("false");
        let key = "net.bridge.bridge-nf-call-iptables".to_owned();
        it.host.kernel.sysctls.insert(key.clone(), Fact::known("0".into(), "/proc/sys"));
        assert_eq!(status_of(&RULE, &it), Status::Fail);
        it.host.kernel.sysctls.insert(key, Fact::unreadable("/proc/sys", "permission denied"));
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }

    #[test]
    fn other_networks_are_made_on_purpose() {
        let mut it = icc("true");
        it.network().name = "app".into();
        it.network().options.remove("com.docker.network.bridge.default_bridge");
        assert_eq!(status_of(&RULE, &it), Status::NotApplicable);
    }
}
