use plimsoll_facts::Facts;

use super::sysctl::Bound;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "unprivileged-userfaultfd",
    title: "Unprivileged processes may hold up the kernel's page faults",
    concern: Concern::Kernel,
    severity: Severity::Low,
    why: "With userfaultfd(2) for kernel faults a process stops the kernel in the middle of a copy for as long as \
          it likes. That turns rare races, use-after-free among them, into reliable exploits.",
    fix: "sysctl -w vm.unprivileged_userfaultfd=0, and the same line in /etc/sysctl.d/60-containers.conf. Nothing \
          stops; a hypervisor that migrates guests post-copy needs CAP_SYS_PTRACE from then on.",
    references: &[
        "userfaultfd(2)",
        "https://docs.kernel.org/admin-guide/sysctl/vm.html#unprivileged-userfaultfd",
    ],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

const BOUND: Bound = Bound {
    name: "vm.unprivileged_userfaultfd",
    expected: "0",
    fits: |value| value == 0,
    wrong: "every process may handle the kernel's own page faults",
    absent: "this kernel has no userfaultfd(2), or no switch for it",
};

fn judge(facts: &Facts) -> Judgement {
    BOUND.judge(facts)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{host, sysctl};
    use crate::testing::status_of;

    #[test]
    fn one_is_open_to_everybody() {
        assert_eq!(status_of(&RULE, &sysctl("vm.unprivileged_userfaultfd", "1")), Status::Fail);
        assert_eq!(status_of(&RULE, &sysctl("vm.unprivileged_userfaultfd", "0")), Status::Pass);
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
    }
}
