use std::collections::BTreeSet;

use plimsoll_facts::{Facts, InventoryFlaws, Vulnerability};

use crate::answer::{fail, not_applicable};
use crate::package_flaws::{Ask, judge as ask, outcome, published, sighted};
use crate::{Concern, Judge, Judgement, Outcome, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-package-flaw",
    title: "A host package that containers rest on has published flaws",
    concern: Concern::Freshness,
    severity: Severity::Medium,
    why: "Between a container and the host stand more than the kernel and runC: the library that loads seccomp filters, the \
          firewall's tools, the init system that owns the cgroups, network and storage helpers that run as root. Their flaws \
          weaken every container at once. Ways out of containers stand under known-runtime-flaw and known-engine-flaw.",
    fix: "apt-get update && apt-get upgrade (dnf upgrade, apk upgrade) on the host. Turn live-restore on first where the \
          engine is among the packages: its package restarts the daemon, which stops containers otherwise.",
    references: &["https://security-tracker.debian.org/tracker/", "https://osv.dev/"],
    cis: &[],
    judge: Judge::Host(judge),
};

const ASK: Ask = Ask { wanted: |_| true, words: ("", " in what containers rest on"), severity, blind: sighted };

fn judge(facts: &Facts) -> Judgement {
    let Some(found) = outcome(facts, "host", &facts.host.packages)? else {
        return not_applicable("no package that containers rest on is installed by a package manager");
    };
    let judged_elsewhere: BTreeSet<_> =
        facts.boundary.value().into_iter().flatten().map(|verdict| verdict.id.as_str()).collect();
    let others = found.flaws.iter().filter(|flaw| !judged_elsewhere.contains(flaw.id.as_str()));
    let found = InventoryFlaws { flaws: others.cloned().collect(), ..found.clone() };
    match ask(facts, &found, &ASK)? {
        Outcome::Fail(problem) if found.flaws.iter().all(|flaw| flaw.fixed.is_none()) => {
            fail(problem.remediation("No fix is there yet: take away what is not needed, and ask again."))
        }
        other => Ok(other),
    }
}

/// What cannot be mended is for deciding, not for hurrying.
fn severity(flaw: &Vulnerability) -> Severity {
    match (&flaw.exploited, &flaw.fixed) {
        (Some(_), _) => published(flaw).max(Severity::High),
        (None, Some(_)) => published(flaw),
        (None, None) => published(flaw).min(Severity::Low),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::package_flaws::tests::{flaw, found, image_with, without_fix};
    use crate::testing::bare::{denied, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{BoundaryVerdict, Fact, Facts, Vulnerability};

    fn host_with(flaws: Vec<Vulnerability>) -> Facts {
        let mut facts = image_with(flaws);
        found(&mut facts).holder = "host".into();
        facts.boundary = known(Vec::new());
        facts
    }

    #[test]
    fn what_can_be_mended_counts_most() {
        let found = answer(&RULE, &host_with(vec![without_fix(flaw("CVE-1")), flaw("CVE-2")]));
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::Critical));
        assert_eq!(found.message, "2 flaws in what containers rest on: CVE-2, CVE-1");
        let unfixed = answer(&RULE, &host_with(vec![without_fix(flaw("CVE-1"))]));
        assert_eq!(unfixed.severity, Severity::Low);
        assert_eq!(status_of(&RULE, &host_with(Vec::new())), Status::Pass);
    }

    #[test]
    fn ways_out_of_containers_are_judged_elsewhere() {
        let mut facts = host_with(vec![flaw("CVE-2024-21626")]);
        facts.boundary =
            known(vec![BoundaryVerdict { id: "CVE-2024-21626".into(), ..BoundaryVerdict::default() }]);
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
    }

    #[test]
    fn unread_and_absent() {
        let mut facts = host_with(Vec::new());
        facts.package_flaws = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        facts.host.packages = Fact::absent("dpkg");
        assert_eq!(status_of(&RULE, &facts), Status::NotApplicable);
    }
}
