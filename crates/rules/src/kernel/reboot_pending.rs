use plimsoll_facts::Facts;

use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "reboot-pending",
    title: "The distribution asks for a reboot",
    concern: Concern::Kernel,
    severity: Severity::Medium,
    why: "Packages were updated whose old code stays in memory until the host boots: the kernel, the C library, the \
          init system. Until then the host is as open as before the update, though the package manager says it is not.",
    fix: "Reboot in a maintenance window (systemctl reboot). That stops every container; those with --restart always \
          or unless-stopped come back with the engine, others do not.",
    references: &["needrestart(1)"],
    cis: &[],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let marker = &facts.host.reboot_required;
    let Some(packages) = marker.get()? else {
        return pass(Evidence::new("reboot marker", "none (only distributions that write one)", marker.source()));
    };
    let by = if packages.is_empty() { "no package is named".to_owned() } else { packages.join(", ") };
    let evidence = Evidence::new("reboot asked for by", by, marker.source()).expected("none");
    fail(Problem::new("updated packages wait for a reboot", vec![evidence]))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, host, known};
    use crate::testing::status_of;
    use plimsoll_facts::Fact;

    #[test]
    fn the_marker_decides() {
        let asked = host(|h| h.reboot_required = known(vec!["linux-image-6.1.0-22-amd64".into()]));
        assert_eq!(status_of(&RULE, &asked), Status::Fail);
        let quiet = host(|h| h.reboot_required = Fact::absent("/run/reboot-required"));
        assert_eq!(status_of(&RULE, &quiet), Status::Pass);
        assert_eq!(status_of(&RULE, &host(|h| h.reboot_required = denied())), Status::Unknown);
    }
}
