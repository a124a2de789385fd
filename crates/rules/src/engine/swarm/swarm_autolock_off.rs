use plimsoll_facts::{Engine, Facts};

use super::managed;
use crate::answer::{fail, not_applicable, pass, unknown};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "swarm-autolock-off",
    title: "A manager's disk holds the key to the swarm's secrets",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "Managers keep all secrets and their TLS keys encrypted on disk, with the key beside them. A stolen disk or backup of \
          a manager gives both. With autolock the key is typed in after each restart of the daemon.",
    fix: "docker swarm update --autolock=true, and keep the key that it prints outside of the swarm. Nothing stops; from then \
          on each restart of a manager's daemon waits for docker swarm unlock.",
    references: &["https://docs.docker.com/engine/swarm/swarm_manager_locking/"],
    cis: &["7.5"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let swarm = match managed(engine)? {
        Ok(swarm) => swarm,
        Err(why) => return not_applicable(why),
    };
    let source = engine.swarm.source();
    let Some(locked) = swarm.autolock else {
        return unknown(source, "the manager did not tell whether it locks itself");
    };
    let evidence = Evidence::new("autolock of managers", locked.to_string(), source).expected("true");
    if locked { pass(evidence) } else { fail(Problem::new("managers unlock themselves", vec![evidence])) }
}

#[cfg(test)]
mod tests {
    use super::super::swarm;
    use super::RULE;
    use crate::Status;
    use crate::testing::status_of;

    #[test]
    fn on_off_untold() {
        assert_eq!(status_of(&RULE, &swarm(|s| s.autolock = Some(false))), Status::Fail);
        assert_eq!(status_of(&RULE, &swarm(|s| s.autolock = Some(true))), Status::Pass);
        assert_eq!(status_of(&RULE, &swarm(|_| ())), Status::Unknown);
    }
}
