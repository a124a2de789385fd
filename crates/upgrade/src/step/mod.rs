//! The steps: which restarts are pending and why, and what each does to the containers.

mod component;
mod engine;
mod reboot;

use plimsoll_facts::{Component, Facts, Gap, RunningBinary, RunningProgram};
use plimsoll_rules::Evidence;

use crate::view::EngineView;
use crate::{Pending, Step};

/// Every step on this host, what is pending first.
pub(crate) fn all(facts: &Facts, views: &[EngineView<'_>]) -> Vec<Step> {
    let here: Vec<_> = views.iter().filter(|view| !view.engine.remote).collect();
    let mut steps = engine::steps(views);
    steps.extend(component::steps(facts, &here));
    steps.extend(reboot::steps(facts, views));
    steps.sort_by_key(|step| step.pending);
    steps
}

/// Why a restart is pending, if it is.
pub(crate) struct Reason {
    pub(crate) pending: Pending,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) why: String,
    pub(crate) evidence: Vec<Evidence>,
}

/// Whether this running program should be restarted: it is not the file on disk, or a newer package is offered.
pub(crate) fn reason(component: &Component, program: &RunningProgram) -> Reason {
    let running = not_installed(component, program);
    if running.pending == Pending::Installed {
        return running;
    }
    match offered(component) {
        Some(offered) => offered,
        None => running,
    }
}

/// Whether a process runs other bytes than are on disk.
pub(crate) fn not_installed(component: &Component, program: &RunningProgram) -> Reason {
    let name = component.kind.name();
    let exe = format!("/proc/{}/exe", program.pid);
    let on_disk = component.version.value();
    let other_version = match (&program.version, on_disk) {
        (Some(running), Some(disk)) => running != disk,
        _ => false,
    };
    let (pending, to, why, found) = match &program.binary {
        RunningBinary::Replaced { path } => {
            let why = format!("process {} runs another {name} than is installed", program.pid);
            (Pending::Installed, on_disk.cloned(), why, format!("{path}, replaced on disk since"))
        }
        RunningBinary::Unknown { .. } if other_version => {
            let why = format!("process {} runs another {name} than is installed", program.pid);
            (Pending::Installed, on_disk.cloned(), why, program.version.clone().unwrap_or_default())
        }
        RunningBinary::Unknown { reason } => {
            let why = format!("whether process {} runs the installed {name} could not be told", program.pid);
            (Pending::Unknown, None, format!("{why}: {reason}"), "unknown".to_owned())
        }
        RunningBinary::Current => {
            let why = format!("the running {name} is the installed one, and no newer package is offered");
            (Pending::No, None, why, component.path.clone())
        }
    };
    let evidence = Evidence::new(format!("program of process {}", program.pid), found, exe)
        .expected(format!("{} as it is on disk", component.path));
    Reason {
        pending,
        from: program.version.clone().or_else(|| on_disk.cloned().filter(|_| pending == Pending::No)),
        to,
        why,
        evidence: vec![evidence],
    }
}

/// A newer package, where the package manager's lists offer one or could not be read.
pub(crate) fn offered(component: &Component) -> Option<Reason> {
    let package = component.package.value().map_or(component.kind.name(), |package| &package.name);
    let from = installed_package(component);
    let candidate = match component.candidate.get() {
        Ok(candidate) => candidate.filter(|candidate| from.as_ref() != Some(candidate))?,
        Err(gap) => {
            return Some(Reason {
                pending: Pending::Unknown,
                from,
                to: None,
                why: format!("whether a newer {package} is offered could not be told: {}", gap.reason),
                evidence: Vec::new(),
            });
        }
    };
    let bound = format!("{} (installed)", from.as_deref().unwrap_or("unknown"));
    let on_offer = format!("version of {package} on offer");
    Some(Reason {
        pending: Pending::Offered,
        from,
        to: Some(candidate.clone()),
        why: format!("the package manager offers a newer {package}"),
        evidence: vec![
            Evidence::new(on_offer, candidate.clone(), component.candidate.source()).expected(bound),
        ],
    })
}

fn installed_package(component: &Component) -> Option<String> {
    component.package.value().map(|package| package.version.clone())
}

