//! The tightest options that leave a container's observed behaviour working.

use std::collections::BTreeSet;

use plimsoll_facts::{Container, Declared, Effective, Engine, Fact, Gap, Process, Socket};

use crate::change::{is_asked_unconfined, knows_builtin};

/// Folders that a read-only root gets back in memory.
const VOLATILE: [&str; 6] = ["/tmp", "/run", "/var/run", "/var/tmp", "/var/cache", "/var/lock"];
/// Capabilities with which an entry point that starts as root prepares files and becomes another user.
const TO_DROP_ROOT: [&str; 4] = ["CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"];

/// One option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardening {
    /// As `docker run` takes it.
    pub flag: String,
    /// The key in a compose file, and its value or the item of its list.
    pub compose: (&'static str, String),
    /// What was observed.
    pub because: String,
}

/// Options for one container, and what can't be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hardened {
    /// Options, in the order of `docker run`'s manual page.
    pub options: Vec<Hardening>,
    /// What was not observed and may break.
    pub unknown: Vec<String>,
}

/// The tightest options for a container of this engine that runs; `written` are the folders that it wrote to.
///
/// # Errors
/// What of its state could not be read.
pub fn harden(engine: &Engine, container: &Container, written: &Fact<Vec<String>>) -> Result<Hardened, Gap> {
    let seen = Seen {
        declared: container.declared.require()?,
        effective: container.effective.require()?,
        processes: container.effective.require()?.processes.require()?,
    };
    let mut hardened = Hardened::default();
    seen.user(&mut hardened);
    seen.capabilities(&mut hardened);
    seen.privileges(&mut hardened);
    seen.filter(engine, &mut hardened);
    seen.file_system(&mut hardened, written);
    seen.processes(&mut hardened);
    seen.ports(&mut hardened);
    seen.mounts(&mut hardened);
    hardened.unknown.push("what it does at times that were not observed: jobs, upgrades, backups".to_owned());
    Ok(hardened)
}

impl Hardened {
    fn option(&mut self, flag: &str, compose: (&'static str, &str), because: impl Into<String>) {
        let compose = (compose.0, compose.1.to_owned());
        self.options.push(Hardening { flag: flag.to_owned(), compose, because: because.into() });
    }
}

/// What was observed of a container.
struct Seen<'c> {
    declared: &'c Declared,
    effective: &'c Effective,
    processes: &'c [Process],
}

