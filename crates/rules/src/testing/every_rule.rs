//! What holds for every rule, whatever it judges.

use plimsoll_facts::{
    Belongs, Connections, Container, ContainerReach, DeclaredMount, Engine, EngineSocketMount, ExecSession,
    Fact, Facts, HostDescriptor, HostPath, Image, InventoryFlaws, Leftover, MaskState, Network,
    PrivilegedFile, Process, PublishedPort, Socket, Vulnerability, WritablePath,
};
use serde_json::{Value, json};

use super::bare::known;
use super::{HOST_NAMESPACES, Reach, World, container, process};
use crate::declared::ALL_CAPABILITIES;
use crate::{Finding, Judge, Status, all, judge};

#[test]
fn texts_are_complete() {
    for rule in all() {
        let id = rule.id;
        assert!(rule.why.ends_with('.') && rule.why.len() < 700, "why of {id}");
        assert!(!rule.fix.is_empty() && rule.fix.len() < 700, "fix of {id}");
        assert!(!rule.why.contains("  ") && !rule.fix.contains("  "), "spaces in {id}");
        assert!(!rule.references.is_empty() || matches!(rule.judge, Judge::Manual(_)), "references of {id}");
    }
}

/// Of a container, an image or a network about which nothing could be read, nothing is right.
#[test]
fn nothing_known_is_never_a_pass() {
    let nothing = Facts {
        engines: vec![Engine {
            containers: Fact::known(
                vec![Container { state: "running".into(), ..Container::default() }],
                "GET",
            ),
            images: Fact::known(vec![Image::default()], "GET"),
            networks: Fact::known(vec![Network::default()], "GET"),
            ..Engine::default()
        }],
        ..Facts::default()
    };
    for finding in judge(&nothing, all()).findings {
        let of_api = finding.subject.kind == crate::SubjectKind::Network;
        assert!(finding.status != Status::Pass || of_api, "{} passes on nothing", finding.rule);
    }
}

/// A name and labels that made other tools skip a container, or the whole section.
#[test]
fn case_21_and_22_names_and_labels_hide_nothing() {
    let plain = judge(&worst(), all()).findings;
    let mut hostile = worst();
    hostile.another("neighbour", |c| {
        c.declared().labels.insert("docker.bench.security".into(), "r1".into());
    });
    for name in ["vanilla", "nil", "r1", "docker-bench-security", "\u{1b}[2Jdb", "", "../../x", "null"] {
        let it = &mut hostile.engine().containers.value_mut().unwrap()[0];
        it.name = name.into();
        it.declared().labels.insert("docker.bench.security".into(), "docker-bench".into());
        let findings = judge(&hostile, all()).findings;
        for before in plain.iter().filter(|f| f.subject.id == "c0ffee") {
            let after = findings.iter().find(|f| f.rule == before.rule && f.subject.id == "c0ffee").unwrap();
            assert_eq!(after.status, before.status, "{} as {name:?}", before.rule);
        }
    }
}

/// Whatever single fact becomes unreadable, what was wrong does not become right.
#[test]
fn a_hidden_fact_hides_no_finding() {
    let before = judge(&worst(), all()).findings;
    let failed: Vec<_> = before.iter().filter(|f| f.status == Status::Fail).collect();
    assert!(failed.len() > 50, "the worst container breaks most rules, not {}", failed.len());
    let document = serde_json::to_value(worst()).unwrap();
    let mut pointers = Vec::new();
    known_facts(&document, String::new(), &mut pointers);
    assert!(pointers.len() > 40, "{pointers:?}");
    for pointer in pointers {
        let mut hidden = document.clone();
        *hidden.pointer_mut(&pointer).unwrap() =
            json!({"state": "unreadable", "source": "test", "reason": "permission denied"});
        let facts: Facts = serde_json::from_value(hidden).unwrap();
        let after = judge(&facts, all()).findings;
        for finding in &failed {
            assert!(!is_excused(&after, finding), "{} is excused without {pointer}", finding.rule);
        }
    }
}

/// Whether a finding about the same subject has turned into a pass, or into a question that does not arise.
fn is_excused(after: &[Finding], before: &Finding) -> bool {
    let same = after.iter().find(|f| f.rule == before.rule && f.subject == before.subject);
    same.is_some_and(|f| matches!(f.status, Status::Pass | Status::NotApplicable))
}

