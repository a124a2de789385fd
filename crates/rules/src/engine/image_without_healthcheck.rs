use plimsoll_facts::{EngineKind, Image};

use crate::answer::{fail, pass, unknown};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-without-healthcheck",
    title: "The image does not say how to test that its service works",
    concern: Concern::Engine,
    severity: Severity::Info,
    why: "Without a test the engine takes a hung process for a healthy one: swarm does not replace it, compose starts what \
          depends on it too early, an update cannot tell that it went wrong. `HEALTHCHECK NONE` switches an inherited test \
          off and is none.",
    fix: "HEALTHCHECK CMD … in the Dockerfile (for MariaDB: healthcheck.sh --connect --innodb_initialized), build, recreate the \
          containers, which stops them. For single ones --health-cmd at docker run.",
    references: &["https://docs.docker.com/reference/dockerfile/#healthcheck"],
    cis: &["4.6"],
    judge: Judge::Image(judge),
};

fn judge(cx: &EngineContext<'_>, image: &Image) -> Judgement {
    let test = &image.config.require()?.healthcheck;
    let source = image.config.source();
    let test = test.as_deref().unwrap_or_default();
    match test.first().map(String::as_str) {
        Some("NONE") => {
            let evidence = Evidence::new("health check", "NONE", source).expected("a command");
            fail(Problem::new("its health check is switched off", vec![evidence]))
        }
        Some(_) => pass(Evidence::new("health check", test.join(" "), source)),
        None if cx.engine.kind == EngineKind::Podman => {
            unknown(source, "podman's compatible API does not tell an image's health check")
        }
        None => {
            let evidence = Evidence::new("health check", "none", source).expected("a command");
            fail(Problem::new("it has no health check", vec![evidence]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image};
    use crate::testing::status_of;
    use plimsoll_facts::{EngineKind, Facts};

    fn test(words: &[&str]) -> Facts {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        image(|i| i.config().healthcheck = Some(words))
    }

    #[test]
    fn case_20_none_is_no_check() {
        assert_eq!(status_of(&RULE, &test(&["NONE"])), Status::Fail);
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::Fail);
        assert_eq!(status_of(&RULE, &test(&["CMD", "true"])), Status::Pass);
        assert_eq!(status_of(&RULE, &image(|i| i.config = denied())), Status::Unknown);
    }

    #[test]
    fn case_49_podman_does_not_tell() {
        let mut facts = image(|_| ());
        facts.engines[0].kind = EngineKind::Podman;
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
    }
}
