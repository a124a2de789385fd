use plimsoll_facts::{CgroupMode, Facts};

use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "cgroup-v1-in-use",
    title: "Limits rest on the first cgroup hierarchy",
    concern: Concern::Kernel,
    severity: Severity::Low,
    why: "Version 1 does not throttle buffered writes, leaves the host's cgroup tree visible in containers, lets rootless \
          engines set no limits at all, and has the release_agent file that broke out of containers (CVE-2022-0492). \
          systemd 258 dropped it, Docker 29 and runc 1.4 announce its end.",
    fix: "Boot with systemd.unified_cgroup_hierarchy=1 (and without cgroup_no_v1= exceptions) on the kernel's command line. \
          The reboot stops every container; check with `stat -fc %T /sys/fs/cgroup`, which says cgroup2fs.",
    references: &["cgroups(7)", "https://docs.docker.com/engine/deprecated/#support-for-cgroup-v1"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let fact = &facts.host.cgroups;
    let layout = fact.require()?;
    let first: Vec<_> = layout
        .controllers
        .iter()
        .filter(|(_, home)| home.version == 1)
        .map(|(name, _)| name.as_str())
        .collect();
    let shown = if first.is_empty() { "none".to_owned() } else { first.join(" ") };
    let evidence = Evidence::new("controllers in version 1", shown, fact.source()).expected("none");
    match layout.mode {
        CgroupMode::V2 => pass(evidence),
        CgroupMode::V1 => fail(Problem::new("every controller is in a version 1 hierarchy", vec![evidence])),
        CgroupMode::Hybrid => fail(Problem::new("some controllers are in version 1 hierarchies", vec![evidence])),
        CgroupMode::None => fail(
            Problem::new("no cgroup file system is mounted: nothing can be limited", vec![evidence])
                .severity(Severity::Medium),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{denied, host, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{CgroupLayout, CgroupMode, Facts};

    fn with(mode: CgroupMode) -> Facts {
        host(|h| h.cgroups = known(CgroupLayout { mode, ..CgroupLayout::default() }))
    }

    #[test]
    fn only_version_two_passes() {
        assert_eq!(status_of(&RULE, &with(CgroupMode::V1)), Status::Fail);
        assert_eq!(status_of(&RULE, &with(CgroupMode::Hybrid)), Status::Fail);
        assert_eq!(status_of(&RULE, &with(CgroupMode::V2)), Status::Pass);
        assert_eq!(answer(&RULE, &with(CgroupMode::None)).severity, Severity::Medium);
        assert_eq!(status_of(&RULE, &host(|h| h.cgroups = denied())), Status::Unknown);
    }
}
