use plimsoll_facts::{Container, Effective};

use crate::answer::{fail, gap, pass};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "cgroup-parent-set",
    title: "Container is not in the engine's own place in the cgroup tree",
    concern: Concern::Limits,
    severity: Severity::Info,
    why: "What the parent allows is shared by all below it and is not shown by docker inspect; a parent without limits \
          takes the container out of those that an administrator set for the engine's slice. It can be right, for \
          instance for a tenant's slice: then it is good to know.",
    fix: "systemctl show PARENT, or the files in the parent's cgroup directory, tell its limits. To leave it, recreate \
          the container without --cgroup-parent; this stops it.",
    references: &["https://docs.docker.com/reference/cli/docker/container/run/", "cgroups(7)"],
    cis: &["5.25"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    let config = &container.declared.require()?.host_config;
    let parent = Evidence::new(
        "CgroupParent",
        if config.cgroup_parent.is_empty() { "not set" } else { config.cgroup_parent.as_str() },
        container.declared.source(),
    );
    let chosen = |evidence: Vec<Evidence>| {
        fail(Problem::new(format!("was put below the cgroup {}", config.cgroup_parent), evidence))
    };
    by_kernel_or_declaration(
        container,
        |effective| {
            let cgroup = cgroup(effective)?;
            let evidence = vec![parent.clone(), cgroup.clone()];
            if !cgroup.value.contains(&container.id) {
                let message = "is not in a cgroup of its own: what the engine limits does not hold";
                return fail(Problem::new(message, evidence).severity(Severity::Low));
            }
            if config.cgroup_parent.is_empty() { pass(cgroup) } else { chosen(evidence) }
        },
        |_| if config.cgroup_parent.is_empty() { pass(parent.clone()) } else { chosen(vec![parent.clone()]) },
    )
}

fn cgroup(effective: &Effective) -> Result<Evidence, plimsoll_facts::Gap> {
    let limits = effective.limits.require()?;
    let source = effective.limits.source();
    if limits.cgroup.is_empty() {
        return Err(gap(source, "the container's cgroup is not shown"));
    }
    Ok(Evidence::new("cgroup", limits.cgroup.clone(), source))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{Reach, answer, container, status_of, stopped};
    use crate::{Severity, Status};

    #[test]
    fn where_it_really_is() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        let tenant = container(|c| {
            c.host_config().cgroup_parent = "tenant.slice".into();
            c.limits().cgroup = "/tenant.slice/docker-c0ffee.scope".into();
        });
        assert_eq!(answer(&RULE, &tenant).severity, Severity::Info);
        let shared = container(|c| c.limits().cgroup = "/user.slice".into());
        assert_eq!(answer(&RULE, &shared).severity, Severity::Low);
    }

    #[test]
    fn stopped_and_unreadable() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().cgroup_parent = "x".into())), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|c| c.limits().cgroup.clear())), Status::Unknown);
    }
}
