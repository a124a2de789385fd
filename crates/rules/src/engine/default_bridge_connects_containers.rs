use plimsoll_facts::{Engine, Facts, Network};

use super::settings::no_docker_daemon;
use crate::answer::{fail, not_applicable, unknown};
use crate::kernel::sysctl::number;
use crate::{Concern, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

const ICC: &str = "com.docker.network.bridge.enable_icc";
const DEFAULT: &str = "com.docker.network.bridge.default_bridge";
const FILTERED: &str = "net.bridge.bridge-nf-call-iptables";

pub(super) const RULE: Rule = Rule {
    id: "default-bridge-connects-containers",
    title: "Containers on the default bridge reach each other on every port",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "Whoever names no network gets the default bridge, so unrelated containers meet there and a broken one attacks \
          the others' unpublished ports. Judged by the bridge as it is: with icc off the kernel must also pass bridged \
          frames to its firewall, or the setting has no effect.",
    fix: "Give each application a network of its own (docker network create app; docker network connect app NAME: stops \
          nothing). Then \"icc\": false in daemon.json and restart the daemon while no container is on the default \
          bridge, and `modprobe br_netfilter` with net.bridge.bridge-nf-call-iptables=1.",
    references: &["https://docs.docker.com/engine/network/drivers/bridge/", "https://docs.docker.com/reference/cli/dockerd/"],
    cis: &["2.2"],
    judge: Judge::Engine(judge),
};

fn judge(facts: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let networks = engine.networks.require()?;
    let Some(bridge) = networks.iter().find(|n| is_default_bridge(n)) else {
        return not_applicable("the engine has no default bridge");
    };
    let on = bridge.options.get(ICC).is_none_or(|value| value != "false");
    let mut evidence = vec![
        Evidence::new(ICC, if on { "true" } else { "false" }, engine.networks.source()).expected("false"),
        Evidence::new("containers on the default bridge", bridge.containers.len().to_string(), engine.networks.source()),
    ];
    let severity = if bridge.containers.len() < 2 { Severity::Low } else { Severity::Medium };
    if on {
        let message = "containers on the default bridge may talk to each other on every port";
        return fail(Problem::new(message, evidence).severity(severity));
    }
    if engine.remote {
        return unknown(FILTERED, "the engine is on another host, whose kernel settings were not looked at");
    }
    let (value, source) = match number(facts, FILTERED)? {
        Some((value, source)) => (value.to_string(), source),
        None => ("absent: br_netfilter is not loaded".to_owned(), "/proc/sys/net/bridge"),
    };
    let filtered = value == "1";
    evidence.push(Evidence::new(FILTERED, value, source).expected("1"));
    if filtered {
        return Ok(Outcome::Pass(evidence));
    }
    fail(Problem::new("icc is off, but frames between containers pass by the firewall", evidence).severity(severity))
}

fn is_default_bridge(network: &Network) -> bool {
    network.driver == "bridge"
        && (network.name == "bridge" || network.options.get(DEFAULT).is_some_and(|value| value == "true"))
}

#[cfg(test)]
mod tests {
    use super::{FILTERED, ICC, RULE};
    use crate::testing::bare::{ReachEngine, denied, engine, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Engine, EngineKind, Facts};

    fn icc(engine: &mut Engine, value: &str) {
        engine.networks.value_mut().unwrap()[0].options.insert(ICC.into(), value.into());
    }

    fn filtered(mut facts: Facts, value: &str) -> Facts {
        facts.host.kernel.sysctls.insert(FILTERED.into(), known(value.into()));
        facts
    }

    #[test]
    fn the_bridge_decides() {
        let two = engine(|e| {
            e.networks.value_mut().unwrap()[0].containers = vec!["a".into(), "b".into()];
        });
        let found = answer(&RULE, &two);
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::Medium));
        assert_eq!(status_of(&RULE, &filtered(engine(|e| icc(e, "false")), "1")), Status::Pass);
    }

    #[test]
    fn without_a_filter_on_the_bridge_the_option_does_nothing() {
        assert_eq!(status_of(&RULE, &filtered(engine(|e| icc(e, "false")), "0")), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|e| icc(e, "false"))), Status::Unknown);
        let mut elsewhere = filtered(engine(|e| icc(e, "false")), "1");
        elsewhere.engines[0].remote = true;
        assert_eq!(status_of(&RULE, &elsewhere), Status::Unknown);
    }

    #[test]
    fn case_23_a_file_that_was_not_loaded_does_not_count() {
        let edited = engine(|e| {
            e.file("icc", false);
            e.config_file.value_mut().unwrap().newer_than_daemon = Some(true);
        });
        assert_eq!(status_of(&RULE, &edited), Status::Fail);
    }

    #[test]
    fn case_24_and_41_only_the_engine_s_own_bridge_counts() {
        assert_eq!(status_of(&RULE, &filtered(engine(|e| icc(e, "false")), "1")), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| icc(e, "true"))), Status::Fail);
    }

    #[test]
    fn no_bridge_podman_unread() {
        assert_eq!(status_of(&RULE, &engine(|e| e.networks = known(Vec::new()))), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.networks = denied())), Status::Unknown);
    }
}
