use std::collections::BTreeMap;

use plimsoll_facts::Vulnerability;

use super::users;
use crate::answer::{and_more, fail, not_applicable, pass, unknown};
use crate::package_flaws::{outcome, published};
use crate::version::natural;
use crate::{Concern, EngineContext, Evidence, Holder, Judge, Judgement, Problem, Rule, Severity};

/// Packages that a finding shows; the rest is counted.
const SHOWN: usize = 10;

pub(super) const RULE: Rule = Rule {
    id: "package-updates-waiting",
    title: "A rebuild would bring fixed packages",
    concern: Concern::Freshness,
    severity: Severity::Medium,
    why: "These packages have newer versions that mend published flaws, and an update would change them now. An image does \
          not update itself: what was current on the day of its build stays as it is, in every container that is made from it.",
    fix: "docker build --pull --no-cache, then recreate the containers, which stops them. Without the Dockerfile: pull the tag \
          again, or build FROM it with the package manager's upgrade.",
    references: &["https://docs.docker.com/build/building/best-practices/#rebuild-your-images-often", "https://osv.dev/"],
    cis: &["4.4"],
    judge: Judge::Packages(judge),
};

fn judge(cx: &EngineContext<'_>, holder: Holder<'_>) -> Judgement {
    let Some(found) = outcome(cx.facts, holder.id(), holder.packages())? else {
        return not_applicable("no packages are in it");
    };
    let source = cx.facts.package_flaws.source();
    let mut updates: BTreeMap<(&str, &str), Update<'_>> = BTreeMap::new();
    for flaw in found.flaws.iter().filter(|flaw| flaw.fixed.is_some() && !flaw.is_suppressed()) {
        updates.entry((&flaw.package, &flaw.installed)).or_default().add(flaw);
    }
    if updates.is_empty() && found.covered == 0 {
        return unknown(source, format!("none of its {} packages is covered", found.packages));
    }
    let covered = format!("{} of {}", found.covered, found.packages);
    let covered = Evidence::new("packages that advisories cover", covered, source);
    if updates.is_empty() {
        return pass(covered);
    }
    let mut updates: Vec<_> = updates.into_iter().collect();
    updates.sort_by_key(|(_, update)| std::cmp::Reverse(update.worst()));
    fail(problem(cx, holder, &updates, covered))
}

fn problem(
    cx: &EngineContext<'_>,
    holder: Holder<'_>,
    updates: &[((&str, &str), Update<'_>)],
    covered: Evidence,
) -> Problem {
    let source = cx.facts.package_flaws.source();
    let mut evidence: Vec<_> = updates.iter().take(SHOWN).map(|(of, update)| update.shown(*of)).collect();
    if updates.len() > SHOWN {
        let names: Vec<_> = updates.iter().skip(SHOWN).take(2 * SHOWN).map(|((name, _), _)| *name).collect();
        let more = and_more(updates.len() - SHOWN - names.len());
        evidence.push(Evidence::new("further packages", format!("{}{more}", names.join(", ")), source));
    }
    evidence.push(covered);
    let mended: usize = updates.iter().map(|(_, update)| update.flaws.len()).sum();
    let names: Vec<_> = updates.iter().take(3).map(|((name, _), _)| *name).collect();
    let message = format!(
        "an update would change {} and mend {} now: {}{}",
        count(updates.len(), "package"),
        count(mended, "flaw"),
        names.join(", "),
        and_more(updates.len() - names.len())
    );
    let unused = matches!(holder, Holder::Image(image) if users(cx, image) == Some(0));
    let worst = updates.iter().map(|(_, update)| update.worst()).max().unwrap_or(Severity::Low);
    Problem::new(message, evidence).severity(if unused { Severity::Info } else { worst.min(Severity::Medium) })
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What a newer version of one package mends.
#[derive(Default)]
struct Update<'a> {
    flaws: Vec<&'a Vulnerability>,
}

impl<'a> Update<'a> {
    fn add(&mut self, flaw: &'a Vulnerability) {
        self.flaws.push(flaw);
    }

    fn worst(&self) -> Severity {
        self.flaws.iter().map(|flaw| published(flaw)).max().unwrap_or(Severity::Low)
    }

    fn shown(&self, (name, installed): (&str, &str)) -> Evidence {
        let fixed = self.flaws.iter().filter_map(|flaw| flaw.fixed.as_deref()).max_by(|a, b| natural(a, b));
        let first = self.flaws.first().map_or("", |flaw| flaw.id.as_str());
        let value = format!("{installed}; mends {first}{}", and_more(self.flaws.len() - 1));
        let source = self.flaws.first().map_or("", |flaw| flaw.source.as_str());
        Evidence::new(name.to_owned(), value, source).expected(format!("{} or later", fixed.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::package_flaws::tests::{excepted, flaw, found, image_with, without_fix};
    use crate::testing::bare::denied;
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::Vulnerability;

    #[test]
    fn each_package_once_with_its_newest_fix() {
        let later = Vulnerability { fixed: Some("3.0.16-1".into()), ..flaw("CVE-2") };
        let other = Vulnerability { package: "zlib".into(), severity: "low".into(), ..flaw("CVE-3") };
        let found = answer(&RULE, &image_with(vec![flaw("CVE-1"), later, other, without_fix(flaw("CVE-4"))]));
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::Medium));
        assert_eq!(found.message, "an update would change 2 packages and mend 3 flaws now: openssl, zlib");
        assert_eq!(found.evidence[0].value, "3.0.11-1; mends CVE-1 and 1 more");
        assert_eq!(found.evidence[0].expected.as_deref(), Some("3.0.16-1 or later"));
    }

    #[test]
    fn nothing_waits() {
        assert_eq!(status_of(&RULE, &image_with(vec![without_fix(flaw("CVE-1"))])), Status::Pass);
        assert_eq!(status_of(&RULE, &image_with(vec![excepted(flaw("CVE-1"))])), Status::Pass);
        let mut facts = image_with(Vec::new());
        found(&mut facts).covered = 0;
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        facts.package_flaws = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
    }
}
