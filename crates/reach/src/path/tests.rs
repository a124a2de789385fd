//! Attack paths of small facts, and what cuts them.

use plimsoll_facts::{
    AttackPath, BoundaryStatus, BoundaryVerdict, Capabilities, Connections, Fact, Facts, InventoryFlaws,
    PackageFlaws, PublishedPort, StepKind, Vulnerability,
};

use crate::testing::{Case, Profile, capabilities, known};
use crate::verdict;

const NET_ADMIN: u64 = 1 << 12;

/// A container with one published port, one more capability, and a kernel flaw that needs it.
fn facts(change: impl FnOnce(&mut Facts)) -> Facts {
    let case = Case::new(Profile::Unconfined, |it| {
        capabilities(it, Capabilities(Capabilities::DOCKER_DEFAULT.0 | NET_ADMIN));
        let process = &mut it.processes.value_mut().unwrap()[0];
        process.seccomp_mode = 0;
        process.seccomp = Fact::absent("test");
    });
    let mut facts = case.into_facts();
    facts.boundary = known(vec![BoundaryVerdict {
        id: "CVE-2024-1086".into(),
        component: "kernel".into(),
        status: BoundaryStatus::FixAvailable,
        package: Some("linux".into()),
        fixed: Some("6.1.76-1".into()),
        impact: Some("escape (kernel memory corruption)".into()),
        precondition: Some("cap(NET_ADMIN@netns) & mod(nf_tables)".into()),
        severity: "high".into(),
        ..BoundaryVerdict::default()
    }]);
    let container = &mut facts.engines[0].containers.value_mut().unwrap()[0];
    let ports = &mut container.declared.value_mut().unwrap().ports;
    let port = PublishedPort {
        protocol: "tcp".into(),
        container_port: 80,
        host_port: 8080,
        ..PublishedPort::default()
    };
    ports.push(PublishedPort { host_address: "0.0.0.0".into(), ..port });
    change(&mut facts);
    verdict::judge(&mut facts);
    facts
}

fn paths(facts: &Facts) -> &[AttackPath] {
    facts.attack_paths.value().unwrap()
}

#[test]
fn from_a_published_port_to_the_host() {
    let facts = facts(|_| ());
    let [path] = paths(&facts) else { panic!("{:#?}", paths(&facts)) };
    let kinds: Vec<StepKind> = path.steps.iter().map(|step| step.kind).collect();
    assert_eq!(kinds, [StepKind::Entry, StepKind::Break, StepKind::Boundary]);
    assert_eq!(path.boundary, "CVE-2024-1086");
    assert!(!path.shown && path.steps[1].assumed, "no flaw of a package is known");
    let cuts: Vec<&str> = path.cuts.iter().map(|cut| cut.change.as_str()).collect();
    assert_eq!(cuts, ["--cap-drop NET_ADMIN", "--user 1000", "upgrade linux"]);
    assert_eq!(path.cuts[2].effort, "boots the host");
}

#[test]
fn a_known_flaw_of_a_package_is_shown_and_weighs_more() {
    let assumed = paths(&facts(|_| ()))[0].weight;
    let facts = facts(|facts| {
        let flaw = Vulnerability {
            id: "CVE-2021-44228".into(),
            vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".into()),
            severity: "critical".into(),
            exploited: Some("2021-12-10".into()),
            ..Vulnerability::default()
        };
        let inventory =
            InventoryFlaws { holder: "sha256:1".into(), flaws: vec![flaw], ..InventoryFlaws::default() };
        facts.package_flaws = known(PackageFlaws { inventories: vec![inventory], ..PackageFlaws::default() });
    });
    let [path] = paths(&facts) else { panic!("{:#?}", paths(&facts)) };
    assert!(path.shown && path.weight > assumed);
    assert!(path.steps[1].what.contains("CVE-2021-44228"));
}

#[test]
fn nobody_outside_reaches_it() {
    let unpublished = facts(|facts| {
        let container = &mut facts.engines[0].containers.value_mut().unwrap()[0];
        container.declared.value_mut().unwrap().ports.clear();
    });
    assert!(paths(&unpublished).is_empty());
    let closed = facts(|facts| facts.connections = known(Connections::default()));
    assert!(paths(&closed).is_empty());
}

#[test]
fn what_is_fixed_is_no_way() {
    let fixed = facts(|facts| facts.boundary.value_mut().unwrap()[0].status = BoundaryStatus::Fixed);
    assert!(paths(&fixed).is_empty());
}
