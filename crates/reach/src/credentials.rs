//! Privileges: capabilities where they count, the host's root, user namespaces, programs that raise privileges.

use plimsoll_facts::PrivilegedFile;

use crate::kernel;
use crate::precondition::CapabilitySpace;
use crate::stand::{Stand, known, root_of};
use crate::truth::Truth;

const MODE_SET_UID: u32 = 0o4000;
/// Label of a process that no security module confines, as `attr/current` shows it.
const UNCONFINED: [&str; 3] = ["", "unconfined", "unconfined (enforce)"];

impl Stand<'_> {
    /// Whether a capability counts in that user namespace.
    pub(crate) fn capability(&self, name: &str, space: CapabilitySpace) -> Truth {
        let has = Truth::of(
            self.rights.capabilities.has(name),
            format!("CAP_{name} is held by {}", self.who()),
            format!("capabilities: {} has no CAP_{name}", self.who()),
        );
        has.and(|| match space {
            CapabilitySpace::Userns => Truth::Yes(Vec::new()),
            CapabilitySpace::Init => self.in_initial_user_namespace(),
            CapabilitySpace::Netns => self.owns_network_namespace(),
        })
    }

    pub(crate) fn in_initial_user_namespace(&self) -> Truth {
        let (own, host) = match self.namespaces().and_then(|own| Ok((own, self.host_namespaces()?))) {
            Ok(both) => both,
            Err(unknown) => return unknown,
        };
        match own.user == host.user {
            true => Truth::Yes(Vec::new()),
            false => Truth::no("user namespace: privileges do not count on the host"),
        }
    }

    /// A network namespace belongs to the user namespace that made it. The runtime makes one in the container's own;
    /// one that is the host's, or that another container brought, may be of another.
    fn owns_network_namespace(&self) -> Truth {
        self.in_initial_user_namespace().or(|| {
            let (own, host) = match self.namespaces().and_then(|own| Ok((own, self.host_namespaces()?))) {
                Ok(both) => both,
                Err(unknown) => return unknown,
            };
            if own.net == host.net {
                return Truth::no("user namespace: privileges do not count in the host's network namespace");
            }
            match self.declared() {
                Ok(declared) if declared.host_config.network_mode.starts_with("container:") => {
                    Truth::unknown("the user namespace that owns the other container's network namespace")
                }
                Ok(_) => Truth::Yes(Vec::new()),
                Err(unknown) => unknown,
            }
        })
    }

    /// Whether it runs as the host's user 0.
    pub(crate) fn host_root(&self) -> Truth {
        let uid = self.rights.uid;
        Truth::of(uid == 0, "it runs as the host's user 0", format!("user: {uid} is not root on the host"))
    }

    /// Whether a new user namespace can be made, with all capabilities in it.
    pub(crate) fn new_user_namespace(&self, with: u64) -> Truth {
        kernel::option(self.facts, "USER_NS")
            .and(|| kernel::sysctl(self.facts, "user.max_user_namespaces", |n| n > 0, Some(1)))
            .and(|| {
                let allowed = |n| n != 0;
                kernel::sysctl(self.facts, "kernel.unprivileged_userns_clone", allowed, Some(1))
                    .or(|| self.capability("SYS_ADMIN", CapabilitySpace::Userns))
            })
            .and(|| {
                let name = "kernel.apparmor_restrict_unprivileged_userns";
                kernel::sysctl(self.facts, name, |n| n == 0, Some(0))
                    .or(|| self.capability("SYS_ADMIN", CapabilitySpace::Userns))
                    .or(|| Truth::unknown("whether an AppArmor profile allows user namespaces here"))
            })
            .quietly()
            .and(|| self.calls.new_user_namespace(with))
    }

    /// Whether the process can gain privileges by running a program at all.
    pub(crate) fn new_privileges(&self) -> Truth {
        Truth::of(
            !self.rights.no_new_privs,
            "no_new_privs is not set",
            "no_new_privs: no program raises privileges",
        )
    }

    /// Whether there is a set-user-ID program whose bit counts.
    pub(crate) fn set_user_id(&self) -> Truth {
        self.new_privileges().and(|| match self.set_user_id_program() {
            Ok(Some(file)) => Truth::yes(format!("{} is set-user-ID", file.path)),
            Ok(None) => {
                Truth::no("no set-user-ID program is in the image, and its bit would not count elsewhere")
            }
            Err(unknown) => unknown,
        })
    }

    fn set_user_id_program(&self) -> Result<Option<&PrivilegedFile>, Truth> {
        if matches!(self.userns_remap(), Truth::Yes(_)) && root_of(self.effective) == Some(0) {
            let why =
                "whom the image's files belong to, where the engine maps users and this container does not";
            return Err(Truth::unknown(why));
        }
        let content = known(&self.image()?.content, "the image's files")?;
        let programs = &content.privileged_files;
        if let Some(file) = programs.iter().find(|file| file.mode & MODE_SET_UID != 0 && file.uid == 0) {
            return Ok(Some(file));
        }
        let paths = self.seen(&self.effective.host_paths, "paths of the host")?;
        match paths.iter().find(|path| !path.nosuid) {
            None => Ok(None),
            Some(path) => {
                Err(Truth::unknown(format!("whether {} of the host holds set-user-ID programs", path.target)))
            }
        }
    }

    /// Whether a security module leaves the process alone: what its label forbids is not known.
    pub(crate) fn unconfined(&self, what: &str) -> Truth {
        match self.process.lsm_label.as_deref() {
            None => Truth::yes("no security module labels it"),
            Some(label) if UNCONFINED.contains(&label) => Truth::yes("its security label is unconfined"),
            Some(label) => Truth::unknown(format!("whether the security label {label} lets it {what}")),
        }
    }

    /// The process, for a message.
    pub(crate) fn who(&self) -> String {
        format!("{} ({}, uid {})", self.process.name, self.process.pid, self.rights.uid)
    }
}
