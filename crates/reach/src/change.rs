//! What if: a change to how a container is made, or to the host, as it would show in the facts.

use std::fmt;

use plimsoll_facts::{
    BoundaryStatus, CAPABILITY_NAMES, Capabilities, Container, DeviceAccess, Effective, Engine, Fact, Facts,
    HostConfig, InventoryFlaws, Mount, Process,
};

/// A change that an administrator can make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// `--cap-drop NAME`; `ALL` drops all.
    DropCapability(String),
    /// `--cap-add NAME`; `ALL` adds all.
    AddCapability(String),
    /// Leaves out `--cap-add NAME`, which `--cap-drop` does not take back.
    NotAdd(String),
    /// Leaves out `--privileged`.
    Unprivileged,
    /// Leaves out `--security-opt seccomp=unconfined`.
    NotUnconfined,
    /// Leaves out `--pid MODE`.
    OwnPidNamespace(String),
    /// Leaves out options that let it use devices.
    NoDevices(Vec<String>),
    /// `--security-opt no-new-privileges`.
    NoNewPrivileges,
    /// `--security-opt seccomp=unconfined`.
    SeccompUnconfined,
    /// `--security-opt seccomp=builtin`: the engine's default profile.
    SeccompDefault,
    /// `--user UID`.
    User(u32),
    /// Leaves a mount out, by its path in the container.
    Unmount(String),
    /// Mounts a path of the host read-only, by its path in the container.
    MountReadOnly(String),
    /// `--network none`.
    NoNetwork,
    /// Does not publish a port of the container.
    Unpublish(u16),
    /// Builds its image anew with packages in which their flaws are fixed.
    UpgradeImage,
    /// Upgrades a package of the host to where its flaws are fixed, and restarts what runs it.
    Upgrade(String),
}

/// How much a change disturbs, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// One container is made anew.
    Container,
    /// An image is built anew, and one container is made anew.
    Image,
    /// A package whose program is started for each action: nothing stops.
    Package,
    /// The engine, or everything that it runs, restarts.
    Engine,
    /// The host boots.
    Reboot,
}

impl Effort {
    /// What has to stop, to be read after a change.
    pub fn words(self) -> &'static str {
        match self {
            Self::Container => "makes this container anew",
            Self::Image => "makes this container anew from another image",
            Self::Package => "stops nothing that runs",
            Self::Engine => "restarts the engine",
            Self::Reboot => "boots the host",
        }
    }
}

impl Change {
    /// How much it disturbs.
    pub fn effort(&self) -> Effort {
        match self {
            Self::Upgrade(package) if package.starts_with("linux") || package.starts_with("kernel") => {
                Effort::Reboot
            }
            Self::Upgrade(package) if package.contains("runc") || package.contains("crun") => Effort::Package,
            Self::Upgrade(_) => Effort::Engine,
            Self::UpgradeImage => Effort::Image,
            _ => Effort::Container,
        }
    }

    /// How much of what the container does may need what it takes away, the least first.
    pub(crate) fn takes(&self) -> u8 {
        match self {
            Self::User(_) | Self::Unmount(_) => 1,
            Self::Unpublish(_) | Self::NoNetwork => 2,
            _ => 0,
        }
    }

    /// Makes the facts as they would be after it.
    pub fn apply(&self, facts: &mut Facts, container: &str) {
        if let Self::Upgrade(package) = self {
            for verdict in facts.boundary.value_mut().into_iter().flatten() {
                if verdict.package.as_ref() == Some(package) && verdict.fixed.is_some() {
                    verdict.status = BoundaryStatus::Fixed;
                }
            }
            return;
        }
        match self {
            Self::SeccompDefault | Self::NotUnconfined | Self::Unprivileged => {
                seccomp_default(facts, container)
            }
            Self::UpgradeImage => return upgrade_image(facts, container),
            Self::Unpublish(port) => unpublish(facts, container, *port),
            Self::NoNetwork => no_network(facts, container),
            _ => {}
        }
        let containers =
            facts.engines.iter_mut().filter_map(|engine| engine.containers.value_mut()).flatten();
        for one in containers.filter(|one| one.id == container) {
            self.apply_to(one);
        }
        if matches!(self, Self::SeccompDefault | Self::NotUnconfined | Self::Unprivileged) {
            seccomp_default(facts, container);
        }
    }

