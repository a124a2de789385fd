use plimsoll_facts::Container;

use super::in_force::limits;
use crate::answer::{fail, not_applicable};
use crate::processes::shortened;
use crate::sides::by_kernel;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "buffered-writes-unthrottled",
    title: "The IO limit does not hold for ordinary writes on cgroup v1",
    concern: Concern::Limits,
    severity: Severity::Low,
    why: "On cgroup v1 the throttle counts direct IO alone. Ordinary writes go to the page cache, and the kernel's own \
          threads write them out, outside of the container's cgroup: a limit of 1 MB/s lets more than 100 MB/s \
          through.",
    fix: "Boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1 on the kernel's command line; this stops every \
          container), where writeback is charged to the container on ext4, btrfs and xfs.",
    references: &[
        "https://docs.kernel.org/admin-guide/cgroup-v1/blkio-controller.html",
        "https://docs.kernel.org/admin-guide/cgroup-v2.html#writeback",
    ],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel(container, |effective| {
        let throttles = &limits(effective, &["io"])?.io;
        if throttles.is_empty() {
            return not_applicable("no IO limit is in force");
        }
        let layout = cx.facts.host.cgroups.require()?;
        let home = layout.controllers.get("blkio").or(layout.controllers.get("io"));
        if home.is_none_or(|home| home.version != 1) {
            return not_applicable("IO is limited by cgroup v2, which counts ordinary writes");
        }
        let source = effective.limits.source();
        let evidence = shortened(throttles, |line| Evidence::new("IO throttle", line.clone(), source), "throttles");
        fail(Problem::new("its IO limit holds for direct IO only", evidence))
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{CgroupHome, Facts};

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    fn throttled(version: u8) -> Facts {
        let mut it = container(|c| c.limits().io = vec!["blkio.throttle.write_bps_device 254:0 1048576".into()]);
        let controllers = &mut it.host.cgroups.value_mut().unwrap().controllers;
        controllers.clear();
        let name = if version == 1 { "blkio" } else { "io" };
        controllers.insert(name.into(), CgroupHome { version, mount: "/sys/fs/cgroup".into() });
        it
    }

    #[test]
    fn cgroup_v1_only() {
        assert_eq!(status_of(&RULE, &throttled(1)), Status::Fail);
        assert_eq!(status_of(&RULE, &throttled(2)), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
    }

    #[test]
    fn unreadable_is_unknown() {
        let mut it = throttled(1);
        it.host.cgroups = Default::default();
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
