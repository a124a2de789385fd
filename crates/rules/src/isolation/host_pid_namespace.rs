use plimsoll_facts::Container;

use super::namespaces::{self, Kind};
use crate::processes::holds_over_host;
use crate::{Concern, EngineContext, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-pid-namespace",
    title: "Container sees and signals the host's processes",
    concern: Concern::Isolation,
    severity: Severity::High,
    why: "It reads command lines, and the environment, files (/proc/PID/root) and memory of every host process with \
          the same user id; root inside can take any user id and so reach those of every user, and can kill the \
          host's daemons. With SYS_PTRACE it can write into any process: then it is root on the host.",
    fix: "Recreate the container without --pid host (or without --pid container:X where X has it); a monitoring \
          agent that needs the list of processes gets /proc of the host read-only instead. This stops the container.",
    references: &["pid_namespaces(7)", "ptrace(2)", "https://docs.docker.com/reference/cli/docker/container/run/#pid"],
    cis: &["5.16"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    let severity = if holds_over_host(cx, container, "SYS_PTRACE") { Severity::Critical } else { RULE.severity };
    namespaces::judge(
        cx,
        container,
        Kind::Pid,
        |p| p.severity(severity),
        "shares the host's PID namespace: it sees and can signal the host's processes",
    )
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::isolation::namespaces::{Kind, checks};
    use crate::testing::{HOST_NAMESPACES, Reach, answer, container, status_of};
    use crate::{Severity, Status};

    #[test]
    fn judged_by_inode_then_by_declaration() {
        checks::all(&RULE, Kind::Pid);
    }

    #[test]
    fn tracing_the_host_is_worse() {
        let it = container(|c| {
            c.namespaces().pid = HOST_NAMESPACES.pid;
            c.processes()[0].cap_permitted.0 |= 1 << 19;
        });
        assert_eq!(answer(&RULE, &it).severity, Severity::Critical);
    }

    /// `--pid container:X`, where X has the host's.
    #[test]
    fn case_14_pid_namespace_of_a_host_mode_container() {
        let it = container(|c| {
            c.host_config().pid_mode = "container:abcdef".into();
            c.namespaces().pid = HOST_NAMESPACES.pid;
        });
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }
}