    fn apply_to(&self, container: &mut Container) {
        let Some(effective) = container.effective.value_mut() else { return };
        match self {
            Self::DropCapability(name) | Self::NotAdd(name) => each(effective, |process| {
                capabilities(process, |held| Capabilities(held.0 & !mask(name)));
            }),
            Self::AddCapability(name) => each(effective, |process| {
                process.cap_bounding = Capabilities(process.cap_bounding.0 | mask(name));
                if process.uids[1] == 0 {
                    process.cap_effective = Capabilities(process.cap_effective.0 | mask(name));
                    process.cap_permitted = process.cap_effective;
                }
            }),
            Self::Unprivileged => {
                each(effective, |process| {
                    capabilities(process, |held| Capabilities(held.0 & Capabilities::DOCKER_DEFAULT.0));
                });
                no_devices(effective);
                protect(effective);
            }
            Self::OwnPidNamespace(_) => own_pid_namespace(effective),
            Self::NoDevices(_) => no_devices(effective),
            Self::NoNewPrivileges => each(effective, |process| process.no_new_privs = true),
            Self::SeccompUnconfined => each(effective, |process| {
                (process.seccomp_mode, process.seccomp_filters) = (0, Some(0));
                process.seccomp = Fact::absent("--security-opt seccomp=unconfined");
            }),
            Self::User(uid) => user(effective, *uid),
            Self::Unmount(target) => unmount(container, target),
            Self::MountReadOnly(target) => read_only(container, target),
            Self::Unpublish(port) => {
                if let Some(declared) = container.declared.value_mut() {
                    declared.ports.retain(|published| published.container_port != *port);
                }
            }
            Self::NoNetwork => {
                if let Some(declared) = container.declared.value_mut() {
                    declared.ports.clear();
                    declared.networks.clear();
                }
            }
            Self::SeccompDefault | Self::NotUnconfined | Self::UpgradeImage | Self::Upgrade(_) => {}
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DropCapability(name) => write!(f, "--cap-drop {name}"),
            Self::AddCapability(name) => write!(f, "--cap-add {name}"),
            Self::NoNewPrivileges => f.write_str("--security-opt no-new-privileges"),
            Self::SeccompUnconfined => f.write_str("--security-opt seccomp=unconfined"),
            Self::SeccompDefault => f.write_str("--security-opt seccomp=builtin"),
            Self::User(uid) => write!(f, "--user {uid}"),
            Self::Unmount(target) => write!(f, "without the mount at {target}"),
            Self::MountReadOnly(target) => write!(f, "the mount at {target} read-only"),
            Self::NoNetwork => f.write_str("--network none"),
            Self::Unpublish(port) => write!(f, "without publishing port {port}"),
            Self::NotAdd(name) => write!(f, "without --cap-add {name}"),
            Self::Unprivileged => f.write_str("without --privileged"),
            Self::NotUnconfined => f.write_str("without --security-opt seccomp=unconfined"),
            Self::OwnPidNamespace(mode) => write!(f, "without --pid {mode}"),
            Self::NoDevices(options) => write!(f, "without {}", options.join(" ")),
            Self::UpgradeImage => f.write_str("build its image anew with upgraded packages"),
            Self::Upgrade(package) => write!(f, "upgrade {package}"),
        }
    }
}

fn mask(name: &str) -> u64 {
    let name = name.strip_prefix("CAP_").unwrap_or(name);
    match CAPABILITY_NAMES.iter().position(|known| *known == name) {
        Some(bit) => 1 << bit,
        None if name == "ALL" => u64::MAX >> (64 - CAPABILITY_NAMES.len()),
        None => 0,
    }
}

