use plimsoll_facts::Facts;

use super::sysctl::number;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// Each of these alone closes the way: (setting, the value that does).
const SWITCHES: [(&str, i64); 3] = [
    ("user.max_user_namespaces", 0),
    ("kernel.unprivileged_userns_clone", 0),
    ("kernel.apparmor_restrict_unprivileged_userns", 1),
];

pub(super) const RULE: Rule = Rule {
    id: "unprivileged-user-namespaces",
    title: "Unprivileged processes may make user namespaces",
    concern: Concern::Kernel,
    severity: Severity::Low,
    why: "In a user namespace of its own every process has all capabilities over mounts, networks and filters that it \
          makes there, and so reaches kernel code that was written for root only. Most local root bugs of recent \
          years need it. Docker's default seccomp filter closes it in containers; a container without a filter, and \
          every user of the host, has it.",
    fix: "Debian, Ubuntu: sysctl -w kernel.unprivileged_userns_clone=0; elsewhere: user.max_user_namespaces=0 (not with \
          userns-remap). Keep it in /etc/sysctl.d/60-containers.conf. No container stops; browsers' and Flatpak's \
          sandboxes and rootless engines need them.",
    references: &["user_namespaces(7)", "https://docs.docker.com/engine/security/seccomp/"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    if facts.engines.iter().any(crate::engine::is_rootless) {
        return not_applicable("a rootless engine on this host is made of user namespaces");
    }
    let mut evidence = Vec::new();
    for (name, closed) in SWITCHES {
        let Some((value, source)) = number(facts, name)? else { continue };
        let seen = Evidence::new(name, value.to_string(), source).expected(closed.to_string());
        if value == closed {
            return pass(seen);
        }
        evidence.push(seen);
    }
    if evidence.is_empty() {
        return not_applicable("this kernel has no user namespaces");
    }
    fail(Problem::new("every process that its seccomp filter lets may make user namespaces", evidence))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, engine, host};
    use crate::testing::status_of;
    use plimsoll_facts::{Fact, Facts};

    fn with(values: [Option<&str>; 3]) -> Facts {
        host(|h| {
            for ((name, _), value) in super::SWITCHES.iter().zip(values) {
                let fact = match value {
                    Some(value) => Fact::known(value.to_owned(), "/proc/sys"),
                    None => Fact::absent("/proc/sys"),
                };
                h.kernel.sysctls.insert((*name).into(), fact);
            }
        })
    }

    #[test]
    fn one_switch_suffices() {
        assert_eq!(status_of(&RULE, &with([Some("95000"), Some("1"), None])), Status::Fail);
        assert_eq!(status_of(&RULE, &with([Some("95000"), Some("0"), None])), Status::Pass);
        assert_eq!(status_of(&RULE, &with([Some("0"), None, None])), Status::Pass);
        assert_eq!(status_of(&RULE, &with([Some("95000"), None, Some("1")])), Status::Pass);
    }

    #[test]
    fn unread_and_without_namespaces() {
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
        assert_eq!(status_of(&RULE, &with([None, None, None])), Status::NotApplicable);
    }

    #[test]
    fn rootless_engines_need_them() {
        let rootless = engine(|e| e.info().security_options.push("name=rootless".into()));
        assert_eq!(status_of(&RULE, &rootless), Status::NotApplicable);
    }
}
