use plimsoll_facts::Facts;

use super::sysctl::text;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "core-dumps-piped-to-host",
    title: "A root program of the host reads the core dumps of containers",
    concern: Concern::Kernel,
    severity: Severity::Low,
    why: "A core_pattern that begins with a pipe makes the kernel start that program as root in the host's \
          namespaces whenever a process of a container crashes, and feeds it what the container chose. Handlers \
          have had bugs that gave away memory of set-id programs or root (CVE-2025-5054, CVE-2025-4598).",
    fix: "Where dumps are not needed: sysctl -w kernel.core_pattern=core, keep it in /etc/sysctl.d/60-containers.conf, \
          and disable the handler's own unit (systemctl disable --now apport, or Storage=none in coredump.conf). \
          Or run containers with --ulimit core=0. Nothing stops.",
    references: &["core(5)"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

/// Programs that read nothing: the usual ways to switch dumps off.
const HARMLESS: [&str; 2] = ["true", "false"];

fn judge(facts: &Facts) -> Judgement {
    let Some((pattern, source)) = text(facts, "kernel.core_pattern")? else {
        return not_applicable("this kernel writes no core dumps");
    };
    let evidence =
        Evidence::new("kernel.core_pattern", pattern, source).expected("a file name, or a handler that you want");
    let Some(command) = pattern.strip_prefix('|') else { return pass(evidence) };
    let program = command.split_whitespace().next().unwrap_or_default();
    if HARMLESS.iter().any(|name| program.rsplit('/').next() == Some(name)) {
        return pass(evidence);
    }
    fail(Problem::new(format!("{program} runs as root on the host for each crash in a container"), vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{host, sysctl};
    use crate::testing::status_of;

    #[test]
    fn a_pipe_leaves_the_container() {
        let case = |pattern| status_of(&RULE, &sysctl("kernel.core_pattern", pattern));
        assert_eq!(case("|/usr/lib/systemd/systemd-coredump %P %u"), Status::Fail);
        assert_eq!(case("|/bin/false"), Status::Pass);
        assert_eq!(case("core"), Status::Pass);
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
    }
}
