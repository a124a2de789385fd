use plimsoll_facts::Container;

use super::lsm;
use crate::answer::{fail, not_applicable, pass};
use crate::declared::security_option;
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "apparmor-unconfined",
    title: "Processes run without an AppArmor profile on a host that has AppArmor",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "Docker's profile denies mounts and writes below /proc and /sys, also to root with added \
          capabilities, and is what stops an escape when another wall is open (CVE-2022-0492 is one). A \
          profile in complain mode only writes to the log.",
    fix: "Recreate the container without --security-opt apparmor=unconfined and without --privileged; where the \
          default profile forbids something that is needed, load a profile of your own and name it: \
          --security-opt apparmor=PROFILE. This stops the container.",
    references: &["apparmor(7)", "https://docs.docker.com/engine/security/apparmor/", "CVE-2022-0492"],
    cis: &["5.2"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    if let Some(why) = lsm::inactive(cx, "AppArmor")? {
        return not_applicable(why);
    }
    by_kernel_or_declaration(
        container,
        |effective| lsm::judge_labels(effective, "AppArmor", "PROFILE (enforce)", enforced),
        |declared| {
            let wanted = security_option(&declared.host_config, "apparmor");
            let off = wanted == Some("unconfined") || (declared.host_config.privileged && wanted.is_none());
            let evidence = |shown| Evidence::new("AppArmor profile", shown, container.declared.source());
            let missing = match (off, lsm::engine_uses(cx, "apparmor")?) {
                (true, _) => "unconfined",
                (false, false) => "none: the engine does not use AppArmor (GET /info SecurityOptions)",
                (false, true) => return pass(evidence(wanted.unwrap_or("the engine's default"))),
            };
            fail(Problem::new(
                "is declared without an AppArmor profile",
                vec![evidence(missing).expected("a profile")],
            ))
        },
    )
}

/// `docker-default (enforce)`; `unconfined` stands alone, and other modes only log.
fn enforced(label: &str) -> bool {
    label.ends_with("(enforce)") || label.ends_with("(kill)")
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::Facts;

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, World, answer, container, status_of, stopped};

    fn with_apparmor(mut facts: Facts) -> Facts {
        facts.host.kernel.lsms.value_mut().unwrap().push("apparmor".into());
        facts.engine().info.value_mut().unwrap().security_options.push("name=apparmor".into());
        facts
    }

    fn labelled(label: &str) -> Status {
        let it = container(|c| c.processes()[0].lsm_label = Some(label.into()));
        status_of(&RULE, &with_apparmor(it))
    }

    /// A kernel without AppArmor: nothing to judge, and the answer says what is active.
    #[test]
    fn case_37_not_active() {
        let finding = answer(&RULE, &container(|_| ()));
        assert_eq!(finding.status, Status::NotApplicable);
        assert!(finding.message.contains("capability,landlock"));
    }

    #[test]
    fn the_label_decides() {
        assert_eq!(labelled("docker-default (enforce)"), Status::Pass);
        assert_eq!(labelled("unconfined"), Status::Fail);
        assert_eq!(labelled("docker-default (complain)"), Status::Fail);
    }

    #[test]
    fn stopped_by_declaration() {
        let options = |options: &[&str], privileged| {
            status_of(
                &RULE,
                &with_apparmor(stopped(|c| {
                    c.host_config().security_opt = options.iter().map(|&o| o.to_owned()).collect();
                    c.host_config().privileged = privileged;
                })),
            )
        };
        assert_eq!(options(&[], false), Status::Pass);
        assert_eq!(options(&["apparmor=unconfined"], false), Status::Fail);
        assert_eq!(options(&[], true), Status::Fail);
        assert_eq!(options(&["apparmor=mine"], true), Status::Pass);
    }

    #[test]
    fn unknown_where_label_or_modules_are_not_readable() {
        assert_eq!(status_of(&RULE, &with_apparmor(container(|_| ()))), Status::Unknown);
        let mut it = container(|_| ());
        it.host.kernel.lsms = Default::default();
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
