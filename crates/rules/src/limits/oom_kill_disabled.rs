use plimsoll_facts::Container;

use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "oom-kill-disabled",
    title: "The kernel may not end the container's processes when its memory is used up",
    concern: Concern::Limits,
    severity: Severity::Low,
    why: "At the limit its processes hang for ever instead of being ended and restarted. Without a limit the kernel \
          must look for its victims among the host's own processes.",
    fix: "Recreate the container without --oom-kill-disable, and with a memory limit that fits. This stops the container.",
    references: &["https://docs.docker.com/engine/containers/resource_constraints/#understand-the-risks-of-running-out-of-memory"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let config = &container.declared.require()?.host_config;
    let evidence =
        Evidence::new("OomKillDisable", config.oom_kill_disable.to_string(), container.declared.source());
    if !config.oom_kill_disable {
        return pass(evidence);
    }
    let layout = cx.facts.host.cgroups.require()?;
    if layout.controllers.get("memory").is_some_and(|home| home.version == 2) {
        return not_applicable("cgroup v2 has no such switch: the option has no effect");
    }
    let problem = Problem::new("its processes are not ended when memory runs out", vec![evidence.expected("false")]);
    let unlimited = config.memory <= 0;
    fail(problem.severity(if unlimited { Severity::Medium } else { Severity::Low }).confidence(Confidence::Medium))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{CgroupHome, Facts};

    use super::RULE;
    use crate::testing::{Reach, answer, container, status_of};
    use crate::{Severity, Status};

    fn on(version: u8, memory: i64) -> Facts {
        let mut it = container(|c| {
            c.host_config().oom_kill_disable = true;
            c.host_config().memory = memory;
        });
        let home = CgroupHome { version, mount: "/sys/fs/cgroup/memory".into() };
        it.host.cgroups.value_mut().unwrap().controllers.insert("memory".into(), home);
        it
    }

    #[test]
    fn cgroup_v1_only() {
        assert_eq!(answer(&RULE, &on(1, 0)).severity, Severity::Medium);
        assert_eq!(answer(&RULE, &on(1, 1 << 30)).severity, Severity::Low);
        assert_eq!(status_of(&RULE, &on(2, 0)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
    }

    #[test]
    fn unreadable_is_unknown() {
        assert_eq!(status_of(&RULE, &container(|c| c.declared = Default::default())), Status::Unknown);
    }
}
