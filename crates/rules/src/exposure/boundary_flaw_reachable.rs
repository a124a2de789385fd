use plimsoll_facts::{Container, ContainerReach, Facts, FlawVerdict, Gain, ReachOutcome};

use crate::answer::{fail, not_applicable, pass, unknown};
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// How many flaws a finding shows; the rest is counted.
const SHOWN: usize = 6;
/// How many ids a sentence names.
const NAMED: usize = 3;

pub(super) const RULE: Rule = Rule {
    id: "boundary-flaw-reachable",
    title: "A published way out of the container can be gone from inside",
    concern: Concern::Exposure,
    severity: Severity::High,
    why: "The kernel, the runtime or the engine of this host has a published flaw by which code in a container gets \
          the host, and nothing that the kernel enforces for this container stops it: no seccomp filter, no missing \
          capability, no namespace. Whoever breaks into its application is one exploit away from the host and all \
          other containers.",
    fix: "Upgrade what has the flaw (the finding names the package; `plimsoll audit` says what the restart stops). \
          Until then close the way for this container: `plimsoll what-if CONTAINER --cap-drop …` shows which options \
          do. The container has to be made anew with them.",
    references: &[
        "https://docs.docker.com/engine/security/",
        "seccomp(2)",
        "capabilities(7)",
        "user_namespaces(7)",
    ],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    if container.effective.get()?.is_none() {
        return not_applicable("the container does not run");
    }
    let Some(reach) = of(cx, container)? else {
        return unknown(cx.facts.reach.source(), "nothing was worked out about it");
    };
    // Whether a flaw is there is the question of the rules about kernel, runtime and engine.
    let ways: Vec<_> =
        reach.flaws.iter().filter(|flaw| flaw.gain == Gain::Host && flaw.present.is_affected()).collect();
    let open: Vec<_> =
        ways.iter().copied().filter(|flaw| flaw.outcome == ReachOutcome::Reachable).collect();
    if !open.is_empty() {
        return fail(problem(&open, cx.facts));
    }
    let doubtful: Vec<_> = ways.iter().filter(|flaw| flaw.outcome == ReachOutcome::Unknown && !flaw.needs_others).collect();
    match doubtful.first() {
        Some(first) => {
            let missing = first.reasons.first().map_or("no reason was given", String::as_str);
            let reason = format!("{} of {} ways out cannot be told: {} ({missing})", doubtful.len(), ways.len(), first.id);
            unknown(cx.facts.reach.source(), reason)
        }
        None => pass(Evidence::new(
            "published ways out that are there",
            passed(&ways),
            cx.facts.reach.source(),
        )),
    }
}

fn passed(ways: &[&FlawVerdict]) -> String {
    match ways.iter().filter(|flaw| flaw.needs_others).count() {
        0 => format!("{}, none of which can be gone", ways.len()),
        others => format!("{}, none of which can be gone from inside alone; {others} if somebody else acts", ways.len()),
    }
}

pub(super) fn of<'f>(
    cx: &EngineContext<'f>,
    container: &Container,
) -> Result<Option<&'f ContainerReach>, plimsoll_facts::Gap> {
    let all = cx.facts.reach.require()?;
    Ok(all.iter().find(|it| it.container == container.id && it.engine == cx.engine.endpoint))
}

fn problem(open: &[&FlawVerdict], facts: &Facts) -> Problem {
    let source = facts.reach.source();
    let mut evidence: Vec<_> = open.iter().take(SHOWN).map(|flaw| shown(flaw, source)).collect();
    if open.len() > SHOWN {
        let rest: Vec<_> = open.iter().skip(SHOWN).map(|flaw| flaw.id.as_str()).collect();
        evidence.push(Evidence::new("further flaws", rest.join(", "), source));
    }
    let ids: Vec<_> = open.iter().take(NAMED).map(|flaw| flaw.id.as_str()).collect();
    let more = match open.len() - ids.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let message = format!("code in it can exercise {}{more}, and get the host", ids.join(", "));
    let worst = open.iter().filter_map(|flaw| severity(flaw)).max().unwrap_or(Severity::High);
    Problem::new(message, evidence).severity(worst).confidence(Confidence::Medium)
}

pub(super) fn shown(flaw: &FlawVerdict, source: &str) -> Evidence {
    let after = flaw.after.as_ref().map(|id| format!("after {id}: ")).unwrap_or_default();
    let fixed = match (&flaw.package, &flaw.fixed) {
        (Some(package), Some(version)) => format!(" (fixed in {package} {version})"),
        (None, Some(version)) => format!(" (fixed in {version})"),
        _ => " (no fix is offered)".to_owned(),
    };
    let what = format!("{} in {}{fixed}", flaw.id, flaw.component);
    Evidence::new(what, format!("{after}{}", flaw.reasons.join("; ")), source)
}

pub(super) fn severity(flaw: &FlawVerdict) -> Option<Severity> {
    let known = Severity::WORST_FIRST.into_iter().find(|severity| severity.id() == flaw.severity);
    if flaw.exploited.is_some() { Some(Severity::Critical) } else { known }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{BoundaryStatus, ContainerReach, Fact, FlawVerdict, Gain, ReachOutcome};

    use super::RULE;
    use crate::testing::{answer, container, status_of, stopped};
    use crate::{Severity, Status};

    fn flaw(outcome: ReachOutcome, present: BoundaryStatus) -> FlawVerdict {
        FlawVerdict {
            id: "CVE-2022-0847".into(),
            component: "kernel".into(),
            present,
            outcome,
            reasons: vec!["splice passes the kernel's filter (x86_64)".into()],
            gain: Gain::Host,
            severity: "high".into(),
            ..FlawVerdict::default()
        }
    }

    fn with(flaws: Vec<FlawVerdict>) -> plimsoll_facts::Facts {
        let mut facts = container(|_| ());
        let engine = &facts.engines[0];
        let reach = ContainerReach {
            engine: engine.endpoint.clone(),
            container: engine.containers.value().unwrap()[0].id.clone(),
            flaws,
            ..ContainerReach::default()
        };
        facts.reach = Fact::known(vec![reach], "test");
        facts
    }

    #[test]
    fn a_flaw_that_is_there_and_open() {
        let mut open = flaw(ReachOutcome::Reachable, BoundaryStatus::FixAvailable);
        let finding = answer(&RULE, &with(vec![open.clone()]));
        assert_eq!((finding.status, finding.severity), (Status::Fail, Severity::High));
        assert!(finding.message.contains("CVE-2022-0847"));
        open.exploited = Some("2022-04-25".into());
        assert_eq!(answer(&RULE, &with(vec![open])).severity, Severity::Critical);
    }

    #[test]
    fn what_takes_somebody_else_is_no_way_from_inside() {
        let mut flaw = flaw(ReachOutcome::Unknown, BoundaryStatus::NoFix);
        flaw.needs_others = true;
        assert_eq!(status_of(&RULE, &with(vec![flaw])), Status::Pass);
    }

    #[test]
    fn what_cannot_be_told_is_unknown_and_what_is_blocked_passes() {
        let status = |outcome, present| status_of(&RULE, &with(vec![flaw(outcome, present)]));
        assert_eq!(status(ReachOutcome::Reachable, BoundaryStatus::Unknown), Status::Pass);
        assert_eq!(status(ReachOutcome::Unknown, BoundaryStatus::NoFix), Status::Unknown);
        assert_eq!(status(ReachOutcome::Blocked, BoundaryStatus::NoFix), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Unknown);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
    }
}