impl Seen<'_> {
    /// Its processes, without those that came from outside.
    fn own(&self) -> impl Iterator<Item = &Process> {
        let of_exec = |pid: u32| self.declared.execs.iter().any(|exec| exec.pid == pid);
        self.processes.iter().filter(move |process| !of_exec(process.pid))
    }

    /// The id inside of one of the host.
    fn inside(&self, outside: u32) -> u32 {
        let map = self.effective.uid_map.value().into_iter().flatten();
        let within =
            |(_, first, count): &&(u32, u32, u32)| (*first..first.saturating_add(*count)).contains(&outside);
        map.into_iter().find(within).map_or(outside, |(inside, first, _)| inside + (outside - first))
    }

    /// Its first process may have become another user meanwhile: what it was created with decides.
    fn starts_as_root(&self) -> bool {
        matches!(self.declared.user.split(':').next(), None | Some("" | "0" | "root"))
    }

    /// The user that every process became, where it is one.
    fn worker(&self) -> Option<(u32, u32)> {
        let users: BTreeSet<(u32, u32)> = self
            .own()
            .map(|process| (self.inside(process.uids[1]), self.inside(process.gids[1])))
            .filter(|(uid, _)| *uid != 0)
            .collect();
        (users.len() == 1).then(|| users.into_iter().next()).flatten()
    }

    fn user(&self, hardened: &mut Hardened) {
        let Some((uid, gid)) = self.worker() else { return };
        let all_dropped = self.own().all(|process| self.inside(process.uids[1]) == uid);
        let user = format!("{uid}:{gid}");
        if self.starts_as_root() && all_dropped {
            hardened.option(&format!("--user {user}"), ("user", &user), "every process runs as this user");
            hardened.unknown.push(format!("whether its entry point works as {user} from the start"));
        }
    }

    fn capabilities(&self, hardened: &mut Hardened) {
        let held = self.own().fold(0, |held, process| held | process.cap_effective.0);
        hardened.option(
            "--cap-drop ALL",
            ("cap_drop", "ALL"),
            match held {
                0 => "no process holds a capability".to_owned(),
                _ => format!(
                    "{} of its processes hold capabilities now",
                    self.own().filter(|it| it.cap_effective.0 != 0).count()
                ),
            },
        );
        if !self.starts_as_root() || (held == 0 && !self.drops_root()) {
            return;
        }
        if self.drops_root() {
            for name in TO_DROP_ROOT {
                let because = "it starts as root and becomes another user; not needed with --user";
                hardened.option(&format!("--cap-add {name}"), ("cap_add", name), because);
            }
        } else {
            hardened.unknown.push(
                "which capabilities its root processes use: plimsoll sees what they hold, not what they ask for"
                    .to_owned(),
            );
        }
    }

    /// Whether a process gave up root, or its parent is root.
    fn drops_root(&self) -> bool {
        self.starts_as_root() && self.worker().is_some()
    }

    fn privileges(&self, hardened: &mut Hardened) {
        let raised = self.own().find(|process| process.uids[0] != process.uids[1]);
        match raised {
            None => hardened.option(
                "--security-opt no-new-privileges",
                ("security_opt", "no-new-privileges:true"),
                "no process was raised by a set-user-ID program",
            ),
            Some(process) => {
                hardened.unknown.push(format!("{} was raised by a set-user-ID program", process.name))
            }
        }
        let config = &self.declared.host_config;
        if config.privileged {
            hardened
                .unknown
                .push("which privileges it needs: it is --privileged, so leave that out first".to_owned());
        }
    }

    /// Engines refuse `seccomp=builtin` that do not know it.
    fn filter(&self, engine: &Engine, hardened: &mut Hardened) {
        let config = &self.declared.host_config;
        if self.own().all(|process| process.seccomp_mode != 0) {
            return;
        }
        if is_asked_unconfined(config) {
            hardened.unknown.push(
                "which system calls it needs: leave out --security-opt seccomp=unconfined, then the daemon's profile filters them"
                    .to_owned(),
            );
        } else if knows_builtin(engine) {
            let because = "its processes are not filtered now";
            hardened.option("--security-opt seccomp=builtin", ("security_opt", "seccomp:builtin"), because);
        } else if !config.privileged {
            hardened.unknown.push(
                "why its system calls are not filtered: give the daemon a profile again (seccomp-profile in daemon.json), as \
                 this engine does not take --security-opt seccomp=builtin"
                    .to_owned(),
            );
        }
    }

    fn file_system(&self, hardened: &mut Hardened, written: &Fact<Vec<String>>) {
        if self.declared.host_config.readonly_rootfs {
            return;
        }
        let folders = match written.value() {
            Some(folders) => folders,
            None => {
                hardened
                    .unknown
                    .push(format!("what it writes to its own file system ({})", written.source()));
                return;
            }
        };
        let is_volatile = |folder: &&String| {
            VOLATILE.iter().any(|top| folder == top || folder.starts_with(&format!("{top}/")))
        };
        let (volatile, lasting): (Vec<&String>, Vec<&String>) = folders.iter().partition(is_volatile);
        if lasting.is_empty() {
            hardened.option("--read-only", ("read_only", "true"), "it wrote nothing that has to last");
            for folder in volatile {
                hardened.option(&format!("--tmpfs {folder}"), ("tmpfs", folder), "it wrote here");
            }
        } else {
            let named: Vec<&str> = lasting.iter().take(4).map(|folder| folder.as_str()).collect();
            let what = format!("a read-only root needs volumes first: it wrote to {}", named.join(", "));
            hardened.unknown.push(what);
        }
    }

    fn processes(&self, hardened: &mut Hardened) {
        let limited = self.effective.limits.value().is_some_and(|limits| limits.pids.value.is_some());
        if !limited {
            let limit = (self.processes.len() * 4).next_power_of_two().max(128).to_string();
            let plural = if self.processes.len() == 1 { "" } else { "es" };
            let because = format!("{} process{plural}, and nothing limits them", self.processes.len());
            hardened.option(&format!("--pids-limit {limit}"), ("pids_limit", &limit), because);
            hardened
                .unknown
                .push("how many threads it starts under load: a process may have many".to_owned());
        }
        let memory = self.effective.limits.value().and_then(|limits| limits.memory.value);
        if memory.is_none() {
            hardened.unknown.push("how much memory it needs: nothing limits it (--memory)".to_owned());
        }
    }

    fn ports(&self, hardened: &mut Hardened) {
        let Some(listeners) = self.effective.listeners.value() else { return };
        for port in &self.declared.ports {
            let listens = |socket: &Socket| {
                socket.port == port.container_port && socket.protocol.starts_with(&port.protocol)
            };
            if !listeners.iter().any(listens) {
                hardened
                    .unknown
                    .push(format!("why port {} is published: nothing listens on it", port.container_port));
            }
        }
    }

    fn mounts(&self, hardened: &mut Hardened) {
        for socket in self.effective.engine_sockets.value().into_iter().flatten() {
            hardened.unknown.push(format!(
                "why it has the socket of {} at {}: it gives the host",
                socket.program, socket.target
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Capabilities, Container, Declared, Effective, Engine, EngineVersion, Fact};

    use super::{Hardened, harden};
    use crate::testing::{Case, Profile, known, user};

    fn hardened(uid: u32, change: impl FnOnce(&mut Declared), written: &[&str]) -> Hardened {
        let change_effective = |it: &mut Effective| {
            if uid != 0 {
                user(it, uid);
            }
            it.processes.value_mut().unwrap()[0].cap_bounding = Capabilities::DOCKER_DEFAULT;
        };
        let mut facts = Case::new(Profile::Unconfined, change_effective).into_facts();
        let container: &mut Container = &mut facts.engines[0].containers.value_mut().unwrap()[0];
        change(container.declared.value_mut().unwrap());
        let written = known(written.iter().map(|it| (*it).to_owned()).collect());
        harden(&Engine::default(), container, &written).unwrap()
    }

    fn flags(hardened: &Hardened) -> Vec<&str> {
        hardened.options.iter().map(|option| option.flag.as_str()).collect()
    }

    #[test]
    fn a_server_that_gave_up_root_keeps_what_that_takes() {
        let found = hardened(999, |_| (), &["/run/mysqld", "/tmp"]);
        let flags = flags(&found);
        for flag in
            ["--user 999:0", "--cap-drop ALL", "--cap-add SETUID", "--read-only", "--tmpfs /run/mysqld"]
        {
            assert!(flags.contains(&flag), "{flag}: {flags:?}");
        }
        assert!(found.unknown.iter().any(|unknown| unknown.contains("entry point")));
    }

    #[test]
    fn one_that_starts_unprivileged_needs_no_capability() {
        let found = hardened(999, |declared| declared.user = "mysql".into(), &["/var/lib/app"]);
        let flags = flags(&found);
        assert!(flags.contains(&"--cap-drop ALL") && !flags.iter().any(|flag| flag.starts_with("--cap-add")));
        assert!(!flags.contains(&"--read-only") && !flags.iter().any(|flag| flag.starts_with("--user")));
        assert!(found.unknown.iter().any(|unknown| unknown.contains("/var/lib/app")));
    }

    #[test]
    fn what_root_uses_is_not_known() {
        let found = hardened(0, |_| (), &[]);
        assert!(found.unknown.iter().any(|unknown| unknown.contains("which capabilities")));
        let unreadable = Container { declared: Fact::default(), ..Container::default() };
        assert!(harden(&Engine::default(), &unreadable, &Fact::default()).is_err());
    }

    #[test]
    fn the_builtin_profile_is_named_where_the_engine_takes_it() {
        let unfiltered = |version: &str, options: &[&str]| {
            let change = |it: &mut Effective| it.processes.value_mut().unwrap()[0].seccomp_mode = 0;
            let mut facts = Case::new(Profile::Unconfined, change).into_facts();
            let version = EngineVersion { version: version.into(), ..EngineVersion::default() };
            facts.engines[0].version = known(version);
            let container = &mut facts.engines[0].containers.value_mut().unwrap()[0];
            let config = &mut container.declared.value_mut().unwrap().host_config;
            config.security_opt = options.iter().map(|it| (*it).to_owned()).collect();
            let container = container.clone();
            let found = harden(&facts.engines[0], &container, &known(Vec::new())).unwrap();
            (flags(&found).contains(&"--security-opt seccomp=builtin"), found.unknown.join("\n"))
        };
        assert!(unfiltered("28.2.2", &[]).0);
        let (named, unknown) = unfiltered("20.10.24+dfsg1", &[]);
        assert!(!named && unknown.contains("seccomp-profile in daemon.json"), "{unknown}");
        for version in ["20.10.24", "28.2.2"] {
            let (named, unknown) = unfiltered(version, &["seccomp=unconfined"]);
            assert!(!named && unknown.contains("leave out --security-opt seccomp=unconfined"), "{unknown}");
        }
    }
}