fn known_facts(value: &Value, at: String, found: &mut Vec<String>) {
    if value.get("state") == Some(&json!("known")) && value.get("value").is_some() {
        found.push(at.clone());
    }
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            known_facts(value, format!("{at}/{key}"), found);
        }),
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(index, value)| known_facts(value, format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

/// What Docker's defaults are told about: more is noise, less is a hole.
#[test]
fn docker_defaults() {
    let mut facts = container(|_| ());
    facts.connections = known(Connections::default());
    facts.attack_paths = known(Vec::new());
    let reach = ContainerReach {
        engine: facts.engines[0].endpoint.clone(),
        container: "c0ffee".into(),
        ..ContainerReach::default()
    };
    facts.reach = known(vec![reach]);
    let findings = judge(&facts, all()).findings;
    let about = |status| {
        let mut rules: Vec<_> = findings
            .iter()
            .filter(|f| f.subject.id == "c0ffee" && f.status == status)
            .map(|f| f.rule.as_ref())
            .collect();
        rules.sort_unstable();
        rules
    };
    assert_eq!(
        about(Status::Fail),
        [
            "container-logs-unrotated",
            "cpu-unlimited",
            "default-bridge-used",
            "health-check-absent",
            "host-user-namespace",
            "io-unlimited",
            "memory-unlimited",
            "new-privileges-allowed",
            "pids-unlimited",
            "root-filesystem-writable",
            "setid-files-effective",
        ]
    );
    assert_eq!(about(Status::Unknown), [""; 0]);
}

/// A container that breaks as many rules as one can, with every fact readable.
fn worst() -> Facts {
    let mut facts = container(|c| {
        worst_declaration(c);
        worst_kernel_state(c);
    });
    facts.another("other", |_| ());
    let image = facts.image();
    let config = image.config.value_mut().unwrap();
    config.secret_like_environment = vec!["API_TOKEN".into()];
    config.volumes = vec!["/etc".into()];
    config.cmd = vec!["/bin/sh".into(), "-c".into(), "mariadbd".into()];
    let content = image.content.value_mut().unwrap();
    content.secret_files = vec!["/root/.ssh/id_rsa".into()];
    content.empty_passwords = known(vec!["root".into()]);
    content.accounts.push(("toor".into(), 0, 0));
    content.passwordless_sudo = known(vec!["mysql".into()]);
    content.privileged_files.push(PrivilegedFile { path: "/usr/bin/sudo".into(), ..Default::default() });
    content.writable_paths =
        known(vec![WritablePath { path: "/etc".into(), mode: 0o777, ..Default::default() }]);
    content.login_keys = known(vec!["/root/.ssh/authorized_keys".into()]);
    content.development_files = known(vec!["/app/.git".into()]);
    content.leftovers = known(vec![Leftover { path: "/var/cache/apk".into(), files: 2, bytes: 3 << 20 }]);
    content.privileged_files.push(PrivilegedFile { path: "/x".into(), mode: 0o4755, ..Default::default() });
    facts.engine().version.value_mut().unwrap().version = "20.10.24".into();
    worst_packages(&mut facts);
    facts
}

fn worst_packages(facts: &mut Facts) {
    use crate::package_flaws::tests::{flaw, image_with, without_fix};
    let exploited = Vulnerability { exploited: Some("2024-02-01".into()), ..flaw("CVE-1") };
    let known = image_with(vec![exploited, flaw("CVE-2"), without_fix(flaw("CVE-3"))]);
    let inventories = known.package_flaws.value().unwrap().inventories.clone();
    let holder = facts.image().id.clone();
    let of = |holder: &str| InventoryFlaws { holder: holder.to_owned(), ..inventories[0].clone() };
    facts.package_flaws = known.package_flaws;
    facts.package_flaws.value_mut().unwrap().inventories = vec![of(&holder), of("host")];
    facts.image().packages = known.engines[0].images.value().unwrap()[0].packages.clone();
    facts.host.packages = facts.image().packages.clone();
    facts.boundary = Fact::known(Vec::new(), "test");
}

fn worst_declaration(c: &mut Container) {
    let declared = c.declared();
    declared.user = "mysql".into();
    declared.restart_count = 90;
    declared.started_at = Some(1_759_999_990);
    declared.health = Some("unhealthy".into());
    declared.apparmor_profile = "docker-default".into();
    declared.secret_like_environment = vec!["MARIADB_ROOT_PASSWORD".into()];
    declared.execs = vec![ExecSession { id: "e".into(), pid: 4900, user: "0".into(), privileged: true }];
    declared.mounts =
        vec![DeclaredMount { target: "/m".into(), source: "/srv".into(), ..Default::default() }];
    let port = |address: &str, host_port, container_port| PublishedPort {
        protocol: "tcp".into(),
        host_address: address.into(),
        host_port,
        container_port,
    };
    declared.ports = vec![port("0.0.0.0", 81, 6379), port("127.0.0.1", 9000, 9000)];
    let config = &mut declared.host_config;
    config.memory = 64 << 20;
    config.restart_policy = "always".into();
    config.oom_score_adj = -1000;
    config.device_requests = vec!["nvidia".into()];
    config.readonly_rootfs = true;
    config.ipc_mode = "container:other".into();
}

fn worst_kernel_state(c: &mut Container) {
    let root = Process {
        cap_effective: ALL_CAPABILITIES,
        cap_permitted: ALL_CAPABILITIES,
        cap_bounding: ALL_CAPABILITIES,
        seccomp_mode: 0,
        ..process(4711, "sshd", 0)
    };
    let session = Process { ppid: 1, ..root.clone() };
    let unprivileged = Process { ppid: 4711, groups: vec![994], ..process(4720, "worker", 1000) };
    let visitor = Process { pid: 5000, belongs: Belongs::NamespaceOnly, ..root.clone() };
    *c.processes() = vec![root, Process { pid: 4900, ..session }, unprivileged, visitor];
    *c.namespaces() = HOST_NAMESPACES;
    c.devices().all = true;
    c.limits().cgroup = "/user.slice".into();
    c.host_paths().push(HostPath {
        host: "/".into(),
        target: "/m".into(),
        writable: true,
        propagation: "shared".into(),
        ..HostPath::default()
    });
    c.listeners().push(Socket {
        protocol: "tcp".into(),
        address: "::".into(),
        port: 22,
        ..Socket::default()
    });
    let effective = c.effective();
    effective.masks.value_mut().unwrap().iter_mut().for_each(|mask| mask.found = MaskState::Open);
    effective.engine_sockets = Fact::known(
        vec![EngineSocketMount { host: "/run/docker.sock".into(), ..Default::default() }],
        "mountinfo",
    );
    effective.host_descriptors =
        Fact::known(vec![HostDescriptor { kind: "directory".into(), ..Default::default() }], "/proc/4711/fd");
    effective.rlimits.value_mut().unwrap().insert("nofile".into(), (None, None));
}
