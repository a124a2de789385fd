use plimsoll_facts::{Container, HostDescriptor};

use crate::answer::{fail, pass};
use crate::processes::shortened;
use crate::sides::by_kernel;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-descriptor-open",
    title: "A process in the container holds an open file of the host",
    concern: Concern::Isolation,
    severity: Severity::High,
    why: "An open directory outside of the container's mounts is a way out: openat(2) from it reaches every file of \
          the host that the process may access. runC left such descriptors open in CVE-2024-21626; programs that \
          start containers can, too.",
    fix: "Restart the container (docker restart NAME), and update the program that started it: the descriptor was \
          inherited. Where it comes back, look for who passes it: ls -l /proc/PID/fd.",
    references: &["openat(2)", "proc_pid_fd(5)", "CVE-2024-21626"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel(container, |effective| {
        let source = effective.host_descriptors.source();
        let mut open: Vec<&HostDescriptor> = effective.host_descriptors.require()?.iter().collect();
        open.sort_by_key(|d| d.kind != "directory");
        let Some(first) = open.first() else {
            return pass(Evidence::new("open files of the host", "none", source));
        };
        let severity = if first.kind == "directory" { Severity::High } else { Severity::Medium };
        let message =
            format!("process {} holds {} {} of the host as descriptor {}", first.pid, first.kind, first.target, first.fd);
        let evidence = shortened(
            &open,
            |d| {
                Evidence::new(
                    format!("descriptor {} of process {}", d.fd, d.pid),
                    format!("{} {}: {}", d.kind, d.target, d.reason),
                    format!("/proc/{}/fd/{}", d.pid, d.fd),
                )
            },
            "descriptors",
        );
        fail(Problem::new(message, evidence).severity(severity))
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Fact, Facts, HostDescriptor};

    use super::RULE;
    use crate::testing::{Reach, answer, container, status_of, stopped};
    use crate::{Severity, Status};

    fn holding(kind: &str) -> Facts {
        container(|c| {
            c.effective().host_descriptors = Fact::known(
                vec![HostDescriptor {
                    pid: 4711,
                    fd: 3,
                    link: "fd/3".into(),
                    target: "/".into(),
                    kind: kind.into(),
                    reason: "its mount is not in the container".into(),
                }],
                "/proc/4711/fd",
            );
        })
    }

    #[test]
    fn directories_lead_out() {
        assert_eq!(answer(&RULE, &holding("directory")).severity, Severity::High);
        assert_eq!(answer(&RULE, &holding("file")).severity, Severity::Medium);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
    }

    #[test]
    fn stopped_and_unreadable() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(
            status_of(&RULE, &container(|c| c.effective().host_descriptors = Fact::default())),
            Status::Unknown
        );
    }
}
