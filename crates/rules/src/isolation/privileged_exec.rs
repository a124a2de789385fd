use plimsoll_facts::{Capabilities, Container, Declared, Effective, Process};

use crate::answer::{fail, pass};
use crate::declared::granted_capabilities;
use crate::processes::{evidence_of, held, label, labels, members, status_source};
use crate::sides::by_both;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "privileged-exec",
    title: "A process in the container has more capabilities than the container was given",
    concern: Concern::Isolation,
    severity: Severity::High,
    why: "docker exec --privileged gives the new process every capability, whatever the container dropped, \
          and docker inspect does not show it. It runs the container's own programs, libraries and shell \
          start files: whoever has prepared one of them acts with these powers.",
    fix: "End the session (kill PID on the host, or leave its shell), and find who opened it: docker events --filter \
          event=exec_create, or the audit log. Give a container that needs a capability exactly that one with \
          --cap-add. Ending the session does not stop the container.",
    references: &[
        "capabilities(7)",
        "https://docs.docker.com/reference/cli/docker/container/exec/",
    ],
    cis: &["5.23"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_both(container, |declared, effective| {
        let granted = granted_capabilities(&declared.host_config);
        let members = members(effective)?;
        let beyond: Vec<_> =
            members.iter().copied().filter(|p| !excess(p, granted).is_empty()).collect();
        if !beyond.is_empty() {
            return problem(&beyond, granted, declared, effective, container.declared.source());
        }
        pass(Evidence::new(
            "capabilities beyond those that were granted",
            format!("none, in {} processes and deviating threads", members.len()),
            effective.processes.source(),
        ))
    })
}

fn problem(
    beyond: &[&Process],
    granted: Capabilities,
    declared: &Declared,
    effective: &Effective,
    source: &str,
) -> Judgement {
    let mut evidence = evidence_of(beyond, |p| {
        Evidence::new(
            format!("capabilities of {} that the container was not given", label(p)),
            excess(p, granted).names().join(" "),
            status_source(p, "CapBnd, CapPrm"),
        )
        .expected("none")
    });
    let asked = declared.execs.iter().filter(|exec| exec.privileged && beyond.iter().any(|p| p.pid == exec.pid));
    evidence.extend(asked.take(1).map(|exec| {
        Evidence::new(format!("exec session of process {}", exec.pid), "privileged", source)
    }));
    let message = match beyond.iter().any(|p| p.pid == effective.init_pid) {
        true => format!("{} has capabilities that were not declared", labels(beyond)),
        false => format!("{} entered with capabilities that the container was not given", labels(beyond)),
    };
    fail(Problem::new(message, evidence))
}

fn excess(process: &Process, granted: Capabilities) -> Capabilities {
    Capabilities(process.cap_bounding.0 | held(process).0).minus(granted)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Capabilities, ExecSession};

    use super::RULE;
    use crate::Status;
    use crate::declared::ALL_CAPABILITIES;
    use crate::testing::{Reach, answer, container, process, status_of, stopped};

    /// A live `docker exec --privileged` in a container that dropped everything.
    #[test]
    fn case_34_live_privileged_session() {
        let it = container(|c| {
            c.host_config().cap_drop = vec!["ALL".into()];
            c.processes()[0].cap_bounding = Capabilities::default();
            let mut session = process(4900, "sh", 0);
            session.cap_effective = ALL_CAPABILITIES;
            session.cap_bounding = ALL_CAPABILITIES;
            c.processes().push(session);
            c.declared().execs =
                vec![ExecSession { id: "e".into(), pid: 4900, user: "0".into(), privileged: true }];
        });
        let finding = answer(&RULE, &it);
        assert_eq!(finding.status, Status::Fail);
        assert!(finding.message.starts_with("process 4900 (sh)"));
        assert_eq!(finding.evidence.len(), 2);
    }

    #[test]
    fn an_ordinary_session_passes() {
        assert_eq!(status_of(&RULE, &container(|c| c.processes().push(process(4900, "sh", 0)))), Status::Pass);
    }

    #[test]
    fn a_privileged_container_has_nothing_left_to_exceed() {
        let it = container(|c| {
            c.host_config().privileged = true;
            c.processes()[0].cap_bounding = ALL_CAPABILITIES;
        });
        assert_eq!(status_of(&RULE, &it), Status::Pass);
    }

    #[test]
    fn needs_both_sides() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
        assert_eq!(status_of(&RULE, &container(|c| c.declared = Default::default())), Status::Unknown);
    }
}
