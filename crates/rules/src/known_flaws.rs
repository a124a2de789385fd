//! What the boundary knowledge says about one program or the kernel, as one answer.

use std::cmp::Reverse;

use plimsoll_facts::{BoundaryStatus, BoundaryVerdict, Facts};

use crate::answer::{and_more, fail, not_applicable, unknown};
use crate::version::natural;
use crate::{Confidence, Evidence, Judgement, Outcome, Problem, Severity};

/// How many flaws a finding shows; the rest is counted.
const SHOWN: usize = 8;

/// How many ids a sentence names.
const NAMED: usize = 3;

/// Who installs a program, and what puts a new one in force.
pub(crate) struct Renewal<'a> {
    /// `dpkg`, `rpm`, `apk`; empty where no package manager does.
    pub(crate) manager: &'a str,
    /// What the remedy installs: a package, or a program by name.
    pub(crate) what: &'a str,
    /// What puts it in force, and what that stops.
    pub(crate) then: &'a str,
}

/// Fails where the program has published flaws, worst first; unknown where that could not be told of any.
pub(crate) fn judge(facts: &Facts, program: &str, renewal: &Renewal<'_>) -> Judgement {
    let known = facts.boundary.require()?;
    let source = facts.boundary.source();
    let about: Vec<_> = known.iter().filter(|verdict| verdict.program == program).collect();
    let open: Vec<_> =
        about.iter().copied().filter(|verdict| verdict.status == BoundaryStatus::Unknown).collect();
    let mut flaws: Vec<_> = about.iter().copied().filter(|verdict| verdict.status.is_affected()).collect();
    if about.is_empty() {
        return not_applicable("no boundary advisory is about it");
    }
    if !flaws.is_empty() {
        flaws.sort_by_key(|flaw| {
            let scored = flaw.severity != "unknown";
            Reverse((severity(flaw), flaw.exploited.is_some(), flaw.certain, flaw.metasploit, scored))
        });
        return fail(problem(&flaws, &open, about.len(), source, renewal));
    }
    match open.first() {
        None => Ok(Outcome::Pass(vec![checked(&about, source)])),
        Some(first) => {
            let reason = first.reason.as_deref().unwrap_or("no reason was given");
            let count = format!("{} of {} advisories cannot be judged", open.len(), about.len());
            unknown(source, format!("{count}: {} ({reason}){}", first.id, and_more(open.len() - 1)))
        }
    }
}

fn checked(about: &[&BoundaryVerdict], source: &str) -> Evidence {
    let count = |status| about.iter().filter(|verdict| verdict.status == status).count();
    let guessed = about.iter().filter(|verdict| !verdict.certain).count();
    let guessed = if guessed == 0 { String::new() } else { format!("; by version alone: {guessed}") };
    let value = format!(
        "{} (fixed: {}, never affected: {}{guessed})",
        about.len(),
        count(BoundaryStatus::Fixed),
        count(BoundaryStatus::NotAffected)
    );
    Evidence::new("advisories about it", value, source.to_owned())
}

fn problem(
    flaws: &[&BoundaryVerdict],
    open: &[&BoundaryVerdict],
    checked: usize,
    source: &str,
    renewal: &Renewal<'_>,
) -> Problem {
    let mut evidence: Vec<_> = flaws.iter().take(SHOWN).map(|flaw| shown(flaw)).collect();
    if flaws.len() > SHOWN {
        let rest: Vec<_> = flaws.iter().skip(SHOWN).map(|flaw| flaw.id.as_str()).collect();
        evidence.push(Evidence::new("further flaws", list(&rest), source));
    }
    if !open.is_empty() {
        let ids: Vec<_> = open.iter().map(|verdict| verdict.id.as_str()).collect();
        evidence.push(Evidence::new("advisories that cannot be judged", list(&ids), source));
    }
    if flaws.iter().any(|flaw| flaw.component == "kernel") {
        evidence.push(Evidence::new("flaws by part of the kernel", parts(flaws), source));
    }
    evidence.push(Evidence::new("advisories about it", checked.to_string(), source));
    let worst = flaws.iter().map(|flaw| severity(flaw)).max().unwrap_or(Severity::Medium);
    let certain = flaws.iter().any(|flaw| flaw.certain && severity(flaw) == worst);
    Problem::new(message(flaws), evidence)
        .severity(worst)
        .confidence(if certain { Confidence::High } else { Confidence::Low })
        .remediation(remedy(flaws, renewal))
}

