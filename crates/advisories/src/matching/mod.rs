//! From an inventory and the advisories to what is wrong with each package.

mod judge;
mod names;
mod publisher;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use plimsoll_facts::{
    Ecosystem, Gap, InstalledPackage, PackageInventory, PackageVerdict, Verdict, Vulnerabilities,
    Vulnerability,
};

use self::judge::{Answer, Question};
use crate::lists::{ExploitProbability, Exploited};
use crate::store::{ReleaseFile, StoreError};
use crate::{Database, Release, Severity, inventories, red_hat};

pub(crate) use self::names::limits;

const PART_OF: &str = "part of the distribution's package";
const OF_KERNEL: &str = "kernel headers or images in a container are not the kernel that runs: the host's is";

/// Whether a package is not covered because what is in it is judged as part of another package, or as the host's kernel.
pub(crate) fn is_judged_elsewhere(package: &PackageVerdict) -> bool {
    package.reason.as_ref().is_some_and(|reason| reason.starts_with(PART_OF) || reason == OF_KERNEL)
}

/// Matches an inventory against the database.
///
/// A package about which no source speaks is *not covered*, with the reason; it never counts as not affected.
pub fn match_packages(inventory: &PackageInventory, database: &Database) -> Vulnerabilities {
    let mut matching = Matching::new(inventory, database);
    for package in &inventory.packages {
        let verdict = matching.package(package);
        matching.done.packages.push(verdict);
    }
    matching.finish()
}

/// The ecosystem whose records name programs by the versions of their projects.
const BITNAMI: &str = "Bitnami";

/// What a package is asked of: one set of releases for the distribution, one for each language.
struct Matching<'a> {
    database: &'a Database,
    /// `ID` of os-release(5).
    os: Option<&'a str>,
    /// Packages that third parties publish: the distribution's advisories say nothing of what is in them.
    third_parties: BTreeSet<&'a str>,
    distribution: Result<Vec<Release>, String>,
    exploited: Rc<Exploited>,
    probability: Rc<ExploitProbability>,
    /// Questions that were asked already: several binary packages come from one source package.
    asked: BTreeMap<Question, Result<Answer, String>>,
    done: Vulnerabilities,
}

impl<'a> Matching<'a> {
    fn new(inventory: &'a PackageInventory, database: &'a Database) -> Self {
        let mut done = Vulnerabilities { gaps: inventory.gaps.clone(), ..Vulnerabilities::default() };
        let exploited = or_gap(database.exploited(), &mut done.gaps);
        let probability = or_gap(database.exploit_probability(), &mut done.gaps);
        let distribution = match &inventory.os {
            None => Err("the image does not say which distribution it is".to_owned()),
            Some(os) => match Release::of_distribution(os) {
                releases if releases.is_empty() => Err(names::unknown_distribution(os)),
                releases => Ok(releases),
            },
        };
        let os = inventory.os.as_ref().map(|os| os.id.as_str());
        let third_parties =
            inventory.packages.iter().filter(|package| publisher::third_party(package, os).is_some());
        let third_parties = third_parties.map(|package| package.name.as_str()).collect();
        Self {
            database,
            os,
            third_parties,
            distribution,
            exploited,
            probability,
            asked: BTreeMap::new(),
            done,
        }
    }

    fn package(&mut self, package: &InstalledPackage) -> PackageVerdict {
        let not_covered = |reason: String| PackageVerdict {
            package: package.clone(),
            reason: Some(reason),
            ..PackageVerdict::default()
        };
        let releases = match self.releases(package) {
            Ok(releases) => releases,
            Err(reason) => return not_covered(reason),
        };
        let question = Question::of(package, releases);
        let answer = match self.asked.get(&question) {
            Some(known) => known.clone(),
            None => self.ask(&question),
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(reason) => return not_covered(reason),
        };
        if let (Some(why), true) = (answer.untold.first(), answer.flaws.is_empty()) {
            return not_covered(why.clone());
        }
        let verdict = answer.verdict();
        let fixed = answer.fixed;
        self.note(package, &question, answer);
        PackageVerdict { package: package.clone(), verdict, reason: None, fixed }
    }

