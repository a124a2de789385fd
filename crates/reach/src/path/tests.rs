//! Attack paths of small facts, and what cuts them.

use plimsoll_facts::{
    AttackPath, BoundaryStatus, BoundaryVerdict, Capabilities, ConnectionEnd, Connections, Container,
    DeclaredMount, Ecosystem, EndKind, EngineSocketMount, Fact, Facts, Gap, InventoryFlaws, ListeningProgram,
    PackageFlaws, PackageName, PathGoal, PublishedPort, ReachedListener, Socket, StepKind, Vulnerability,
    Way,
};

use crate::testing::{Case, Profile, capabilities, known, user};
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
    listens(container, 80);
    facts.engines[0].programs = vec![server()];
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
    assert_eq!(cuts, ["--cap-drop NET_ADMIN", "--user 1000", "without publishing port 80"]);
    assert_eq!(path.cuts[0].container.as_deref(), Some("db"));
}

/// What listens in containers of these facts: a program of the package `mariadb-server` that uses `libssl3`.
fn server() -> ListeningProgram {
    ListeningProgram {
        path: "/usr/sbin/mariadbd".into(),
        package: Some(package("mariadb-server")),
        parts: vec![package("libssl3")],
        ..ListeningProgram::default()
    }
}

fn package(name: &str) -> PackageName {
    PackageName { name: name.into(), version: "1:10.5.8".into(), ..PackageName::default() }
}

/// Lets the first process listen on a port.
fn listens(container: &mut Container, port: u16) {
    let effective = container.effective.value_mut().unwrap();
    let process = &mut effective.processes.value_mut().unwrap()[0];
    process.program = Some(0);
    let socket = Socket { protocol: "tcp6".into(), port, pid: Some(process.pid), ..Socket::default() };
    effective.listeners = known(vec![socket]);
}

/// A published container whose image has the flaw in this package, after a change to what listens.
fn with_flaw_of(package: &str, change: impl FnOnce(&mut ListeningProgram)) -> Facts {
    facts(|facts| {
        flawed(facts, "sha256:1");
        let flaw = &mut facts.package_flaws.value_mut().unwrap().inventories[0].flaws[0];
        flaw.installed_as = vec![package.into()];
        change(&mut facts.engines[0].programs[0]);
    })
}

/// Of the only path: whether each step is shown, and how code is run behind the port.
fn broken(facts: &Facts) -> (bool, &str, String) {
    let [path] = paths(facts) else { panic!("{:#?}", paths(facts)) };
    let step = &path.steps[1];
    assert_eq!((step.kind, step.assumed), (StepKind::Break, !path.shown));
    (path.shown, &step.what, step.evidence.join("; "))
}

#[test]
fn a_flaw_of_what_listens_is_shown_and_weighs_more() {
    let assumed = paths(&facts(|_| ()))[0].weight;
    let facts = with_flaw_of("mariadb-server", |_| ());
    let (shown, what, evidence) = broken(&facts);
    assert!(shown && paths(&facts)[0].weight > assumed);
    assert_eq!(what, "runs code in server by CVE-2021-27928");
    let program =
        "server (/usr/sbin/mariadbd, package mariadb-server 1:10.5.8): CVE-2021-27928 in mariadb-10.5";
    assert!(evidence.starts_with(program), "{evidence}");
}

#[test]
fn a_flaw_of_a_library_of_what_listens_is_shown() {
    let facts = with_flaw_of("libssl3", |_| ());
    let (shown, _, evidence) = broken(&facts);
    assert!(
        shown && evidence.contains("package mariadb-server 1:10.5.8) uses libssl3 1:10.5.8: "),
        "{evidence}"
    );
}

#[test]
fn a_flaw_of_another_package_is_not_behind_the_port() {
    let facts = with_flaw_of("wget", |_| ());
    let none = "runs code in it by a flaw that is not published";
    assert_eq!(broken(&facts), (false, none, String::new()));
}

#[test]
fn where_the_program_is_of_no_known_package_any_flaw_may_be_in_it() {
    let gap = Gap {
        source: "/opt/server".into(),
        reason: "it belongs to no known package".into(),
        subject: String::new(),
    };
    let unowned = |program: &mut ListeningProgram| (program.package, program.gap) = (None, Some(gap.clone()));
    let facts = with_flaw_of("wget", unowned);
    let (shown, what, evidence) = broken(&facts);
    assert!(!shown && what.ends_with("by CVE-2021-27928, if it has this flaw of its image"), "{what}");
    assert!(
        evidence.contains("any flaw of the image: /opt/server: it belongs to no known package"),
        "{evidence}"
    );
    assert!(paths(&facts)[0].weight > paths(&with_flaw_of("wget", |_| ()))[0].weight);
    assert!(broken(&with_flaw_of("libssl3", unowned)).0, "what it has mapped is known");
    let untold = facts_without_programs();
    let (shown, _, evidence) = broken(&untold);
    assert!(!shown && evidence.contains("the program of this port is not known"), "{evidence}");
}

