use plimsoll_facts::Container;

use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "container-unhealthy",
    title: "The container's own health check says that it does not work",
    concern: Concern::Limits,
    severity: Severity::Medium,
    why: "Docker records the result and does nothing about it outside of a swarm: the container stays as it is, and \
          keeps its address and ports.",
    fix: "docker inspect -f '{{json .State.Health}}' NAME shows what the check said. docker restart NAME, when its logs \
          are safe.",
    references: &["https://docs.docker.com/reference/dockerfile/#healthcheck"],
    cis: &["5.27"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    let status = match declared.health.as_deref() {
        _ if !container.is_running() => return not_applicable("the container does not run"),
        None | Some("" | "none") => return not_applicable("the container has no health check"),
        Some(status) => status,
    };
    let evidence = Evidence::new("State.Health.Status", status, container.declared.source());
    match status {
        "unhealthy" => fail(Problem::new("its health check fails", vec![evidence.expected("healthy")])),
        _ => pass(evidence),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    #[test]
    fn states() {
        let with = |status: &str| status_of(&RULE, &container(|c| c.declared().health = Some(status.into())));
        assert_eq!(with("unhealthy"), Status::Fail);
        assert_eq!(with("healthy"), Status::Pass);
        assert_eq!(with("starting"), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::NotApplicable);
        assert_eq!(
            status_of(&RULE, &stopped(|c| c.declared().health = Some("unhealthy".into()))),
            Status::NotApplicable
        );
        assert_eq!(status_of(&RULE, &container(|c| c.declared = Default::default())), Status::Unknown);
    }
}
