use plimsoll_facts::{Engine, Facts};

use super::managed;
use crate::answer::{not_applicable, not_automated};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "swarm-unlock-key-age",
    title: "When the key that unlocks managers was last changed is for a person to know",
    concern: Concern::Engine,
    severity: Severity::Info,
    why: "Everybody who ever unlocked a manager knows the key. Only a change takes it from those who left.",
    fix: "docker swarm unlock-key --rotate on a manager, and keep the new key outside of the swarm. Nothing stops; keep the old \
          one for a while, a manager that was down still asks for it.",
    references: &["https://docs.docker.com/engine/swarm/swarm_manager_locking/"],
    cis: &["7.6"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    match managed(engine)? {
        Err(why) => not_applicable(why),
        Ok(swarm) if swarm.autolock == Some(false) => not_applicable("managers are not locked, so there is no key"),
        Ok(_) => not_automated(
            "The swarm does not record when its unlock key was changed. Look at your own record of docker swarm unlock-key \
             --rotate, and of who has known the key since.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::swarm;
    use super::RULE;
    use crate::Status;
    use crate::testing::status_of;

    #[test]
    fn only_where_there_is_a_key() {
        assert_eq!(status_of(&RULE, &swarm(|s| s.autolock = Some(true))), Status::NotAutomated);
        assert_eq!(status_of(&RULE, &swarm(|s| s.autolock = Some(false))), Status::NotApplicable);
    }
}
