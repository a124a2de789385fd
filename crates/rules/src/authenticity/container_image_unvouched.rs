use plimsoll_facts::{Container, TrustOutcome};

use crate::answer::{fail, not_applicable, pass, unknown};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "container-image-unvouched",
    title: "A running container's image has no trusted signature",
    concern: Concern::Authenticity,
    severity: Severity::Medium,
    why: "Nobody whom the policy trusts vouches for the bytes that run: they may come from anybody who could push to the \
          registry, answer for its name, or reach the engine. A signature that does not hold, or is of somebody else, is worse.",
    fix: "Let whoever builds the image sign it, pull the signed digest, and recreate the container; it stops while that is done. \
          What is built here and meant to run unsigned is an exception in plimsoll.toml.",
    references: &["https://docs.docker.com/engine/security/trust/", "https://docs.sigstore.dev/"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    const SOURCE: &str = "plimsoll audit --verify";
    if !container.is_running() {
        return not_applicable("it does not run");
    }
    let Some(found) = &container.authenticity else {
        return not_applicable("nobody was asked who vouches for its image (plimsoll audit --verify)");
    };
    let evidence = Evidence::new("who vouches for its image", found.outcome.id(), SOURCE);
    let severity = match found.outcome {
        TrustOutcome::Verified => return pass(evidence),
        outcome if outcome.is_unknown() => return unknown(SOURCE, found.reason.clone()),
        TrustOutcome::BadSignature | TrustOutcome::UntrustedKey => Severity::High,
        _ => Severity::Medium,
    };
    let message = format!("nobody trusted vouches for {}: {}", found.reference, found.reason);
    fail(Problem::new(message, vec![evidence.expected("verified")]).severity(severity))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Authenticity, TrustOutcome};

    use super::RULE;
    use crate::testing::{answer, container};
    use crate::{Severity, Status};

    #[test]
    fn the_outcome_decides() {
        let of = |outcome| {
            let found = Authenticity { outcome, ..Authenticity::default() };
            answer(&RULE, &container(|c| c.authenticity = Some(found)))
        };
        assert_eq!(of(TrustOutcome::Verified).status, Status::Pass);
        assert_eq!(of(TrustOutcome::Unavailable).status, Status::Unknown);
        assert_eq!(of(TrustOutcome::Unsupported).status, Status::Unknown);
        for (outcome, severity) in [
            (TrustOutcome::Unsigned, Severity::Medium),
            (TrustOutcome::Local, Severity::Medium),
            (TrustOutcome::Stale, Severity::Medium),
            (TrustOutcome::UntrustedKey, Severity::High),
            (TrustOutcome::BadSignature, Severity::High),
        ] {
            let found = of(outcome);
            assert_eq!((found.status, found.severity), (Status::Fail, severity), "{outcome:?}");
        }
    }
}
