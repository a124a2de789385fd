//! An audit made by hand, hostile names among them, so that a report can be looked at without a host.

mod rules;

use std::borrow::Cow;

use plimsoll_facts::{
    Collector, Component, ComponentKind, Container, Engine, EngineVersion, Fact, Facts, Gap, Host,
    InventoryFlaws, NotCovered, OsRelease, PackageFlaws, RunningKernel, Vulnerability,
};
use plimsoll_report::{Audit, PolicySummary};
use plimsoll_rules::{
    Confidence, Evidence, ExceptionNote, Finding, Report, Rule, Status, Subject, SubjectKind,
};
use plimsoll_upgrade::{
    Action, Basis, ContainerEffects, ContainerRef, Effect, EffectKind, Effects, Estimate, Layer, Pending,
    Step, Trap,
};

pub(crate) use rules::RULES;

const ENGINE: &str = "unix:///var/run/docker.sock";

/// Names that a container or an image of an attacker may have.
pub(crate) const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)>'",
    "red\u{1b}[31m\u{1b}]0;owned\u{7}\nverdict: clean",
    "txt.\u{202e}gnp\u{200b}|`*_[x](javascript:alert(3))",
    "a-name-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-until-it-ends",
    "データベース-本番-コンテナ-データベース-本番-コンテナ-データベース",
];

fn facts(containers: &[String]) -> Facts {
    let containers =
        containers.iter().map(|name| Container { name: name.clone(), ..Container::default() }).collect();
    let engine = Engine {
        endpoint: ENGINE.into(),
        version: Fact::known(
            EngineVersion { version: "20.10.24+dfsg1".into(), ..EngineVersion::default() },
            "GET /version",
        ),
        containers: Fact::known(containers, "GET /containers/json"),
        ..Engine::default()
    };
    let mut host = Host {
        hostname: Fact::known("db1.example.net".into(), "uname(2)"),
        os: Fact::known(
            OsRelease { pretty_name: Some("Debian GNU/Linux 12 (bookworm)".into()), ..OsRelease::default() },
            "/etc/os-release",
        ),
        ..Host::default()
    };
    host.kernel.running = Fact::known(
        RunningKernel { release: "6.1.0-28-amd64".into(), ..RunningKernel::default() },
        "uname(2)",
    );
    Facts {
        package_flaws: Fact::known(package_flaws(), "/var/lib/plimsoll/advisories"),
        collected_at: 1_795_500_131,
        collector: Collector { uid: 1000, in_host_namespaces: Some(true), ..Collector::default() },
        host,
        components: vec![Component::default(); 6],
        engines: vec![engine],
        ..Facts::default()
    }
}

fn package_flaws() -> PackageFlaws {
    let flaw = Vulnerability {
        id: "CVE-2024-21626".into(),
        advisory: "DEBIAN-CVE-2024-21626".into(),
        package: "runc".into(),
        installed: "1.1.5+ds1-1".into(),
        fixed: Some("1.1.5+ds1-1+deb12u1".into()),
        severity: "high".into(),
        exploited: Some("2024-02-01".into()),
        evidence: "1.1.5+ds1-1 < 1.1.5+ds1-1+deb12u1".into(),
        location: "/var/lib/dpkg/status:7".into(),
        exception: Some(ExceptionNote {
            owner: "dba@example.net".into(),
            reason: "not reachable".into(),
            expires: "2027-01-31".into(),
        }),
        ..Vulnerability::default()
    };
    let not_covered = vec![NotCovered {
        reason: "published by mariadb.org".into(),
        count: 1,
        examples: vec!["mariadb-server".into()],
    }];
    let inventory = InventoryFlaws {
        holder: "host".into(),
        packages: 12,
        covered: 11,
        flaws: vec![flaw],
        not_covered,
        ..InventoryFlaws::default()
    };
    PackageFlaws { inventories: vec![inventory], ..PackageFlaws::default() }
}

