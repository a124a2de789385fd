use plimsoll_facts::{Container, Rlimits};

use crate::answer::{fail, gap, pass};
use crate::sides::by_kernel;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// What Docker gives by itself where its service sets nothing else.
const MOST_FILES: u64 = 1_048_576;

pub(super) const RULE: Rule = Rule {
    id: "ulimits-unbounded",
    title: "Open files of the container's processes are practically unlimited",
    concern: Concern::Limits,
    severity: Severity::Low,
    why: "A leak of descriptors goes on until the whole host cannot open files. Programs that make a table as large as \
          the limit (MySQL and MariaDB, Java, Python's subprocess) take gigabytes of memory or seconds of time when \
          it is infinite, as the units of containerd and Docker once set it.",
    fix: "Recreate the container with --ulimit nofile=65536:65536 (this stops it), or set \"default-ulimits\" in \
          daemon.json for new containers. For a running one: prlimit --pid PID --nofile=65536:65536.",
    references: &[
        "getrlimit(2)",
        "proc_pid_limits(5)",
        "https://docs.docker.com/reference/cli/docker/container/run/#ulimit",
    ],
    cis: &["5.19"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel(container, |effective| {
        let limits = effective.rlimits.require()?;
        let source = effective.rlimits.source();
        let Some((soft, hard)) = limits.get("nofile") else {
            return Err(gap(source, "shows no limit on open files"));
        };
        let evidence = Evidence::new("open files (soft, hard)", shown(*soft, *hard), source);
        if hard.is_some_and(|hard| hard <= MOST_FILES) {
            return pass(evidence);
        }
        let mut all = vec![evidence.expected(format!("at most {MOST_FILES}"))];
        all.extend(others(limits, source));
        fail(Problem::new("its processes may open practically unlimited files", all))
    })
}

/// Limits that an administrator looks at next.
fn others<'l>(limits: &'l Rlimits, source: &'l str) -> impl Iterator<Item = Evidence> + 'l {
    [("nproc", "processes (soft, hard)"), ("core", "size of core dumps (soft, hard)")].into_iter().filter_map(
        move |(name, fact)| {
            let (soft, hard) = limits.get(name)?;
            Some(Evidence::new(fact, shown(*soft, *hard), source))
        },
    )
}

fn shown(soft: Option<u64>, hard: Option<u64>) -> String {
    let text = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    format!("{}, {}", text(soft), text(hard))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    fn files(hard: Option<u64>) -> Status {
        status_of(
            &RULE,
            &container(|c| {
                c.effective().rlimits.value_mut().unwrap().insert("nofile".into(), (Some(1024), hard));
            }),
        )
    }

    #[test]
    fn the_hard_limit_decides() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        assert_eq!(files(Some(1_073_741_816)), Status::Fail);
        assert_eq!(files(None), Status::Fail);
    }

    #[test]
    fn stopped_and_unreadable() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        let empty = container(|c| c.effective().rlimits.value_mut().unwrap().clear());
        assert_eq!(status_of(&RULE, &empty), Status::Unknown);
        assert_eq!(status_of(&RULE, &container(|c| c.effective().rlimits = Default::default())), Status::Unknown);
    }
}
