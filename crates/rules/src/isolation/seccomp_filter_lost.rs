use plimsoll_facts::{Container, Effective, Gap, Process};

use crate::answer::{fail, gap, not_applicable, pass};
use crate::processes::{evidence_of, label, labels, members};
use crate::sides::by_kernel;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "seccomp-filter-lost",
    title: "A process is in the container, but not under its seccomp filter",
    concern: Concern::Isolation,
    severity: Severity::High,
    why: "A filter can't be taken off: a process of the container has the container's filter and perhaps others on top. \
          One that has no filter, or others alone, was started in another way: by a program that entered from the \
          host, or by a runtime that treats exec otherwise. It runs the container's own programs and libraries: \
          whoever prepared one of them gets the system calls that the filter keeps away.",
    fix: "End the session (kill PID on the host, or leave its shell), and find who opened it: docker events --filter \
          event=exec_create, or the audit log. Ending the session does not stop the container.",
    references: &["seccomp(2)", "https://docs.docker.com/engine/security/seccomp/"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel(container, |effective| {
        let mut members = members(effective)?;
        members.retain(|process| !is_about_to_start(process));
        let Some(init) = members.iter().find(|p| p.pid == effective.init_pid && p.thread.is_none()) else {
            return Err(gap(effective.processes.source(), "the container's first process was not seen"));
        };
        if init.seccomp_mode == 0 {
            return not_applicable("the container's first process has no seccomp filter");
        }
        let container_s = oldest_program(cx, init);
        // A process without any filter has lost it, whatever could be read of the others'.
        let has_lost = |process: &Process| match process.seccomp_mode {
            0 => Ok(true),
            _ => Ok(oldest_program(cx, process)? != container_s.clone()?),
        };
        let mut lost = Vec::new();
        let mut unread = None;
        for process in &members {
            match has_lost(process) {
                Ok(true) => lost.push(*process),
                Ok(false) => {}
                Err(gap) => unread = Some(gap),
            }
        }
        match unread {
            Some(gap) if lost.is_empty() => return Err(gap),
            None if lost.is_empty() => return pass(same_everywhere(effective, members.len(), init)),
            _ => {}
        }
        let evidence = evidence_of(&lost, |p| {
            let value = if p.seccomp_mode == 0 { "none" } else { "another one" };
            Evidence::new(format!("seccomp filter of {}", label(p)), value, p.seccomp.source())
                .expected(format!("that of {}", label(init)))
        });
        fail(Problem::new(format!("{} is not under the container's seccomp filter", labels(&lost)), evidence))
    })
}

/// Whether it is the runtime's own stage of a process, which has no filter yet: runC names it so, and before that it runs
/// from the copy that runC makes of itself (libcontainer/nsenter/cloned_binary.c).
fn is_about_to_start(process: &Process) -> bool {
    let exe = process.exe.as_deref().unwrap_or_default();
    process.name.starts_with("runc:[") || exe.starts_with("/memfd:runc_cloned:")
}

fn same_everywhere(effective: &Effective, count: usize, init: &Process) -> Evidence {
    let shown = format!("above the container's own in all {count} processes and deviating threads");
    let source = if count > 1 { effective.processes.source() } else { init.seccomp.source() };
    Evidence::new("seccomp filters", shown, source)
}

/// The program that was loaded first: the runtime's.
///
/// # Errors
/// The gap where the filter could not be read.
fn oldest_program<'f>(cx: &EngineContext<'f>, process: &Process) -> Result<&'f str, Gap> {
    let seccomp = &cx.facts.host.seccomp;
    let filter = seccomp.filters.get(*process.seccomp.require()? as usize);
    let oldest = filter.and_then(|filter| filter.programs.last());
    let program = oldest.and_then(|program| seccomp.programs.get(*program as usize));
    program.map(String::as_str).ok_or_else(|| gap(process.seccomp.source(), "the facts lack the filter that they name"))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Fact, Facts, Seccomp, SeccompFilter, SeccompSource};

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, answer, container, process, status_of, stopped};

    /// Filter 0 is the container's, 1 has one more on top, 2 is another one.
    fn with_filters(seccomp_of_second: Fact<u32>, mode: u32) -> Facts {
        let mut it = container(|c| {
            let mut second = process(4799, "session", 0);
            second.seccomp_mode = mode;
            second.seccomp = seccomp_of_second;
            c.processes().push(second);
        });
        let filter = |programs: &[u32]| SeccompFilter {
            source: SeccompSource::KernelBpf,
            programs: programs.to_vec(),
            uncertain: Vec::new(),
        };
        it.host.seccomp = Seccomp {
            filters: vec![filter(&[0]), filter(&[1, 0]), filter(&[1])],
            programs: vec!["container".into(), "own".into()],
        };
        it
    }

    #[test]
    fn the_same_filter_or_more_on_top() {
        for place in [0, 1] {
            assert_eq!(status_of(&RULE, &with_filters(Fact::known(place, "bpf"), 2)), Status::Pass);
        }
    }

    #[test]
    fn none_or_another_one() {
        let none = answer(&RULE, &with_filters(Fact::absent("status"), 0));
        assert_eq!(none.status, Status::Fail);
        assert!(none.message.contains("session"));
        assert_eq!(status_of(&RULE, &with_filters(Fact::known(2, "bpf"), 2)), Status::Fail);
    }

    #[test]
    fn what_was_not_read_is_unknown() {
        assert_eq!(status_of(&RULE, &with_filters(Fact::default(), 2)), Status::Unknown);
        assert_eq!(status_of(&RULE, &with_filters(Fact::known(9, "bpf"), 2)), Status::Unknown);
        let mut none_was_read = with_filters(Fact::absent("status"), 0);
        none_was_read.host.seccomp = Seccomp::default();
        assert_eq!(status_of(&RULE, &none_was_read), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|c| c.effective().processes = Fact::default())), Status::Unknown);
    }

    #[test]
    fn nothing_to_lose() {
        let open = container(|c| c.processes()[0].seccomp_mode = 0);
        assert_eq!(status_of(&RULE, &open), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
    }
}