fn finding(rule: &Rule, status: Status, subject: Subject, message: &str) -> Finding {
    Finding {
        rule: Cow::Borrowed(rule.id),
        concern: rule.concern,
        severity: rule.severity,
        confidence: Confidence::High,
        status,
        subject,
        message: message.to_owned(),
        evidence: Vec::new(),
        remediation: Cow::Borrowed(rule.fix),
        exception: None,
    }
}

fn subject(kind: SubjectKind, name: &str) -> Subject {
    let engine = match kind {
        SubjectKind::Host | SubjectKind::Component => "",
        _ => ENGINE,
    };
    Subject { kind, name: name.into(), id: format!("id-of-{name}"), engine: engine.into() }
}

fn about_container(name: &str, number: usize, findings: &mut Vec<Finding>) {
    let it = subject(SubjectKind::Container, name);
    let pid = 4711 + number;
    let mut add = |rule: usize, wrong: bool, message: &str, evidence: Vec<Evidence>| {
        let status = if wrong { Status::Fail } else { Status::Pass };
        let message = if wrong { message } else { "" };
        findings.push(Finding { evidence, ..finding(&RULES[rule], status, it.clone(), message) });
    };
    add(
        0,
        number.is_multiple_of(7),
        &format!("process {pid} (mariadbd) has the powers of the host's root"),
        vec![
            Evidence::new(
                "effective capabilities",
                "SYS_ADMIN SYS_MODULE SYS_RAWIO SYS_PTRACE NET_ADMIN SYS_TIME MAC_ADMIN BPF PERFMON",
                format!("/proc/{pid}/status CapEff"),
            )
            .expected("Docker's default set"),
            Evidence::new("seccomp mode", "0", format!("/proc/{pid}/status Seccomp")).expected("2"),
        ],
    );
    add(
        1,
        number == 0,
        "the engine's socket is mounted read-write at /run/docker.sock",
        vec![Evidence::new(
            "mount",
            "/run/docker.sock → /run/docker.sock rw",
            format!("/proc/{pid}/mountinfo"),
        )],
    );
    add(
        2,
        number % 5 != 1,
        "no cgroup between it and the root limits memory",
        vec![
            Evidence::new(
                "memory.limit_in_bytes",
                "9223372036854771712",
                format!("/sys/fs/cgroup/memory/docker/{name}/memory.limit_in_bytes"),
            )
            .expected("below the host's memory"),
        ],
    );
    add(
        4,
        number % 4 == 2,
        "every process runs as user 0 outside a user namespace",
        vec![Evidence::new("uids of process", "0 0 0 0", format!("/proc/{pid}/status Uid"))],
    );
}

fn about_the_host(findings: &mut Vec<Finding>) {
    let host = subject(SubjectKind::Host, "db1.example.net");
    let engine = subject(SubjectKind::Engine, ENGINE);
    let mut runc = subject(SubjectKind::Component, "runc");
    runc.id = "/usr/sbin/runc".into();
    findings.push(Finding {
        evidence: vec![
            Evidence::new("version", "1.1.5+ds1-1+deb12u1", "/var/lib/dpkg/status")
                .expected("1.1.5+ds1-1+deb12u2 or newer"),
        ],
        confidence: Confidence::Medium,
        ..finding(
            &RULES[3],
            Status::Fail,
            runc,
            "CVE-2024-21626 lets an image open the host's root directory",
        )
    });
    findings.push(Finding {
        evidence: vec![Evidence::new("running", "6.1.0-27-amd64", "uname(2)").expected("6.1.0-28-amd64")],
        remediation: Cow::Borrowed("systemctl reboot\nuname -r afterwards: 6.1.0-28-amd64"),
        ..finding(&RULES[5], Status::Fail, host.clone(), "6.1.0-28-amd64 waits in /boot")
    });
    findings.push(Finding {
        exception: Some(ExceptionNote {
            owner: "dba@example.net".into(),
            reason: "one container on this host, restarted by hand in the monthly window".into(),
            expires: "2027-03-31".into(),
        }),
        ..finding(&RULES[6], Status::Fail, engine, "live-restore is off")
    });
    findings.push(finding(
        &RULES[7],
        Status::NotAutomated,
        host,
        "Read the report of the host's own benchmark (lynis, OpenSCAP) and its date.",
    ));
    for (number, image) in ["mariadb:11.4", HOSTILE[0]].into_iter().enumerate() {
        let it = subject(SubjectKind::Image, image);
        findings.push(match number {
            0 => finding(&RULES[8], Status::NotApplicable, it, "it was built yesterday"),
            _ => finding(
                &RULES[8],
                Status::Unknown,
                it,
                "/var/lib/docker/overlay2: permission denied, the directory belongs to root",
            ),
        });
    }
}

