//! How the engine and the host are set up, how the image is made, and what somebody would have to do.

use plimsoll_facts::Declared;

use crate::kernel;
use crate::precondition::{Actor, EngineTrait, ImageTrait};
use crate::stand::{Stand, known};
use crate::truth::Truth;

impl Stand<'_> {
    /// Whether somebody does this. Only some leave a trace.
    pub(crate) fn actor(&self, actor: Actor) -> Truth {
        let declared = match self.declared() {
            Ok(declared) => declared,
            Err(unknown) => return unknown,
        };
        match actor {
            Actor::Exec if has_health_check(declared) => Truth::yes("its health check runs a program in it"),
            Actor::Exec if !declared.execs.is_empty() => Truth::yes("somebody runs programs in it (exec)"),
            _ => Truth::unknown(doubt(actor)),
        }
    }

    /// Whether the runtime is of this name.
    pub(crate) fn runtime(&self, name: &str) -> Truth {
        let runtime = match self.declared() {
            Ok(declared) => &declared.runtime,
            Err(unknown) => return unknown,
        };
        let shown = format!("its runtime is {runtime}");
        Truth::of(runtime.contains(name), shown.clone(), format!("runtime: {shown}"))
    }

    /// Whether this program is on the host.
    pub(crate) fn on_host(&self, name: &str) -> Truth {
        match name {
            "docker-desktop" => self.with(known(&self.engine.info, "the engine's state"), |info| {
                let is = info.operating_system.contains("Docker Desktop");
                Truth::of(is, "the engine is Docker Desktop's", "engine: not Docker Desktop's")
            }),
            "ksmbd" => {
                kernel::option(self.facts, "SMB_SERVER").and(|| Truth::unknown("whether ksmbd serves"))
            }
            _ => Truth::unknown(format!("whether {name} is on the host")),
        }
    }

    /// Whether the engine is set up so.
    pub(crate) fn engine(&self, wanted: EngineTrait) -> Truth {
        match wanted {
            EngineTrait::Plugin => {
                self.with(known(&self.engine.plugins, "the engine's plugins"), |plugins| {
                    let shown = "no plugin is installed";
                    match plugins.first() {
                        Some(plugin) => Truth::yes(format!("plugin {} is installed", plugin.name)),
                        None => Truth::no(format!("engine: {shown}")),
                    }
                })
            }
            EngineTrait::Debug => self.with(known(&self.engine.info, "the engine's state"), |info| {
                Truth::of(info.debug, "the daemon runs in debug mode", "engine: not in debug mode")
            }),
            EngineTrait::InternalNetwork => self.network("internal", |network| network.internal),
            EngineTrait::EncryptedOverlay => self.network("an encrypted overlay", |network| {
                network.driver == "overlay" && network.options.contains_key("encrypted")
            }),
            EngineTrait::Firewalld => Truth::unknown("whether firewalld manages the packet filter"),
            EngineTrait::EnhancedIsolation => {
                Truth::no("engine: Enhanced Container Isolation is Docker Desktop's")
            }
        }
    }

    fn network(&self, what: &str, fits: impl Fn(&plimsoll_facts::Network) -> bool) -> Truth {
        self.with(known(&self.engine.networks, "the engine's networks"), |networks| {
            match networks.iter().find(|network| fits(network)) {
                Some(network) => Truth::yes(format!("network {} is {what}", network.name)),
                None => Truth::no(format!("engine: no network is {what}")),
            }
        })
    }

    /// Whether the engine runs without root.
    pub(crate) fn rootless(&self) -> Truth {
        self.security_option("rootless")
    }

    /// Whether the engine maps container root to another user.
    pub(crate) fn userns_remap(&self) -> Truth {
        self.security_option("userns")
    }

    fn security_option(&self, name: &str) -> Truth {
        self.with(known(&self.engine.info, "the engine's state"), |info| {
            let wanted = format!("name={name}");
            let has = info.security_options.iter().any(|option| option.split(',').any(|word| word == wanted));
            Truth::of(
                has,
                format!("the engine is set up with {name}"),
                format!("engine: not set up with {name}"),
            )
        })
    }

    /// Whether an authorization plugin guards the engine's API.
    pub(crate) fn authorization_plugin(&self) -> Truth {
        self.with(known(&self.engine.info, "the engine's state"), |info| {
            match info.authorization_plugins.first() {
                Some(plugin) => Truth::yes(format!("authorization plugin {plugin}")),
                None => Truth::no("engine: no authorization plugin"),
            }
        })
    }

    /// Whether the image is made so.
    pub(crate) fn image_is(&self, wanted: ImageTrait) -> Truth {
        let image = match self.image().and_then(|image| known(&image.config, "the image's configuration")) {
            Ok(config) => config,
            Err(unknown) => return unknown,
        };
        let user = image.user.split(':').next().unwrap_or_default();
        match wanted {
            ImageTrait::UserOverflow => {
                let over = user.parse::<u128>().is_ok_and(|id| id > u128::from(u32::MAX));
                Truth::of(over, "USER of the image is above 32 bits", "image: its USER is not above 32 bits")
            }
            ImageTrait::UserNotRoot => {
                let other = !matches!(user, "" | "0" | "root");
                Truth::of(other, format!("USER of the image is {user}"), "image: its USER is root")
            }
            ImageTrait::ProcVolume => {
                let over =
                    image.volumes.iter().find(|volume| *volume == "/proc" || volume.starts_with("/proc/"));
                Truth::of(over.is_some(), "the image has a VOLUME over /proc", "image: no VOLUME over /proc")
            }
            ImageTrait::InheritableCapabilities => {
                Truth::unknown("whether a file of the image has inheritable capabilities")
            }
            ImageTrait::ProcLink => Truth::unknown("whether /proc of the image is a symbolic link"),
        }
    }

    fn with<T>(&self, value: Result<&T, Truth>, judge: impl FnOnce(&T) -> Truth) -> Truth {
        value.map_or_else(|unknown| unknown, judge)
    }
}

