use plimsoll_facts::Facts;

use super::sysctl::Bound;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "address-space-layout-predictable",
    title: "Programs are loaded at the same addresses each time",
    concern: Concern::Kernel,
    severity: Severity::Medium,
    why: "Random placement is what makes most memory bugs of a service hard to exploit from afar. The switch is the kernel's: it \
          takes the protection from the host and from every container at once.",
    fix: "sysctl -w kernel.randomize_va_space=2, and the same line in /etc/sysctl.d/60-containers.conf; take norandmaps off the \
          kernel's command line. Nothing stops; programs that run keep their addresses until they are restarted.",
    references: &["https://docs.kernel.org/admin-guide/sysctl/kernel.html#randomize-va-space"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

const BOUND: Bound = Bound {
    name: "kernel.randomize_va_space",
    expected: "2",
    fits: |value| value >= 2,
    wrong: "stack, heap or libraries of programs are at addresses that can be guessed",
    absent: "this kernel has no switch for it",
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
    fn below_two_something_is_fixed() {
        assert_eq!(status_of(&RULE, &sysctl("kernel.randomize_va_space", "0")), Status::Fail);
        assert_eq!(status_of(&RULE, &sysctl("kernel.randomize_va_space", "1")), Status::Fail);
        assert_eq!(status_of(&RULE, &sysctl("kernel.randomize_va_space", "2")), Status::Pass);
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
    }
}
