use plimsoll_facts::{Engine, Facts};

use super::managed;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "swarm-manager-count",
    title: "The swarm has too few managers, or a number that helps nothing",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "Managers decide by majority: of one or two none may fail, an even number bears no more failures than the odd one \
          below it, and more than seven slow every decision down. Each manager also holds all secrets, so none should be one \
          without need.",
    fix: "docker node promote NODE or docker node demote NODE until three, five or seven are reachable. Stops no container.",
    references: &["https://docs.docker.com/engine/swarm/admin_guide/"],
    cis: &["7.1"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let swarm = match managed(engine)? {
        Ok(swarm) => swarm,
        Err(why) => return not_applicable(why),
    };
    let source = engine.swarm.source();
    let evidence = vec![
        Evidence::new("reachable managers", swarm.managers.to_string(), source).expected("3, 5 or 7"),
        Evidence::new("nodes", swarm.nodes.to_string(), source),
    ];
    match swarm.managers {
        3 | 5 | 7 => pass(Evidence::new("reachable managers", swarm.managers.to_string(), source)),
        1 if swarm.nodes <= 1 => {
            fail(Problem::new("a swarm of one node bears no failure", evidence).severity(Severity::Info))
        }
        0..=2 => fail(Problem::new("the swarm loses its majority with the first manager that fails", evidence)),
        n if n % 2 == 0 => {
            let message = format!("{n} managers bear no more failures than {}", n - 1);
            fail(Problem::new(message, evidence).severity(Severity::Low))
        }
        n => fail(Problem::new(format!("{n} managers slow every decision down"), evidence).severity(Severity::Low)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::swarm;
    use super::RULE;
    use crate::testing::answer;
    use crate::{Severity, Status};

    #[test]
    fn the_real_number_of_managers() {
        let with = |managers, nodes| {
            let found = answer(&RULE, &swarm(|s| (s.managers, s.nodes) = (managers, nodes)));
            (found.status, found.severity)
        };
        assert_eq!(with(1, 4), (Status::Fail, Severity::Medium));
        assert_eq!(with(2, 4), (Status::Fail, Severity::Medium));
        assert_eq!(with(1, 1), (Status::Fail, Severity::Info));
        assert_eq!(with(4, 9), (Status::Fail, Severity::Low));
        assert_eq!(with(9, 9), (Status::Fail, Severity::Low));
        assert_eq!(with(3, 4).0, Status::Pass);
    }
}
