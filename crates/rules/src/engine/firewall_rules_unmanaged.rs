use plimsoll_facts::{Engine, Facts};

use super::settings::{in_force, no_docker_daemon};
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "firewall-rules-unmanaged",
    title: "The engine sets no firewall rules for its networks",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "The walls between the engine's networks are firewall rules. With iptables off there are none: containers of one \
          network reach those of every other, and ports that were never published can be routed to.",
    fix: "Take \"iptables\": false out of daemon.json or --iptables=false off the command line, then `systemctl restart \
          docker`. That stops every container unless live-restore is on. Rules of your own belong into the DOCKER-USER \
          chain.",
    references: &["https://docs.docker.com/engine/network/packet-filtering-firewalls/"],
    cis: &["2.4"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let iptables = in_force(engine, "iptables")?;
    let evidence = iptables.evidence().expected("true, or not set");
    if iptables.switch(true)? {
        return pass(evidence);
    }
    fail(Problem::new("no firewall rule keeps the engine's networks apart", vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;
    use plimsoll_facts::EngineKind;

    #[test]
    fn off_and_default() {
        assert_eq!(status_of(&RULE, &engine(|e| e.flag("iptables", false))), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| e.file("iptables", true))), Status::Pass);
    }

    #[test]
    fn case_39_a_setting_that_was_not_read_is_no_pass() {
        assert_eq!(status_of(&RULE, &engine(|e| e.config_file = denied())), Status::Unknown);
    }

    #[test]
    fn case_40_flags_are_those_of_the_daemon_behind_this_socket() {
        let mut facts = engine(|_| ());
        let mut other = facts.engines[0].clone();
        other.endpoint = "unix:///run/second.sock".into();
        other.flag("iptables", false);
        facts.engines.push(other);
        let findings = crate::judge(&facts, [&RULE]).findings;
        let statuses: Vec<_> = findings.iter().map(|f| f.status).collect();
        assert_eq!(statuses, [Status::Pass, Status::Fail]);
    }

    #[test]
    fn podman_has_no_such_option() {
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
    }
}
