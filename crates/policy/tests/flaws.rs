//! Exceptions for published flaws.

use jiff::civil::{Date, date};
use plimsoll_facts::{
    Engine, Fact, Facts, Image, InventoryFlaws, PackageFlaws, PackageInventory, Vulnerability,
};
use plimsoll_policy::{FlawExceptions, Policy, apply, parse};
use plimsoll_rules::{Concern, Report, Severity, Status};

const TODAY: Date = date(2026, 11, 23);

fn policy(covers: &str, expires: &str) -> Policy {
    let text =
        format!("[[exceptions]]\n{covers}\nowner = \"ops\"\nreason = \"unused\"\nexpires = {expires}\n");
    parse(&text, "plimsoll.toml").expect("a valid policy").policy
}

fn flaw(id: &str, package: &str) -> Vulnerability {
    Vulnerability {
        id: id.into(),
        advisory: format!("DEBIAN-{id}"),
        package: package.into(),
        installed_as: vec![format!("lib{package}1")],
        ..Vulnerability::default()
    }
}

/// An image of two tags with two flaws.
fn facts() -> Facts {
    let image = Image {
        id: "sha256:1".into(),
        tags: vec!["shop/web:1".into(), "shop/web:latest".into()],
        packages: Fact::known(PackageInventory::default(), "x"),
        ..Image::default()
    };
    let engine = Engine { images: Fact::known(vec![image], "x"), ..Engine::default() };
    let found = InventoryFlaws {
        holder: "sha256:1".into(),
        flaws: vec![flaw("CVE-1", "zlib"), flaw("CVE-2", "openssl")],
        ..InventoryFlaws::default()
    };
    let flaws = PackageFlaws { inventories: vec![found], ..PackageFlaws::default() };
    Facts { engines: vec![engine], package_flaws: Fact::known(flaws, "db"), ..Facts::default() }
}

/// Ids of the flaws that are covered, and the answers about the policy.
fn covered(covers: &str, expires: &str, facts: &mut Facts) -> (Vec<String>, Report) {
    let policy = policy(covers, expires);
    let mut exceptions = FlawExceptions::new(&policy, TODAY);
    exceptions.note_all(facts);
    let mut report = Report::default();
    apply(&policy, TODAY, &exceptions, &mut report);
    let flaws = facts.package_flaws.value().into_iter().flat_map(|it| &it.inventories[0].flaws);
    let excepted = flaws.filter(|flaw| flaw.exception.is_some()).map(|flaw| flaw.id.clone());
    (excepted.collect(), report)
}

#[test]
fn by_id_package_and_image() {
    for (covers, expected) in [
        ("vulnerability = \"CVE-1\"", &["CVE-1"][..]),
        ("vulnerability = \"debian-cve-1\"", &["CVE-1"]),
        ("package = \"open*\"", &["CVE-2"]),
        ("package = \"libzlib1\"", &["CVE-1"]),
        ("package = \"*\"\nsubject = \"image:shop/*:latest\"", &["CVE-1", "CVE-2"]),
        ("package = \"*\"\nsubject = \"sha256:1\"", &["CVE-1", "CVE-2"]),
    ] {
        let (found, report) = covered(covers, "2026-11-23", &mut facts());
        assert_eq!(found, expected, "{covers}");
        assert_eq!(report.findings, [], "{covers}");
    }
}

#[test]
fn one_that_covers_nothing_is_reported() {
    for covers in [
        "vulnerability = \"CVE-1\"\npackage = \"openssl\"",
        "vulnerability = \"CVE-1\"\nsubject = \"container:*\"",
        "vulnerability = \"CVE-3\"",
    ] {
        let (found, report) = covered(covers, "2027-01-01", &mut facts());
        assert!(found.is_empty(), "{covers}");
        let [unused] = report.findings.as_slice() else { panic!("{covers}") };
        assert_eq!((&*unused.rule, unused.status), ("exception-unused", Status::Fail));
        assert_eq!(unused.concern, Concern::Freshness);
    }
    let mut unread = facts();
    unread.package_flaws = Fact::default();
    let (_, report) = covered("vulnerability = \"CVE-1\"", "2027-01-01", &mut unread);
    assert_eq!(report.findings[0].status, Status::Unknown);
}

#[test]
fn one_that_has_expired_covers_nothing_and_is_reported() {
    let (found, report) = covered("vulnerability = \"CVE-1\"", "2026-11-22", &mut facts());
    assert!(found.is_empty());
    let [expired] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!((&*expired.rule, expired.severity), ("exception-expired", Severity::Medium));
    assert!(expired.message.contains("the exception of ops for CVE-1 expired on 2026-11-22"));
}