/// How many flaws are in what containers are made of, and in the rest of the kernel.
fn parts(flaws: &[&BoundaryVerdict]) -> String {
    const PARTS: [&str; 4] = ["namespaces", "cgroups", "overlayfs", "netfilter"];
    let part_of = |flaw: &BoundaryVerdict| {
        let subsystem = flaw.subsystem.as_deref().unwrap_or_default();
        PARTS.into_iter().find(|part| subsystem.contains(part)).unwrap_or("the rest")
    };
    let count = |part: &str| flaws.iter().filter(|flaw| part_of(flaw) == part).count();
    let counted: Vec<_> =
        PARTS.into_iter().chain(["the rest"]).map(|part| format!("{part} {}", count(part))).collect();
    counted.join(", ")
}

fn message(flaws: &[&BoundaryVerdict]) -> String {
    let ids: Vec<_> = flaws.iter().take(NAMED).map(|flaw| flaw.id.as_str()).collect();
    let installed = flaws.first().map_or("", |flaw| flaw.installed.as_str());
    let exploited = flaws.iter().filter(|flaw| flaw.exploited.is_some()).count();
    let exploited = match exploited {
        0 => String::new(),
        1 => ", 1 of them known to be exploited".to_owned(),
        n => format!(", {n} of them known to be exploited"),
    };
    let count = if flaws.len() == 1 {
        "1 published flaw".to_owned()
    } else {
        format!("{} published flaws", flaws.len())
    };
    format!("{installed} has {count}{exploited}: {}{}", ids.join(", "), and_more(flaws.len() - ids.len()))
}

fn shown(flaw: &BoundaryVerdict) -> Evidence {
    let mut words = vec![match flaw.severity.as_str() {
        "unknown" | "" => "not scored".to_owned(),
        word => word.to_owned(),
    }];
    words.extend(flaw.exploited.as_ref().map(|day| format!("listed as exploited {day}")));
    if flaw.metasploit {
        words.push("Metasploit has a module".to_owned());
    }
    words.extend(flaw.impact.clone());
    if !flaw.certain {
        words.push(flaw.reason.clone().unwrap_or_else(|| "by version alone".to_owned()));
    }
    let version = match (&flaw.other, flaw.status) {
        (Some(other), BoundaryStatus::FixedAfterRestart) if flaw.program == "kernel" => {
            format!("{} runs, {other} is installed", flaw.installed)
        }
        (Some(other), BoundaryStatus::FixedAfterRestart) => {
            format!("{other} runs, {} is installed", flaw.installed)
        }
        _ => format!("{} is installed", flaw.installed),
    };
    let value = format!("{version}: {}", flaw.title);
    let evidence = Evidence::new(format!("{} ({})", flaw.id, words.join(", ")), value, flaw.source.clone());
    match &flaw.fixed {
        Some(fixed) => evidence.expected(format!("{fixed} or later")),
        None => evidence,
    }
}

/// A way out of containers that is known to be exploited is as bad as it gets; without a score, one counts as high.
fn severity(flaw: &BoundaryVerdict) -> Severity {
    let escapes = flaw.impact.as_deref().is_some_and(|impact| impact.starts_with("escape"));
    let published = match flaw.severity.as_str() {
        _ if flaw.exploited.is_some() && escapes => Severity::Critical,
        "critical" => Severity::Critical,
        "high" => Severity::High,
        "medium" => Severity::Medium,
        "low" => Severity::Low,
        _ if escapes => Severity::High,
        _ => Severity::Medium,
    };
    // A conclusion from a version alone is no proof.
    if flaw.certain { published } else { published.min(Severity::High) }
}

