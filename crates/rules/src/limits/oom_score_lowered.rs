use plimsoll_facts::Container;

use crate::answer::{fail, pass};
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "oom-score-lowered",
    title: "The kernel spares the container when memory runs out, and ends others instead",
    concern: Concern::Limits,
    severity: Severity::Low,
    why: "A negative score moves the container behind others in the kernel's choice. At -1000 it is never chosen, even \
          when it is the one that uses up the host's memory.",
    fix: "Recreate the container without --oom-score-adj (this stops it). For a running process: choom -n 0 \
          -p PID, which stops nothing.",
    references: &["proc_pid_oom_score_adj(5)", "choom(1)"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    let score = container.declared.require()?.host_config.oom_score_adj;
    let evidence = Evidence::new("OomScoreAdj", score.to_string(), container.declared.source());
    if score >= 0 {
        return pass(evidence);
    }
    let severity = if score <= -900 { Severity::Medium } else { Severity::Low };
    let problem = Problem::new(
        format!("is spared when memory runs out (score {score})"),
        vec![evidence.expected("0 or more")],
    );
    fail(problem.severity(severity).confidence(Confidence::Medium))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{Reach, answer, container, status_of};
    use crate::{Severity, Status};

    #[test]
    fn negative_scores() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        let with = |score| answer(&RULE, &container(|c| c.host_config().oom_score_adj = score)).severity;
        assert_eq!((with(-100), with(-1000)), (Severity::Low, Severity::Medium));
        assert_eq!(status_of(&RULE, &container(|c| c.declared = Default::default())), Status::Unknown);
    }
}
