use plimsoll_facts::Container;

use crate::answer::{fail, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// How often a container that ends with an error may be started again.
const MOST_RETRIES: i64 = 5;

pub(super) const RULE: Rule = Rule {
    id: "restart-unbounded",
    title: "The engine starts the container again however often it fails",
    concern: Concern::Limits,
    severity: Severity::Low,
    why: "A container that crashes at once is started for ever, with growing pauses of up to a minute: it hides the \
          failure, writes to a damaged database again and again, and gives an attacker unlimited attempts at a guess. \
          Where a service must come back whatever happens, an alert on its restarts makes that safe.",
    fix: "docker update --restart on-failure:5 NAME (stops nothing), and write the same where the container \
          is created. on-failure does not bring a container back after a restart of the daemon or of the \
          host: a service that must come back keeps unless-stopped, with an exception and an alert.",
    references: &["https://docs.docker.com/engine/containers/start-containers-automatically/"],
    cis: &["5.15"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    let (policy, retries) =
        (declared.host_config.restart_policy.as_str(), declared.host_config.restart_max_retries);
    let source = container.declared.source();
    let shown = match (policy, retries) {
        ("" | "no", _) => "no".to_owned(),
        ("on-failure", 0) => "on-failure, without a maximum".to_owned(),
        ("on-failure", most) => format!("on-failure, at most {most} times"),
        (other, _) => other.to_owned(),
    };
    let evidence = Evidence::new("restart policy", shown.clone(), source);
    let bounded = match policy {
        "" | "no" => true,
        "on-failure" => (1..=MOST_RETRIES).contains(&retries),
        _ => false,
    };
    if bounded {
        return pass(evidence);
    }
    let count = Evidence::new("restarts so far", declared.restart_count.to_string(), source);
    let evidence = vec![evidence.expected(format!("on-failure, at most {MOST_RETRIES} times")), count];
    fail(Problem::new(format!("is restarted without end: {shown}"), evidence))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of};

    fn policy(name: &str, retries: i64) -> Status {
        status_of(
            &RULE,
            &container(|c| {
                c.host_config().restart_policy = name.into();
                c.host_config().restart_max_retries = retries;
            }),
        )
    }

    /// `always`, and `on-failure` without a maximum: both have a maximum of 0.
    #[test]
    fn case_15_no_maximum_is_no_bound() {
        assert_eq!(policy("always", 0), Status::Fail);
        assert_eq!(policy("unless-stopped", 0), Status::Fail);
        assert_eq!(policy("on-failure", 0), Status::Fail);
        assert_eq!(policy("on-failure", 50), Status::Fail);
    }

    #[test]
    fn bounded() {
        assert_eq!(policy("no", 0), Status::Pass);
        assert_eq!(policy("on-failure", 5), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| c.declared = Default::default())), Status::Unknown);
    }
}