/// Containers that a step may miss because an engine did not list its own.
pub(crate) fn unlisted(views: &[&EngineView<'_>]) -> Vec<Gap> {
    let gap = |view: &&EngineView<'_>| {
        let engine = view.engine;
        let mut gap = engine.containers.get().err()?;
        if gap.source.is_empty() {
            gap.source.clone_from(&engine.endpoint);
        }
        // Why an engine did not answer at all stands with its version, which is asked for first.
        if let Err(silent) = engine.version.get() {
            gap.reason = silent.reason;
        }
        Some(Gap { subject: format!("containers of {}", engine.endpoint), ..gap })
    };
    views.iter().filter_map(gap).collect()
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{ComponentKind, Fact, InstalledKernel, Package, RunningKernel};

    use super::*;
    use crate::testing::{container, facts};
    use crate::{Action, EffectKind, effects};

    fn program(pid: u32, version: &str) -> RunningProgram {
        RunningProgram { pid, version: Some(version.into()), ..RunningProgram::default() }
    }

    fn component(kind: ComponentKind, version: &str, running: Vec<RunningProgram>) -> Component {
        Component {
            kind,
            path: format!("/usr/bin/{}", kind.name()),
            version: Fact::known(version.into(), "Go build information"),
            package: Fact::known(
                Package { name: kind.name().into(), version: format!("{version}-1"), ..Package::default() },
                "dpkg",
            ),
            candidate: Fact::absent("/var/lib/apt/lists"),
            running,
            ..Component::default()
        }
    }

    fn step(facts: &Facts, action: Action) -> Step {
        let found = effects(facts).steps.into_iter().find(|step| step.action == action);
        found.unwrap_or_else(|| panic!("no step {action:?}"))
    }

    #[test]
    fn the_two_questions_are_always_answered() {
        let it = facts(|_| ());
        let actions: Vec<_> = effects(&it).steps.iter().map(|step| step.action).collect();
        for action in [Action::RestartEngine, Action::EngineCrash, Action::Reboot] {
            assert!(actions.contains(&action), "{action:?}");
        }
    }

    #[test]
    fn a_replaced_daemon_is_pending_and_comes_first() {
        let mut it = facts(|_| ());
        let mut old = program(100, "20.10.24");
        old.binary = RunningBinary::Replaced { path: "/usr/sbin/dockerd".into() };
        it.components = vec![component(ComponentKind::Dockerd, "28.5.2", vec![old])];
        let first = effects(&it).steps.remove(0);
        assert_eq!((first.action, first.pending), (Action::RestartEngine, Pending::Installed));
        assert_eq!((first.from.as_deref(), first.to.as_deref()), (Some("20.10.24"), Some("28.5.2")));
        assert_eq!(first.evidence[0].source, "/proc/100/exe");
    }

    #[test]
    fn an_offered_package_is_pending_too() {
        let mut it = facts(|_| ());
        let mut daemon = component(ComponentKind::Dockerd, "20.10.24", vec![program(100, "20.10.24")]);
        daemon.candidate = Fact::known("20.10.24-2".into(), "/var/lib/apt/lists");
        it.components = vec![daemon];
        let found = step(&it, Action::RestartEngine);
        assert_eq!((found.pending, found.from.as_deref()), (Pending::Offered, Some("20.10.24-1")));
        assert_eq!(found.to.as_deref(), Some("20.10.24-2"));
    }

    #[test]
    fn lists_that_cannot_be_read_leave_it_open() {
        let mut it = facts(|_| ());
        let mut daemon = component(ComponentKind::Dockerd, "20.10.24", vec![program(100, "20.10.24")]);
        daemon.candidate = Fact::unreadable("/var/lib/apt/lists", "compressed");
        it.components = vec![daemon];
        let found = step(&it, Action::RestartEngine);
        assert_eq!(found.pending, Pending::Unknown);
        assert!(found.why.contains("compressed"));
    }

    #[test]
    fn a_daemon_that_could_not_be_looked_at_is_unknown() {
        let mut it = facts(|_| ());
        it.engines[0].daemon = Fact::unreadable("/proc", "permission denied");
        let found = step(&it, Action::RestartEngine);
        assert_eq!(found.pending, Pending::Unknown);
        assert!(found.why.contains("permission denied"));
        assert_eq!(found.from.as_deref(), Some("20.10.24"), "the engine itself still tells its version");
    }

    #[test]
    fn an_engine_elsewhere_goes_with_its_own_host() {
        let mut it = facts(|_| ());
        it.engines[0].remote = true;
        let reboots = effects(&it).steps.into_iter().filter(|step| step.action == Action::Reboot);
        let rows: Vec<_> = reboots.map(|step| (step.engine, step.containers.len())).collect();
        assert_eq!(rows, [(String::new(), 0), ("unix:///var/run/docker.sock".to_owned(), 1)]);
    }

    #[test]
    fn only_the_containers_of_old_shims_are_restarted() {
        let mut it = facts(|_| ());
        it.engines[0].containers.value_mut().unwrap().push(container("new"));
        let mut old = program(200, "1.6.20");
        old.binary = RunningBinary::Replaced { path: "/usr/bin/containerd-shim".into() };
        old.container = Some("db-id".into());
        let mut new = program(201, "2.1.9");
        new.container = Some("new-id".into());
        it.components = vec![component(ComponentKind::ContainerdShim, "2.1.9", vec![old, new])];
        let found = step(&it, Action::RestartContainers);
        let names: Vec<_> = found.containers.iter().map(|one| one.container.name.as_str()).collect();
        assert_eq!(names, ["db"]);
        assert_eq!(found.containers[0].worst(), EffectKind::Restart);
    }

    #[test]
    fn containerd_alone_stops_nothing_but_its_daemons_own_goes_with_the_daemon() {
        let mut it = facts(|_| ());
        it.components = vec![
            component(ComponentKind::Dockerd, "28.5.2", vec![program(100, "28.5.2")]),
            component(ComponentKind::Containerd, "2.1.9", vec![program(50, "1.6.20")]),
        ];
        it.components[1].running[0].binary = RunningBinary::Unknown { reason: "no inode".into() };
        let found = step(&it, Action::RestartContainerd);
        assert_eq!((found.pending, found.affected().count()), (Pending::Installed, 0));
        assert_eq!(step(&it, Action::RestartEngine).pending, Pending::No);

        it.components[1].running[0].parent = 100;
        assert!(effects(&it).steps.iter().all(|step| step.action != Action::RestartContainerd));
        assert_eq!(step(&it, Action::RestartEngine).pending, Pending::Installed);
    }

    #[test]
    fn an_engine_that_did_not_list_its_containers_is_named() {
        let mut it = facts(|_| ());
        it.engines[0].containers = Fact::unreadable("GET /containers/json", "timed out");
        let found = step(&it, Action::Reboot);
        assert!(found.containers.is_empty());
        assert_eq!(found.gaps[0].reason, "timed out");
    }

    #[test]
    fn a_reboot_is_due_where_the_rules_say_so() {
        let mut it = facts(|_| ());
        it.host.reboot_required = Fact::absent("/run/reboot-required");
        let kernel = &mut it.host.kernel;
        kernel.running = Fact::known(
            RunningKernel { release: "6.1.0-9-amd64".into(), ..RunningKernel::default() },
            "uname(2)",
        );
        let installed = InstalledKernel {
            release: "6.1.0-25-amd64".into(),
            path: "/boot/vmlinuz-6.1.0-25-amd64".into(),
            ..InstalledKernel::default()
        };
        kernel.installed = Fact::known(vec![installed], "/boot");
        let found = step(&it, Action::Reboot);
        assert_eq!((found.pending, found.to.as_deref()), (Pending::Installed, Some("6.1.0-25-amd64")));
        assert_eq!(found.from.as_deref(), Some("6.1.0-9-amd64"));

        it.host.kernel.running.value_mut().unwrap().release = "6.1.0-25-amd64".into();
        assert_eq!(step(&it, Action::Reboot).pending, Pending::No);

        it.host.kernel.installed = Fact::absent("/boot");
        assert_eq!(step(&it, Action::Reboot).pending, Pending::Unknown);

        it.host.reboot_required = Fact::known(vec!["libc6".into()], "/run/reboot-required.pkgs");
        assert_eq!(step(&it, Action::Reboot).pending, Pending::Installed);
    }
}
