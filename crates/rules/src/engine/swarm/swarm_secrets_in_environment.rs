use plimsoll_facts::Service;

use crate::answer::{fail, pass};
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "swarm-secrets-in-environment",
    title: "A service gets a secret through its environment",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "The environment of a service is shown by docker service inspect to everybody with the API, handed to each child of \
          the process and written to crash reports. A secret of the swarm is a file in memory, for this service only.",
    fix: "docker secret create NAME FILE, then docker service update --secret-add NAME --env-rm VARIABLE SERVICE (many images \
          read VARIABLE_FILE). The service's tasks are replaced one after the other. Change the secret: the old one was seen.",
    references: &["https://docs.docker.com/engine/swarm/secrets/"],
    cis: &["7.4"],
    judge: Judge::Service(judge),
};

fn judge(cx: &EngineContext<'_>, service: &Service) -> Judgement {
    let source = format!("GET /services/{}", service.id);
    let names = &service.secret_like_environment;
    if names.is_empty() {
        return pass(Evidence::new("variables that look like secrets", "none", source));
    }
    let mut evidence =
        vec![Evidence::new("variables that look like secrets", names.join(" "), source).expected("none")];
    if let Some(secrets) = cx.engine.swarm.value().and_then(|swarm| swarm.secrets) {
        evidence.push(Evidence::new("secrets of the swarm", secrets.to_string(), cx.engine.swarm.source()));
    }
    let message = format!("{} is in its environment", names.join(", "));
    fail(Problem::new(message, evidence).confidence(Confidence::Medium))
}

#[cfg(test)]
mod tests {
    use super::super::swarm;
    use super::RULE;
    use crate::Status;
    use crate::testing::status_of;
    use plimsoll_facts::{Facts, Service};

    fn service(names: &[&str]) -> Facts {
        let secret_like_environment = names.iter().map(|name| (*name).to_owned()).collect();
        swarm(|s| s.services = vec![Service { secret_like_environment, ..Service::default() }])
    }

    #[test]
    fn the_environment_is_no_place_for_secrets() {
        assert_eq!(status_of(&RULE, &service(&["DB_PASSWORD"])), Status::Fail);
        assert_eq!(status_of(&RULE, &service(&[])), Status::Pass);
    }
}
