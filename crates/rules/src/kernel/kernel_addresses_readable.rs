use plimsoll_facts::Facts;

use super::sysctl::number;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

const KPTR: &str = "kernel.kptr_restrict";
const PARANOID: &str = "kernel.perf_event_paranoid";

pub(super) const RULE: Rule = Rule {
    id: "kernel-addresses-readable",
    title: "Unprivileged processes may read the kernel's addresses",
    concern: Concern::Kernel,
    severity: Severity::Low,
    why: "Where kptr_restrict is 0 and perf_event_paranoid is below 2, /proc/kallsyms shows real addresses to every \
          process, in containers too. That undoes the kernel's random placement, the first thing that most exploits \
          have to defeat. Either setting alone hides them.",
    fix: "sysctl -w kernel.kptr_restrict=1, and the same line in /etc/sysctl.d/60-containers.conf. Nothing stops.",
    references: &[
        "https://docs.kernel.org/admin-guide/sysctl/kernel.html#kptr-restrict",
        "kernel/ksyms_common.c kallsyms_show_value()",
    ],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let Some((kptr, source)) = number(facts, KPTR)? else {
        return not_applicable("this kernel has no such setting");
    };
    let hidden = Evidence::new(KPTR, kptr.to_string(), source).expected("1 or 2");
    if kptr != 0 {
        return pass(hidden);
    }
    let Some((paranoid, source)) = number(facts, PARANOID)? else {
        return pass(Evidence::new(PARANOID, "no performance events", "/proc/sys/kernel"));
    };
    let profiling = Evidence::new(PARANOID, paranoid.to_string(), source).expected("2 or more");
    if paranoid >= 2 {
        return pass(profiling);
    }
    fail(Problem::new("/proc/kallsyms shows kernel addresses to every process", vec![hidden, profiling]))
}

#[cfg(test)]
mod tests {
    use super::{KPTR, PARANOID, RULE};
    use crate::Status;
    use crate::testing::bare::{host, sysctls};
    use crate::testing::status_of;

    #[test]
    fn both_settings_must_be_open() {
        let case = |kptr, paranoid| status_of(&RULE, &sysctls(&[(KPTR, kptr), (PARANOID, paranoid)]));
        assert_eq!(case("0", "1"), Status::Fail);
        assert_eq!(case("0", "2"), Status::Pass);
        assert_eq!(case("1", "-1"), Status::Pass);
    }

    #[test]
    fn half_an_answer_is_unknown() {
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
        assert_eq!(status_of(&RULE, &sysctls(&[(KPTR, "0")])), Status::Unknown);
    }
}
