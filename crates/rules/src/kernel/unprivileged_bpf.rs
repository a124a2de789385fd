use plimsoll_facts::Facts;

use super::sysctl::Bound;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "unprivileged-bpf",
    title: "Unprivileged processes may load BPF programs",
    concern: Concern::Kernel,
    severity: Severity::Medium,
    why: "The BPF verifier has been the source of many local root bugs, and BPF programs help to read memory \
          through the CPU's speculation. A container whose seccomp filter is off or wider than Docker's default \
          reaches bpf(2) without any capability.",
    fix: "sysctl -w kernel.unprivileged_bpf_disabled=1, and the same line in /etc/sysctl.d/60-containers.conf. \
          Nothing stops; programs with CAP_BPF or CAP_SYS_ADMIN go on. The value 1 cannot be taken back before \
          the next boot, 2 can.",
    references: &["bpf(2)", "https://docs.kernel.org/admin-guide/sysctl/kernel.html#unprivileged-bpf-disabled"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

const BOUND: Bound = Bound {
    name: "kernel.unprivileged_bpf_disabled",
    expected: "1 or 2",
    fits: |value| value != 0,
    wrong: "every process may load BPF programs",
    absent: "this kernel has no bpf(2), or no switch for it",
};

fn judge(facts: &Facts) -> Judgement {
    BOUND.judge(facts)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{host, known, sysctl};
    use crate::testing::status_of;
    use plimsoll_facts::Fact;

    #[test]
    fn zero_is_open_to_everybody() {
        assert_eq!(status_of(&RULE, &sysctl("kernel.unprivileged_bpf_disabled", "0")), Status::Fail);
        assert_eq!(status_of(&RULE, &sysctl("kernel.unprivileged_bpf_disabled", "2")), Status::Pass);
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
        let odd = host(|h| {
            h.kernel.sysctls.insert("kernel.unprivileged_bpf_disabled".into(), known("yes".into()));
        });
        assert_eq!(status_of(&RULE, &odd), Status::Unknown);
    }

    #[test]
    fn a_kernel_without_the_switch() {
        let old = host(|h| {
            h.kernel.sysctls.insert("kernel.unprivileged_bpf_disabled".into(), Fact::absent("/proc/sys"));
        });
        assert_eq!(status_of(&RULE, &old), Status::NotApplicable);
    }
}
