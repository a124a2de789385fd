use plimsoll_facts::{ComponentKind, Container, EngineKind, Facts, RunningProgram};

use crate::answer::{fail, not_applicable, pass, unknown};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "container-running-unmanaged",
    title: "The engine says that the container stopped, but it still runs",
    concern: Concern::Runtime,
    severity: Severity::High,
    why: "After a failed restart of the daemon or a broken runtime the engine can lose a container whose processes live on. Its \
          published ports are gone, nobody restarts or limits it, and starting it again puts two databases on the same files.",
    fix: "Do not docker start it. Find the processes below the shim (pstree -p PID), let the service end cleanly (for MariaDB \
          mariadb-admin shutdown through its socket), then kill PID of the shim and start the container. It stops for that \
          long.",
    references: &["https://docs.docker.com/engine/daemon/live-restore/"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    if cx.engine.kind == EngineKind::Podman {
        return not_applicable("podman holds containers without a shim of containerd");
    }
    if container.is_running() {
        return not_applicable("the engine says that it runs");
    }
    if cx.engine.remote {
        return unknown(cx.engine.endpoint.clone(), "the engine is on another host, whose processes were not looked at");
    }
    let state = Evidence::new("state of the container", container.state.clone(), cx.engine.containers.source());
    if let Some(shim) = shims(cx.facts).find(|shim| shim.container.as_deref() == Some(&container.id)) {
        let held = Evidence::new("shim that holds it", format!("process {}", shim.pid), format!("/proc/{}/cmdline", shim.pid));
        let message = format!("process {} still holds it though the engine says {}", shim.pid, container.state);
        return fail(Problem::new(message, vec![state, held.expected("none")]));
    }
    let running = cx.engine.containers.value().into_iter().flatten().filter(|c| c.is_running());
    let visible = |c: &Container| shims(cx.facts).any(|shim| shim.container.as_deref() == Some(&c.id));
    let mut running = running.peekable();
    if running.peek().is_some() && !running.any(visible) {
        return unknown("/proc/PID/cmdline", "no shim was seen, not even of containers that run");
    }
    if shims(cx.facts).next().is_none() && cx.facts.collector.uid != 0 {
        return unknown("/proc/PID/cmdline", "shims may be hidden from an ordinary user");
    }
    pass(Evidence::new("shim that holds it", "none", "/proc/PID/cmdline"))
}

fn shims(facts: &Facts) -> impl Iterator<Item = &RunningProgram> {
    facts.components.iter().filter(|c| c.kind == ComponentKind::ContainerdShim).flat_map(|c| &c.running)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{engine, known};
    use plimsoll_facts::{Component, ComponentKind, Container, EngineKind, Facts, RunningProgram};

    fn case(states: &[(&str, &str)], held: &[&str]) -> Facts {
        let container = |(id, state): &(&str, &str)| Container {
            id: (*id).into(),
            state: (*state).into(),
            ..Container::default()
        };
        let mut facts = engine(|e| e.containers = known(states.iter().map(container).collect()));
        let shim = |id: &&str| RunningProgram { pid: 9, container: Some((*id).into()), ..RunningProgram::default() };
        let running = held.iter().map(shim).collect();
        facts.components = vec![Component { kind: ComponentKind::ContainerdShim, running, ..Component::default() }];
        facts
    }

    fn first(facts: &Facts) -> Status {
        crate::judge(facts, [&RULE]).findings[0].status
    }

    #[test]
    fn a_shim_without_a_running_container() {
        assert_eq!(first(&case(&[("a", "exited")], &["a"])), Status::Fail);
        assert_eq!(first(&case(&[("a", "exited")], &["b"])), Status::Pass);
        assert_eq!(first(&case(&[("a", "exited"), ("b", "running")], &["b"])), Status::Pass);
        assert_eq!(first(&case(&[("a", "running")], &["a"])), Status::NotApplicable);
    }

    #[test]
    fn shims_that_cannot_be_seen() {
        assert_eq!(first(&case(&[("a", "exited"), ("b", "running")], &[])), Status::Unknown);
        let mut as_user = case(&[("a", "exited")], &[]);
        assert_eq!(first(&as_user), Status::Pass);
        as_user.collector.uid = 1000;
        assert_eq!(first(&as_user), Status::Unknown);
        let mut elsewhere = case(&[("a", "exited")], &[]);
        elsewhere.engines[0].remote = true;
        assert_eq!(first(&elsewhere), Status::Unknown);
        as_user.engines[0].kind = EngineKind::Podman;
        assert_eq!(first(&as_user), Status::NotApplicable);
    }
}