fn container_effects(name: &str, kind: EffectKind, reason: &str, seconds: Option<f64>) -> ContainerEffects {
    let estimate = seconds.map(|seconds| Estimate {
        seconds,
        at_most: Some(seconds * 1.5),
        basis: Basis::Configured,
        explanation: "10 s stop time-out of reports + 3 s to start".into(),
    });
    ContainerEffects {
        container: ContainerRef { name: name.into(), id: format!("id-of-{name}"), engine: ENGINE.into() },
        effects: vec![Effect { kind, reason: reason.into(), estimate }],
    }
}

fn effects() -> Effects {
    let off = "live-restore is off, and the restart policy starts it again";
    let dockerd = Layer::Component { component: ComponentKind::Dockerd, path: "/usr/sbin/dockerd".into() };
    let step = |action, layer, pending, why: &str, containers| Step {
        action,
        layer,
        engine: ENGINE.into(),
        pending,
        from: None,
        to: None,
        why: why.into(),
        evidence: Vec::new(),
        containers,
        gaps: Vec::new(),
    };
    let restart = vec![
        container_effects("reports", EffectKind::StaysDown, "its restart policy is no", None),
        container_effects("db", EffectKind::Restart, off, Some(13.2)),
        container_effects(HOSTILE[2], EffectKind::Restart, off, Some(13.2)),
    ];
    let goes_on = vec![
        container_effects("db", EffectKind::None, "containerd holds no container", None),
        container_effects("web", EffectKind::None, "containerd holds no container", None),
    ];
    Effects {
        steps: vec![
            Step {
                from: Some("20.10.24".into()),
                to: Some("26.1.5".into()),
                ..step(
                    Action::RestartEngine,
                    dockerd,
                    Pending::Installed,
                    "the running daemon's file was replaced on disk",
                    restart,
                )
            },
            step(
                Action::Reboot,
                Layer::Kernel,
                Pending::No,
                "no newer kernel is installed; this is what a reboot would do",
                goes_on,
            ),
        ],
        traps: vec![Trap {
            id: "unless-stopped-after-crash".into(),
            engine: ENGINE.into(),
            containers: vec![ContainerRef {
                name: "db".into(),
                id: "id-of-db".into(),
                engine: ENGINE.into(),
            }],
            message: "after a crash of the daemon, containers with the policy unless-stopped stay down"
                .into(),
            remedy: "set live-restore in daemon.json and send dockerd SIGHUP: nothing stops".into(),
            evidence: Vec::new(),
        }],
    }
}

/// An audit of a host with this many containers, the hostile ones after the first two.
pub(crate) fn audit(containers: usize) -> Audit {
    let names: Vec<String> = ["db", "web"]
        .into_iter()
        .chain(HOSTILE)
        .map(str::to_owned)
        .chain((1..).map(|number| format!("shop-worker-{number}")))
        .take(containers)
        .collect();
    let mut findings = Vec::new();
    for (number, name) in names.iter().enumerate() {
        about_container(name, number, &mut findings);
    }
    about_the_host(&mut findings);
    let gaps = vec![Gap {
        subject: "host".into(),
        source: "/var/lib/docker/overlay2".into(),
        reason: "permission denied, the directory belongs to root".into(),
    }];
    let mut audit = Audit::new(&facts(&names), &RULES, Report { findings, gaps });
    audit.tool.version = Cow::Borrowed("0.0.0");
    audit.policy = PolicySummary { name: "baseline".into(), ..PolicySummary::default() };
    audit.effects = effects();
    audit
}
