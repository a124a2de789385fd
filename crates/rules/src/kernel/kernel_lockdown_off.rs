use plimsoll_facts::Facts;

use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "kernel-lockdown-off",
    title: "Root may change the running kernel",
    concern: Concern::Kernel,
    severity: Severity::Info,
    why: "Lockdown keeps even root from unsigned modules, /dev/mem and kexec of an unsigned kernel. With it off, whoever \
          becomes root on the host can hide in the kernel, below every audit.",
    fix: "Boot with lockdown=integrity on the kernel's command line (Secure Boot sets it on most distributions). The \
          reboot stops every container; out-of-tree modules must be signed from then on.",
    references: &["kernel_lockdown(7)"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let lockdown = &facts.host.kernel.lockdown;
    let Some(mode) = lockdown.get()? else {
        return not_applicable("this kernel has no lockdown");
    };
    let evidence = Evidence::new("lockdown", mode.clone(), lockdown.source()).expected("integrity");
    if mode != "none" {
        return pass(evidence);
    }
    fail(Problem::new("root on this host may change the running kernel", vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, host, known};
    use crate::testing::status_of;
    use plimsoll_facts::Fact;

    #[test]
    fn modes() {
        assert_eq!(status_of(&RULE, &host(|h| h.kernel.lockdown = known("none".into()))), Status::Fail);
        assert_eq!(status_of(&RULE, &host(|h| h.kernel.lockdown = known("integrity".into()))), Status::Pass);
        assert_eq!(status_of(&RULE, &host(|h| h.kernel.lockdown = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &host(|h| h.kernel.lockdown = Fact::absent("/sys"))), Status::NotApplicable);
    }
}
