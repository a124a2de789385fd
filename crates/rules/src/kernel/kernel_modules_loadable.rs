use plimsoll_facts::Facts;

use super::sysctl::Bound;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "kernel-modules-loadable",
    title: "The kernel still loads modules",
    concern: Concern::Kernel,
    severity: Severity::Info,
    why: "A process that asks for an unusual socket family, file system or cipher makes the kernel load the module \
          for it, with that module's bugs; many published escapes began in a module that nobody on the host used. \
          Once the host has what it needs, loading can be closed until the next boot.",
    fix: "After the engine and its networks are up: sysctl -w kernel.modules_disabled=1 (a late systemd unit, not \
          sysctl.d, which runs too early). Nothing stops, but a new network driver, file system or USB device \
          needs a reboot from then on. Milder: forbid single modules by `install NAME /bin/false` in /etc/modprobe.d.",
    references: &[
        "https://docs.kernel.org/admin-guide/sysctl/kernel.html#modules-disabled",
        "modprobe.d(5)",
    ],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

const BOUND: Bound = Bound {
    name: "kernel.modules_disabled",
    expected: "1",
    fits: |value| value != 0,
    wrong: "modules can be loaded, also at the request of a container",
    absent: "this kernel has no loadable modules",
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
    use plimsoll_facts::Fact;

    #[test]
    fn zero_loads_modules() {
        assert_eq!(status_of(&RULE, &sysctl("kernel.modules_disabled", "0")), Status::Fail);
        assert_eq!(status_of(&RULE, &sysctl("kernel.modules_disabled", "1")), Status::Pass);
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
    }

    #[test]
    fn a_kernel_without_modules() {
        let monolithic = host(|h| {
            h.kernel.sysctls.insert("kernel.modules_disabled".into(), Fact::absent("/proc/sys"));
        });
        assert_eq!(status_of(&RULE, &monolithic), Status::NotApplicable);
    }
}