/// As facts are that were written down before programs were looked at.
fn facts_without_programs() -> Facts {
    let mut facts = with_flaw_of("mariadb-server", |_| ());
    facts.engines[0].programs.clear();
    judged(facts)
}

#[test]
fn modules_and_what_an_interpreter_may_run_count() {
    let of = |ecosystem: Ecosystem, change: &dyn Fn(&mut ListeningProgram)| {
        let mut facts = with_flaw_of("x", change);
        let flaw = &mut facts.package_flaws.value_mut().unwrap().inventories[0].flaws[0];
        (flaw.ecosystem, flaw.installed) = (ecosystem, "1.2".into());
        let facts = judged(facts);
        let (shown, _, evidence) = broken(&facts);
        (shown, evidence)
    };
    let interpreter = |program: &mut ListeningProgram| program.runs = vec![Ecosystem::Python];
    assert!(of(Ecosystem::Python, &interpreter).1.contains("may run"));
    assert!(of(Ecosystem::Python, &interpreter).0 && !of(Ecosystem::Npm, &interpreter).0);
    let module = |version: &'static str| {
        move |program: &mut ListeningProgram| {
            let part = PackageName { ecosystem: Ecosystem::Go, name: "x".into(), version: version.into() };
            program.parts.push(part);
        }
    };
    let (shown, evidence) = of(Ecosystem::Go, &module("v1.2"));
    assert!(shown && evidence.contains("is built from x v1.2"), "{evidence}");
    assert!(!of(Ecosystem::Go, &module("v1.3")).0, "another program of the image has the flawed version");
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

/// A front with a published port and a database behind it, in one network; the change is made to both and to the rest.
fn two(change: impl FnOnce(&mut Container, &mut Container)) -> Facts {
    let mut facts = Case::new(Profile::Unconfined, |it| {
        let process = &mut it.processes.value_mut().unwrap()[0];
        process.seccomp_mode = 0;
        process.seccomp = Fact::absent("test");
        user(it, 999);
    })
    .into_facts();
    let containers = facts.engines[0].containers.value_mut().unwrap();
    let mut front = containers[0].clone();
    (front.id, front.name) = ("web-id".into(), "web".into());
    front.declared.value_mut().unwrap().image_id = "sha256:2".into();
    let effective = front.effective.value_mut().unwrap();
    effective.processes.value_mut().unwrap()[0].pid = 200;
    let own = effective.namespaces.value_mut().unwrap();
    (own.pid, own.net) = (3, 3);
    listens(&mut front, 80);
    listens(&mut containers[0], 3306);
    change(&mut front, &mut containers[0]);
    containers.push(front);
    facts.engines[0].programs = vec![server()];
    facts.connections = known(connected());
    facts
}

/// Outside reaches the front, and the front reaches the database.
fn connected() -> Connections {
    let end =
        |kind, id: &str| ConnectionEnd { kind, containers: vec![id.to_owned()], ..ConnectionEnd::default() };
    let listener = |id: &str, port: u16, via: &str, group: usize| ReachedListener {
        protocol: "tcp".into(),
        port,
        container: Some(id.into()),
        ways: vec![Way {
            to: format!("172.17.0.2:{port}"),
            via: vec![via.into()],
            open: vec![group],
            ..Way::default()
        }],
        ..ReachedListener::default()
    };
    Connections {
        ends: vec![
            end(EndKind::Container, "web-id"),
            end(EndKind::Container, "c1"),
            ConnectionEnd { kind: EndKind::Outside, ..ConnectionEnd::default() },
        ],
        groups: vec![vec![0], vec![1], vec![2]],
        listeners: vec![
            listener("web-id", 80, "DNAT to 172.17.0.2:80", 2),
            listener("c1", 3306, "bridge docker0", 0),
        ],
        ..Connections::default()
    }
}

