use plimsoll_facts::{ComponentKind, Engine, Facts};

use super::settings::no_docker_daemon;
use crate::answer::not_applicable;
use crate::runtime::life;
use crate::support::MOBY;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-end-of-life",
    title: "The engine's project does not mend this series any more",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "The next hole in the daemon stays open here: fixes are made for newer series only. A distribution may carry them \
          back into its own package; that is told apart by who made the package.",
    fix: "Turn live-restore on, then install a series that is mended: from the distribution's next release or from the \
          project's own packages. With live-restore even a step over several series keeps containers running; without \
          it they all stop.",
    references: &["https://github.com/moby/moby/blob/master/project/BRANCHES-AND-TAGS.md"],
    cis: &["1.2.2"],
    judge: Judge::Engine(judge),
};

fn judge(facts: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let version = &engine.version.require()?.version;
    let daemon = engine.daemon.value().map(|daemon| daemon.pid);
    let component = facts
        .components
        .iter()
        .filter(|c| c.kind == ComponentKind::Dockerd)
        .find(|c| c.running.iter().any(|process| Some(process.pid) == daemon));
    life::judge("Docker Engine", MOBY, version, engine.version.source(), component, facts.collected_at)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{denied, engine, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Component, ComponentKind, EngineKind, Facts, Package, RunningProgram};

    fn version(text: &str) -> Facts {
        engine(|e| e.version.value_mut().unwrap().version = text.into())
    }

    #[test]
    fn case_30_a_version_is_looked_up_not_assumed() {
        assert_eq!(answer(&RULE, &version("20.10.24+dfsg1")).severity, Severity::High);
        assert_eq!(status_of(&RULE, &version("28.5.2")), Status::Fail);
        assert_eq!(status_of(&RULE, &version("29.1.2")), Status::Pass);
        assert_eq!(status_of(&RULE, &version("")), Status::Unknown);
        assert_eq!(status_of(&RULE, &version("dev")), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.version = denied())), Status::Unknown);
    }

    #[test]
    fn a_distribution_s_own_package_is_milder() {
        let mut facts = version("20.10.24+dfsg1");
        let package = known(Package { vendor: Some("Debian Go Packaging Team".into()), ..Package::default() });
        let running = vec![RunningProgram { pid: 900, ..RunningProgram::default() }];
        facts.components =
            vec![Component { kind: ComponentKind::Dockerd, package, running, ..Component::default() }];
        assert_eq!(answer(&RULE, &facts).severity, Severity::Low);
    }
}
