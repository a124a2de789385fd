//! Holds the inventories of a host against the local advisories.

use std::collections::BTreeMap;

use plimsoll_facts::{
    AdvisoryDatabase, AdvisorySource, Fact, Facts, Gap, InventoryFlaws, MAX_FLAWS, NotCovered, PackageFlaws,
    PackageInventory, PackageVerdict, Verdict,
};

use crate::matching::{is_judged_elsewhere, limits};
use crate::store::{About, StoreError};
use crate::{Database, Release, match_packages};

/// By which [`InventoryFlaws::holder`] calls the host.
pub const HOST: &str = "host";
/// Packages that are named for one reason.
const EXAMPLES: usize = 5;

/// Fills in [`Facts::package_flaws`] from the inventories in the facts. Facts that carry the outcome already, because
/// the inventories were left out when names were replaced, keep it.
pub fn judge(facts: &mut Facts, database: &Database) {
    if facts.package_flaws.value().is_some() {
        return;
    }
    let folder = database.folder().display().to_string();
    facts.package_flaws = match state(database) {
        Err(reason) => Fact::unreadable(folder, reason),
        Ok(state) => {
            let inventories = inventories(facts).map(|(holder, it)| outcome(holder, it, database)).collect();
            Fact::known(PackageFlaws { database: state, inventories }, folder)
        }
    };
}

/// Every inventory once, with the id of what holds it.
fn inventories(facts: &Facts) -> impl Iterator<Item = (&str, &PackageInventory)> {
    let mut all = BTreeMap::new();
    all.extend(facts.host.packages.value().map(|it| (HOST, it)));
    for engine in &facts.engines {
        let images = engine.images.value().into_iter().flatten();
        all.extend(images.filter_map(|it| Some((it.id.as_str(), it.packages.value()?))));
        let containers = engine.containers.value().into_iter().flatten();
        all.extend(containers.filter_map(|it| Some((it.id.as_str(), it.packages.value()?))));
    }
    all.into_iter()
}

/// What the database holds, or why nothing can be asked of it.
fn state(database: &Database) -> Result<AdvisoryDatabase, String> {
    let mut state =
        AdvisoryDatabase { folder: database.folder().display().to_string(), ..AdvisoryDatabase::default() };
    for file in database.files().map_err(|error| error.to_string())? {
        match file {
            Ok(file) => state.sources.push(source(file.about())),
            Err(error) => state.damaged.push(damage(&error)),
        }
    }
    if state.sources.is_empty() && state.damaged.is_empty() {
        return Err("no advisories are there; `plimsoll db update` fetches them".to_owned());
    }
    let listed = |count: usize| u32::try_from(count).ok().filter(|count| *count > 0);
    match database.exploited() {
        Ok(list) => state.exploited = listed(list.count()),
        Err(error) => state.damaged.push(damage(&error)),
    }
    match database.exploit_probability() {
        Ok(list) => state.scored = listed(list.count()),
        Err(error) => state.damaged.push(damage(&error)),
    }
    Ok(state)
}

/// A file of the database as facts name it.
pub(crate) fn source(about: &About) -> AdvisorySource {
    AdvisorySource {
        release: about.release.clone(),
        made_at: about.made_at,
        newest: about.newest,
        advisories: about.advisories,
        limits: limits(&Release::new(&about.release)).map(str::to_owned),
    }
}

fn damage(error: &StoreError) -> Gap {
    Gap {
        subject: "advisories".to_owned(),
        source: error.path().display().to_string(),
        reason: error.to_string(),
    }
}

fn outcome(holder: &str, inventory: &PackageInventory, database: &Database) -> InventoryFlaws {
    let mut found = match_packages(inventory, database);
    let left_out = found.vulnerabilities.len().saturating_sub(MAX_FLAWS);
    found.vulnerabilities.truncate(MAX_FLAWS);
    let not_covered = not_covered(&found.packages);
    let missing: u32 = not_covered.iter().map(|it| it.count).sum();
    let packages = count(found.packages.len());
    InventoryFlaws {
        holder: holder.to_owned(),
        packages,
        covered: packages - missing,
        not_covered,
        sources: found.sources.into_iter().map(|source| source.release).collect(),
        flaws: found.vulnerabilities,
        left_out: count(left_out),
        gaps: found.gaps,
    }
}

