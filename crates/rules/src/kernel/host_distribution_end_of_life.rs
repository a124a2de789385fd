use plimsoll_facts::Facts;

use crate::answer::{fail, not_applicable, pass};
use crate::distributions::{Life, life, name};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-distribution-end-of-life",
    title: "Nobody mends the host's distribution any more",
    concern: Concern::Kernel,
    severity: Severity::High,
    why: "Kernel, engine and runtimes of the host get no fixes, and the package manager says that all is current. Every way out \
          of a container that is found from now on stays open.",
    fix: "Upgrade to a release that is mended, or buy the extended support that the distribution sells. Both end in a reboot, \
          which stops every container.",
    references: &["os-release(5)", "https://endoflife.date/"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let os = facts.host.os.require()?;
    let evidence = Evidence::new("distribution of the host", name(os), facts.host.os.source());
    match life(os, facts.collected_at) {
        Life::Until(day) => pass(evidence.expected(format!("a release that is mended (until {day})"))),
        Life::NotListed => not_applicable(format!("how long {} is mended is not known here", name(os))),
        Life::Ended(day) => {
            let evidence = evidence.expected("a release that is mended");
            fail(Problem::new(format!("{} is not mended any more since {day}", name(os)), vec![evidence]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, host, known};
    use crate::testing::status_of;
    use plimsoll_facts::{Facts, OsRelease};

    fn os(mended_until: Option<&str>) -> Facts {
        let os = OsRelease { mended_until: mended_until.map(str::to_owned), ..OsRelease::default() };
        host(|h| h.os = known(os))
    }

    #[test]
    fn releases() {
        assert_eq!(status_of(&RULE, &os(Some("2024-06-30"))), Status::Fail);
        assert_eq!(status_of(&RULE, &os(Some("2038-06-30"))), Status::Pass);
        assert_eq!(status_of(&RULE, &os(None)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &host(|h| h.os = denied())), Status::Unknown);
    }
}
