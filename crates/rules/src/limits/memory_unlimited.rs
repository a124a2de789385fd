use plimsoll_facts::{Container, Effective};

use super::in_force::{bytes, evidence, limits};
use crate::answer::{fail, pass};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "memory-unlimited",
    title: "Container may use all of the host's memory",
    concern: Concern::Limits,
    severity: Severity::Medium,
    why: "A leak, a large query or an attacker takes memory until the kernel kills something, and what it kills is \
          often another container or the engine. A limit above the host's memory never takes effect. Judged by the \
          lowest limit of the container's cgroup and those above it.",
    fix: "docker update --memory 512m --memory-swap 512m NAME (with the size that the program needs) takes effect at \
          once and stops nothing; then write the same where the container is created. A database's own caches \
          (innodb_buffer_pool_size) must fit into it.",
    references: &[
        "https://docs.docker.com/engine/containers/resource_constraints/#memory",
        "https://docs.docker.com/reference/cli/docker/container/update/",
        "cgroups(7)",
    ],
    cis: &["5.11"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let host = *cx.facts.host.memory.require()?;
    by_kernel_or_declaration(
        container,
        |effective| by_cgroup(host, effective),
        |declared| {
            let memory = u64::try_from(declared.host_config.memory).unwrap_or(0);
            let shown = if memory == 0 { "not set".to_owned() } else { bytes(memory) };
            let evidence = Evidence::new("Memory", shown, container.declared.source());
            if memory == 0 {
                let evidence = vec![evidence.expected("a limit")];
                return fail(Problem::new("is declared without a memory limit", evidence));
            }
            hold_against_host(host, memory, evidence)
        },
    )
}

fn by_cgroup(host: u64, effective: &Effective) -> Judgement {
    let limit = &limits(effective, &["memory"])?.memory;
    let evidence = evidence("memory limit in force", limit, |value| bytes(*value), effective);
    match limit.value {
        Some(value) => hold_against_host(host, value, evidence),
        None => fail(Problem::new("no memory limit is in force", vec![evidence.expected("a limit")])),
    }
}

fn hold_against_host(host: u64, limit: u64, evidence: Evidence) -> Judgement {
    if limit < host {
        return pass(evidence);
    }
    let message = format!("its memory limit of {} is no less than the host's memory", bytes(limit));
    let evidence = evidence.expected(format!("less than the host's {}", bytes(host)));
    fail(Problem::new(message, vec![evidence]))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::Fact;

    use super::RULE;
    use crate::testing::{Reach, answer, container, status_of, stopped};
    use crate::{Confidence, Status};

    #[test]
    fn docker_defaults_fail() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|c| c.limits().memory.value = Some(512 << 20))), Status::Pass);
    }

    /// More than the host has; and a limit that the kernel no longer has, whatever inspect says.
    #[test]
    fn case_17_limits_that_limit_nothing() {
        let huge = container(|c| {
            c.host_config().memory = 1 << 40;
            c.limits().memory.value = Some(1 << 40);
        });
        assert!(answer(&RULE, &huge).message.contains("1 TiB"));
        let raised = container(|c| c.host_config().memory = 64 << 20);
        assert_eq!(status_of(&RULE, &raised), Status::Fail);
    }

    /// Rootless on cgroup v1: no cgroup driver, so `--memory` has no effect.
    #[test]
    fn case_18_rootless_without_cgroup_driver() {
        let it = container(|c| {
            c.host_config().memory = 64 << 20;
            c.limits().memory.source = "the container has no memory cgroup of its own".into();
        });
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }

    #[test]
    fn stopped_by_declaration() {
        let finding = answer(&RULE, &stopped(|_| ()));
        assert_eq!((finding.status, finding.confidence), (Status::Fail, Confidence::Medium));
        assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().memory = 1 << 30)), Status::Pass);
        assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().memory = 1 << 40)), Status::Fail);
    }

    #[test]
    fn unreadable_is_unknown() {
        let it = container(|c| {
            c.host_config().memory = 64 << 20;
            c.limits().unreadable.insert("memory".into(), "permission denied".into());
        });
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
        let mut no_host = container(|c| c.limits().memory.value = Some(64 << 20));
        no_host.host.memory = Fact::default();
        assert_eq!(status_of(&RULE, &no_host), Status::Unknown);
    }
}
