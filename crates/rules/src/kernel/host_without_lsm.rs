use plimsoll_facts::Facts;

use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-without-lsm",
    title: "No security module confines containers",
    concern: Concern::Kernel,
    severity: Severity::Medium,
    why: "AppArmor or SELinux is the wall behind the other walls: it still denies mounts, writes below /proc and /sys, \
          and socket families when a capability, a mask or a seccomp filter was given away. The engine gives each \
          container a profile by itself where one of them is active.",
    fix: "Debian, Ubuntu: apt-get install apparmor, add `lsm=landlock,lockdown,yama,integrity,apparmor,bpf` to the kernel's \
          command line where it is not the default, reboot. Red Hat: SELINUX=enforcing in /etc/selinux/config and \
          `selinux-enabled: true` in daemon.json. The reboot stops every container.",
    references: &["apparmor(7)", "selinux(8)", "https://docs.docker.com/engine/security/apparmor/"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

/// The modules for which container runtimes write profiles or labels.
const CONFINING: [&str; 2] = ["apparmor", "selinux"];

fn judge(facts: &Facts) -> Judgement {
    let lsms = &facts.host.kernel.lsms;
    let active = lsms.get()?.map(Vec::as_slice).unwrap_or_default();
    let shown = if active.is_empty() { "none".to_owned() } else { active.join(",") };
    let evidence = Evidence::new("active security modules", shown, lsms.source()).expected("apparmor or selinux");
    if CONFINING.iter().any(|wanted| active.iter().any(|name| name == wanted)) {
        return pass(evidence);
    }
    fail(Problem::new("neither AppArmor nor SELinux is active", vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, host, known};
    use crate::testing::status_of;
    use plimsoll_facts::Fact;

    #[test]
    fn only_modules_that_confine_count() {
        let case = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            status_of(&RULE, &host(|h| h.kernel.lsms = known(names)))
        };
        assert_eq!(case(&["lockdown", "capability", "yama"]), Status::Fail);
        assert_eq!(case(&["lockdown", "capability", "apparmor"]), Status::Pass);
    }

    #[test]
    fn no_list_is_no_module_but_unreadable_is_unknown() {
        assert_eq!(status_of(&RULE, &host(|h| h.kernel.lsms = Fact::absent("/sys"))), Status::Fail);
        assert_eq!(status_of(&RULE, &host(|h| h.kernel.lsms = denied())), Status::Unknown);
    }
}
