//! Swarm mode: who manages, how nodes prove who they are, where traffic goes.

use plimsoll_facts::{Engine, Gap, Swarm};

crate::rules! {
    swarm_mode_unneeded,
    swarm_manager_count,
    swarm_listens_everywhere,
    swarm_secrets_in_environment,
    swarm_autolock_off,
    swarm_unlock_key_age,
    swarm_node_certificates_long_lived,
    swarm_root_certificate_old,
    swarm_data_path_shared,
}

/// The swarm of a manager, or why the question does not arise.
fn managed(engine: &Engine) -> Result<Result<&Swarm, &'static str>, Gap> {
    Ok(match engine.swarm.get()? {
        None => Err("the engine is not part of a swarm"),
        Some(swarm) if !swarm.manager => Err("only managers of a swarm know; this node is a worker"),
        Some(swarm) => Ok(swarm),
    })
}

/// A host whose engine manages a swarm of three managers; `change` makes the case.
#[cfg(test)]
fn swarm(change: impl FnOnce(&mut Swarm)) -> plimsoll_facts::Facts {
    let mut swarm = Swarm { manager: true, managers: 3, nodes: 5, ..Swarm::default() };
    change(&mut swarm);
    crate::testing::bare::engine(|e| e.swarm = plimsoll_facts::Fact::known(swarm, "GET /swarm"))
}

#[cfg(test)]
mod tests {
    use super::{RULES, swarm};
    use crate::testing::bare::{denied, engine};
    use crate::{Judge, Status, judge};

    #[test]
    fn without_a_swarm_nothing_passes_and_unread_is_unknown() {
        let asked = || RULES.iter().copied().filter(|rule| matches!(rule.judge, Judge::Engine(_)));
        let no_swarm = judge(&engine(|_| ()), asked()).findings;
        let applies = |id: &str| id == "swarm-mode-unneeded";
        for finding in no_swarm {
            let expected = if applies(&finding.rule) { Status::Pass } else { Status::NotApplicable };
            assert_eq!(finding.status, expected, "{}", finding.rule);
        }
        for finding in judge(&engine(|e| e.swarm = denied()), asked()).findings {
            assert_eq!(finding.status, Status::Unknown, "{}", finding.rule);
        }
    }

    #[test]
    fn workers_do_not_know_what_managers_know() {
        let worker = swarm(|s| s.manager = false);
        for id in ["swarm-manager-count", "swarm-autolock-off", "swarm-root-certificate-old"] {
            let rule = crate::find(id).unwrap();
            assert_eq!(crate::testing::status_of(rule, &worker), Status::NotApplicable, "{id}");
        }
    }
}
