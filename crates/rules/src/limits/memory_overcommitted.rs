use plimsoll_facts::{Engine, Facts};

use super::in_force::bytes;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "memory-overcommitted",
    title: "The containers' memory limits add up to more than the host has",
    concern: Concern::Limits,
    severity: Severity::Info,
    why: "Each limit alone is right, but when all containers use what they may, the host runs out of memory and the \
          kernel ends processes by its own choice. Whoever knows that they never peak together can live with it.",
    fix: "Lower limits with docker update --memory (stops nothing), move containers to another host, or give the \
          important ones a reservation: docker update --memory-reservation.",
    references: &["https://docs.docker.com/engine/containers/resource_constraints/#memory"],
    cis: &["5.11"],
    judge: Judge::Engine(judge),
};

fn judge(facts: &Facts, engine: &Engine) -> Judgement {
    let host = *facts.host.memory.require()?;
    let mut sum = 0_u64;
    let (mut limited, mut unlimited) = (0_usize, 0_usize);
    for container in engine.containers.require()? {
        let Some(effective) = container.effective.get()? else { continue };
        match super::in_force::limits(effective, &["memory"])?.memory.value {
            Some(limit) => (sum, limited) = (sum.saturating_add(limit), limited + 1),
            None => unlimited += 1,
        }
    }
    if limited == 0 {
        return not_applicable("no running container has a memory limit");
    }
    let evidence = Evidence::new(
        "memory limits of running containers together",
        format!("{} of {limited} containers; {unlimited} have none", bytes(sum)),
        engine.containers.source(),
    );
    if sum <= host {
        return pass(evidence);
    }
    let evidence = evidence.expected(format!("at most the host's {}", bytes(host)));
    fail(Problem::new(format!("memory limits add up to {}, the host has {}", bytes(sum), bytes(host)), vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, World, container, status_of};

    #[test]
    fn limits_add_up() {
        let mut it = container(|c| c.limits().memory.value = Some(5 << 30));
        assert_eq!(status_of(&RULE, &it), Status::Pass);
        it.another("b", |c| c.limits().memory.value = Some(5 << 30));
        assert_eq!(status_of(&RULE, &it), Status::Fail);
        it.another("c", |c| c.hide());
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::NotApplicable);
    }
}
