use plimsoll_facts::Facts;

use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

const OPTION: &str = "CONFIG_RANDOMIZE_BASE";

pub(super) const RULE: Rule = Rule {
    id: "kernel-address-space-fixed",
    title: "The kernel always loads at the same address",
    concern: Concern::Kernel,
    severity: Severity::Low,
    why: "Without random placement an exploit that was tried on one machine with this kernel works on the next at once: \
          it need not learn an address first.",
    fix: "Take nokaslr off the kernel's command line, or boot a kernel of the distribution. The reboot stops every \
          container.",
    references: &["https://docs.kernel.org/security/self-protection.html"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let kernel = &facts.host.kernel;
    if kernel.cmdline.value().is_some_and(|text| text.split_whitespace().any(|word| word == "nokaslr")) {
        let seen = Evidence::new("kernel command line", "nokaslr", kernel.cmdline.source()).expected("absent");
        return fail(Problem::new("random placement was switched off at boot", vec![seen]));
    }
    let value = kernel.config.require()?.get(OPTION).map_or("not set", String::as_str);
    let built = Evidence::new(OPTION, value, kernel.config.source()).expected("y");
    if value != "y" {
        return fail(Problem::new("the kernel was built without random placement", vec![built]));
    }
    kernel.cmdline.require()?;
    pass(built)
}

#[cfg(test)]
mod tests {
    use super::{OPTION, RULE};
    use crate::Status;
    use crate::testing::bare::{denied, host, known};
    use crate::testing::status_of;
    use plimsoll_facts::Facts;

    fn with(cmdline: &str, built: &str) -> Facts {
        host(|h| {
            h.kernel.cmdline = known(cmdline.into());
            h.kernel.config = known([(OPTION.to_owned(), built.to_owned())].into());
        })
    }

    #[test]
    fn at_boot_or_at_build() {
        assert_eq!(status_of(&RULE, &with("quiet nokaslr", "y")), Status::Fail);
        assert_eq!(status_of(&RULE, &with("quiet", "n")), Status::Fail);
        assert_eq!(status_of(&RULE, &with("quiet", "y")), Status::Pass);
    }

    #[test]
    fn half_an_answer_is_unknown() {
        let mut facts = with("quiet", "y");
        facts.host.kernel.cmdline = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        facts.host.kernel.config = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
    }
}
