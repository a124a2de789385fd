use plimsoll_facts::{Belongs, Container, Effective, Process};

use crate::answer::{fail, pass};
use crate::processes::{evidence_of, held, label, labels};
use crate::sides::by_kernel;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "entered-from-outside",
    title: "A process of the host is inside the container's namespaces",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "nsenter and setns(2) put a process into the container that the engine does not know: no seccomp \
          filter, no limits, usually all capabilities of the host's root. As soon as it runs a program or \
          loads a library of the container, whoever prepared that file acts with these powers.",
    fix: "Find out who it is (ps -o pid,ppid,user,lstart,args -p PID) and end it when its work is done: kill PID. Use \
          docker exec for work inside a container. This does not stop the container.",
    references: &["nsenter(1)", "setns(2)"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel(container, |effective| {
        let all = effective.processes.require()?;
        let visitors: Vec<_> = all
            .iter()
            .filter(|p| p.belongs == Belongs::NamespaceOnly)
            .filter(|p| !is_daemon(cx, p) && !is_of_another_container(cx, container, p))
            .collect();
        if visitors.is_empty() {
            return pass(Evidence::new("processes from outside", "none", effective.processes.source()));
        }
        let evidence = evidence_of(&visitors, |p| visitor(p, effective));
        let message = format!("{} is inside its namespaces, but not one of its own", labels(&visitors));
        fail(Problem::new(message, evidence))
    })
}

fn visitor(process: &Process, effective: &Effective) -> Evidence {
    let seccomp = if process.seccomp_mode == 0 { "no seccomp filter" } else { "a seccomp filter" };
    let value = format!("uid {}, {} capabilities, {seccomp}", process.uids[1], held(process).names().len());
    Evidence::new(label(process), value, effective.processes.source()).expected("no process from outside")
}

/// The engine itself answers a container's DNS queries from a thread in its network namespace.
fn is_daemon(cx: &EngineContext<'_>, process: &Process) -> bool {
    cx.facts.engines.iter().any(|engine| engine.daemon.value().is_some_and(|d| d.pid == process.pid))
}

/// Containers that join each other's namespaces (`container:X`) see each other's processes.
fn is_of_another_container(cx: &EngineContext<'_>, container: &Container, process: &Process) -> bool {
    let others = cx.facts.engines.iter().flat_map(|e| e.containers.value().into_iter().flatten());
    others.filter(|other| other.id != container.id).any(|other| {
        let processes = other.effective.value().and_then(|e| e.processes.value());
        processes.is_some_and(|all| {
            all.iter().any(|p| p.pid == process.pid && p.belongs == Belongs::Cgroup)
        })
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Belongs, Facts, Process};

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, World, answer_about, container, process, status_of, stopped};

    fn visited_by(pid: u32) -> Facts {
        container(|c| {
            let visitor = Process { belongs: Belongs::NamespaceOnly, ..process(pid, "sleep", 0) };
            c.processes().push(visitor);
        })
    }

    #[test]
    fn nsenter() {
        assert_eq!(status_of(&RULE, &visited_by(5000)), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
    }

    #[test]
    fn the_engine_and_joined_containers_are_no_visitors() {
        assert_eq!(status_of(&RULE, &visited_by(800)), Status::Pass, "dockerd, known by its socket");
        let mut it = visited_by(5000);
        it.another("sidecar", |c| c.processes()[0] = process(5000, "sleep", 0));
        assert_eq!(answer_about(&RULE, &it, "c0ffee").status, Status::Pass);
    }

    #[test]
    fn stopped_and_unreadable() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
