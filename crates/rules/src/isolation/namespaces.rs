//! Whether a container shares a namespace with the host: by inode where it runs, else by what was asked for.

use plimsoll_facts::{Container, Effective, Gap, HostConfig, Namespaces};

use crate::answer::{fail, gap, pass};
use crate::engine::has_security_option;
use crate::processes::{label, members};
use crate::sides::by_kernel_or_declaration;
use crate::{EngineContext, Evidence, Judgement, Problem};

/// Longest chain of `container:X` that is followed; the engine refuses cycles, a hostile facts file may not.
const LONGEST_CHAIN: usize = 16;

/// A kind of namespace that a container can share (namespaces(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Cgroup,
    Ipc,
    Net,
    Pid,
    User,
    Uts,
}

impl Kind {
    /// All kinds.
    pub(super) const ALL: [Self; 6] = [Self::Cgroup, Self::Ipc, Self::Net, Self::Pid, Self::User, Self::Uts];

    /// The name of the link in `/proc/PID/ns`.
    pub(super) fn link(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Ipc => "ipc",
            Self::Net => "net",
            Self::Pid => "pid",
            Self::User => "user",
            Self::Uts => "uts",
        }
    }

    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Ipc => "IPC",
            Self::Net => "network",
            Self::Pid => "PID",
            Self::User => "user",
            Self::Uts => "UTS",
        }
    }

    /// The inode of this kind.
    pub(super) fn inode(self, of: &Namespaces) -> u64 {
        match self {
            Self::Cgroup => of.cgroup,
            Self::Ipc => of.ipc,
            Self::Net => of.net,
            Self::Pid => of.pid,
            Self::User => of.user,
            Self::Uts => of.uts,
        }
    }

    /// The mode that was asked for, and its name in `HostConfig`.
    pub(super) fn mode(self, config: &HostConfig) -> (&'static str, &str) {
        match self {
            Self::Cgroup => ("CgroupnsMode", &config.cgroupns_mode),
            Self::Ipc => ("IpcMode", &config.ipc_mode),
            Self::Net => ("NetworkMode", &config.network_mode),
            Self::Pid => ("PidMode", &config.pid_mode),
            Self::User => ("UsernsMode", &config.userns_mode),
            Self::Uts => ("UTSMode", &config.uts_mode),
        }
    }
}

/// Whether a container shares a namespace with the host, and what shows it.
#[derive(Debug)]
pub(super) struct Sharing {
    /// Whether it does.
    pub(super) with_host: bool,
    /// What shows it.
    pub(super) evidence: Evidence,
    /// The one member that shares it, where the container as a whole does not.
    pub(super) member: Option<String>,
}

/// Judges one kind of namespace: `problem` completes what is wrong where it is the host's.
pub(super) fn judge(
    cx: &EngineContext<'_>,
    container: &Container,
    kind: Kind,
    problem: impl Fn(Problem) -> Problem,
    message: &'static str,
) -> Judgement {
    let outcome = |sharing: Sharing| match sharing.with_host {
        true => {
            let message = match sharing.member {
                None => message.to_owned(),
                Some(member) => format!("{member} in its cgroup {message}"),
            };
            fail(problem(Problem::new(message, vec![sharing.evidence])))
        }
        false => pass(sharing.evidence),
    };
    by_kernel_or_declaration(
        container,
        |effective| outcome(effective_sharing(cx, effective, kind)?),
        |_| outcome(declared_sharing(cx, container, kind)?),
    )
}

/// What the kernel says: the inode of the init process, then those of members that left its namespaces.
pub(super) fn effective_sharing(
    cx: &EngineContext<'_>,
    effective: &Effective,
    kind: Kind,
) -> Result<Sharing, Gap> {
    let host = inode(cx.facts.host.namespaces.require()?, kind, cx.facts.host.namespaces.source())?;
    let own = inode(effective.namespaces.require()?, kind, effective.namespaces.source())?;
    let name = kind.link();
    let evidence = |who: String, inode: u64| {
        Evidence::new(
            format!("{name} namespace of {who}"),
            format!("{name}:[{inode}]"),
            effective.namespaces.source(),
        )
        .expected(format!("not the host's {name}:[{host}]"))
    };
    if own == host {
        let who = format!("process {}", effective.init_pid);
        return Ok(Sharing { with_host: true, evidence: evidence(who, own), member: None });
    }
    for process in members(effective)? {
        if process.namespaces.is_some_and(|n| kind.inode(&n) == host) {
            let member = Some(label(process));
            return Ok(Sharing { with_host: true, evidence: evidence(label(process), host), member });
        }
    }
    let who = format!("process {}", effective.init_pid);
    Ok(Sharing { with_host: false, evidence: evidence(who, own), member: None })
}

fn inode(namespaces: &Namespaces, kind: Kind, source: &str) -> Result<u64, Gap> {
    match kind.inode(namespaces) {
        0 => Err(gap(source, format!("no {} namespace is shown there", kind.link()))),
        inode => Ok(inode),
    }
}

/// What was asked for, through every `container:X`.
pub(super) fn declared_sharing(
    cx: &EngineContext<'_>,
    container: &Container,
    kind: Kind,
) -> Result<Sharing, Gap> {
    let mut at = container;
    let mut chain = String::new();
    for _ in 0..LONGEST_CHAIN {
        let declared = at.declared.require()?;
        let (field, mode) = kind.mode(&declared.host_config);
        let shown = if mode.is_empty() { "(the engine's default)" } else { mode };
        chain = if chain.is_empty() { shown.to_owned() } else { format!("{chain} → {shown}") };
        let Some(wanted) = mode.strip_prefix("container:") else {
            let with_host = is_host(cx, kind, mode, at)?;
            let evidence = Evidence::new(field, chain, container.declared.source());
            return Ok(Sharing { with_host, evidence: evidence.expected("not the host's"), member: None });
        };
        at = find_container(cx, wanted).ok_or_else(|| {
            gap(
                container.declared.source(),
                format!("{field} is {mode}, and the engine has no such container"),
            )
        })?;
    }
    Err(gap(
        container.declared.source(),
        format!("the chain of joined containers is longer than {LONGEST_CHAIN}"),
    ))
}

