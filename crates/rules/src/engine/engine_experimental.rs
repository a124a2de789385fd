use plimsoll_facts::{Engine, Facts};

use super::settings::no_docker_daemon;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-experimental",
    title: "The engine runs with experimental features",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "Experimental features may change or vanish with any update, and get no promise of fixes.",
    fix: "Take \"experimental\": true out of daemon.json or --experimental off the command line, then `systemctl restart \
          docker`, which stops every container unless live-restore is on.",
    references: &["https://docs.docker.com/reference/cli/dockerd/"],
    cis: &["2.19"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let on = engine.info.require()?.experimental;
    let evidence = Evidence::new("experimental features", on.to_string(), engine.info.source()).expected("false");
    if on { fail(Problem::new("experimental features are on", vec![evidence])) } else { pass(evidence) }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;
    use plimsoll_facts::EngineKind;

    #[test]
    fn on_off_podman_unread() {
        assert_eq!(status_of(&RULE, &engine(|e| e.info().experimental = true)), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.info = denied())), Status::Unknown);
    }
}
