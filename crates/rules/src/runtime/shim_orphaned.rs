use plimsoll_facts::{ComponentKind, Facts, RunningProgram};

use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Confidence, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "shim-orphaned",
    title: "A shim holds a container that no engine knows",
    concern: Concern::Runtime,
    severity: Severity::Medium,
    why: "Its processes run on beside everything that audits, limits and updates containers: no engine lists it, docker stop \
          does not find it. It is what a deleted data directory, a failed removal or a second engine leaves behind.",
    fix: "ctr --namespace moby containers ls shows what containerd knows of it. Look at the processes below the shim (pstree -p \
          PID), end them cleanly, then kill the shim. That stops that container only.",
    references: &["https://containerd.io/docs/"],
    cis: &[],
    judge: Judge::Host(judge),
};

/// containerd's namespace of Docker's engine; those of others (`k8s.io`, `default`) are not asked here.
const ENGINE_NAMESPACE: &str = "moby";

fn judge(facts: &Facts) -> Judgement {
    let of_engines: Vec<_> = facts
        .components
        .iter()
        .filter(|c| c.kind == ComponentKind::ContainerdShim)
        .flat_map(|c| &c.running)
        .filter(|shim| shim.containerd_namespace.as_deref() == Some(ENGINE_NAMESPACE))
        .collect();
    if of_engines.is_empty() {
        return not_applicable("no shim holds a container of a Docker engine");
    }
    let mut known = Vec::new();
    for engine in &facts.engines {
        known.extend(engine.containers.require()?.iter().map(|c| c.id.as_str()));
    }
    let is_orphan = |shim: &&&RunningProgram| shim.container.as_deref().is_some_and(|id| !known.contains(&id));
    let orphans: Vec<_> = of_engines.iter().filter(is_orphan).collect();
    if orphans.is_empty() {
        let count = of_engines.len().to_string();
        return pass(Evidence::new("shims whose container an engine knows", count, "/proc/PID/cmdline"));
    }
    let evidence = orphans.iter().map(|shim| {
        let id = shim.container.as_deref().unwrap_or_default();
        Evidence::new(format!("container that process {} holds", shim.pid), id, format!("/proc/{}/cmdline", shim.pid))
            .expected("a container of an engine")
    });
    let message = match orphans.len() {
        1 => "1 shim holds a container that no engine knows".to_owned(),
        n => format!("{n} shims hold containers that no engine knows"),
    };
    // A second engine that was not asked would know them.
    fail(Problem::new(message, evidence.collect()).confidence(Confidence::Medium))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, engine, known};
    use crate::testing::status_of;
    use plimsoll_facts::{Component, ComponentKind, Container, Facts, RunningProgram};

    fn shim(id: &str, namespace: &str) -> Facts {
        let mut facts = engine(|e| {
            e.containers = known(vec![Container { id: "a".into(), ..Container::default() }]);
        });
        let (container, containerd_namespace) = (Some(id.to_owned()), Some(namespace.to_owned()));
        let running = vec![RunningProgram { container, containerd_namespace, ..RunningProgram::default() }];
        facts.components = vec![Component { kind: ComponentKind::ContainerdShim, running, ..Component::default() }];
        facts
    }

    #[test]
    fn unknown_containers_of_docker_s_namespace() {
        assert_eq!(status_of(&RULE, &shim("b", "moby")), Status::Fail);
        assert_eq!(status_of(&RULE, &shim("a", "moby")), Status::Pass);
        assert_eq!(status_of(&RULE, &shim("b", "k8s.io")), Status::NotApplicable);
        let mut unread = shim("b", "moby");
        unread.engines[0].containers = denied();
        assert_eq!(status_of(&RULE, &unread), Status::Unknown);
    }
}
