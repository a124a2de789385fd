use plimsoll_facts::{Facts, InventoryFlaws, Vulnerability};

use crate::package_flaws::{Ask, of_holder, published};
use crate::{Concern, EngineContext, Holder, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "package-flaw-unfixed",
    title: "A package has published flaws that nobody has mended yet",
    concern: Concern::Freshness,
    severity: Severity::Low,
    why: "No update helps, so this is for deciding and not for hurrying: distributions leave open what they think minor, or \
          what is hard to reach, and say so beside the flaw. Where it matters here, the package can be left out, or what makes \
          the flaw reachable. What the distribution calls unimportant is for your information only.",
    fix: "Leave the package out of the image where the service does not need it (dpkg -s PACKAGE; a smaller base), or accept the \
          flaw in plimsoll.toml with a reason and a date. A rebuild does not mend it.",
    references: &["https://security-team.debian.org/security_tracker.html", "docs/policy.md"],
    cis: &["4.4"],
    judge: Judge::Packages(judge),
};

const ASK: Ask = Ask {
    wanted: |flaw| flaw.exploited.is_none() && flaw.fixed.is_none(),
    words: ("", " without a fix"),
    severity,
    blind,
};

fn judge(cx: &EngineContext<'_>, holder: Holder<'_>) -> Judgement {
    of_holder(cx, holder, &ASK)
}

/// By what the distribution says: one whose release has ended mends nothing any more, however bad it is.
fn severity(flaw: &Vulnerability) -> Severity {
    match flaw.state.as_deref() {
        Some("end-of-life") => published(flaw).min(Severity::High),
        Some("unimportant" | "ignored" | "postponed" | "no-dsa") => Severity::Info,
        _ => published(flaw).min(Severity::Low),
    }
}

/// Many distributions publish fixes alone.
fn blind(facts: &Facts, found: &InventoryFlaws) -> Option<String> {
    let known = facts.package_flaws.value()?.database.sources.iter();
    let mut asked = known.filter(|source| found.sources.contains(&source.release));
    asked.find_map(|source| Some(format!("{}: {}", source.release, source.limits.as_ref()?)))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::package_flaws::tests::{flaw, image_with, without_fix};
    use crate::testing::bare::denied;
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::Vulnerability;

    fn said(state: &str) -> Severity {
        let flaw = Vulnerability { state: Some(state.into()), ..without_fix(flaw("CVE-1")) };
        answer(&RULE, &image_with(vec![flaw])).severity
    }

    #[test]
    fn the_distribution_says_how_bad_it_is() {
        let found = answer(&RULE, &image_with(vec![without_fix(flaw("CVE-1")), flaw("CVE-2")]));
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::Low));
        assert_eq!(found.message, "1 flaw without a fix: CVE-1");
        assert_eq!((said("unimportant"), said("end-of-life")), (Severity::Info, Severity::High));
        assert_eq!(status_of(&RULE, &image_with(vec![flaw("CVE-2")])), Status::Pass);
    }

    #[test]
    fn a_source_of_fixes_alone_does_not_know() {
        let mut facts = image_with(Vec::new());
        facts.package_flaws.value_mut().unwrap().database.sources[0].limits = Some("only fixes".into());
        assert_eq!(answer(&RULE, &facts).message, "/var/lib/plimsoll: Debian:12: only fixes");
        facts.package_flaws = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
    }
}
