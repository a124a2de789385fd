use plimsoll_facts::{Container, Effective, Process};

use crate::answer::{fail, not_applicable, pass};
use crate::processes::{evidence_of, in_host_user_namespace, is_root, label, labels, started_by_container, status_source};
use crate::sides::by_kernel;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// The group of block devices, on Debian and Red Hat alike (their base-passwd and setup packages).
const DISK: u32 = 6;

pub(super) const RULE: Rule = Rule {
    id: "privileged-groups",
    title: "An unprivileged process belongs to a group that has power on the host",
    concern: Concern::Privilege,
    severity: Severity::Low,
    why: "Group ids are the host's own: a member of the docker group may use the engine's socket wherever it is \
          visible, a member of disk reads and writes raw disks that the container may use, and group root owns most \
          files of the image and many of the host.",
    fix: "Recreate the container with --user UID:GID (a number without a group means group 0) and without --group-add \
          for these groups; this stops it.",
    references: &["credentials(7)", "https://docs.docker.com/reference/cli/docker/container/run/#user"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel(container, |effective| {
        if !in_host_user_namespace(cx, effective)? {
            return not_applicable("its group ids are those of a user namespace of its own");
        }
        let docker = cx.facts.host.accounts.require()?.docker_gid;
        let processes = started_by_container(cx, container, effective)?;
        let held = |p: &Process| groups(p, docker);
        let members: Vec<_> =
            processes.into_iter().filter(|p| !is_root(p) && !held(p).is_empty()).collect();
        if members.is_empty() {
            let shown = "no unprivileged process is in root, disk or docker";
            return pass(Evidence::new("groups", shown, effective.processes.source()));
        }
        let severity = members.iter().flat_map(|p| held(p)).map(|(_, group)| weigh(group, effective)).max();
        let names = |p: &Process| {
            held(p).into_iter().map(|(gid, group)| format!("{gid} ({group})")).collect::<Vec<_>>().join(", ")
        };
        let evidence = evidence_of(&members, |p| {
            Evidence::new(format!("groups of {}", label(p)), names(p), status_source(p, "Gid, Groups"))
        });
        let message = match members.first() {
            Some(first) => format!("{} belongs to group {}", labels(&members), names(first)),
            None => String::new(),
        };
        fail(Problem::new(message, evidence).severity(severity.unwrap_or(RULE.severity)))
    })
}

/// The groups of a process that have power: number and name.
fn groups(process: &Process, docker: Option<u32>) -> Vec<(u32, &'static str)> {
    let mut all: Vec<u32> = process.gids.iter().chain(&process.groups).copied().collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter()
        .filter_map(|gid| match gid {
            0 => Some((gid, "root")),
            DISK => Some((gid, "disk")),
            gid if Some(gid) == docker => Some((gid, "docker")),
            _ => None,
        })
        .collect()
}

/// A group is as bad as what it opens here.
fn weigh(group: &str, effective: &Effective) -> Severity {
    let socket = || effective.engine_sockets.value().is_some_and(|sockets| !sockets.is_empty());
    let disk = || {
        effective.devices.value().is_some_and(|d| d.all || d.extra.iter().any(|rule| rule.starts_with("b ")))
    };
    match group {
        "docker" if socket() => Severity::High,
        "disk" if disk() => Severity::High,
        "root" => Severity::Info,
        _ => Severity::Low,
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{EngineSocketMount, Fact, Facts};

    use super::RULE;
    use crate::testing::{Reach, answer, container, process, status_of, stopped};
    use crate::{Severity, Status};

    fn member(gid: u32) -> Facts {
        container(|c| c.processes()[0].groups = vec![999, gid])
    }

    #[test]
    fn as_bad_as_what_it_opens() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        assert_eq!(answer(&RULE, &member(0)).severity, Severity::Info);
        assert_eq!(answer(&RULE, &member(994)).severity, Severity::Low);
        let with_socket = container(|c| {
            c.processes()[0].groups = vec![994];
            let socket = EngineSocketMount { host: "/run/docker.sock".into(), ..EngineSocketMount::default() };
            c.effective().engine_sockets = Fact::known(vec![socket], "mountinfo");
        });
        assert_eq!(answer(&RULE, &with_socket).severity, Severity::High);
        let with_disk = container(|c| {
            c.processes()[0].gids = [6; 4];
            c.devices().extra.push("b 8:0 rwm".into());
        });
        assert_eq!(answer(&RULE, &with_disk).severity, Severity::High);
    }

    #[test]
    fn root_needs_no_group() {
        assert_eq!(status_of(&RULE, &container(|c| c.processes()[0] = process(4711, "sh", 0))), Status::Pass);
    }

    #[test]
    fn not_applicable_and_unknown() {
        assert_eq!(status_of(&RULE, &container(|c| c.namespaces().user += 1)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        let mut it = member(994);
        it.host.accounts = Fact::default();
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