/// A flaw that is exploited over the network, mended by an upgrade.
fn flawed(facts: &mut Facts, holder: &str) {
    let flaw = Vulnerability {
        id: "CVE-2021-27928".into(),
        package: "mariadb-10.5".into(),
        installed_as: vec!["mariadb-server".into()],
        fixed: Some("1:10.5.9-1".into()),
        vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".into()),
        severity: "critical".into(),
        exploited: Some("2021-12-10".into()),
        ..Vulnerability::default()
    };
    let inventory = InventoryFlaws { holder: holder.into(), flaws: vec![flaw], ..InventoryFlaws::default() };
    match facts.package_flaws.value_mut() {
        Some(known) => known.inventories.push(inventory),
        None => {
            facts.package_flaws =
                known(PackageFlaws { inventories: vec![inventory], ..PackageFlaws::default() });
        }
    }
}

fn judged(mut facts: Facts) -> Facts {
    verdict::judge(&mut facts);
    facts
}

fn kinds(path: &AttackPath) -> Vec<StepKind> {
    path.steps.iter().map(|step| step.kind).collect()
}

fn cuts(path: &AttackPath) -> Vec<String> {
    path.cuts
        .iter()
        .map(|cut| format!("{}: {}", cut.container.as_deref().unwrap_or("host"), cut.change))
        .collect()
}

#[test]
fn a_neighbour_is_won_by_its_own_flaw() {
    let mut facts = two(|_, _| ());
    assert!(paths(&judged(facts.clone())).is_empty(), "nothing is known about the database");
    flawed(&mut facts, "sha256:1");
    let facts = judged(facts);
    let [path] = paths(&facts) else { panic!("{:#?}", paths(&facts)) };
    assert_eq!((path.goal, path.container.as_str()), (PathGoal::Neighbour, "db"));
    assert_eq!(path.through().collect::<Vec<_>>(), ["web", "db"]);
    assert_eq!(path.entry_id(), "web-id");
    assert_eq!(kinds(path), [StepKind::Entry, StepKind::Break, StepKind::Connect, StepKind::Break]);
    assert!(!path.shown, "the front's flaw is assumed");
    assert_eq!(path.boundary, "CVE-2021-27928");
    let expected =
        ["web: without publishing port 80", "db: build its image anew with mariadb-10.5 1:10.5.9-1 or later"];
    assert_eq!(cuts(path), expected);
}

#[test]
fn a_neighbour_is_won_by_what_is_behind_the_port_that_is_reached() {
    let with = |flaw: &str, gap: Option<Gap>| {
        let mut facts = two(|_, _| ());
        flawed(&mut facts, "sha256:1");
        let flaws = &mut facts.package_flaws.value_mut().unwrap().inventories[0].flaws;
        flaws.push(Vulnerability {
            package: "wget".into(),
            installed_as: vec!["wget".into()],
            ..flaws[0].clone()
        });
        flaws.retain(|it| it.installed_as == [flaw]);
        facts.engines[0].programs[0].gap = gap;
        judged(facts)
    };
    assert!(paths(&with("wget", None)).is_empty(), "nothing that listens has it");
    let gap = Gap {
        reason: "it belongs to no known package".into(),
        source: "/opt/server".into(),
        subject: String::new(),
    };
    let unknown = with("wget", Some(gap));
    let [path] = paths(&unknown) else { panic!("{:#?}", paths(&unknown)) };
    assert!(path.steps[3].assumed && path.boundary == "CVE-2021-27928");
    assert!(cuts(path)[1].contains("wget"), "{:?}", cuts(path));
    // The port that the front reaches is another than that of the flawed program.
    let mut elsewhere = with("mariadb-server", None);
    assert_eq!(paths(&elsewhere).len(), 1);
    let other = ListeningProgram { path: "/usr/sbin/other".into(), ..ListeningProgram::default() };
    elsewhere.engines[0].programs.push(other);
    let db = &mut elsewhere.engines[0].containers.value_mut().unwrap()[0];
    let effective = db.effective.value_mut().unwrap();
    let mut process = effective.processes.value().unwrap()[0].clone();
    (process.pid, process.program) = (101, Some(1));
    effective.processes.value_mut().unwrap().push(process);
    let socket = Socket { pid: Some(101), ..effective.listeners.value().unwrap()[0].clone() };
    effective.listeners.value_mut().unwrap()[0].port = 3307;
    effective.listeners.value_mut().unwrap().push(socket);
    assert!(paths(&judged(elsewhere)).is_empty());
}

