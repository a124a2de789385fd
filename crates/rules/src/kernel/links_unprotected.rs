use plimsoll_facts::Facts;

use super::sysctl::number;
use crate::answer::{fail, not_applicable};
use crate::{Concern, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

const SETTINGS: [&str; 2] = ["fs.protected_symlinks", "fs.protected_hardlinks"];

pub(super) const RULE: Rule = Rule {
    id: "links-unprotected",
    title: "Privileged programs follow links that others planted",
    concern: Concern::Kernel,
    severity: Severity::Low,
    why: "Without these checks a user plants a symbolic or hard link in a directory that everybody may write, and a \
          root process that opens it writes to another file: on the host, and in every container, as the setting is \
          the kernel's own and not the container's.",
    fix: "sysctl -w fs.protected_symlinks=1 fs.protected_hardlinks=1, and the same two lines in \
          /etc/sysctl.d/60-containers.conf. Nothing stops.",
    references: &["https://docs.kernel.org/admin-guide/sysctl/fs.html", "proc_sys_fs(5)"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let mut evidence = Vec::new();
    let mut open = Vec::new();
    for name in SETTINGS {
        let Some((value, source)) = number(facts, name)? else { continue };
        evidence.push(Evidence::new(name, value.to_string(), source).expected("1"));
        if value == 0 {
            open.push(name);
        }
    }
    if evidence.is_empty() {
        return not_applicable("this kernel has no such setting");
    }
    if open.is_empty() {
        return Ok(Outcome::Pass(evidence));
    }
    fail(Problem::new(format!("{} is off", open.join(" and ")), evidence))
}

#[cfg(test)]
mod tests {
    use super::{RULE, SETTINGS};
    use crate::Status;
    use crate::testing::bare::{host, sysctls};
    use crate::testing::status_of;

    #[test]
    fn both_must_be_on() {
        let case = |a, b| status_of(&RULE, &sysctls(&[(SETTINGS[0], a), (SETTINGS[1], b)]));
        assert_eq!(case("0", "1"), Status::Fail);
        assert_eq!(case("1", "1"), Status::Pass);
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
    }
}
