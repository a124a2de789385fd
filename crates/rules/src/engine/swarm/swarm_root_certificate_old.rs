use plimsoll_facts::{Engine, Facts};

use super::managed;
use crate::answer::{fail, not_applicable, pass, unknown};
use crate::age::days_between;
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// A year: one renewal while those who made it are still there.
const OLDEST_DAYS: i64 = 365;

pub(super) const RULE: Rule = Rule {
    id: "swarm-root-certificate-old",
    title: "The swarm's root certificate was not renewed for a year",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "Who has the root's key makes himself a manager. It is made once, good for twenty years, and lies on each manager \
          there ever was and in its backups.",
    fix: "docker swarm ca --rotate on a manager, and wait until it says that all nodes have new certificates. Stops no \
          container; join tokens change.",
    references: &["https://docs.docker.com/reference/cli/docker/swarm/ca/"],
    cis: &["7.8"],
    judge: Judge::Engine(judge),
};

fn judge(facts: &Facts, engine: &Engine) -> Judgement {
    let swarm = match managed(engine)? {
        Ok(swarm) => swarm,
        Err(why) => return not_applicable(why),
    };
    let source = engine.swarm.source();
    let Some(days) = swarm.root_ca_issued_at.and_then(|at| days_between(at, facts.collected_at)) else {
        return unknown(source, "the manager did not tell when the root certificate was made");
    };
    let evidence = Evidence::new("age of the root certificate", format!("{days} days"), source).expected("365 days or less");
    if days <= OLDEST_DAYS {
        return pass(evidence);
    }
    fail(Problem::new(format!("the root certificate is {days} days old"), vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::super::swarm;
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{DAY, NOW};
    use crate::testing::status_of;

    #[test]
    fn a_year() {
        let made = |days: i64| swarm(|s| s.root_ca_issued_at = Some(NOW - days * DAY));
        assert_eq!(status_of(&RULE, &made(366)), Status::Fail);
        assert_eq!(status_of(&RULE, &made(30)), Status::Pass);
        assert_eq!(status_of(&RULE, &made(-30)), Status::Unknown);
        assert_eq!(status_of(&RULE, &swarm(|_| ())), Status::Unknown);
    }
}
