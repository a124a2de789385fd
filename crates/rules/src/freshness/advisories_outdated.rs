use plimsoll_facts::{AdvisorySource, Facts};

use crate::age::days_between;
use crate::answer::{pass, unknown};
use crate::{Concern, Evidence, Judge, Judgement, Rule, Severity};

/// Days after which the local advisories do not speak about today.
const OLD_DAYS: i64 = 7;
/// Days without a new record after which a source is taken for cut off: it was imported from an old copy, or its release
/// has ended.
const SILENT_DAYS: i64 = 60;

pub(super) const RULE: Rule = Rule {
    id: "advisories-outdated",
    title: "Recent flaws of packages cannot be known",
    concern: Concern::Freshness,
    severity: Severity::Medium,
    why: "Flaws are published every day. Without advisories, or with those of last month, an audit knows nothing of what \
          came since, and the worst flaws are used within days. Held against the day on which the facts were collected.",
    fix: "plimsoll db update (a timer does it best), or plimsoll db import PATH where the host has no network. Stops nothing.",
    references: &["https://osv.dev/", "https://www.cisa.gov/known-exploited-vulnerabilities-catalog"],
    cis: &[],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let known = facts.package_flaws.require()?;
    let source = facts.package_flaws.source();
    if let Some(damaged) = known.database.damaged.first() {
        return unknown(source, damaged.reason.clone());
    }
    let is_asked = |it: &&AdvisorySource| known.inventories.iter().any(|i| i.sources.contains(&it.release));
    let asked: Vec<_> = known.database.sources.iter().filter(is_asked).collect();
    for it in &asked {
        let release = &it.release;
        match days_between(it.made_at, facts.collected_at) {
            Some(days) if days > OLD_DAYS => {
                return unknown(source, format!("the advisories of {release} are {days} days old: later flaws are not known"));
            }
            _ => {}
        }
        match days_between(it.newest, facts.collected_at) {
            Some(days) if days > SILENT_DAYS => {
                let reason = format!("the newest advisory of {release} is {days} days old: later flaws are not known");
                return unknown(source, reason);
            }
            _ => {}
        }
    }
    let value = match asked.iter().map(|it| it.made_at).min().and_then(|at| days_between(at, facts.collected_at)) {
        None => format!("{} releases, none of which was needed", known.database.sources.len()),
        Some(days) => format!("{} releases that were needed, {days} days old at most", asked.len()),
    };
    pass(Evidence::new("advisories", value, source).expected(format!("{OLD_DAYS} days or less")))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::package_flaws::tests::image_with;
    use crate::testing::answer;
    use crate::testing::bare::{DAY, denied};
    use plimsoll_facts::{Facts, Gap};

    fn asked(change: impl FnOnce(&mut Facts)) -> (Status, String) {
        let mut facts = image_with(Vec::new());
        change(&mut facts);
        let found = answer(&RULE, &facts);
        (found.status, found.message)
    }

    #[test]
    fn age_decides() {
        let source = |facts: &mut Facts, made: i64, newest: i64| {
            let now = facts.collected_at;
            let source = &mut facts.package_flaws.value_mut().unwrap().database.sources[0];
            (source.made_at, source.newest) = (now - made * DAY, now - newest * DAY);
        };
        assert_eq!(asked(|f| source(f, 7, 60)).0, Status::Pass);
        let (status, message) = asked(|f| source(f, 8, 8));
        assert_eq!(status, Status::Unknown);
        assert!(message.contains("the advisories of Debian:12 are 8 days old"), "{message}");
        let (status, message) = asked(|f| source(f, 0, 61));
        assert_eq!(status, Status::Unknown);
        assert!(message.contains("the newest advisory of Debian:12 is 61 days old"), "{message}");
    }

    #[test]
    fn missing_and_damaged() {
        assert_eq!(asked(|f| f.package_flaws = denied()).0, Status::Unknown);
        let damaged = asked(|f| {
            let gap = Gap { subject: String::new(), source: "x".into(), reason: "x is damaged".into() };
            f.package_flaws.value_mut().unwrap().database.damaged.push(gap);
        });
        assert_eq!(damaged, (Status::Unknown, "/var/lib/plimsoll: x is damaged".to_owned()));
    }
}
