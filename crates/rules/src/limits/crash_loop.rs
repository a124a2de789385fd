use plimsoll_facts::Container;

use crate::answer::{fail, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// So many restarts are no accident.
const RESTARTS: u64 = 5;

/// A container that has run for so long (in seconds) has recovered.
const RECOVERED_AFTER: i64 = 600;

pub(super) const RULE: Rule = Rule {
    id: "crash-loop",
    title: "Container is restarted again and again",
    concern: Concern::Limits,
    severity: Severity::Medium,
    why: "The service does not work, although the list of containers shows it as running most of the time. A database \
          that is killed in its recovery may never finish it.",
    fix: "docker logs --tail 100 NAME and docker inspect -f '{{.State.ExitCode}} {{.State.OOMKilled}}' NAME tell why \
          (137 with OOMKilled: the memory limit). docker stop NAME ends the loop.",
    references: &["https://docs.docker.com/engine/containers/start-containers-automatically/"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    let source = container.declared.source();
    let restarts = Evidence::new("restarts by the engine", declared.restart_count.to_string(), source);
    let runs_for = declared.started_at.map(|at| cx.facts.collected_at.saturating_sub(at));
    let young = container.is_running() && runs_for.is_some_and(|seconds| seconds < RECOVERED_AFTER);
    if container.state != "restarting" && !(young && declared.restart_count > RESTARTS) {
        return pass(restarts);
    }
    let since = runs_for.map_or_else(|| "unknown".to_owned(), |seconds| format!("{seconds} s ago"));
    let evidence = vec![
        restarts.expected(format!("at most {RESTARTS}")),
        Evidence::new("last start", since, source),
        Evidence::new("state", container.state.clone(), source),
    ];
    fail(Problem::new(format!("was restarted {} times, and goes on", declared.restart_count), evidence))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of};

    #[test]
    fn restarts_and_time() {
        let with = |restarts, age: i64, state: &str| {
            let mut it = container(|c| {
                c.declared().restart_count = restarts;
                c.declared().started_at = Some(1_760_000_000 - age);
                c.state = state.into();
            });
            it.collected_at = 1_760_000_000;
            status_of(&RULE, &it)
        };
        assert_eq!(with(0, 60, "running"), Status::Pass);
        assert_eq!(with(90, 60, "running"), Status::Fail);
        assert_eq!(with(90, 86_400, "running"), Status::Pass, "it has recovered");
        assert_eq!(with(1, 5, "restarting"), Status::Fail);
        assert_eq!(with(90, 60, "exited"), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| c.declared = Default::default())), Status::Unknown);
    }
}