fn each(effective: &mut Effective, change: impl Fn(&mut Process)) {
    effective.processes.value_mut().into_iter().flatten().for_each(change);
}

fn capabilities(process: &mut Process, change: impl Fn(Capabilities) -> Capabilities) {
    for held in [
        &mut process.cap_effective,
        &mut process.cap_permitted,
        &mut process.cap_bounding,
        &mut process.cap_inheritable,
        &mut process.cap_ambient,
    ] {
        *held = change(*held);
    }
}

/// A process that starts as another user than root holds no capabilities.
fn user(effective: &mut Effective, inside: u32) {
    let map = effective.uid_map.value().cloned().unwrap_or_default();
    let within =
        |(first, _, count): &&(u32, u32, u32)| (*first..first.saturating_add(*count)).contains(&inside);
    let uid = map.iter().find(within).map_or(inside, |(first, outside, _)| outside + (inside - first));
    each(effective, |process| {
        process.uids = [uid; 4];
        if inside != 0 {
            (process.cap_effective, process.cap_permitted) = (Capabilities(0), Capabilities(0));
        }
    });
}

fn unmount(container: &mut Container, target: &str) {
    if let Some(declared) = container.declared.value_mut() {
        declared.mounts.retain(|mount| mount.target != target);
    }
    let Some(effective) = container.effective.value_mut() else { return };
    if let Some(paths) = effective.host_paths.value_mut() {
        paths.retain(|path| path.target != target);
    }
    if let Some(sockets) = effective.engine_sockets.value_mut() {
        let below = format!("{}/", target.trim_end_matches('/'));
        sockets.retain(|socket| socket.target != target && !socket.target.starts_with(&below));
    }
    if let Some(mounts) = effective.mounts.value_mut() {
        mounts.retain(|mount| mount.target != target);
    }
}

fn read_only(container: &mut Container, target: &str) {
    let declared = container.declared.value_mut().into_iter().flat_map(|declared| &mut declared.mounts);
    declared.filter(|mount| mount.target == target).for_each(|mount| mount.rw = false);
    let Some(effective) = container.effective.value_mut() else { return };
    let paths = effective.host_paths.value_mut().into_iter().flatten();
    paths.filter(|path| path.target == target).for_each(|path| {
        path.writable = false;
        path.writable_below.clear();
    });
    let mounts = effective.mounts.value_mut().into_iter().flatten();
    mounts
        .filter(|mount| mount.target == target)
        .for_each(|mount| mount.options = format!("ro,{}", mount.options));
}

/// Devices as every container has them.
fn no_devices(effective: &mut Effective) {
    let rules = DeviceAccess::DEFAULT_RULES.map(str::to_owned).to_vec();
    if let Some(devices) = effective.devices.value_mut() {
        *devices = DeviceAccess { rules, ..DeviceAccess::default() };
    }
    if let Some(nodes) = effective.device_nodes.value_mut() {
        nodes.clear();
    }
}

/// Mounts as every container has them that is not privileged: the kernel's settings are read-only.
fn protect(effective: &mut Effective) {
    let Some(mounts) = effective.mounts.value_mut() else { return };
    for (target, fs_type) in [("/proc/sys", "proc"), ("/sys", "sysfs"), ("/sys/fs/cgroup", "cgroup")] {
        mounts.push(Mount {
            target: target.into(),
            fs_type: fs_type.into(),
            options: "ro".into(),
            ..Mount::default()
        });
    }
}

/// A PID namespace that nobody else is in: no inode has the number 0.
fn own_pid_namespace(effective: &mut Effective) {
    let Some(namespaces) = effective.namespaces.value_mut() else { return };
    let shared = std::mem::replace(&mut namespaces.pid, 0);
    each(effective, |process| {
        if let Some(namespaces) = process.namespaces.as_mut().filter(|own| own.pid == shared) {
            namespaces.pid = 0;
        }
    });
}

