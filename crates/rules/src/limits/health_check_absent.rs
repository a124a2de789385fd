use plimsoll_facts::{Container, EngineKind, Image};

use super::health::{Check, check, in_history};
use crate::answer::{fail, gap, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "health-check-absent",
    title: "Nobody checks whether the service in the container works",
    concern: Concern::Limits,
    severity: Severity::Low,
    why: "The engine knows whether the process lives, not whether it answers: a database that waits for a lock, or \
          refuses connections, is running. Updates that go from container to container need to know when the next \
          one is ready.",
    fix: "Recreate the container with --health-cmd 'mariadb-admin ping' --health-interval 30s (this stops it), or put a \
          HEALTHCHECK instruction into the image.",
    references: &[
        "https://docs.docker.com/reference/dockerfile/#healthcheck",
        "https://docs.docker.com/reference/cli/docker/container/run/",
    ],
    cis: &["5.27"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    let source = container.declared.source();
    let evidence = |shown: &str| Evidence::new("Healthcheck", shown, source);
    let message = match check(declared.healthcheck.as_deref()) {
        Check::Present(command) => return pass(evidence(&command)),
        Check::SwitchedOff => "its health check is switched off",
        Check::Absent => match image_check(cx, container)? {
            Check::Present(command) => return pass(evidence(&format!("of the image: {command}"))),
            _ => "it has no health check",
        },
    };
    fail(Problem::new(message, vec![evidence("none").expected("a command")]))
}

/// An engine that inherits the image's check shows it with the container. podman may leave it out of both, so that
/// its silence decides nothing unless the image's history is silent, too.
fn image_check(cx: &EngineContext<'_>, container: &Container) -> Result<Check, plimsoll_facts::Gap> {
    if cx.engine.kind != EngineKind::Podman {
        return Ok(Check::Absent);
    }
    let image: Option<&Image> = cx.image_of(container);
    let unknown = || gap("GET /images/ID/history", "podman does not tell health checks, and its image was not read");
    Ok(in_history(image.ok_or_else(unknown)?.config.require()?))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{EngineKind, Facts, HistoryStep};

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, World, container, status_of};

    fn declared(words: &[&str]) -> Facts {
        container(|c| c.declared().healthcheck = Some(words.iter().map(|&w| w.to_owned()).collect()))
    }

    #[test]
    fn declared_absent_and_switched_off() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Fail);
        assert_eq!(status_of(&RULE, &declared(&["CMD", "true"])), Status::Pass);
        assert_eq!(status_of(&RULE, &declared(&["NONE"])), Status::Fail);
    }

    /// podman: a missing check is null, which is no check.
    #[test]
    fn case_35_null_is_absent() {
        let mut it = container(|_| ());
        it.engine().kind = EngineKind::Podman;
        it.image().config.value_mut().unwrap().history =
            vec![HistoryStep { created_by: "CMD [\"x\"]".into(), ..Default::default() }];
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }

    /// podman's API leaves out the check that the image has.
    #[test]
    fn case_49_in_the_history_of_the_image() {
        let mut it = container(|_| ());
        it.engine().kind = EngineKind::Podman;
        it.image().config.value_mut().unwrap().history =
            vec![HistoryStep { created_by: "HEALTHCHECK &{[\"CMD\" \"true\"]}".into(), ..Default::default() }];
        assert_eq!(status_of(&RULE, &it), Status::Pass);
        it.image().config = Default::default();
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }

    #[test]
    fn unreadable_is_unknown() {
        assert_eq!(status_of(&RULE, &container(|c| c.declared = Default::default())), Status::Unknown);
    }
}
