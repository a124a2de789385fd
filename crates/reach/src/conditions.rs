//! Which conditions of a precondition hold where an attacker stands.

use crate::kernel;
use crate::precondition::{Atom, Precondition};
use crate::stand::{Stand, known};
use crate::truth::Truth;

/// Calls that a security module asks about too, and what they do.
const MEDIATED: [(&str, &str); 6] = [
    ("mount", "mount"),
    ("fsopen", "mount"),
    ("fsconfig", "mount"),
    ("move_mount", "mount"),
    ("ptrace", "trace processes"),
    ("bpf", "load BPF programs"),
];

/// Options without which the kernel has no such call.
const BUILT_WITH: [(&str, &str); 8] = [
    ("add_key", "KEYS"),
    ("bpf", "BPF_SYSCALL"),
    ("io_uring_setup", "IO_URING"),
    ("keyctl", "KEYS"),
    ("mq_notify", "POSIX_MQUEUE"),
    ("perf_event_open", "PERF_EVENTS"),
    ("request_key", "KEYS"),
    ("userfaultfd", "USERFAULTFD"),
];

/// What a precondition comes to, by what its conditions come to.
fn value(precondition: &Precondition, holds: &dyn Fn(&Atom) -> Truth) -> Truth {
    let each = |parts: &[Precondition], join: fn(Truth, Truth) -> Truth| {
        let values = parts.iter().map(|part| value(part, holds));
        values.reduce(join).unwrap_or_else(|| Truth::Yes(Vec::new()))
    };
    match precondition {
        Precondition::Atom(atom) => holds(atom),
        Precondition::All(parts) => each(parts, |one, other| one.and(|| other)),
        Precondition::Any(parts) => each(parts, |one, other| one.or(|| other)),
    }
}

