use plimsoll_facts::Facts;

use super::sysctl::Bound;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "io-uring-for-everybody",
    title: "Every process may use io_uring",
    concern: Concern::Kernel,
    severity: Severity::Low,
    why: "io_uring performs system calls without making them: a seccomp filter never sees its openat, socket or \
          splice. It is also among the parts of the kernel with the most exploited bugs of recent years. Docker \
          closes it in its default filter from 25.0 on; older engines and custom profiles leave it open.",
    fix: "sysctl -w kernel.io_uring_disabled=2 (or 1, which leaves it to kernel.io_uring_group), and the same line in \
          /etc/sysctl.d/60-containers.conf. Nothing stops: rings that exist go on. A database that uses io_uring \
          (MariaDB from 10.6 on may) falls back to slower I/O when it starts next.",
    references: &["io_uring(7)", "https://docs.kernel.org/admin-guide/sysctl/kernel.html#io-uring-disabled"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

const BOUND: Bound = Bound {
    name: "kernel.io_uring_disabled",
    expected: "1 or 2",
    fits: |value| value != 0,
    wrong: "every process that its seccomp filter lets may use io_uring",
    absent: "this kernel has no io_uring, or no switch for it (Linux 6.6 brought one)",
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
        assert_eq!(status_of(&RULE, &sysctl("kernel.io_uring_disabled", "0")), Status::Fail);
        assert_eq!(status_of(&RULE, &sysctl("kernel.io_uring_disabled", "2")), Status::Pass);
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
    }
}
