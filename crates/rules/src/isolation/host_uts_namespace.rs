use plimsoll_facts::Container;

use super::namespaces::{self, Kind};
use crate::processes::holds_over_host;
use crate::{Concern, EngineContext, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-uts-namespace",
    title: "Container shares the host's hostname",
    concern: Concern::Isolation,
    severity: Severity::Low,
    why: "With SYS_ADMIN it can rename the host while it runs, which misleads logs, clusters and certificates that go \
          by the name; without, it only learns the name.",
    fix: "Recreate the container without --uts host; give it a name of its own with --hostname. This stops the \
          container.",
    references: &["uts_namespaces(7)", "https://docs.docker.com/reference/cli/docker/container/run/#uts"],
    cis: &["5.21"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let severity = if holds_over_host(cx, container, "SYS_ADMIN") { Severity::Medium } else { RULE.severity };
    namespaces::judge(cx, container, Kind::Uts, |p| p.severity(severity), "shares the host's UTS namespace")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Severity;
    use crate::isolation::namespaces::{Kind, checks};
    use crate::testing::{HOST_NAMESPACES, Reach, answer, container};

    #[test]
    fn judged_by_inode_then_by_declaration() {
        checks::all(&RULE, Kind::Uts);
    }

    #[test]
    fn being_able_to_rename_the_host_is_worse() {
        let it = container(|c| {
            c.namespaces().uts = HOST_NAMESPACES.uts;
            c.processes()[0].cap_effective.0 |= 1 << 21;
        });
        assert_eq!(answer(&RULE, &it).severity, Severity::Medium);
    }
}