fn has_health_check(declared: &Declared) -> bool {
    let test = declared.healthcheck.as_deref().and_then(<[String]>::first);
    test.is_some_and(|first| matches!(first.as_str(), "CMD" | "CMD-SHELL"))
}

/// What would have to be known about somebody's doings.
fn doubt(actor: Actor) -> &'static str {
    match actor {
        Actor::Image => "whether the image is of somebody trusted",
        Actor::Create => "whether an attacker chooses the options of a container",
        Actor::Exec => "whether somebody runs programs in it (exec)",
        Actor::Copy => "whether somebody copies files out of or into it",
        Actor::CopyArchive => "whether somebody copies a compressed archive into it",
        Actor::Build => "whether somebody builds what an attacker wrote",
        Actor::BuildFrontend => "whether somebody builds with a frontend of an attacker",
        Actor::BuildGit => "whether somebody builds from a git URL",
        Actor::BuildClassic => "whether somebody builds with the classic builder",
        Actor::BuildParallel => "whether builds run at the same time",
        Actor::BuildKitApi => "whether an attacker reaches BuildKit's API",
        Actor::Pull => "whether somebody pulls what an attacker made",
        Actor::Api => "whether an attacker reaches the engine's API",
        Actor::Import => "whether somebody imports what an attacker made",
        Actor::Load => "whether somebody loads what an attacker made",
        Actor::Restore => "whether somebody restores a checkpoint of an attacker",
        Actor::Compose => "whether a compose file includes an artifact of an attacker",
        Actor::Kube => "whether an attacker writes Kubernetes objects",
        Actor::Stream => "whether an attacker reaches the streaming server",
        Actor::LabelPlugin => "whether a plugin acts upon labels",
        Actor::HostUser => "whether an attacker has an account on the host",
        Actor::Hardware => "whether an attacker controls a USB or HID device",
        Actor::Peer => "whether an attacker is on the network",
        Actor::Rename => "whether somebody renames folders of the mount on the host",
        Actor::Link => "whether network interfaces change from outside",
        Actor::Race => "whether another container races with its start",
        Actor::RuntimeConfig => "whether an attacker writes the runtime's configuration",
        Actor::CredentialHelper => "whether a client's credential helper is missing",
    }
}
