use plimsoll_facts::Container;

use super::lsm;
use crate::answer::{fail, not_applicable, pass};
use crate::declared::security_option;
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// Domains that the policy does not hold, or that belong to the host's own services (container-selinux, refpolicy).
const HOST_DOMAINS: [&str; 10] = [
    "spc_t",
    "unconfined_t",
    "unconfined_service_t",
    "container_runtime_t",
    "docker_t",
    "dockerd_t",
    "initrc_t",
    "init_t",
    "kernel_t",
    "sysadm_t",
];

pub(super) const RULE: Rule = Rule {
    id: "selinux-unconfined",
    title: "Processes run in a host's SELinux domain, not in a container's",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "The container domain keeps even root from every file of the host that is not labelled for \
          containers, and the two category numbers keep containers apart from each other. It has stopped \
          escapes that all other walls let through (CVE-2019-5736 on Red Hat Enterprise Linux).",
    fix: "Install the container-selinux package, set \"selinux-enabled\": true in daemon.json and restart the engine; \
          recreate the container without --security-opt label=disable and without --privileged. Both stop it. Label \
          bind mounts with :z or :Z rather than switching labels off.",
    references: &["selinux(8)", "container_selinux(8)", "https://docs.docker.com/engine/storage/bind-mounts/#configure-the-selinux-label"],
    cis: &["5.3"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    if let Some(why) = lsm::inactive(cx, "SELinux")? {
        return not_applicable(why);
    }
    by_kernel_or_declaration(
        container,
        |effective| {
            lsm::judge_labels(effective, "SELinux", "a container domain, such as container_t", |label| {
                domain(label).is_some_and(|domain| !HOST_DOMAINS.contains(&domain))
            })
        },
        |declared| {
            let config = &declared.host_config;
            let off = config.privileged || security_option(config, "label") == Some("disable");
            let evidence = |shown| Evidence::new("SELinux label", shown, container.declared.source());
            let missing = match (off, lsm::engine_uses(cx, "selinux")?) {
                (true, _) => "disabled",
                (false, false) => "none: the engine does not use SELinux (GET /info SecurityOptions)",
                (false, true) => return pass(evidence("the engine's")),
            };
            fail(Problem::new(
                "is declared without a container's SELinux label",
                vec![evidence(missing).expected("container_t")],
            ))
        },
    )
}

/// The type of `user:role:type:level`.
fn domain(label: &str) -> Option<&str> {
    label.split(':').nth(2)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::Facts;

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, World, container, status_of, stopped};

    fn with_selinux(mut facts: Facts) -> Facts {
        facts.host.kernel.lsms.value_mut().unwrap().push("selinux".into());
        facts.engine().info.value_mut().unwrap().security_options.push("name=selinux".into());
        facts
    }

    fn labelled(label: &str) -> Status {
        status_of(&RULE, &with_selinux(container(|c| c.processes()[0].lsm_label = Some(label.into()))))
    }

    #[test]
    fn case_37_not_active() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::NotApplicable);
    }

    #[test]
    fn the_domain_decides() {
        assert_eq!(labelled("system_u:system_r:container_t:s0:c12,c345"), Status::Pass);
        assert_eq!(labelled("system_u:system_r:mine.process:s0:c12,c345"), Status::Pass);
        assert_eq!(labelled("system_u:system_r:spc_t:s0"), Status::Fail);
        assert_eq!(labelled("system_u:system_r:container_runtime_t:s0"), Status::Fail);
    }

    /// Another security option (`no-new-privileges`) says nothing about SELinux.
    #[test]
    fn case_16_any_option_is_not_a_label() {
        let with = |options: &[&str]| {
            let mut it = with_selinux(stopped(|c| {
                c.host_config().security_opt = options.iter().map(|&o| o.to_owned()).collect();
            }));
            it.engine().info.value_mut().unwrap().security_options.retain(|o| o != "name=selinux");
            status_of(&RULE, &it)
        };
        assert_eq!(with(&["seccomp=unconfined"]), Status::Fail);
        let disabled = stopped(|c| c.host_config().security_opt = vec!["label=disable".into()]);
        assert_eq!(status_of(&RULE, &with_selinux(disabled)), Status::Fail);
        assert_eq!(status_of(&RULE, &with_selinux(stopped(|_| ()))), Status::Pass);
    }

    #[test]
    fn unknown_where_the_label_was_not_read() {
        assert_eq!(status_of(&RULE, &with_selinux(container(|_| ()))), Status::Unknown);
    }
}
