//! What if: a change to how a container is made, or to the host, as it would show in the facts.

use std::fmt;

use plimsoll_facts::{
    BoundaryStatus, CAPABILITY_NAMES, Capabilities, Container, Effective, Fact, Facts, HostConfig, Process,
};

/// A change that an administrator can make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// `--cap-drop NAME`; `ALL` drops all.
    DropCapability(String),
    /// `--cap-add NAME`; `ALL` adds all.
    AddCapability(String),
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
    /// Upgrades a package of the host to where its flaws are fixed, and restarts what runs it.
    Upgrade(String),
}

/// How much a change disturbs, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// One container is made anew.
    Container,
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
            _ => Effort::Container,
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
        if *self == Self::SeccompDefault {
            return seccomp_default(facts, container);
        }
        let containers =
            facts.engines.iter_mut().filter_map(|engine| engine.containers.value_mut()).flatten();
        for one in containers.filter(|one| one.id == container) {
            self.apply_to(one);
        }
    }

    fn apply_to(&self, container: &mut Container) {
        let Some(effective) = container.effective.value_mut() else { return };
        match self {
            Self::DropCapability(name) => each(effective, |process| {
                capabilities(process, |held| Capabilities(held.0 & !mask(name)));
            }),
            Self::AddCapability(name) => each(effective, |process| {
                process.cap_bounding = Capabilities(process.cap_bounding.0 | mask(name));
                if process.uids[1] == 0 {
                    process.cap_effective = Capabilities(process.cap_effective.0 | mask(name));
                    process.cap_permitted = process.cap_effective;
                }
            }),
            Self::NoNewPrivileges => each(effective, |process| process.no_new_privs = true),
            Self::SeccompUnconfined => each(effective, |process| {
                (process.seccomp_mode, process.seccomp_filters) = (0, Some(0));
                process.seccomp = Fact::absent("--security-opt seccomp=unconfined");
            }),
            Self::User(uid) => user(effective, *uid),
            Self::Unmount(target) => unmount(effective, target),
            Self::MountReadOnly(target) => {
                let paths = effective.host_paths.value_mut().into_iter().flatten();
                paths.filter(|path| path.target == *target).for_each(|path| {
                    path.writable = false;
                    path.writable_below.clear();
                });
            }
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
            Self::SeccompDefault | Self::Upgrade(_) => {}
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

fn unmount(effective: &mut Effective, target: &str) {
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

/// What the engine's default profile lets pass is seen in another container that has it and no further capabilities;
/// where there is none, nothing changes.
fn seccomp_default(facts: &mut Facts, container: &str) {
    let Some((mode, count, filter)) = with_default_filter(facts).and_then(default_filter) else { return };
    let containers = facts.engines.iter_mut().filter_map(|engine| engine.containers.value_mut()).flatten();
    for one in containers.filter(|one| one.id == container) {
        if let Some(effective) = one.effective.value_mut() {
            each(effective, |process| {
                (process.seccomp_mode, process.seccomp_filters) = (mode, count);
                process.seccomp.clone_from(&filter);
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