fn remedy(flaws: &[&BoundaryVerdict], renewal: &Renewal<'_>) -> String {
    let mut steps = Vec::new();
    let with = |status| flaws.iter().filter(move |flaw| flaw.status == status);
    let wanted = with(BoundaryStatus::FixAvailable)
        .filter_map(|flaw| Some((flaw.fixed.as_deref()?, flaw.source.strip_prefix("versions of "))))
        .max_by(|(a, _), (b, _)| natural(a, b));
    if let Some((version, project)) = wanted {
        let version = project.map_or_else(|| version.to_owned(), |project| format!("{project} {version}"));
        let install = match renewal.manager {
            "dpkg" => format!("apt-get update && apt-get install --only-upgrade {}", renewal.what),
            "rpm" => format!("dnf upgrade {}", renewal.what),
            "apk" => format!("apk upgrade {}", renewal.what),
            _ => format!("install {}", renewal.what),
        };
        steps.push(format!("{install} ({version} or later mends what can be mended). {}", renewal.then));
    } else if with(BoundaryStatus::FixedAfterRestart).next().is_some() {
        steps.push(format!("A fixed version is installed already. {}", renewal.then));
    }
    let unfixed: Vec<_> = with(BoundaryStatus::NoFix).map(|flaw| flaw.id.as_str()).collect();
    if !unfixed.is_empty() {
        let ids = list(&unfixed);
        steps.push(format!(
            "No fix is known for this series of {ids}: move to a newer release, or take away what it needs."
        ));
    }
    steps.join("\n")
}

