use crate::package_flaws::{Ask, of_holder, published, sighted};
use crate::{Concern, EngineContext, Holder, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "package-flaw-fixable",
    title: "A package has a critical or high flaw that a newer version mends",
    concern: Concern::Freshness,
    severity: Severity::High,
    why: "The fix is published, and so is what it mends: whoever compares both versions knows how to use the flaw. Judged by \
          the distribution's own data where it made the package, so that fixes which it brought back into an old version \
          count. Flaws that are known to be exploited stand under package-flaw-exploited.",
    fix: "docker build --pull --no-cache, then recreate the containers, which stops them; package-updates-waiting names what \
          the build changes.",
    references: &["https://security-tracker.debian.org/tracker/", "https://osv.dev/", "https://www.first.org/cvss/"],
    cis: &["4.4"],
    judge: Judge::Packages(judge),
};

const ASK: Ask = Ask {
    wanted: |flaw| {
        flaw.exploited.is_none() && flaw.fixed.is_some() && published(flaw) >= Severity::High
    },
    words: ("critical or high ", " with a fix"),
    severity: published,
    blind: sighted,
};

fn judge(cx: &EngineContext<'_>, holder: Holder<'_>) -> Judgement {
    of_holder(cx, holder, &ASK)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::package_flaws::tests::{excepted, flaw, found, image_with, without_fix};
    use crate::testing::bare::{denied, known};
    use crate::testing::{answer, answer_about, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Gap, InventoryFlaws, PackageInventory, Vulnerability};

    #[test]
    fn what_can_be_mended_and_matters() {
        let found = answer(&RULE, &image_with(vec![flaw("CVE-1"), without_fix(flaw("CVE-2"))]));
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::Critical));
        assert_eq!(found.message, "1 critical or high flaw with a fix: CVE-1");
        let medium = Vulnerability { severity: "medium".into(), ..flaw("CVE-1") };
        assert_eq!(status_of(&RULE, &image_with(vec![medium])), Status::Pass);
        let accepted = answer(&RULE, &image_with(vec![excepted(flaw("CVE-1"))]));
        assert_eq!((accepted.status, accepted.exception.is_some()), (Status::Fail, true));
    }

    #[test]
    fn what_cannot_be_known() {
        let mut facts = image_with(Vec::new());
        found(&mut facts).gaps = vec![Gap {
            subject: String::new(),
            source: "/var/lib/dpkg/status".into(),
            reason: "permission denied".into(),
        }];
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        facts.package_flaws = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
    }

    #[test]
    fn a_container_that_changed_its_packages_is_asked_by_itself() {
        let mut facts = image_with(vec![flaw("CVE-1")]);
        let container = &mut facts.engines[0].containers.value_mut().unwrap()[0];
        (container.id, container.state) = ("c0ffee".into(), "running".into());
        container.packages = known(PackageInventory { packages: vec![Default::default()], ..Default::default() });
        let own = InventoryFlaws {
            holder: "c0ffee".into(),
            packages: 1,
            covered: 1,
            ..InventoryFlaws::default()
        };
        facts.package_flaws.value_mut().unwrap().inventories.push(own);
        assert_eq!(answer_about(&RULE, &facts, "c0ffee").status, Status::Pass);
        assert_eq!(answer_about(&RULE, &facts, "sha256:1mage").status, Status::Fail);
        facts.engines[0].containers.value_mut().unwrap()[0].packages = denied();
        facts.package_flaws.value_mut().unwrap().inventories.pop();
        assert_eq!(answer_about(&RULE, &facts, "c0ffee").status, Status::Unknown);
    }
}