/// Ways to a port of a container that are there because the engine publishes it.
fn unpublish(facts: &mut Facts, container: &str, port: u16) {
    let Some(connections) = facts.connections.value_mut() else { return };
    let listeners = connections.listeners.iter_mut();
    let own = listeners.filter(|it| it.container.as_deref() == Some(container) && it.port == port);
    own.for_each(|listener| listener.ways.retain(|way| !way.is_published()));
}

/// Nobody connects to it, and it connects to nobody.
fn no_network(facts: &mut Facts, container: &str) {
    let Some(connections) = facts.connections.value_mut() else { return };
    connections.ends.iter_mut().for_each(|end| end.containers.retain(|id| id != container));
    let own = connections.listeners.iter_mut().filter(|it| it.container.as_deref() == Some(container));
    own.for_each(|listener| listener.ways.clear());
}

/// Packages of its own, without the flaws that have a fix.
fn upgrade_image(facts: &mut Facts, container: &str) {
    let mut containers = facts.engines.iter().filter_map(|engine| engine.containers.value()).flatten();
    let image = containers.find(|it| it.id == container).and_then(|it| it.declared.value());
    let image = image.map(|declared| declared.image_id.clone()).unwrap_or_default();
    let Some(known) = facts.package_flaws.value_mut() else { return };
    let Some(before) = known.of(container).or_else(|| known.of(&image)) else { return };
    let mut after = InventoryFlaws { holder: container.to_owned(), ..before.clone() };
    after.flaws.retain(|flaw| flaw.fixed.is_none());
    known.inventories.retain(|inventory| inventory.holder != container);
    known.inventories.push(after);
}

/// What the engine's default profile lets pass is seen in another container that has it and no further capabilities.
/// Where there is none, or this one has more, with which that profile lets more pass, nothing changes.
fn seccomp_default(facts: &mut Facts, container: &str) {
    let Some((mode, count, filter)) = with_default_filter(facts).and_then(default_filter) else { return };
    let containers = facts.engines.iter_mut().filter_map(|engine| engine.containers.value_mut()).flatten();
    for one in containers.filter(|one| one.id == container) {
        if let Some(effective) = one.effective.value_mut() {
            each(effective, |process| {
                if process.cap_bounding.minus(Capabilities::DOCKER_DEFAULT).is_empty() {
                    (process.seccomp_mode, process.seccomp_filters) = (mode, count);
                    process.seccomp.clone_from(&filter);
                }
            });
        }
    }
}

fn default_filter(container: &Container) -> Option<(u32, Option<u32>, Fact<u32>)> {
    let effective = container.effective.value()?;
    let init = effective.processes.value()?.iter().find(|process| process.pid == effective.init_pid)?;
    let is_default =
        init.cap_bounding.minus(Capabilities::DOCKER_DEFAULT).is_empty() && init.seccomp.value().is_some();
    is_default.then(|| (init.seccomp_mode, init.seccomp_filters, init.seccomp.clone()))
}

/// Whether an engine knows `seccomp=builtin`: Docker 23.0 and later.
pub(crate) fn knows_builtin(engine: &Engine) -> bool {
    let major = engine.version.value().and_then(|known| known.version.split('.').next()?.parse().ok());
    major.is_some_and(|major: u32| major >= 23)
}

/// Whether a container was asked for without a seccomp filter.
pub(crate) fn is_asked_unconfined(config: &HostConfig) -> bool {
    config.security_opt.iter().any(|option| option.starts_with("seccomp") && option.ends_with("unconfined"))
}

/// A running container that has the engine's default profile and no capabilities beyond the default.
pub(crate) fn with_default_filter(facts: &Facts) -> Option<&Container> {
    let containers = facts.engines.iter().filter_map(|engine| engine.containers.value()).flatten();
    containers.into_iter().find(|container| {
        let asked = container.declared.value().map(|declared| &declared.host_config);
        let chosen = |config: &HostConfig| {
            config.privileged || config.security_opt.iter().any(|option| option.starts_with("seccomp"))
        };
        asked.is_some_and(|config| !chosen(config)) && default_filter(container).is_some()
    })
}