fn not_covered(packages: &[PackageVerdict]) -> Vec<NotCovered> {
    let mut reasons: BTreeMap<&str, NotCovered> = BTreeMap::new();
    for package in packages.iter().filter(|it| it.verdict == Verdict::NotCovered && !is_judged_elsewhere(it))
    {
        let reason = package.reason.as_deref().unwrap_or("no source speaks about it");
        let entry = reasons.entry(reason).or_default();
        entry.count += 1;
        if entry.examples.len() < EXAMPLES {
            entry.examples.push(package.package.name.clone());
        }
    }
    let named = reasons.into_iter().map(|(reason, it)| NotCovered { reason: reason.to_owned(), ..it });
    let mut named: Vec<_> = named.collect();
    named.sort_by_key(|it| std::cmp::Reverse(it.count));
    named
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use plimsoll_facts::{Ecosystem, Engine, Image, InstalledPackage, OsRelease};

    use super::*;
    use crate::store::ReleaseWriter;
    use crate::{Advisory, Affected, Range, RangeEnd, Severity};

    fn package(name: &str, version: &str, vendor: &str) -> InstalledPackage {
        InstalledPackage {
            ecosystem: Ecosystem::Dpkg,
            name: name.to_owned(),
            version: version.to_owned(),
            vendor: Some(vendor.to_owned()),
            ..InstalledPackage::default()
        }
    }

    fn facts() -> Facts {
        let inventory = PackageInventory {
            os: Some(OsRelease {
                id: "debian".into(),
                version_id: Some("12".into()),
                ..OsRelease::default()
            }),
            packages: vec![
                package("runc", "1.1.5", "x <x@debian.org>"),
                package("bash", "5.2", "x <x@debian.org>"),
                package("mariadb-server", "1:11.4.4+maria~deb12", "x <developers@lists.mariadb.org>"),
                package("linux-libc-dev", "6.1", "x <x@debian.org>"),
            ],
            ..PackageInventory::default()
        };
        let inventory = PackageInventory {
            packages: inventory.packages.into_iter().map(of_kernel).collect(),
            ..inventory
        };
        let image =
            Image { id: "sha256:1".into(), packages: Fact::known(inventory, "x"), ..Image::default() };
        let engine = Engine { images: Fact::known(vec![image], "x"), ..Engine::default() };
        Facts { engines: vec![engine], ..Facts::default() }
    }

    fn of_kernel(package: InstalledPackage) -> InstalledPackage {
        let source_name = package.name.starts_with("linux-").then(|| "linux".to_owned());
        InstalledPackage { source_name, ..package }
    }

    fn database() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = ReleaseWriter::new(&Release::new("Debian:12"), "test");
        let advisory = writer.advisory(Advisory {
            id: "DEBIAN-CVE-2024-21626".into(),
            names: vec!["CVE-2024-21626".into()],
            severity: Severity::High,
            ..Advisory::default()
        });
        let range = Range { introduced: "0".into(), end: RangeEnd::Fixed("1.1.5+deb12u1".into()) };
        writer.affected("runc", Affected { advisory, ranges: vec![range], ..Affected::default() });
        writer.write(dir.path(), 1).unwrap();
        let database = Database::new(dir.path());
        (dir, database)
    }

    #[test]
    fn each_inventory_gets_its_outcome() {
        let (_dir, database) = database();
        let mut facts = facts();
        judge(&mut facts, &database);
        let found = facts.package_flaws.value().unwrap();
        let of_image = found.of("sha256:1").unwrap();
        assert_eq!((of_image.packages, of_image.covered), (4, 3));
        assert_eq!(of_image.flaws.len(), 1);
        assert_eq!(of_image.not_covered[0].examples, ["mariadb-server"]);
        assert_eq!(of_image.sources, ["Debian:12"]);
        assert_eq!(found.database.sources[0].made_at, 1);
        assert_eq!((found.database.exploited, found.database.scored), (None, None));
        assert_eq!(found.of(HOST), None);
    }

    #[test]
    fn no_database_is_a_gap_and_a_damaged_file_is_named() {
        let empty = tempfile::tempdir().unwrap();
        let mut facts = facts();
        judge(&mut facts, &Database::new(empty.path().join("none")));
        assert!(facts.package_flaws.require().unwrap_err().reason.contains("plimsoll db update"));
        fs::write(empty.path().join("debian-12.advisories"), "x").unwrap();
        judge(&mut facts, &Database::new(empty.path()));
        let found = facts.package_flaws.value().unwrap();
        assert!(found.database.damaged[0].source.ends_with("debian-12.advisories"));
        assert_eq!(found.inventories[0].covered, 1, "the kernel's headers alone");
    }

    #[test]
    fn an_outcome_that_the_facts_carry_stays() {
        let (_dir, database) = database();
        let mut facts = facts();
        facts.package_flaws = Fact::known(PackageFlaws::default(), "elsewhere");
        judge(&mut facts, &database);
        assert_eq!(facts.package_flaws.source(), "elsewhere");
    }
}
