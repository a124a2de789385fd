use plimsoll_facts::{Container, Effective};

use super::in_force::{evidence, limits};
use crate::answer::{fail, not_applicable, pass};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "swap-unlimited",
    title: "The container's memory is limited, its swap is not",
    concern: Concern::Limits,
    severity: Severity::Low,
    why: "Instead of reaching its limit the container is swapped out: it fills the host's swap, and the disk is busy \
          with paging for everybody. On cgroup v1 this is also so where the kernel does not account for swap.",
    fix: "docker update --memory 512m --memory-swap 512m NAME (both the same: no swap) takes effect at once and stops \
          nothing. Where cgroup v1 shows no memory.memsw files, boot with swapaccount=1.",
    references: &["https://docs.docker.com/engine/containers/resource_constraints/#--memory-swap-details"],
    cis: &[],
    judge: Judge::Container(judge),
};

const NO_MEMORY_LIMIT: &str = "memory itself has no limit, so there is nothing to circumvent";

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(container, by_cgroup, |declared| {
        let config = &declared.host_config;
        if config.memory <= 0 {
            return not_applicable(NO_MEMORY_LIMIT);
        }
        let evidence = Evidence::new("MemorySwap", config.memory_swap.to_string(), container.declared.source());
        match config.memory_swap {
            -1 => fail(Problem::new(
                "is declared with unlimited swap",
                vec![evidence.expected("another than -1")],
            )),
            _ => pass(evidence),
        }
    })
}

fn by_cgroup(effective: &Effective) -> Judgement {
    let limits = limits(effective, &["memory"])?;
    if limits.memory.value.is_none() {
        return not_applicable(NO_MEMORY_LIMIT);
    }
    let evidence = evidence("swap limit in force", &limits.swap, |v| super::in_force::bytes(*v), effective);
    match limits.swap.value {
        Some(_) => pass(evidence),
        None => fail(Problem::new("its swap has no limit", vec![evidence.expected("a limit")])),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    #[test]
    fn in_force() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::NotApplicable);
        let limited = |swap| {
            container(|c| {
                c.limits().memory.value = Some(512 << 20);
                c.limits().swap.value = swap;
            })
        };
        assert_eq!(status_of(&RULE, &limited(None)), Status::Fail);
        assert_eq!(status_of(&RULE, &limited(Some(0))), Status::Pass);
    }

    #[test]
    fn stopped_and_unreadable() {
        let declared = |swap| {
            status_of(
                &RULE,
                &stopped(|c| {
                    c.host_config().memory = 512 << 20;
                    c.host_config().memory_swap = swap;
                }),
            )
        };
        assert_eq!((declared(-1), declared(512 << 20)), (Status::Fail, Status::Pass));
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
