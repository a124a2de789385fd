use plimsoll_facts::{Engine, Facts};

use super::settings::{in_force, no_docker_daemon};
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "cgroup-parent-changed",
    title: "Every container is placed in another cgroup than the engine's own",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "Limits of a cgroup hold for all below it. Under another parent all containers share its limits, which no inspect \
          shows, or escape those of the engine's own slice; wanted or not, it should be known.",
    fix: "Take \"cgroup-parent\" out of daemon.json or --cgroup-parent off the command line, restart the daemon, and recreate \
          the containers. That stops them. Where it is wanted, record an exception.",
    references: &["https://docs.docker.com/reference/cli/dockerd/#default-cgroup-parent", "cgroups(7)"],
    cis: &["2.11"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let parent = in_force(engine, "cgroup-parent")?;
    let evidence = parent.evidence().expected("not set");
    match parent.text() {
        "" => pass(evidence),
        name => fail(Problem::new(format!("every container without a parent of its own is below {name}"), vec![evidence])),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;
    use plimsoll_facts::EngineKind;

    #[test]
    fn case_28_a_parent_in_the_file() {
        assert_eq!(status_of(&RULE, &engine(|e| e.file("cgroup-parent", "/custom"))), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| e.daemon = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
    }
}
