use plimsoll_facts::Container;

use crate::answer::{fail, pass};
use crate::processes::{evidence_of, is_root, label, labels, members, sessions, status_source};
use crate::sides::by_kernel;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "root-exec",
    title: "A session runs as root in a container that otherwise does not",
    concern: Concern::Isolation,
    severity: Severity::Low,
    why: "docker exec --user root gives a container root that its image and its owner gave up. What the session \
          touches (files of the volume, sockets) belongs to root afterwards, and files that it opens may have been \
          prepared for it by the container's other processes.",
    fix: "Leave the session, or open it as the container's own user: docker exec --user UID:GID … . This does not \
          stop the container.",
    references: &["https://docs.docker.com/reference/cli/docker/container/exec/"],
    cis: &["5.24"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel(container, |effective| {
        let members = members(effective)?;
        let sessions = sessions(cx, container, effective, &members);
        if sessions.is_empty() {
            return pass(Evidence::new("sessions that were opened by exec", "none", effective.processes.source()));
        }
        let own_root = members.iter().find(|p| is_root(p) && !sessions.iter().any(|s| s.pid == p.pid));
        if let Some(root) = own_root {
            return pass(Evidence::new(
                "a session as root has no more than the container itself",
                format!("{} is root, too", label(root)),
                status_source(root, "Uid"),
            ));
        }
        let roots: Vec<_> = sessions.iter().copied().filter(|p| is_root(p)).collect();
        if roots.is_empty() {
            let shown = format!("{} run as another user than root", labels(&sessions));
            return pass(Evidence::new("sessions that were opened by exec", shown, effective.processes.source()));
        }
        let evidence = evidence_of(&roots, |p| {
            Evidence::new(format!("user ids of {}", label(p)), format!("{:?}", p.uids), status_source(p, "Uid"))
                .expected("not 0")
        });
        let message = format!("{} was opened as root in a container without root", labels(&roots));
        fail(Problem::new(message, evidence))
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::ExecSession;

    use super::RULE;
    use crate::Status;
    use crate::testing::{HOST_NAMESPACES, Reach, container, process, status_of, stopped};

    #[test]
    fn root_session_in_a_container_without_root() {
        let it = container(|c| c.processes().push(process(4900, "sh", 0)));
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }

    #[test]
    fn what_the_session_started_belongs_to_it() {
        let it = container(|c| {
            c.processes().push(process(4900, "sh", 999));
            let mut child = process(4901, "passwd", 0);
            child.ppid = 4900;
            c.processes().push(child);
        });
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }

    #[test]
    fn known_from_the_engine_where_the_host_s_pid_namespace_is_shared() {
        let it = |pid| {
            container(|c| {
                c.namespaces().pid = HOST_NAMESPACES.pid;
                c.processes().push(process(4900, "sh", 0));
                c.declared().execs = vec![ExecSession { pid, ..ExecSession::default() }];
            })
        };
        assert_eq!(status_of(&RULE, &it(4900)), Status::Fail);
        assert_eq!(status_of(&RULE, &it(1)), Status::Pass, "an orphan of the container, not a session");
    }

    #[test]
    fn no_more_than_the_container() {
        let it = container(|c| {
            c.processes()[0] = process(4711, "init", 0);
            c.processes().push(process(4900, "sh", 0));
        });
        assert_eq!(status_of(&RULE, &it), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| c.processes().push(process(4900, "sh", 999)))), Status::Pass);
    }

    #[test]
    fn stopped_and_unreadable() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
