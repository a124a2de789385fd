//! From an inventory and the advisories to what is wrong with each package.

mod judge;
mod names;
mod publisher;

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_facts::{
    AdvisorySource, Ecosystem, Gap, InstalledPackage, PackageInventory, PackageVerdict, Verdict,
    Vulnerabilities, Vulnerability,
};

use self::judge::{Answer, Question};
use crate::lists::{ExploitProbability, Exploited};
use crate::store::{ReleaseFile, StoreError};
use crate::{Database, Release, Severity};

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

/// What a package is asked of: one set of releases for the distribution, one for each language.
struct Matching<'a> {
    database: &'a Database,
    /// Packages that third parties publish: the distribution's advisories say nothing of what is in them.
    third_parties: BTreeSet<&'a str>,
    distribution: Result<Vec<Release>, String>,
    exploited: Exploited,
    probability: ExploitProbability,
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
                releases if releases.is_empty() => {
                    let version = os.version_id.as_deref().unwrap_or("without a version");
                    Err(format!("plimsoll knows no source of advisories for {} {version}", os.id))
                }
                releases => Ok(releases),
            },
        };
        let third_parties =
            inventory.packages.iter().filter(|package| publisher::third_party(package).is_some());
        let third_parties = third_parties.map(|package| package.name.as_str()).collect();
        Self { database, third_parties, distribution, exploited, probability, asked: BTreeMap::new(), done }
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
            return Err(format!("part of the distribution's package {owner}, whose advisories count"));
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
            return Err(
                "kernel headers or images in a container are not the kernel that runs: the host's is"
                    .to_owned(),
            );
        }
        if let Some(publisher) = publisher::third_party(package) {
            return Err(format!(
                "published by {publisher}, not by the distribution, whose advisories do not speak about it"
            ));
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
            true => {
                let wanted = question.releases.first().map_or(String::new(), Release::to_string);
                Err(format!("no advisories for {wanted} are there; `plimsoll db update` fetches them"))
            }
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
        self.done.sources.push(AdvisorySource {
            release: about.release.clone(),
            made_at: about.made_at,
            newest: about.newest,
            advisories: about.advisories,
            limits: names::limits(&about.release).map(str::to_owned),
        });
    }

    /// Adds the flaws of an answer, once for each source package.
    fn note(&mut self, package: &InstalledPackage, question: &Question, answer: Answer) {
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

    fn finish(mut self) -> Vulnerabilities {
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
    use super::*;

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
