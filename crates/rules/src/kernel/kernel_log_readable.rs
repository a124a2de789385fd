use plimsoll_facts::Facts;

use super::sysctl::Bound;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "kernel-log-readable",
    title: "Unprivileged processes may read the kernel's log",
    concern: Concern::Kernel,
    severity: Severity::Info,
    why: "The kernel's log tells addresses, devices and crashes of the whole host. Docker's default seccomp filter \
          closes syslog(2) to containers; a container without a filter, and every local user, reads it.",
    fix: "sysctl -w kernel.dmesg_restrict=1, and the same line in /etc/sysctl.d/60-containers.conf. Nothing stops; \
          dmesg needs CAP_SYSLOG from then on.",
    references: &["syslog(2)", "https://docs.kernel.org/admin-guide/sysctl/kernel.html#dmesg-restrict"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

const BOUND: Bound = Bound {
    name: "kernel.dmesg_restrict",
    expected: "1",
    fits: |value| value != 0,
    wrong: "every process that its seccomp filter lets may read the kernel's log",
    absent: "this kernel has no switch for its log",
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
    fn zero_is_open_to_everybody() {
        assert_eq!(status_of(&RULE, &sysctl("kernel.dmesg_restrict", "0")), Status::Fail);
        assert_eq!(status_of(&RULE, &sysctl("kernel.dmesg_restrict", "1")), Status::Pass);
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
    }
}
