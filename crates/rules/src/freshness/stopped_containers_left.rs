use plimsoll_facts::{Container, Engine, Facts, Gap};

use crate::age::days_between;
use crate::answer::{fail, gap, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// A month: whoever wanted to look at it or start it again has done so.
const LEFT_DAYS: i64 = 30;

pub(super) const RULE: Rule = Rule {
    id: "stopped-containers-left",
    title: "Stopped containers were left behind",
    concern: Concern::Freshness,
    severity: Severity::Info,
    why: "Each can be started again with the powers, mounts and holes of its day, keeps its data and its secrets on the disk, \
          and holds its image.",
    fix: "docker container prune --filter until=720h removes those that were made more than 30 days ago and do not run; their \
          anonymous volumes stay until docker volume prune. Stops nothing. Save what you need from them first (docker cp).",
    references: &["https://docs.docker.com/reference/cli/docker/container/prune/"],
    cis: &["6.2"],
    judge: Judge::Engine(judge),
};

fn judge(facts: &Facts, engine: &Engine) -> Judgement {
    let source = engine.containers.source();
    let all = engine.containers.require()?;
    if all.iter().all(Container::is_running) {
        return not_applicable("no container of the engine is stopped");
    }
    let mut left = Vec::new();
    for container in all.iter().filter(|c| !c.is_running()) {
        let days = idle_days(container, facts.collected_at)?;
        if days > LEFT_DAYS {
            left.push(Evidence::new(container.name.clone(), format!("{}, {days} days", container.state), source));
        }
    }
    if left.is_empty() {
        return pass(Evidence::new("containers that did not run for 30 days", format!("0 of {}", all.len()), source));
    }
    let message = format!("{} of {} containers did not run for more than {LEFT_DAYS} days", left.len(), all.len());
    left.truncate(20);
    fail(Problem::new(message, left))
}

/// Days since it last ended, or was made where it never ran.
fn idle_days(container: &Container, now: i64) -> Result<i64, Gap> {
    let declared = container.declared.require()?;
    let since = match (declared.finished_at, declared.started_at) {
        (Some(ended), _) => Some(ended),
        (None, None) => declared.created_at,
        (None, Some(_)) => None,
    };
    let reason = || gap(container.declared.source(), "the engine did not tell when it ended");
    since.and_then(|at| days_between(at, now)).ok_or_else(reason)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{DAY, NOW, denied, engine, known};
    use crate::testing::status_of;
    use plimsoll_facts::{Container, Declared, Facts};

    fn container(state: &str, created: i64, started: Option<i64>, ended: Option<i64>) -> Facts {
        let ago = |days: i64| NOW - days * DAY;
        let declared = Declared {
            created_at: Some(ago(created)),
            started_at: started.map(ago),
            finished_at: ended.map(ago),
            ..Declared::default()
        };
        let container = Container { state: state.into(), declared: known(declared), ..Container::default() };
        engine(|e| e.containers = known(vec![container]))
    }

    #[test]
    fn since_when_it_did_not_run() {
        assert_eq!(status_of(&RULE, &container("exited", 400, Some(400), Some(31))), Status::Fail);
        assert_eq!(status_of(&RULE, &container("created", 31, None, None)), Status::Fail);
        assert_eq!(status_of(&RULE, &container("exited", 400, Some(400), Some(3))), Status::Pass);
        assert_eq!(status_of(&RULE, &container("running", 400, Some(400), None)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container("exited", 400, Some(400), None)), Status::Unknown);
    }

    #[test]
    fn none_and_unread() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.containers = denied())), Status::Unknown);
    }
}
