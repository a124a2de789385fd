use plimsoll_facts::Image;

use super::users;
use crate::answer::{fail, not_applicable, pass};
use crate::distributions::{Life, life, name};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "image-distribution-end-of-life",
    title: "Nobody mends the distribution in the image any more",
    concern: Concern::Freshness,
    severity: Severity::High,
    why: "A rebuild does not help: its package lists stay as they were on the last day. Every hole found since then in the C \
          library, TLS or the database itself is open, and an update inside says that all is current.",
    fix: "FROM a release that is mended, build, test, recreate the containers, which stops them. For a database read its notes \
          on the step between versions first, and take a dump: an older version may not read the files back.",
    references: &["os-release(5)", "https://endoflife.date/"],
    cis: &["4.4"],
    judge: Judge::Image(judge),
};

fn judge(cx: &EngineContext<'_>, image: &Image) -> Judgement {
    let content = image.content.require()?;
    let Some(os) = &content.os else {
        return not_applicable("no distribution is in it");
    };
    let evidence = Evidence::new("distribution in the image", name(os), format!("{}: etc/os-release", content.source));
    match life(os, cx.facts.collected_at) {
        Life::Until(day) => pass(evidence.expected(format!("a release that is mended (until {day})"))),
        Life::NotListed => not_applicable(format!("how long {} is mended is not known here", name(os))),
        Life::Ended(day) => {
            let evidence = evidence.expected("a release that is mended");
            let problem = Problem::new(format!("{} is not mended any more since {day}", name(os)), vec![evidence]);
            fail(if users(cx, image) == Some(0) { problem.severity(Severity::Info) } else { problem })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachImage, denied, image};
    use crate::testing::status_of;
    use plimsoll_facts::{Facts, OsRelease};

    fn os(mended_until: Option<&str>) -> Facts {
        let os = OsRelease { mended_until: mended_until.map(str::to_owned), ..OsRelease::default() };
        image(|i| i.content().os = Some(os))
    }

    #[test]
    fn releases() {
        assert_eq!(status_of(&RULE, &os(Some("2024-06-30"))), Status::Fail);
        assert_eq!(status_of(&RULE, &os(Some("2038-06-30"))), Status::Pass);
        assert_eq!(status_of(&RULE, &os(None)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|i| i.content = denied())), Status::Unknown);
    }
}
