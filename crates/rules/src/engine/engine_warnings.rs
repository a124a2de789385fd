use plimsoll_facts::{Engine, Facts};

use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-warnings",
    title: "The engine itself warns about how it runs",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "The engine says in its own words what it cannot do here: limits that the kernel does not support, an API that is \
          open, a storage driver that is going away. Containers start all the same.",
    fix: "docker info prints them at the end; each names what to change. Warnings about missing limits need a kernel or a \
          boot option, and a reboot stops every container.",
    references: &["https://docs.docker.com/reference/cli/docker/system/info/"],
    cis: &[],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let source = engine.info.source();
    let warnings = &engine.info.require()?.warnings;
    if warnings.is_empty() {
        return pass(Evidence::new("warnings of the engine", "none", source));
    }
    let evidence = warnings.iter().map(|text| Evidence::new("warning of the engine", text.trim(), source));
    let message = match warnings.len() {
        1 => "the engine prints a warning".to_owned(),
        n => format!("the engine prints {n} warnings"),
    };
    fail(Problem::new(message, evidence.collect()))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;

    #[test]
    fn warnings_are_shown() {
        let warned = engine(|e| e.info().warnings = vec!["WARNING: No swap limit support".into()]);
        assert_eq!(status_of(&RULE, &warned), Status::Fail);
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| e.info = denied())), Status::Unknown);
    }
}
