use plimsoll_facts::Facts;

use super::sysctl::Bound;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "unprivileged-perf-events",
    title: "Unprivileged processes may profile the kernel",
    concern: Concern::Kernel,
    severity: Severity::Low,
    why: "Below 2, perf_event_open(2) lets every process sample the kernel: it learns kernel addresses and times \
          other containers' work. Docker's default seccomp filter closes the call, a filter that is off does not.",
    fix: "sysctl -w kernel.perf_event_paranoid=2 (3 where the distribution knows it), and the same line in \
          /etc/sysctl.d/60-containers.conf. Nothing stops; profilers need CAP_PERFMON from then on.",
    references: &[
        "perf_event_open(2)",
        "https://docs.kernel.org/admin-guide/sysctl/kernel.html#perf-event-paranoid",
    ],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

const BOUND: Bound = Bound {
    name: "kernel.perf_event_paranoid",
    expected: "2 or more",
    fits: |value| value >= 2,
    wrong: "every process may sample the kernel",
    absent: "this kernel has no performance events",
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
    fn below_two_the_kernel_is_open() {
        assert_eq!(status_of(&RULE, &sysctl("kernel.perf_event_paranoid", "-1")), Status::Fail);
        assert_eq!(status_of(&RULE, &sysctl("kernel.perf_event_paranoid", "1")), Status::Fail);
        assert_eq!(status_of(&RULE, &sysctl("kernel.perf_event_paranoid", "3")), Status::Pass);
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
    }
}
