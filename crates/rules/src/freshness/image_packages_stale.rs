use plimsoll_facts::Image;

use super::users;
use crate::age::days_between;
use crate::answer::{fail, not_applicable, pass, unknown};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

const STALE_DAYS: i64 = 90;
const VERY_STALE_DAYS: i64 = 365;

pub(super) const RULE: Rule = Rule {
    id: "image-packages-stale",
    title: "No package in the image was updated for long",
    concern: Concern::Freshness,
    severity: Severity::Low,
    why: "The date of a build tells little: from an old base or a warm cache a new image gets the packages of last year. The \
          package database in the image tells when a package was last put in, and so which fixes cannot be there.",
    fix: "docker build --pull --no-cache, so that base and package lists are fetched anew, then recreate its containers, which \
          stops them.",
    references: &["https://docs.docker.com/build/building/best-practices/"],
    cis: &["4.4"],
    judge: Judge::Image(judge),
};

fn judge(cx: &EngineContext<'_>, image: &Image) -> Judgement {
    let content = image.content.require()?;
    let source = content.source.clone();
    if content.packages.is_none_or(|count| count == 0) {
        if let Some(gap) = content.gaps.first() {
            return unknown(source, gap.clone());
        }
        return not_applicable("no package manager of a distribution is in it");
    }
    let Some(days) = content.packages_changed_at.and_then(|at| days_between(at, cx.facts.collected_at)) else {
        return unknown(source, "when its package database was last changed could not be told");
    };
    let age = Evidence::new("last change of a package", format!("{days} days ago"), source).expected("90 days or less");
    if days <= STALE_DAYS {
        return pass(age);
    }
    let severity = match (users(cx, image), days > VERY_STALE_DAYS) {
        (Some(0), _) => Severity::Info,
        (_, true) => Severity::Medium,
        (_, false) => Severity::Low,
    };
    fail(Problem::new(format!("its newest package was put in {days} days ago"), vec![age]).severity(severity))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{DAY, NOW, ReachImage, denied, image};
    use crate::testing::status_of;
    use plimsoll_facts::Facts;

    fn changed(days: Option<i64>, packages: Option<u32>) -> Facts {
        image(|i| {
            i.content().packages = packages;
            i.content().packages_changed_at = days.map(|days| NOW - days * DAY);
        })
    }

    #[test]
    fn the_package_database_tells() {
        assert_eq!(status_of(&RULE, &changed(Some(400), Some(88))), Status::Fail);
        assert_eq!(status_of(&RULE, &changed(Some(10), Some(88))), Status::Pass);
        assert_eq!(status_of(&RULE, &changed(None, Some(88))), Status::Unknown);
        assert_eq!(status_of(&RULE, &changed(None, None)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &image(|i| i.content = denied())), Status::Unknown);
        let unread = image(|i| i.content().gaps = vec!["var/lib/dpkg/status: permission denied".into()]);
        assert_eq!(status_of(&RULE, &unread), Status::Unknown);
    }
}
