use plimsoll_facts::{Container, Engine, Facts};

use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "swarm-mode-unneeded",
    title: "Swarm mode is on though no service runs",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "A node of a swarm listens on 2377, 7946 and 4789 beyond the host, lets managers start containers on it, and cannot \
          keep containers running while its daemon restarts. Without services that buys nothing.",
    fix: "docker swarm leave (--force on the last manager; that deletes services, secrets and configs of the swarm). Stops \
          the swarm's own containers only.",
    references: &["https://docs.docker.com/engine/swarm/swarm-mode/"],
    cis: &["5.1"],
    judge: Judge::Engine(judge),
};

/// Label of a container that a swarm started.
const TASK: &str = "com.docker.swarm.task.id";

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let source = engine.swarm.source();
    let Some(swarm) = engine.swarm.get()? else {
        return pass(Evidence::new("swarm mode", "off", source));
    };
    if swarm.manager && !swarm.services.is_empty() {
        return pass(Evidence::new("services of the swarm", swarm.services.len().to_string(), source));
    }
    let is_task = |c: &&Container| c.declared.value().is_some_and(|d| d.labels.contains_key(TASK));
    let tasks = engine.containers.require()?.iter().filter(is_task).count();
    let evidence = Evidence::new("containers of the swarm on this node", tasks.to_string(), engine.containers.source());
    if tasks > 0 {
        return pass(evidence);
    }
    let role = if swarm.manager { "manager" } else { "worker" };
    let mode = Evidence::new("swarm mode", format!("on, as {role}"), source).expected("off");
    fail(Problem::new("the engine is part of a swarm that runs nothing here", vec![mode, evidence]))
}

#[cfg(test)]
mod tests {
    use super::super::swarm;
    use super::{RULE, TASK};
    use crate::Status;
    use crate::testing::bare::{denied, known};
    use crate::testing::status_of;
    use plimsoll_facts::{Container, Declared, Service};

    #[test]
    fn services_or_tasks_need_it() {
        assert_eq!(status_of(&RULE, &swarm(|_| ())), Status::Fail);
        assert_eq!(status_of(&RULE, &swarm(|s| s.services = vec![Service::default()])), Status::Pass);
        let mut worker = swarm(|s| s.manager = false);
        let labels = [(TASK.to_owned(), "t".to_owned())].into();
        let declared = known(Declared { labels, ..Declared::default() });
        worker.engines[0].containers = known(vec![Container { declared, ..Container::default() }]);
        assert_eq!(status_of(&RULE, &worker), Status::Pass);
        worker.engines[0].containers = denied();
        assert_eq!(status_of(&RULE, &worker), Status::Unknown);
    }
}
