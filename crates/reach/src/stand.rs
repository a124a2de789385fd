//! Where an attacker stands: one process of a container, with what the kernel would let it do.

use plimsoll_facts::{
    Belongs, Capabilities, Container, Declared, DeviceAccess, Effective, Engine, Fact, Facts, Gap, Image,
    Mount, Namespaces, Process,
};

use crate::calls::Calls;
use crate::truth::Truth;

/// One process of a container and all that decides what it can reach.
pub struct Stand<'f> {
    /// Everything that is known about the host.
    pub facts: &'f Facts,
    /// The container's engine.
    pub engine: &'f Engine,
    /// The container.
    pub container: &'f Container,
    /// What the kernel enforces for it.
    pub effective: &'f Effective,
    /// The process.
    pub process: &'f Process,
    /// Whose privileges the attacker has: the process's own, or those of the container's root.
    pub rights: Rights,
    /// Its system calls.
    pub calls: Calls<'f>,
}

/// The privileges of an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rights {
    /// Effective user id, in the collector's user namespace.
    pub uid: u32,
    /// Capabilities that are, or can be made, effective.
    pub capabilities: Capabilities,
    /// Whether `no_new_privs` is set.
    pub no_new_privs: bool,
}

impl Rights {
    /// What a process has, and what its owner gets by running a program: root regains its bounding set.
    pub fn of(process: &Process, root: Option<u32>) -> Self {
        let uid = process.uids[1];
        let regained = root == Some(uid) && !process.no_new_privs;
        let bounding = if regained { process.cap_bounding.0 } else { 0 };
        Self {
            uid,
            capabilities: Capabilities(process.cap_effective.0 | process.cap_permitted.0 | bounding),
            no_new_privs: process.no_new_privs,
        }
    }

    /// What root of the container has that this process is in.
    pub fn of_root(process: &Process, root: u32) -> Self {
        Self { uid: root, capabilities: process.cap_bounding, no_new_privs: process.no_new_privs }
    }
}

/// The host's user id that a container's user 0 is.
pub fn root_of(effective: &Effective) -> Option<u32> {
    let map = effective.uid_map.value()?;
    map.iter().find(|(inside, _, count)| *inside == 0 && *count > 0).map(|(_, outside, _)| *outside)
}

impl<'f> Stand<'f> {
    /// The namespaces of the process.
    pub(crate) fn namespaces(&self) -> Result<Namespaces, Truth> {
        match self.process.namespaces {
            Some(own) => Ok(own),
            None => known(&self.effective.namespaces, "the container's namespaces").copied(),
        }
    }

    pub(crate) fn host_namespaces(&self) -> Result<Namespaces, Truth> {
        known(&self.facts.host.namespaces, "the host's namespaces").copied()
    }

    pub(crate) fn declared(&self) -> Result<&'f Declared, Truth> {
        known(&self.container.declared, "what the container was created with")
    }

    pub(crate) fn mounts(&self) -> Result<&'f [Mount], Truth> {
        self.seen(&self.effective.mounts, "the container's mounts").map(Vec::as_slice)
    }

    /// A fact about what the container's first process sees of the file system, where this process sees the same.
    pub(crate) fn seen<T>(&self, fact: &'f Fact<T>, what: &str) -> Result<&'f T, Truth> {
        let first = self.effective.namespaces.value();
        match (self.process.namespaces, first) {
            (Some(own), Some(first)) if own.mnt != first.mnt => Err(Truth::unknown(format!(
                "the mounts of {}, which has a mount namespace of its own",
                self.who()
            ))),
            _ => known(fact, what),
        }
    }

    /// The devices that its cgroup allows.
    pub(crate) fn devices(&self) -> Result<&'f DeviceAccess, Truth> {
        match self.process.belongs {
            Belongs::Cgroup => known(&self.effective.devices, "devices that the cgroup allows"),
            Belongs::NamespaceOnly => Err(Truth::unknown(format!(
                "devices that the cgroup of {} allows, which is not the container's",
                self.who()
            ))),
        }
    }

    /// The image that it was made from.
    pub(crate) fn image(&self) -> Result<&'f Image, Truth> {
        let id = &self.declared()?.image_id;
        let images = known(&self.engine.images, "the engine's images")?;
        images
            .iter()
            .find(|image| image.id == *id)
            .ok_or_else(|| Truth::unknown("the container's image is gone"))
    }
}

/// The value of a fact; without it nothing can be told.
pub(crate) fn known<'f, T>(fact: &'f Fact<T>, what: &str) -> Result<&'f T, Truth> {
    fact.require().map_err(|gap| missing(what, &gap))
}

/// What a gap leaves open.
pub(crate) fn missing(what: &str, gap: &Gap) -> Truth {
    Truth::unknown(format!("{what}: {}", gap.reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Case, Profile};

    #[test]
    fn a_process_from_outside_is_not_judged_by_what_the_container_sees() {
        let case = Case::new(Profile::Unconfined, |it| {
            let own = Namespaces { mnt: 1, ..it.namespaces.value().copied().unwrap() };
            let process = &mut it.processes.value_mut().unwrap()[0];
            (process.namespaces, process.belongs) = (Some(own), Belongs::NamespaceOnly);
        });
        let stand = case.stand();
        assert!(matches!(stand.devices(), Err(Truth::Unknown(_))));
        assert!(matches!(stand.mounts(), Err(Truth::Unknown(_))));
        let usual = Case::new(Profile::Unconfined, |_| {});
        assert!(usual.stand().devices().is_ok() && usual.stand().mounts().is_ok());
    }
}
