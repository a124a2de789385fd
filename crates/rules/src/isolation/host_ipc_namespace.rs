use plimsoll_facts::Container;

use super::namespaces::{self, Kind};
use crate::{Concern, EngineContext, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-ipc-namespace",
    title: "Container shares the host's System V IPC, message queues and /dev/shm",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "Shared memory segments are protected by their mode and owner alone, so a container process with the same \
          user id, or root, reads and changes what host programs (databases, X servers, sandboxed browsers) keep \
          there, and can exhaust the host's segments and queues.",
    fix: "Recreate the container with --ipc private. Two containers that must share memory: --ipc shareable on the \
          first, --ipc container:FIRST on the second. This stops the container.",
    references: &["ipc_namespaces(7)", "https://docs.docker.com/reference/cli/docker/container/run/#ipc"],
    cis: &["5.17"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    namespaces::judge(cx, container, Kind::Ipc, |p| p, "shares the host's IPC namespace and /dev/shm")
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::isolation::namespaces::{Kind, checks};

    #[test]
    fn judged_by_inode_then_by_declaration() {
        checks::all(&RULE, Kind::Ipc);
    }
}
