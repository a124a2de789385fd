use plimsoll_facts::{Engine, Facts};

use super::managed;
use crate::answer::{fail, not_applicable, pass, unknown};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// Docker's own default.
const LONGEST_DAYS: u64 = 90;

pub(super) const RULE: Rule = Rule {
    id: "swarm-node-certificates-long-lived",
    title: "Certificates of nodes live longer than swarm's default",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "Who copies a node's certificate is that node until it expires; a removed node keeps its own as long. Nodes renew \
          them by themselves, so a short life costs nothing.",
    fix: "docker swarm update --cert-expiry 720h (30 days). Nothing stops; nodes take it at their next renewal.",
    references: &["https://docs.docker.com/engine/swarm/how-swarm-mode-works/pki/"],
    cis: &["7.7"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let swarm = match managed(engine)? {
        Ok(swarm) => swarm,
        Err(why) => return not_applicable(why),
    };
    let source = engine.swarm.source();
    let Some(seconds) = swarm.node_certificate_seconds else {
        return unknown(source, "the manager did not tell how long certificates of nodes live");
    };
    let days = seconds / 86_400;
    let evidence = Evidence::new("life of a node's certificate", format!("{days} days"), source).expected("90 days or less");
    if days <= LONGEST_DAYS {
        return pass(evidence);
    }
    fail(Problem::new(format!("a node's certificate is good for {days} days"), vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::super::swarm;
    use super::RULE;
    use crate::Status;
    use crate::testing::status_of;

    #[test]
    fn the_default_is_the_bound() {
        let with = |days: u64| swarm(|s| s.node_certificate_seconds = Some(days * 86_400));
        assert_eq!(status_of(&RULE, &with(365)), Status::Fail);
        assert_eq!(status_of(&RULE, &with(90)), Status::Pass);
        assert_eq!(status_of(&RULE, &swarm(|_| ())), Status::Unknown);
    }
}