#[test]
fn through_a_neighbour_to_the_host() {
    let mut facts = two(|_, db| {
        let sockets = db.effective.value_mut().unwrap().engine_sockets.value_mut().unwrap();
        sockets.push(EngineSocketMount {
            target: "/run/docker.sock".into(),
            program: "dockerd".into(),
            ..EngineSocketMount::default()
        });
        let processes = db.effective.value_mut().unwrap().processes.value_mut().unwrap();
        processes[0].uids = [0; 4];
    });
    flawed(&mut facts, "sha256:1");
    flawed(&mut facts, "sha256:2");
    let facts = judged(facts);
    let [path] = paths(&facts) else { panic!("{:#?}", paths(&facts)) };
    assert_eq!((path.goal, path.boundary.as_str()), (PathGoal::Host, "engine-socket"));
    assert_eq!(path.through().collect::<Vec<_>>(), ["web", "db"]);
    assert_eq!(kinds(path).last(), Some(&StepKind::Boundary));
    assert!(path.shown);
    assert!(cuts(path).contains(&"db: without the mount at /run/docker.sock".to_owned()), "{:?}", cuts(path));
    let what_if = crate::what_if(&facts, "web-id", &[crate::Change::Unpublish(80)]).unwrap();
    assert_eq!((what_if.cut.len(), what_if.left.len()), (1, 0));
    let what_if = crate::what_if(&facts, "c1", &[crate::Change::NoNetwork]).unwrap();
    assert_eq!((what_if.cut.len(), what_if.left.len()), (1, 0));
}

#[test]
fn a_shared_pid_namespace_gives_the_neighbour() {
    let together = |front: &mut Container, db: &mut Container| {
        let shared = db.effective.value().unwrap().namespaces.value().unwrap().pid;
        front.effective.value_mut().unwrap().namespaces.value_mut().unwrap().pid = shared;
        front.declared.value_mut().unwrap().host_config.pid_mode = "container:c1".into();
    };
    let facts = judged(two(together));
    let [path] = paths(&facts) else { panic!("{:#?}", paths(&facts)) };
    assert_eq!(path.boundary, "shared-processes");
    assert!(path.steps[2].evidence.iter().any(|shown| shown.contains("same user")), "{path:#?}");
    assert!(cuts(path).contains(&"web: without --pid container:c1".to_owned()), "{:?}", cuts(path));
    let others = judged(two(|front, db| {
        together(front, db);
        user(db.effective.value_mut().unwrap(), 998);
    }));
    assert!(paths(&others).is_empty(), "another user's processes are out of its hands");
}

#[test]
fn files_that_a_neighbour_runs_give_it() {
    let mount = |target: &str| DeclaredMount {
        kind: "volume".into(),
        source: "/var/lib/docker/volumes/app/_data".into(),
        target: target.into(),
        rw: true,
        ..DeclaredMount::default()
    };
    let shared = |exe: &'static str| {
        judged(two(|front, db| {
            front.declared.value_mut().unwrap().mounts.push(mount("/srv"));
            db.declared.value_mut().unwrap().mounts.push(mount("/app"));
            db.effective.value_mut().unwrap().processes.value_mut().unwrap()[0].exe = Some(exe.into());
        }))
    };
    let facts = shared("/app/bin/server");
    let [path] = paths(&facts) else { panic!("{:#?}", paths(&facts)) };
    assert_eq!(path.boundary, "shared-files");
    assert!(cuts(path).contains(&"web: the mount at /srv read-only".to_owned()), "{:?}", cuts(path));
    assert!(paths(&shared("/usr/sbin/mariadbd")).is_empty(), "that it reads them is an assumption");
}

#[test]
fn an_upgrade_of_the_host_ends_all_paths_by_its_flaw() {
    let facts = facts(|facts| {
        let container = &mut facts.engines[0].containers.value_mut().unwrap()[0];
        container.declared.value_mut().unwrap().ports.clear();
        let mut other = container.clone();
        (other.id, other.name) = ("c2".into(), "other".into());
        facts.engines[0].containers.value_mut().unwrap().push(other);
        let mut connections = connected();
        connections.listeners[0].container = Some("c1".into());
        connections.listeners[1] =
            ReachedListener { container: Some("c2".into()), ..connections.listeners[0].clone() };
        // Neither is published: they are reached as they are.
        connections.listeners.iter_mut().for_each(|listener| listener.ways[0].via.clear());
        facts.connections = known(connections);
    });
    assert_eq!(paths(&facts).len(), 2);
    let upgrade = paths(&facts)[0].cuts.iter().find(|cut| cut.container.is_none()).unwrap();
    assert_eq!(
        (upgrade.change.as_str(), upgrade.paths, upgrade.effort.as_str()),
        ("upgrade linux", 2, "boots the host")
    );
}