    /// Whose advisories count for a package, or why none do.
    fn releases(&self, package: &InstalledPackage) -> Result<Vec<Release>, String> {
        if package.version.is_empty() {
            return Err("its version is written down nowhere".to_owned());
        }
        let owner = package.owned_by.as_ref();
        if let Some(owner) = owner.filter(|owner| !self.third_parties.contains(owner.as_str())) {
            return Err(format!("{PART_OF} {owner}, whose advisories count"));
        }
        let language = match package.ecosystem {
            Ecosystem::Dpkg | Ecosystem::Apk | Ecosystem::Rpm => return self.of_distribution(package),
            Ecosystem::Go => "Go",
            Ecosystem::Cargo => "crates.io",
            Ecosystem::Python => "PyPI",
            Ecosystem::Npm => "npm",
            Ecosystem::Java => "Maven",
        };
        Ok(vec![Release::new(language)])
    }

    fn of_distribution(&self, package: &InstalledPackage) -> Result<Vec<Release>, String> {
        if names::is_kernel(package) {
            return Err(OF_KERNEL.to_owned());
        }
        let may_be = self.third_parties.contains(package.name.as_str());
        if let Some(publisher) = may_be.then(|| publisher::third_party(package, self.os)).flatten() {
            return match publisher::upstream(package) {
                Some(_) => Ok(vec![Release::new(BITNAMI)]),
                None => Err(format!(
                    "published by {publisher}, not by the distribution, whose advisories do not speak about it"
                )),
            };
        }
        self.distribution.clone()
    }

