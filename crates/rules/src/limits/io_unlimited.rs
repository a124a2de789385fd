use plimsoll_facts::Container;

use super::in_force::limits;
use crate::answer::{fail, pass};
use crate::processes::shortened;
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "io-unlimited",
    title: "Container may use all of the disks' throughput",
    concern: Concern::Limits,
    severity: Severity::Info,
    why: "A backup, a table scan or a log in a loop makes every other container wait for the same disk. Often the \
          storage itself sets the bound; then this is only good to know.",
    fix: "Recreate the container with --device-write-bps /dev/X:50mb --device-read-iops /dev/X:1000 (this stops it). On \
          cgroup v2 a running container takes the same from: echo 'MAJ:MIN wbps=52428800' > CGROUP/io.max.",
    references: &[
        "https://docs.docker.com/reference/cli/docker/container/run/#device-write-bps",
        "https://docs.kernel.org/admin-guide/cgroup-v2.html#io",
    ],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| {
            let throttles = &limits(effective, &["io"])?.io;
            let source = effective.limits.source();
            if throttles.is_empty() {
                let evidence = Evidence::new("IO throttles in force", "none", source).expected("one a disk");
                return fail(Problem::new("no IO limit is in force", vec![evidence]));
            }
            let shown = shortened(throttles, |line| Evidence::new("IO throttle", line.clone(), source), "throttles");
            Ok(Outcome::Pass(shown))
        },
        |declared| {
            let config = &declared.host_config;
            let evidence = |shown| Evidence::new("block device limits", shown, container.declared.source());
            match config.blkio_limits {
                true => pass(evidence("set")),
                false => fail(Problem::new(
                    "is declared without an IO limit",
                    vec![evidence("not set").expected("one a disk")],
                )),
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    #[test]
    fn throttles_in_force() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Fail);
        let throttled = container(|c| c.limits().io = vec!["io.max 254:0 wbps=1048576".into()]);
        assert_eq!(status_of(&RULE, &throttled), Status::Pass);
    }

    #[test]
    fn stopped_and_unreadable() {
        assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().blkio_limits = true)), Status::Pass);
        let it = container(|c| {
            c.host_config().blkio_limits = true;
            c.limits().unreadable.insert("io".into(), "permission denied".into());
        });
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
