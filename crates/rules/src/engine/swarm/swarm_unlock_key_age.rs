use crate::{Concern, Judge, Rule, Severity};

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
    judge: Judge::Manual(
        "The swarm does not record when its unlock key was changed. Where managers are locked (docker info --format '{{.Swarm.\
         Cluster.Spec.EncryptionConfig.AutoLockManagers}}'), look at your own record of docker swarm unlock-key --rotate and \
         of who has known the key since. Without a swarm there is nothing to do.",
    ),
};
