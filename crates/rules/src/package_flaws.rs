//! What the advisories say about the packages of an image, a container or the host, as one answer.

use std::borrow::Cow;
use std::cmp::Reverse;

use plimsoll_facts::{Fact, Facts, InventoryFlaws, PackageInventory, Vulnerability};

use crate::answer::{and_more, fail, gap, not_applicable, unknown};
use crate::{EngineContext, Evidence, Holder, Judgement, Outcome, Problem, Severity};

/// How many flaws a finding shows; the rest is counted.
const SHOWN: usize = 8;
/// How many ids a sentence names.
const NAMED: usize = 3;
/// Characters of a summary that are shown.
const SUMMARY: usize = 160;

/// Which flaws a rule asks for, and how it speaks of them.
pub(crate) struct Ask {
    /// Whether a flaw is one of them.
    pub(crate) wanted: fn(&Vulnerability) -> bool,
    /// Words before and behind `flaws`.
    pub(crate) words: (&'static str, &'static str),
    /// How bad one of them is.
    pub(crate) severity: fn(&Vulnerability) -> Severity,
    /// Why it cannot be told that there are none, though none was found.
    pub(crate) blind: fn(&Facts, &InventoryFlaws) -> Option<String>,
}

/// The outcome of one inventory; `None` where there are no packages.
///
/// # Errors
/// What is missing: the packages, or the advisories.
pub(crate) fn outcome<'f>(
    facts: &'f Facts,
    holder: &str,
    packages: &Fact<PackageInventory>,
) -> Result<Option<&'f InventoryFlaws>, plimsoll_facts::Gap> {
    let judged = facts.package_flaws.value().and_then(|known| known.of(holder));
    if judged.is_some() {
        return Ok(judged.filter(|found| found.packages > 0 || !found.gaps.is_empty()));
    }
    let is_empty = |it: &PackageInventory| it.packages.is_empty() && it.gaps.is_empty();
    if packages.get()?.is_none_or(is_empty) {
        return Ok(None);
    }
    facts.package_flaws.require()?;
    Err(gap(facts.package_flaws.source(), "its packages were not held against the advisories"))
}

/// Asks about an image or a container. `fix` mends what is found in the image that it is, or runs from.
pub(crate) fn of_holder(cx: &EngineContext<'_>, holder: Holder<'_>, ask: &Ask) -> Judgement {
    let Some(found) = outcome(cx.facts, holder.id(), holder.packages())? else {
        return not_applicable("no packages are in it");
    };
    match judge(cx.facts, found, ask)? {
        Outcome::Fail(problem) => fail(in_use(cx, holder, problem)),
        other => Ok(other),
    }
}

/// Fails where there are flaws that are asked for; unknown where it cannot be told that there are none.
pub(crate) fn judge(facts: &Facts, found: &InventoryFlaws, ask: &Ask) -> Judgement {
    let source = facts.package_flaws.source();
    let mut wanted: Vec<_> = found.flaws.iter().filter(|flaw| (ask.wanted)(flaw)).collect();
    wanted.retain(|flaw| !flaw.vex.as_ref().is_some_and(plimsoll_facts::VexNote::suppresses));
    wanted.sort_by_key(|flaw| Reverse((ask.severity)(flaw)));
    let (excepted, open): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|flaw| flaw.exception.is_some());
    if open.is_empty() && excepted.is_empty() {
        return match (ask.blind)(facts, found).or_else(|| blind(found)) {
            Some(reason) => unknown(source, reason),
            None => Ok(Outcome::Pass(vec![coverage(found, source)])),
        };
    }
    let counted = if open.is_empty() { &excepted } else { &open };
    let mut evidence: Vec<_> = counted.iter().take(SHOWN).map(|flaw| shown(flaw)).collect();
    if counted.len() > SHOWN {
        evidence.push(Evidence::new("further flaws", list(&counted[SHOWN..], SHOWN), source));
    }
    if !open.is_empty() && !excepted.is_empty() {
        evidence.push(Evidence::new("accepted by the policy", list(&excepted, SHOWN), source));
    }
    evidence.push(coverage(found, source));
    let (before, behind) = ask.words;
    let plural = if counted.len() == 1 { "" } else { "s" };
    let minor = counted.iter().filter(|flaw| (ask.severity)(flaw) == Severity::Info).count();
    let minor = if minor == 0 { String::new() } else { format!(", {minor} of them unimportant") };
    let ids = list(counted, NAMED);
    let message = format!("{} {before}flaw{plural}{behind}{minor}: {ids}", counted.len());
    let worst = counted.iter().map(|flaw| (ask.severity)(flaw)).max().unwrap_or(Severity::Low);
    let mut problem = Problem::new(message, evidence).severity(worst);
    if open.is_empty() {
        problem.exception = excepted.first().and_then(|flaw| flaw.exception.clone());
    }
    fail(problem)
}