impl Stand<'_> {
    /// Whether a precondition holds here.
    pub fn meets(&self, precondition: &Precondition) -> Truth {
        value(precondition, &|atom| self.holds(atom))
    }

    /// Whether it holds here though nobody else does anything.
    pub fn meets_alone(&self, precondition: &Precondition) -> Truth {
        value(precondition, &|atom| match atom {
            Atom::Actor(_) => Truth::no("it takes what somebody else does"),
            atom => self.holds(atom),
        })
    }

    /// Whether one condition holds here.
    pub fn holds(&self, atom: &Atom) -> Truth {
        match atom {
            Atom::Always => Truth::yes("code runs in the container"),
            Atom::Capability { name, space } => self.capability(name, *space),
            Atom::UserNamespace => self.new_user_namespace(0),
            Atom::SystemCalls(calls) => self.system_calls(calls),
            Atom::Socket { family, kind } => self.socket(family, kind.as_deref()),
            Atom::Module(name) => kernel::module(self.facts, name),
            Atom::ModuleLoaded(name) => kernel::module_loaded(self.facts, name),
            Atom::Device(path) => self.device(path),
            Atom::Volume(kind) => self.volume(*kind),
            Atom::Mounted(what) => self.mounted(what),
            Atom::HostNetwork => self.host_network(),
            Atom::HostRoot => self.host_root(),
            Atom::KernelOption { name, on: true } => kernel::option(self.facts, name),
            Atom::KernelOption { name, on: false } => kernel::without_option(self.facts, name),
            Atom::Sysctl { name, at_most, value } => {
                let holds = |found| if *at_most { found <= *value } else { found == *value };
                self.sysctl(name, holds)
            }
            Atom::Actor(actor) => self.actor(*actor),
            Atom::CgroupV1 => self.cgroup_v1(),
            Atom::FileSystem(name) => self.file_system(name),
            Atom::Runtime(name) => self.runtime(name),
            Atom::Host(name) => self.on_host(name),
            Atom::Cri => Truth::no("engine: Docker does not use containerd's CRI"),
            Atom::AuthorizationPlugin => self.authorization_plugin(),
            Atom::Rootless => self.rootless(),
            Atom::UsernsRemap => self.userns_remap(),
            Atom::Tty => Truth::unknown("whether the container has a console"),
            Atom::SetUserId => self.set_user_id(),
            Atom::NewPrivileges => self.new_privileges(),
            Atom::HostCgroupNamespace => self.host_cgroup_namespace(),
            Atom::Memory(gib) => self.memory(*gib),
            Atom::Writable(fs_type) => self.writable(fs_type),
            Atom::Interface(feature) => Truth::unknown(format!("whether a network interface has {feature}")),
            Atom::Image(wanted) => self.image_is(*wanted),
            Atom::Engine(wanted) => self.engine(*wanted),
        }
    }

    fn system_calls(&self, calls: &[String]) -> Truth {
        let each = calls.iter().map(|call| self.system_call(call));
        each.reduce(|one, other| one.and(|| other)).unwrap_or_else(|| Truth::Yes(Vec::new()))
    }

    /// Whether a call passes and does something.
    pub(crate) fn system_call(&self, name: &str) -> Truth {
        let option = BUILT_WITH.iter().find(|(call, _)| *call == name).map(|(_, option)| *option);
        let door = self.calls.pass(name, &[]);
        let door = match name {
            "io_uring_setup" => door.and(|| self.calls.io_uring.clone()),
            // io_uring does it as an operation of its own.
            "splice" => door.or(|| self.calls.by_io_uring(name)),
            _ => door,
        };
        let mediated = MEDIATED.iter().find(|(call, _)| *call == name);
        kernel::any_option(self.facts, option)
            .and(|| door)
            .and(|| mediated.map_or_else(|| Truth::Yes(Vec::new()), |(_, what)| self.unconfined(what)))
    }

    /// A sysctl as the process sees it: those of networks are of its network namespace.
    fn sysctl(&self, name: &str, holds: impl Fn(i64) -> bool) -> Truth {
        if !name.starts_with("net.") {
            return kernel::sysctl(self.facts, name, holds, None);
        }
        let own = match self.namespaces() {
            Ok(namespaces) => namespaces.net,
            Err(unknown) => return unknown,
        };
        let namespaces = match known(&self.facts.net_namespaces, "network namespaces") {
            Ok(namespaces) => namespaces,
            Err(unknown) => return unknown,
        };
        match namespaces.iter().find(|namespace| namespace.inode == own) {
            Some(namespace) => kernel::sysctl_of(&namespace.sysctls, name, holds, None),
            None => Truth::unknown(format!("sysctl {name}: its network namespace was not read")),
        }
    }

    fn host_network(&self) -> Truth {
        self.same_namespace("network", |namespaces| namespaces.net)
    }

    pub(crate) fn host_cgroup_namespace(&self) -> Truth {
        self.same_namespace("cgroup", |namespaces| namespaces.cgroup)
    }

    pub(crate) fn same_namespace(&self, what: &str, of: impl Fn(plimsoll_facts::Namespaces) -> u64) -> Truth {
        match self.namespaces().and_then(|own| Ok((own, self.host_namespaces()?))) {
            Ok((own, host)) => Truth::of(
                of(own) == of(host),
                format!("the {what} namespace is the host's"),
                format!("{what} namespace: it has its own"),
            ),
            Err(unknown) => unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::NetNamespace;

    use crate::precondition::Atom;
    use crate::testing::{Case, Profile, known};
    use crate::truth::Truth;

    #[test]
    fn a_sysctl_of_networks_is_that_of_the_own_namespace() {
        const NAME: &str = "net.ipv6.conf.all.rpl_seg_enabled";
        let namespace = |inode, value: &str| NetNamespace {
            inode,
            sysctls: [(NAME.to_owned(), known(value.to_owned()))].into(),
            ..NetNamespace::default()
        };
        let wanted = Atom::Sysctl { name: NAME.into(), at_most: false, value: 1 };
        for (own, holds) in [("1", true), ("0", false)] {
            let case = Case::new(Profile::Default { admin: false }, |_| {})
                .on(|facts| facts.net_namespaces = known(vec![namespace(1, "1"), namespace(2, own)]));
            let found = case.stand().holds(&wanted);
            assert_eq!((matches!(found, Truth::Yes(_)), matches!(found, Truth::No(_))), (holds, !holds));
        }
        let unread = Case::new(Profile::Default { admin: false }, |_| {})
            .on(|facts| facts.net_namespaces = known(vec![namespace(1, "1")]));
        assert!(matches!(unread.stand().holds(&wanted), Truth::Unknown(_)));
    }
}
