use plimsoll_facts::{Container, FlawVerdict, Gain, ReachOutcome};

use super::boundary_flaw_reachable::{self, of, severity, shown};
use crate::answer::{and_more, fail, not_applicable, pass, unknown};
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// How many flaws a finding shows; the rest is counted.
const SHOWN: usize = 6;
/// How many a sentence names.
const NAMED: usize = 3;

pub(super) const RULE: Rule = Rule {
    id: "boundary-flaw-without-escape",
    title: "A published flaw that harms the host, but does not give it, can be exercised from inside",
    concern: Concern::Exposure,
    severity: Severity::Medium,
    why: "The kernel, the runtime or the engine of this host has a published flaw by which code in this container stops the \
          host, reads what others keep to themselves, gets at some of the host's files, passes the walls of networks, gets \
          rid of what confines it or becomes root inside. None of that is the host by itself, but it takes down its \
          neighbours, or is the first half of a way out: what a flaw wins inside is followed on by boundary-flaw-reachable.",
    fix: boundary_flaw_reachable::RULE.fix,
    references: boundary_flaw_reachable::RULE.references,
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    if container.effective.get()?.is_none() {
        return not_applicable("the container does not run");
    }
    let source = cx.facts.reach.source();
    let Some(reach) = of(cx, container)? else {
        return unknown(source, "nothing was worked out about it");
    };
    let here: Vec<&FlawVerdict> =
        reach.flaws.iter().filter(|flaw| flaw.gain != Gain::Host && flaw.present.is_affected()).collect();
    let with = |outcome: ReachOutcome| here.iter().copied().filter(move |flaw| flaw.outcome == outcome);
    let open: Vec<&FlawVerdict> = with(ReachOutcome::Reachable).collect();
    if !open.is_empty() {
        return fail(problem(&open, source));
    }
    match with(ReachOutcome::Unknown).find(|flaw| !flaw.needs_others) {
        Some(first) => {
            let missing = first.reasons.first().map_or("no reason was given", String::as_str);
            unknown(source, format!("whether {} can be exercised ({missing})", first.id))
        }
        None => {
            let passed = format!("{}, none of which can be exercised from inside alone", here.len());
            pass(Evidence::new("published flaws that harm the host without giving it", passed, source))
        }
    }
}

fn problem(open: &[&FlawVerdict], source: &str) -> Problem {
    let mut evidence: Vec<Evidence> = open.iter().take(SHOWN).map(|flaw| shown(flaw, source)).collect();
    if open.len() > SHOWN {
        let rest: Vec<&str> = open.iter().skip(SHOWN).map(|flaw| flaw.id.as_str()).collect();
        evidence.push(Evidence::new("further flaws", rest.join(", "), source));
    }
    let named: Vec<String> =
        open.iter().take(NAMED).map(|flaw| format!("{} by {}", flaw.gain.words(), flaw.id)).collect();
    let message = format!("code in it gets {}{}", named.join(", "), and_more(open.len() - named.len()));
    // One step less than a way to the host of the same weight.
    let worst = open.iter().filter_map(|flaw| severity(flaw)).max().map_or(Severity::Medium, Severity::milder);
    Problem::new(message, evidence).severity(worst).confidence(Confidence::Medium)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{BoundaryStatus, ContainerReach, Fact, Facts, FlawVerdict, Gain, ReachOutcome};

    use super::RULE;
    use crate::testing::{answer, container, status_of, stopped};
    use crate::{Severity, Status};

    fn with(gain: Gain, outcome: ReachOutcome) -> Facts {
        let mut facts = container(|_| ());
        let engine = &facts.engines[0];
        let flaw = FlawVerdict {
            id: "CVE-2026-31635".into(),
            component: "kernel".into(),
            present: BoundaryStatus::FixAvailable,
            outcome,
            gain,
            severity: "high".into(),
            ..FlawVerdict::default()
        };
        let reach = ContainerReach {
            engine: engine.endpoint.clone(),
            container: engine.containers.value().unwrap()[0].id.clone(),
            flaws: vec![flaw],
            ..ContainerReach::default()
        };
        facts.reach = Fact::known(vec![reach], "test");
        facts
    }

    #[test]
    fn what_is_won_is_said() {
        let finding = answer(&RULE, &with(Gain::DenialOfService, ReachOutcome::Reachable));
        assert_eq!((finding.status, finding.severity), (Status::Fail, Severity::Medium));
        assert_eq!(finding.message, "code in it gets the host to stop by CVE-2026-31635");
        for gain in [Gain::Unknown, Gain::Information, Gain::HostFiles, Gain::Network, Gain::ContainerRoot] {
            assert_eq!(status_of(&RULE, &with(gain, ReachOutcome::Reachable)), Status::Fail);
        }
    }

    #[test]
    fn ways_to_the_host_are_another_rule_s() {
        assert_eq!(status_of(&RULE, &with(Gain::Host, ReachOutcome::Reachable)), Status::Pass);
        assert_eq!(status_of(&RULE, &with(Gain::Information, ReachOutcome::Blocked)), Status::Pass);
        assert_eq!(status_of(&RULE, &with(Gain::Information, ReachOutcome::Unknown)), Status::Unknown);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Unknown);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
    }
}
