use crate::answer::{not_applicable, pass, unknown};
use crate::package_flaws::outcome;
use crate::{Concern, EngineContext, Evidence, Holder, Judge, Judgement, Rule, Severity};

/// Reasons that an answer names.
const REASONS: usize = 3;

pub(super) const RULE: Rule = Rule {
    id: "packages-not-covered",
    title: "Nothing is known about the flaws of some packages",
    concern: Concern::Freshness,
    severity: Severity::Medium,
    why: "Where no source of advisories speaks about a package, no flaw is found, and none found reads like none there. \
          Packages of third parties in the distribution's format, releases whose advisories were not imported, programs \
          that nobody lists: each has its reason here.",
    fix: "plimsoll db update, or plimsoll db import for what is not fetched by itself; for packages of third parties read \
          their publisher's own advisories. Stops nothing.",
    references: &["https://osv.dev/", "docs/scan.md"],
    cis: &["4.4"],
    judge: Judge::Packages(judge),
};

fn judge(cx: &EngineContext<'_>, holder: Holder<'_>) -> Judgement {
    let Some(found) = outcome(cx.facts, holder.id(), holder.packages())? else {
        return not_applicable("no packages are in it");
    };
    let source = cx.facts.package_flaws.source();
    if found.covered < found.packages {
        let reasons = found.not_covered.iter().take(REASONS).map(|it| {
            let names = if it.examples.is_empty() { String::new() } else { format!(" ({})", it.examples.join(", ")) };
            format!("{} {}{names}", it.count, it.reason)
        });
        let missing = found.packages - found.covered;
        let reasons = reasons.collect::<Vec<_>>().join("; ");
        return unknown(source, format!("{missing} of {} packages are not covered: {reasons}", found.packages));
    }
    if let Some(gap) = found.gaps.first() {
        return unknown(gap.source.clone(), gap.reason.clone());
    }
    let value = format!("{} of {} ({})", found.covered, found.packages, found.sources.join(", "));
    pass(Evidence::new("packages that advisories cover", value, source))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::package_flaws::tests::{found, image_with};
    use crate::testing::bare::denied;
    use crate::testing::{answer, status_of};
    use plimsoll_facts::{Fact, Gap, NotCovered, PackageInventory};

    #[test]
    fn what_is_not_covered_is_named() {
        assert_eq!(status_of(&RULE, &image_with(Vec::new())), Status::Pass);
        let mut facts = image_with(Vec::new());
        found(&mut facts).covered = 1;
        found(&mut facts).not_covered = vec![NotCovered {
            reason: "published by mariadb.org".into(),
            count: 1,
            examples: vec!["mariadb-server".into()],
        }];
        let answer = answer(&RULE, &facts);
        assert_eq!(answer.status, Status::Unknown);
        assert!(
            answer
                .message
                .ends_with("1 of 2 packages are not covered: 1 published by mariadb.org (mariadb-server)")
        );
    }

    #[test]
    fn unread_and_empty() {
        let mut facts = image_with(Vec::new());
        found(&mut facts).gaps =
            vec![Gap { subject: String::new(), source: "/x.jar".into(), reason: "damaged".into() }];
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        facts.package_flaws = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        let image = &mut facts.engines[0].images.value_mut().unwrap()[0];
        image.packages = Fact::known(PackageInventory::default(), "x");
        assert_eq!(status_of(&RULE, &facts), Status::NotApplicable);
    }
}
