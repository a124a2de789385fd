use plimsoll_facts::{Engine, Facts};

use super::settings::no_docker_daemon;
use crate::answer::{fail, not_applicable, pass, unknown};
use crate::version::series;
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// The oldest API that Docker 29 and its clients speak (moby release notes, 29.0).
const OLDEST_SPOKEN: (u32, u32) = (1, 44);

pub(super) const RULE: Rule = Rule {
    id: "engine-api-outdated",
    title: "Current clients cannot talk to the engine",
    concern: Concern::Engine,
    severity: Severity::Info,
    why: "Clients and libraries of Docker 29 and later speak API 1.44 and newer only. Tools that watch, back up or update the \
          host break with their next update, unless the engine is updated first.",
    fix: "Update the engine to 25.0 or later. Without live-restore that stops every container; turn it on first (see \
          live-restore-off).",
    references: &["https://docs.docker.com/reference/api/engine/"],
    cis: &[],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let api = &engine.version.require()?.api;
    let Some(version) = series(api) else {
        return unknown(engine.version.source(), format!("the API version {api:?} has another form"));
    };
    let evidence = Evidence::new("newest API that the engine speaks", api.clone(), engine.version.source());
    if version >= OLDEST_SPOKEN {
        return pass(evidence);
    }
    let message = format!("the engine speaks API {api} at most, current clients 1.44 at least");
    fail(Problem::new(message, vec![evidence.expected("1.44 or newer")]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, engine};
    use crate::testing::status_of;
    use plimsoll_facts::EngineKind;

    #[test]
    fn numbers_not_texts() {
        let with = |api: &str| status_of(&RULE, &engine(|e| e.version.value_mut().unwrap().api = api.into()));
        assert_eq!(with("1.41"), Status::Fail);
        assert_eq!(with("1.9"), Status::Fail);
        assert_eq!(with("1.52"), Status::Pass);
        assert_eq!(with(""), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.version = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
    }
}