/// The container that `container:X` names: by id, by the beginning of an id, or by name.
pub(super) fn find_container<'a>(cx: &EngineContext<'a>, wanted: &str) -> Option<&'a Container> {
    let all = cx.engine.containers.value()?;
    let by_id = |c: &&Container| c.id == wanted || (wanted.len() >= 12 && c.id.starts_with(wanted));
    all.iter().find(by_id).or_else(|| all.iter().find(|c| c.name == wanted))
}

fn is_host(cx: &EngineContext<'_>, kind: Kind, mode: &str, container: &Container) -> Result<bool, Gap> {
    match (kind, mode) {
        (_, "host") => Ok(true),
        (Kind::User, "") => engine_shares_user_namespace(cx),
        (Kind::Cgroup, "") => Ok(cx.engine.info.require()?.cgroup_version == "1"),
        _ if mode.starts_with("ns:") => Err(gap(
            container.declared.source(),
            format!("joins the namespace at {mode}, and whose that is was not looked up"),
        )),
        _ => Ok(false),
    }
}

/// Whether containers get the host's user namespace unless they ask for another.
pub(super) fn engine_shares_user_namespace(cx: &EngineContext<'_>) -> Result<bool, Gap> {
    let options = &cx.engine.info.require()?.security_options;
    Ok(!["userns", "rootless"].iter().any(|name| has_security_option(options, name)))
}

/// What the tests of the namespace rules have in common.
#[cfg(test)]
pub(super) mod checks {
    use plimsoll_facts::{Facts, Namespaces};

    use super::Kind;
    use crate::testing::{HOST_NAMESPACES, Reach, World, answer, answer_about, container, stopped};
    use crate::{Confidence, Rule, Status};

    /// Sets one kind's inode.
    pub(in crate::isolation) fn set(of: &mut Namespaces, kind: Kind, inode: u64) {
        match kind {
            Kind::Cgroup => of.cgroup = inode,
            Kind::Ipc => of.ipc = inode,
            Kind::Net => of.net = inode,
            Kind::Pid => of.pid = inode,
            Kind::User => of.user = inode,
            Kind::Uts => of.uts = inode,
        }
    }

    fn set_mode(facts: &mut Facts, index: usize, kind: Kind, mode: &str) {
        let containers = facts.engine().containers.value_mut().unwrap();
        let config = containers[index].host_config();
        let field = match kind {
            Kind::Cgroup => &mut config.cgroupns_mode,
            Kind::Ipc => &mut config.ipc_mode,
            Kind::Net => &mut config.network_mode,
            Kind::Pid => &mut config.pid_mode,
            Kind::User => &mut config.userns_mode,
            Kind::Uts => &mut config.uts_mode,
        };
        mode.clone_into(field);
    }

    /// Asserts that a rule judges this kind by the kernel first, through joined containers, by declaration where
    /// the container does not run, and not at all where the inodes cannot be read.
    pub(in crate::isolation) fn all(rule: &Rule, kind: Kind) {
        let own = 4_026_539_999;
        let effective = |inode| container(|c| set(c.namespaces(), kind, inode));
        assert_eq!(answer(rule, &effective(own)).status, Status::Pass);
        let shared = answer(rule, &effective(kind.inode(&HOST_NAMESPACES)));
        assert_eq!(shared.status, Status::Fail);
        assert_eq!(shared.confidence, Confidence::High);

        let left = container(|c| {
            set(c.namespaces(), kind, own);
            let mut elsewhere = *c.namespaces();
            set(&mut elsewhere, kind, kind.inode(&HOST_NAMESPACES));
            c.processes()[0].namespaces = Some(elsewhere);
        });
        assert_eq!(answer(rule, &left).status, Status::Fail, "one process is in the host's namespace");

        let hidden = container(|c| c.hide());
        assert_eq!(
            answer(rule, &hidden).status,
            if kind == Kind::User { Status::Fail } else { Status::Unknown }
        );
        let no_host = {
            let mut it = effective(own);
            it.host.namespaces = plimsoll_facts::Fact::default();
            it
        };
        assert_ne!(answer(rule, &no_host).status, Status::Pass);

        let mut declared = stopped(|_| ());
        set_mode(&mut declared, 0, kind, "host");
        let finding = answer(rule, &declared);
        assert_eq!((finding.status, finding.confidence), (Status::Fail, Confidence::Medium));
        set_mode(&mut declared, 0, kind, "private");
        assert_eq!(answer(rule, &declared).status, Status::Pass);

        set_mode(&mut declared, 0, kind, "container:other");
        assert_eq!(answer(rule, &declared).status, Status::Unknown, "the joined container is gone");
        declared.another("other", |_| ());
        set_mode(&mut declared, 1, kind, "host");
        assert_eq!(
            answer_about(rule, &declared, "c0ffee").status,
            Status::Fail,
            "shares what the other shares"
        );
        set_mode(&mut declared, 1, kind, "container:db");
        assert_eq!(answer_about(rule, &declared, "c0ffee").status, Status::Unknown, "a cycle ends");
    }
}
