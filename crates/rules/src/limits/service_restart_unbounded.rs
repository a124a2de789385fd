use plimsoll_facts::Service;

use crate::answer::{fail, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// How often a task that fails may be replaced.
const MOST_ATTEMPTS: u64 = 5;

pub(super) const RULE: Rule = Rule {
    id: "service-restart-unbounded",
    title: "Swarm replaces the service's tasks however often they fail",
    concern: Concern::Limits,
    severity: Severity::Info,
    why: "Each failed task leaves a container behind and a new one starts, on every node in turn. It is what keeps a \
          service alive, and what hides that it does not work.",
    fix: "docker service update --restart-max-attempts 5 --restart-window 10m SERVICE; the tasks are replaced one after \
          the other.",
    references: &["https://docs.docker.com/reference/cli/docker/service/create/"],
    cis: &["5.15"],
    judge: Judge::Service(judge),
};

fn judge(cx: &EngineContext<'_>, service: &Service) -> Judgement {
    let attempts = service.restart_attempts.map_or("unlimited".to_owned(), |most| most.to_string());
    let shown = format!("{}, {attempts} attempts", service.restart_condition);
    let evidence = Evidence::new("restart condition", shown, cx.engine.swarm.source());
    let bounded = service.restart_condition == "none"
        || service.restart_attempts.is_some_and(|most| (1..=MOST_ATTEMPTS).contains(&most));
    match bounded {
        true => pass(evidence),
        false => fail(Problem::new(
            format!("its tasks are replaced without end ({attempts} attempts)"),
            vec![evidence.expected(format!("at most {MOST_ATTEMPTS} attempts"))],
        )),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Fact, Service, Swarm};

    use super::RULE;
    use crate::Status;
    use crate::testing::{World, host, status_of};

    /// A swarm service with 50 attempts.
    #[test]
    fn case_15_service_attempts() {
        let with = |condition: &str, attempts| {
            let mut it = host();
            let service = Service {
                name: "db".into(),
                restart_condition: condition.into(),
                restart_attempts: attempts,
                ..Service::default()
            };
            it.engine().swarm = Fact::known(Swarm { services: vec![service], ..Swarm::default() }, "GET /services");
            status_of(&RULE, &it)
        };
        assert_eq!(with("any", Some(50)), Status::Fail);
        assert_eq!(with("any", None), Status::Fail);
        assert_eq!(with("on-failure", Some(5)), Status::Pass);
        assert_eq!(with("none", None), Status::Pass);
    }

    #[test]
    fn an_unreadable_swarm_is_unknown() {
        let mut it = host();
        it.engine().swarm = Fact::unreadable("GET /services", "timed out");
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
