use plimsoll_facts::{Container, Effective};

use super::in_force::{evidence, limits};
use crate::answer::{fail, pass};
use crate::kernel::sysctl;
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "pids-unlimited",
    title: "Container may start processes until the host has none left",
    concern: Concern::Limits,
    severity: Severity::Medium,
    why: "Process numbers are one pool for the whole host. A fork bomb, or a service that leaks threads, empties it in \
          seconds, and then not even a shell can be started to end it.",
    fix: "docker update --pids-limit 512 NAME (threads count too: look at pids.peak, or docker stats, first) takes \
          effect at once and stops nothing; then write the same where the container is created.",
    references: &[
        "https://docs.docker.com/reference/cli/docker/container/update/",
        "https://docs.kernel.org/admin-guide/cgroup-v2.html#pid",
    ],
    cis: &["5.29"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| by_cgroup(cx, effective),
        |declared| {
            let limit = declared.host_config.pids_limit.filter(|limit| *limit > 0);
            let shown = limit.map_or("not set".to_owned(), |limit| limit.to_string());
            let evidence = Evidence::new("PidsLimit", shown, container.declared.source());
            match limit {
                Some(_) => pass(evidence),
                None => fail(Problem::new(
                    "is declared without a limit on processes",
                    vec![evidence.expected("a limit")],
                )),
            }
        },
    )
}

fn by_cgroup(cx: &EngineContext<'_>, effective: &Effective) -> Judgement {
    let limit = &limits(effective, &["pids"])?.pids;
    let evidence = evidence("limit on processes and threads in force", limit, u64::to_string, effective);
    let Some(value) = limit.value else {
        return fail(Problem::new("no limit on processes is in force", vec![evidence.expected("a limit")]));
    };
    for name in ["kernel.pid_max", "kernel.threads-max"] {
        // A limit stands, so a setting that was not read does not make the answer unknown.
        let Ok(Some((most, _))) = sysctl::number(cx.facts, name) else { continue };
        if u64::try_from(most).is_ok_and(|most| value >= most) {
            let message = format!("its limit of {value} processes is no less than all that the host can have");
            return fail(Problem::new(message, vec![evidence.expected(format!("less than {name}, {most}"))]));
        }
    }
    pass(evidence)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    #[test]
    fn the_limit_in_force_decides() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|c| c.limits().pids.value = Some(512))), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| c.limits().pids.value = Some(4_194_304))), Status::Fail);
    }

    /// Rootless on cgroup v1: `--pids-limit 50` has no effect.
    #[test]
    fn case_18_rootless_without_cgroup_driver() {
        assert_eq!(status_of(&RULE, &container(|c| c.host_config().pids_limit = Some(50))), Status::Fail);
    }

    #[test]
    fn stopped_by_declaration() {
        for (limit, status) in
            [(None, Status::Fail), (Some(0), Status::Fail), (Some(-1), Status::Fail), (Some(100), Status::Pass)]
        {
            assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().pids_limit = limit)), status);
        }
    }

    #[test]
    fn unreadable_is_unknown() {
        let it = container(|c| {
            c.host_config().pids_limit = Some(50);
            c.effective().limits = Default::default();
        });
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