    fn ask(&mut self, question: &Question) -> Result<Answer, String> {
        let mut files = Vec::new();
        for release in &question.releases {
            match self.database.release(release) {
                Ok(Some(file)) => files.push(file),
                Ok(None) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        for file in &files {
            self.note_source(file);
        }
        let answer = match files.is_empty() {
            true => Err(question.releases.first().map_or_else(String::new, names::missing)),
            false => judge::ask(question, &files),
        };
        self.asked.insert(question.clone(), answer.clone());
        answer
    }

    fn note_source(&mut self, file: &ReleaseFile) {
        let about = file.about();
        if self.done.sources.iter().any(|source| source.release == about.release) {
            return;
        }
        self.done.sources.push(inventories::source(about));
    }

    /// Adds the flaws of an answer, once for each source package.
    fn note(&mut self, package: &InstalledPackage, question: &Question, answer: Answer) {
        self.done.gaps.extend(answer.untold.into_iter().map(|reason| Gap {
            subject: question.name.clone(),
            source: "advisories".to_owned(),
            reason,
        }));
        for flaw in answer.flaws {
            let known = self.done.vulnerabilities.iter_mut().find(|known| {
                known.id == flaw.id && known.package == question.name && known.installed == question.version
            });
            match known {
                Some(known) if known.installed_as.contains(&package.name) => {}
                Some(known) => known.installed_as.push(package.name.clone()),
                None => {
                    let exploited = self.exploited.listed(&flaw.id).map(str::to_owned);
                    let epss = self.probability.of(&flaw.id);
                    self.done.vulnerabilities.push(Vulnerability {
                        installed_as: vec![package.name.clone()],
                        location: names::location(package),
                        exploited,
                        epss,
                        ..flaw
                    });
                }
            }
        }
    }

    /// Red Hat's errata, and those of who rebuilds its packages, list fixes; what has none could be known.
    fn note_unfixed(&mut self) {
        let Ok(releases) = &self.distribution else { return };
        let vex = releases.iter().find(|release| release.ecosystem() == red_hat::ECOSYSTEM);
        let Some(vex) = vex.filter(|_| !self.done.sources.is_empty()) else { return };
        if matches!(self.database.release(vex), Ok(None)) {
            let reason = "flaws without a fix are not known: errata list fixes alone, and Red Hat's VEX documents are not there; \
                `plimsoll db import` takes them (security.access.redhat.com/data/csaf/v2/vex)";
            let (subject, source) = ("advisories".to_owned(), vex.to_string());
            self.done.gaps.push(Gap { subject, source, reason: reason.to_owned() });
        }
    }

    fn finish(mut self) -> Vulnerabilities {
        self.note_unfixed();
        let rank = |flaw: &Vulnerability| {
            let severity = std::cmp::Reverse(Severity::of_word(&flaw.severity));
            (flaw.exploited.is_none(), severity, flaw.status != Verdict::FixAvailable)
        };
        self.done.vulnerabilities.sort_by(|a, b| {
            rank(a).cmp(&rank(b)).then_with(|| (&a.package, &a.id).cmp(&(&b.package, &b.id)))
        });
        self.done.gaps.sort();
        self.done.gaps.dedup();
        self.done
    }
}

fn or_gap<T: Default>(list: Result<T, StoreError>, gaps: &mut Vec<Gap>) -> T {
    list.unwrap_or_else(|error| {
        let reason = error.to_string();
        gaps.push(Gap { subject: "advisories".to_owned(), source: "database".to_owned(), reason });
        T::default()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use plimsoll_facts::OsRelease;

    use super::*;
    use crate::import;

    /// One record of errata, and Red Hat's document about curl.
    fn database(ecosystem: &str, name: &str, fixed: &str, vex: bool) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let erratum = dir.path().join("erratum.json");
        let text = format!(
            r#"{{"id": "RLSA-1", "upstream": ["CVE-2023-38545"], "affected": [{{"package": {{"ecosystem": "{ecosystem}",
            "name": "{name}"}}, "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#
        );
        fs::write(&erratum, text).unwrap();
        import(&erratum, &dir.path().join("db"), 0, &|_, _| ()).unwrap();
        if vex {
            let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/red-hat-vex");
            import(&documents, &dir.path().join("db"), 0, &|_, _| ()).unwrap();
        }
        dir
    }

    fn matched(
        id: &str,
        version_id: &str,
        name: &str,
        version: &str,
        dir: &tempfile::TempDir,
    ) -> Vulnerabilities {
        let source_version = version.split_once(':').map_or(version, |(_, rest)| rest);
        let package = InstalledPackage {
            ecosystem: Ecosystem::Rpm,
            name: name.to_owned(),
            version: version.to_owned(),
            source_name: Some(name.trim_start_matches("lib").to_owned()),
            source_version: Some(source_version.to_owned()),
            ..InstalledPackage::default()
        };
        let inventory = PackageInventory {
            os: Some(OsRelease {
                id: id.into(),
                version_id: Some(version_id.into()),
                ..OsRelease::default()
            }),
            packages: vec![package],
            ..PackageInventory::default()
        };
        match_packages(&inventory, &Database::new(dir.path().join("db")))
    }

    /// Verdict, state and whether there is a gap.
    fn told(found: &Vulnerabilities) -> (Verdict, Option<&str>, bool) {
        let state = found.vulnerabilities.first().and_then(|flaw| flaw.state.as_deref());
        (found.packages[0].verdict, state, !found.gaps.is_empty())
    }

    #[test]
    fn errata_of_sources_are_about_all_that_is_built_from_them() {
        let dir = database("Rocky Linux:9", "curl", "1:7.76.1-23.el9", false);
        for (version, verdict) in
            [("7.76.1-14.el9", Verdict::FixAvailable), ("7.76.1-23.el9", Verdict::Fixed)]
        {
            let found = matched("rocky", "9.2", "libcurl", version, &dir);
            assert_eq!(told(&found), (verdict, None, true), "{version}");
        }
    }

    #[test]
    fn what_red_hat_knows_of_flaws_without_fix() {
        let none = Verdict::NotAffected;
        let dir = database("Red Hat:enterprise_linux:7::baseos", "bash", "9", true);
        let found = matched("rhel", "7.9", "libcurl", "7.29.0-59.el7", &dir);
        assert_eq!(told(&found), (Verdict::NoFix, Some("out of support scope"), false));
        let dir = database("AlmaLinux:9", "bash", "9", true);
        let tiny = matched("almalinux", "9.4", "tiny-curl", "0.1-1.el9", &dir);
        assert_eq!(told(&tiny), (Verdict::NoFix, Some("affected"), false));
        assert!(tiny.vulnerabilities[0].provenance.as_deref().unwrap().contains("hint"));
        // Red Hat's fixed versions say nothing about others' builds.
        assert_eq!(told(&matched("almalinux", "9.4", "curl", "7.76.1-1.el9", &dir)), (none, None, false));
    }

    #[test]
    fn a_fix_of_its_own_minor_release_counts() {
        let dir = database("Red Hat:enterprise_linux:9::baseos", "bash", "9", true);
        for (version, verdict) in [
            ("7.76.1-26.el9", Verdict::FixAvailable),
            ("7.76.1-26.el9_3.2", Verdict::Fixed),
            ("7.76.1-23.el9_2.4", Verdict::Fixed),
            ("7.76.1-23.el9_2.3", Verdict::FixAvailable),
            ("7.76.1-14.el9_0.9", Verdict::Fixed),
        ] {
            let found = matched("rhel", "9.2", "libcurl", version, &dir);
            assert_eq!(told(&found).0, verdict, "{version}");
        }
    }

    #[test]
    fn programs_of_third_parties_are_matched_by_the_projects_version() {
        let dir = database("Bitnami", "nginx", "1.26.2", false);
        for (version, verdict) in
            [("1.26.1-1~bookworm", Verdict::FixAvailable), ("1.26.2-1~bookworm", Verdict::Fixed)]
        {
            let package = InstalledPackage {
                name: "nginx".into(),
                version: version.into(),
                vendor: Some("NGINX Packaging <nginx-packaging@f5.com>".into()),
                ..InstalledPackage::default()
            };
            let inventory = PackageInventory { packages: vec![package], ..PackageInventory::default() };
            let found = match_packages(&inventory, &Database::new(dir.path().join("db")));
            assert_eq!(found.packages[0].verdict, verdict, "{version}");
        }
        assert_eq!(told(&matched("rhel", "9.2", "bash", "5.1-1.el9", &dir)).0, Verdict::NotCovered);
    }

    #[test]
    fn what_a_third_partys_package_holds_is_judged_by_upstream() {
        let package = |ecosystem, name: &str, owner: Option<&str>, vendor: &str| InstalledPackage {
            ecosystem,
            name: name.to_owned(),
            version: "1".to_owned(),
            vendor: Some(vendor.to_owned()),
            owned_by: owner.map(str::to_owned),
            ..InstalledPackage::default()
        };
        let inventory = PackageInventory {
            packages: vec![
                package(Ecosystem::Dpkg, "containerd.io", None, "Containerd team <help@docker.com>"),
                package(Ecosystem::Dpkg, "golang-x", None, "x <x@debian.org>"),
            ],
            ..PackageInventory::default()
        };
        let dir = tempfile::tempdir().unwrap();
        let database = Database::new(dir.path());
        let matching = Matching::new(&inventory, &database);
        let module = |owner| package(Ecosystem::Go, "golang.org/x/net", Some(owner), "");
        assert!(matching.releases(&module("containerd.io")).is_ok());
        assert!(matching.releases(&module("golang-x")).is_err());
        let unversioned = InstalledPackage { ecosystem: Ecosystem::Java, ..InstalledPackage::default() };
        assert!(matching.releases(&unversioned).is_err());
    }
}