/// The first ids, and how many more there are.
fn list(ids: &[&str]) -> String {
    let shown = ids.len().min(SHOWN);
    format!(
        "{}{}",
        ids.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", "),
        and_more(ids.len() - shown)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::bare::{NOW, denied, known};
    use plimsoll_facts::Fact;

    const RENEWAL: Renewal<'_> = Renewal { manager: "dpkg", what: "runc", then: "Stops nothing." };

    fn flaw(id: &str, status: BoundaryStatus) -> BoundaryVerdict {
        BoundaryVerdict {
            id: id.into(),
            title: "Something leaks".into(),
            program: "/usr/sbin/runc".into(),
            status,
            reason: (status == BoundaryStatus::Unknown).then(|| "nobody says".into()),
            certain: true,
            installed: "1.1.5".into(),
            source: "debian:12 (runc)".into(),
            severity: "high".into(),
            ..BoundaryVerdict::default()
        }
    }

    fn asked(verdicts: Vec<BoundaryVerdict>) -> Judgement {
        asked_of(Fact::known(verdicts, "3 boundary advisories of this build"))
    }

    fn asked_of(boundary: Fact<Vec<BoundaryVerdict>>) -> Judgement {
        judge(&Facts { collected_at: NOW, boundary, ..Facts::default() }, "/usr/sbin/runc", &RENEWAL)
    }

    fn problem_of(verdicts: Vec<BoundaryVerdict>) -> Problem {
        match asked(verdicts) {
            Ok(Outcome::Fail(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_passes_says_what_was_checked() {
        let checked =
            asked(vec![flaw("CVE-1", BoundaryStatus::Fixed), flaw("CVE-2", BoundaryStatus::NotAffected)]);
        let Ok(Outcome::Pass(evidence)) = checked else { panic!("{checked:?}") };
        assert_eq!(evidence[0].value, "2 (fixed: 1, never affected: 1)");
        let guess = BoundaryVerdict { certain: false, ..flaw("CVE-1", BoundaryStatus::Fixed) };
        let Ok(Outcome::Pass(evidence)) = asked(vec![guess]) else { panic!() };
        assert_eq!(evidence[0].value, "1 (fixed: 1, never affected: 0; by version alone: 1)");
    }

    #[test]
    fn nothing_known_is_unknown() {
        assert!(asked_of(denied()).is_err());
        assert!(asked_of(Fact::default()).is_err());
        let gap = asked(vec![flaw("CVE-1", BoundaryStatus::Fixed), flaw("CVE-2", BoundaryStatus::Unknown)])
            .unwrap_err();
        assert_eq!(gap.reason, "1 of 2 advisories cannot be judged: CVE-2 (nobody says)");
        let other =
            BoundaryVerdict { program: "/usr/bin/crun".into(), ..flaw("CVE-1", BoundaryStatus::NoFix) };
        assert!(matches!(asked_of(known(vec![other])), Ok(Outcome::NotApplicable(_))));
    }

    #[test]
    fn the_worst_comes_first() {
        let exploited = BoundaryVerdict {
            exploited: Some("2026-05-01".into()),
            impact: Some("escape (host root)".into()),
            severity: "medium".into(),
            fixed: Some("1.1.5-2".into()),
            ..flaw("CVE-3", BoundaryStatus::FixAvailable)
        };
        let low = BoundaryVerdict { severity: "low".into(), ..flaw("CVE-1", BoundaryStatus::NoFix) };
        let found = problem_of(vec![low, exploited, flaw("CVE-2", BoundaryStatus::Unknown)]);
        assert_eq!(found.severity, Some(Severity::Critical));
        assert_eq!(
            found.message,
            "1.1.5 has 2 published flaws, 1 of them known to be exploited: CVE-3, CVE-1"
        );
        assert_eq!(found.evidence[0].expected.as_deref(), Some("1.1.5-2 or later"));
        assert_eq!(found.evidence[2].value, "CVE-2");
        let remedy = found.remediation.unwrap();
        assert!(
            remedy.starts_with("apt-get update && apt-get install --only-upgrade runc (1.1.5-2 or later"),
            "{remedy}"
        );
        assert!(remedy.contains("No fix is known for this series of CVE-1"), "{remedy}");
    }

    #[test]
    fn a_conclusion_is_of_low_confidence_and_never_critical() {
        let guess = BoundaryVerdict {
            certain: false,
            exploited: Some("2026-05-01".into()),
            impact: Some("escape".into()),
            ..flaw("CVE-1", BoundaryStatus::NoFix)
        };
        let found = problem_of(vec![guess]);
        assert_eq!((found.severity, found.confidence), (Some(Severity::High), Confidence::Low));
    }

    #[test]
    fn many_flaws_are_counted() {
        let found = problem_of((0..20).map(|i| flaw(&format!("CVE-{i}"), BoundaryStatus::NoFix)).collect());
        assert!(found.message.ends_with("CVE-0, CVE-1, CVE-2 and 17 more"));
        assert_eq!(found.evidence.len(), SHOWN + 2);
        assert!(found.evidence[SHOWN].value.ends_with("and 4 more"));
    }

    #[test]
    fn flaws_of_the_kernel_are_counted_by_part() {
        let of = |subsystem: &str| BoundaryVerdict {
            component: "kernel".into(),
            subsystem: Some(subsystem.into()),
            ..flaw("CVE-1", BoundaryStatus::NoFix)
        };
        let found = problem_of(vec![
            of("netfilter nf_tables"),
            of("netfilter ipset"),
            of("cgroups v1 release_agent"),
            of("user namespaces"),
            of("io_uring"),
        ]);
        let parts = found.evidence.iter().find(|it| it.fact == "flaws by part of the kernel").unwrap();
        assert_eq!(parts.value, "namespaces 1, cgroups 1, overlayfs 0, netfilter 2, the rest 1");
    }

    #[test]
    fn a_restart_is_all_that_is_missing() {
        let pending = BoundaryVerdict {
            other: Some("1.1.4".into()),
            ..flaw("CVE-1", BoundaryStatus::FixedAfterRestart)
        };
        let found = problem_of(vec![pending]);
        assert_eq!(found.evidence[0].value, "1.1.4 runs, 1.1.5 is installed: Something leaks");
        assert_eq!(found.remediation.unwrap(), "A fixed version is installed already. Stops nothing.");
    }
}
