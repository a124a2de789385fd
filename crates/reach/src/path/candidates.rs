//! Changes of a container that could end a path through it, and how they are said.

use plimsoll_facts::{CAPABILITY_NAMES, Container, DeclaredMount, Engine, Facts};

use super::Place;
use crate::change::{Change, is_asked_unconfined, knows_builtin};

/// Packages that the rebuilding of an image names.
const NAMED: usize = 3;
/// Modes that share a namespace of the host or of another container.
const SHARED: [&str; 2] = ["host", "container:"];

/// What a container was given and could do without.
pub(super) fn of(place: &Place<'_>) -> Vec<Change> {
    let container = place.container;
    let mut changes = vec![Change::NoNewPrivileges, Change::User(1000)];
    changes.extend(asked_for(place.engine, container));
    let effective = container.effective.value();
    let paths = effective.and_then(|it| it.host_paths.value()).into_iter().flatten();
    let mounts = container.declared.value().into_iter().flat_map(|declared| &declared.mounts);
    let targets = paths.map(|path| &path.target).chain(mounts.map(|mount| &mount.target));
    for target in targets {
        changes.push(Change::MountReadOnly(target.clone()));
        changes.push(Change::Unmount(target.clone()));
    }
    let sockets = effective.and_then(|it| it.engine_sockets.value()).into_iter().flatten();
    changes.extend(sockets.map(|socket| Change::Unmount(mounted_at(container, &socket.target))));
    let published = place.entries.iter().filter(|entry| entry.is_published);
    changes.extend(published.map(|entry| Change::Unpublish(entry.port)));
    if !place.behind.upgrades().is_empty() {
        changes.push(Change::UpgradeImage);
    }
    changes.sort();
    changes.dedup();
    changes
}

/// Options that gave it more than Docker's defaults, and capabilities.
fn asked_for(engine: &Engine, container: &Container) -> Vec<Change> {
    let config = container.declared.value().map(|declared| &declared.host_config);
    if config.is_some_and(|config| config.privileged) {
        return vec![Change::Unprivileged];
    }
    let added = config.map_or(&[][..], |config| &config.cap_add);
    let mut changes: Vec<Change> = Vec::new();
    for name in held(container) {
        let is_added = added.iter().any(|added| added.strip_prefix("CAP_").unwrap_or(added) == name);
        let change = if is_added { Change::NotAdd } else { Change::DropCapability };
        changes.push(change(name.to_owned()));
    }
    let Some(config) = config else { return changes };
    if is_asked_unconfined(config) {
        changes.push(Change::NotUnconfined);
    } else if is_unfiltered(container) && knows_builtin(engine) {
        changes.push(Change::SeccompDefault);
    }
    if config
        .pid_mode
        .split(':')
        .next()
        .is_some_and(|mode| SHARED.iter().any(|it| it.trim_end_matches(':') == mode))
    {
        changes.push(Change::OwnPidNamespace(config.pid_mode.clone()));
    }
    let devices = config.devices.keys().map(|path| format!("--device {path}"));
    let rules = config.device_cgroup_rules.iter().map(|rule| format!("--device-cgroup-rule '{rule}'"));
    let devices: Vec<String> = devices.chain(rules).collect();
    if !devices.is_empty() {
        changes.push(Change::NoDevices(devices));
    }
    changes
}

/// Whether a process is not filtered at all: the daemon's own profile is none.
fn is_unfiltered(container: &Container) -> bool {
    let processes = container.effective.value().and_then(|it| it.processes.value()).into_iter().flatten();
    processes.into_iter().any(|process| process.seccomp_mode == 0)
}

/// Where what holds a path was mounted.
fn mounted_at(container: &Container, path: &str) -> String {
    let mounts = container.declared.value().map_or(&[][..], |declared| &declared.mounts);
    DeclaredMount::holding(mounts, path).map_or(path, |mount| &mount.target).to_owned()
}

/// Capabilities that any process of a container may hold.
fn held(container: &Container) -> impl Iterator<Item = &'static str> + use<> {
    let processes = container.effective.value().and_then(|it| it.processes.value()).into_iter().flatten();
    let held = processes.fold(0, |held, process| held | process.cap_effective.0 | process.cap_bounding.0);
    CAPABILITY_NAMES.iter().enumerate().filter(move |(bit, _)| held & (1 << bit) != 0).map(|(_, name)| *name)
}

/// A change, as a command or an option.
pub(super) fn words(facts: &Facts, place: Option<&Place<'_>>, change: &Change) -> String {
    match (change, place) {
        (Change::Upgrade(package), _) => upgrade(facts, package),
        (Change::UpgradeImage, Some(place)) => rebuild(place),
        _ => change.to_string(),
    }
}

/// The command that upgrades a package of the host.
fn upgrade(facts: &Facts, package: &str) -> String {
    let verdicts = facts.boundary.value().into_iter().flatten();
    let program =
        verdicts.filter(|it| it.package.as_deref() == Some(package)).map(|it| it.program.as_str()).next();
    let component = facts.components.iter().find(|it| Some(it.path.as_str()) == program);
    let owner = component.and_then(|component| component.package.value());
    let Some(owner) = owner else { return Change::Upgrade(package.to_owned()).to_string() };
    match owner.manager.as_str() {
        "dpkg" => format!("apt-get install --only-upgrade {}", owner.name),
        "rpm" => format!("dnf upgrade {}", owner.name),
        "apk" => format!("apk upgrade {}", owner.name),
        _ => Change::Upgrade(package.to_owned()).to_string(),
    }
}

/// What an image has to be built with.
fn rebuild(place: &Place<'_>) -> String {
    let packages = place.behind.upgrades();
    let named: Vec<String> =
        packages.iter().take(NAMED).map(|(package, version)| format!("{package} {version}")).collect();
    let more = match packages.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("build its image anew with {}{more} or later", named.join(", "))
}