/// Why nothing is known about packages, though no flaw was found.
fn blind(found: &InventoryFlaws) -> Option<String> {
    if let Some(gap) = found.gaps.first() {
        return Some(format!("{}: {}", gap.source, gap.reason));
    }
    let reason = found.not_covered.first().map_or("no source speaks about them", |it| it.reason.as_str());
    (found.covered == 0).then(|| format!("none of its {} packages is covered: {reason}", found.packages))
}

/// Who runs what an image holds. In one that nobody uses a flaw harms nobody yet.
fn in_use(cx: &EngineContext<'_>, holder: Holder<'_>, mut problem: Problem) -> Problem {
    let Holder::Image(image) = holder else { return problem };
    let Some(users) = crate::freshness::containers_of(cx, image) else { return problem };
    if users.is_empty() {
        problem.severity = Some(Severity::Info);
    }
    let names =
        users.iter().take(SHOWN).map(|container| container.name.as_str()).collect::<Vec<_>>().join(", ");
    let value = match users.len() {
        0 => "none".to_owned(),
        number => format!("{number} ({names}{})", and_more(number.saturating_sub(SHOWN))),
    };
    problem.evidence.push(Evidence::new("containers made from it", value, cx.engine.containers.source()));
    problem
}

fn coverage(found: &InventoryFlaws, source: &str) -> Evidence {
    let of = found.sources.join(", ");
    let value = format!("{} of {} ({of})", found.covered, found.packages);
    Evidence::new("packages that advisories cover", value, source)
}

fn shown(flaw: &Vulnerability) -> Evidence {
    let mut words = vec![match flaw.score {
        Some(score) => format!("{} {score:.1}", flaw.severity),
        None => flaw.severity.clone(),
    }];
    words.extend(flaw.exploited.as_ref().map(|day| format!("exploited since {day}")));
    words.extend(flaw.epss.map(|p| format!("EPSS {:.0} %", p * 100.0)));
    words.extend(flaw.state.clone());
    let mut value = format!("{} {}", flaw.package, flaw.installed);
    if !flaw.summary.is_empty() {
        value = format!("{value}: {}", shortened(&flaw.summary));
    }
    let source = format!("{} {}, {}", flaw.source, flaw.advisory, flaw.location);
    let evidence = Evidence::new(format!("{} ({})", flaw.id, words.join(", ")), value, source);
    match &flaw.fixed {
        Some(fixed) => evidence.expected(format!("{fixed} or later")),
        None => evidence,
    }
}

/// The beginning of a summary, up to a word's end.
fn shortened(summary: &str) -> Cow<'_, str> {
    let Some((end, _)) = summary.char_indices().nth(SUMMARY) else { return Cow::Borrowed(summary) };
    let beginning = &summary[..end];
    Cow::Owned(format!("{} …", beginning.rsplit_once(' ').map_or(beginning, |(words, _)| words)))
}

/// The first ids, and how many more there are.
fn list(flaws: &[&Vulnerability], most: usize) -> String {
    let ids: Vec<_> = flaws.iter().take(most).map(|flaw| flaw.id.as_str()).collect();
    format!("{}{}", ids.join(", "), and_more(flaws.len() - ids.len()))
}

/// The published severity; a flaw that nobody rated is taken for medium.
pub(crate) fn published(flaw: &Vulnerability) -> Severity {
    match flaw.severity.as_str() {
        "critical" => Severity::Critical,
        "high" => Severity::High,
        "low" => Severity::Low,
        "negligible" => Severity::Info,
        _ => Severity::Medium,
    }
}

/// Nothing makes a rule blind but what makes all blind.
pub(crate) fn sighted(_: &Facts, _: &InventoryFlaws) -> Option<String> {
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::bare::{image, known};
    use plimsoll_facts::{
        AdvisoryDatabase, AdvisorySource, Container, Declared, ExceptionNote, InstalledPackage, NotCovered,
        PackageFlaws, Verdict,
    };

    /// A critical flaw of openssl that has a fix.
    pub(crate) fn flaw(id: &str) -> Vulnerability {
        Vulnerability {
            id: id.into(),
            advisory: format!("DEBIAN-{id}"),
            package: "openssl".into(),
            installed: "3.0.11-1".into(),
            fixed: Some("3.0.15-1".into()),
            status: Verdict::FixAvailable,
            severity: "critical".into(),
            source: "Debian:12".into(),
            location: "/var/lib/dpkg/status:7".into(),
            ..Vulnerability::default()
        }
    }

    pub(crate) fn without_fix(flaw: Vulnerability) -> Vulnerability {
        Vulnerability { fixed: None, status: Verdict::NoFix, ..flaw }
    }

    pub(crate) fn excepted(flaw: Vulnerability) -> Vulnerability {
        let note =
            ExceptionNote { owner: "dba".into(), reason: "not used".into(), expires: "2027-01-01".into() };
        Vulnerability { exception: Some(note), ..flaw }
    }

    /// An image of two packages from which one container runs, and what advisories say about it.
    pub(crate) fn image_with(flaws: Vec<Vulnerability>) -> Facts {
        let mut facts = image(|image| {
            image.packages = known(PackageInventory {
                packages: vec![InstalledPackage::default(), InstalledPackage::default()],
                ..PackageInventory::default()
            });
        });
        let declared = Declared { image_id: "sha256:1mage".into(), ..Declared::default() };
        facts.engines[0].containers = known(vec![Container {
            name: "db".into(),
            declared: known(declared),
            packages: Fact::absent("writable layer"),
            ..Container::default()
        }]);
        let found = InventoryFlaws {
            holder: "sha256:1mage".into(),
            packages: 2,
            covered: 2,
            sources: vec!["Debian:12".into()],
            flaws,
            ..InventoryFlaws::default()
        };
        let source = AdvisorySource {
            release: "Debian:12".into(),
            made_at: facts.collected_at,
            newest: facts.collected_at,
            ..AdvisorySource::default()
        };
        let database =
            AdvisoryDatabase { exploited: Some(1_600), sources: vec![source], ..AdvisoryDatabase::default() };
        facts.package_flaws =
            Fact::known(PackageFlaws { database, inventories: vec![found] }, "/var/lib/plimsoll");
        facts
    }

    pub(crate) fn found(facts: &mut Facts) -> &mut InventoryFlaws {
        &mut facts.package_flaws.value_mut().unwrap().inventories[0]
    }

    const ALL: Ask = Ask { wanted: |_| true, words: ("", ""), severity: published, blind: sighted };

    fn judged(flaws: Vec<Vulnerability>) -> Problem {
        let facts = image_with(flaws);
        match judge(&facts, &facts.package_flaws.value().unwrap().inventories[0], &ALL) {
            Ok(Outcome::Fail(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_worst_comes_first_and_the_rest_is_counted() {
        let low = Vulnerability { severity: "low".into(), ..flaw("CVE-0") };
        let many = [vec![low], (1..12).map(|n| flaw(&format!("CVE-{n}"))).collect()].concat();
        let problem = judged(many);
        assert_eq!(problem.severity, Some(Severity::Critical));
        assert_eq!(problem.message, "12 flaws: CVE-1, CVE-2, CVE-3 and 9 more");
        assert_eq!(problem.evidence.len(), SHOWN + 2);
        assert_eq!(problem.evidence[0].expected.as_deref(), Some("3.0.15-1 or later"));
        assert_eq!(problem.evidence[SHOWN].value, "CVE-9, CVE-10, CVE-11, CVE-0");
        assert_eq!(problem.evidence[SHOWN + 1].value, "2 of 2 (Debian:12)");
    }

    #[test]
    fn what_the_policy_accepts_does_not_count_and_is_shown() {
        let low = Vulnerability { severity: "low".into(), ..flaw("CVE-1") };
        let both = judged(vec![excepted(flaw("CVE-2")), low]);
        assert_eq!((both.severity, both.exception), (Some(Severity::Low), None));
        assert_eq!(both.evidence[1].value, "CVE-2");
        let all = judged(vec![excepted(flaw("CVE-2"))]);
        assert_eq!(all.exception.unwrap().owner, "dba");
    }

    #[test]
    fn what_is_not_covered_is_not_right() {
        let mut facts = image_with(Vec::new());
        let it = found(&mut facts);
        it.covered = 0;
        it.not_covered = vec![NotCovered { reason: "nobody says".into(), count: 2, examples: Vec::new() }];
        let gap = judge(&facts, &facts.package_flaws.value().unwrap().inventories[0], &ALL).unwrap_err();
        assert_eq!(gap.reason, "none of its 2 packages is covered: nobody says");
    }
}
