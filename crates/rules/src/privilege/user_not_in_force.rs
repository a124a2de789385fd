use plimsoll_facts::Container;

use super::user::resolve;
use crate::answer::{fail, not_applicable, pass};
use crate::processes::{evidence_of, is_root, label, labels, started_by_container, status_source};
use crate::sides::by_both;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "user-not-in-force",
    title: "A process is root although the container was declared to run as another user",
    concern: Concern::Privilege,
    severity: Severity::High,
    why: "Nothing but a set-user-id program, or an entry from outside, makes root out of the declared user. Either the \
          container contains such a program and somebody used it, or this is a break-in.",
    fix: "Look at the process: ls -l /proc/PID/exe; tr '\\0' ' ' < /proc/PID/cmdline. Where it is legitimate, take the \
          set-user-id bit from the program in the image; else save the evidence (docker commit, docker logs) and \
          recreate the container with --security-opt no-new-privileges, which stops it.",
    references: &["execve(2)", "credentials(7)"],
    cis: &["4.1"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_both(container, |declared, effective| {
        let uid = resolve(&declared.user, cx.image_of(container))?;
        if uid == 0 {
            return not_applicable("the container was declared to start as root");
        }
        let processes = started_by_container(cx, container, effective)?;
        let roots: Vec<_> = processes.into_iter().filter(|p| is_root(p)).collect();
        let declared = Evidence::new(
            "Config.User",
            format!("{} (user id {uid})", declared.user),
            container.declared.source(),
        );
        if roots.is_empty() {
            return pass(declared);
        }
        let mut evidence = vec![declared];
        evidence.extend(evidence_of(&roots, |p| {
            Evidence::new(format!("user ids of {}", label(p)), format!("{:?}", p.uids), status_source(p, "Uid"))
                .expected("no 0")
        }));
        fail(Problem::new(format!("{} has become root", labels(&roots)), evidence))
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, process, status_of, stopped};

    #[test]
    fn a_set_user_id_program_was_used() {
        let it = container(|c| {
            c.declared().user = "mysql".into();
            let mut raised = process(4720, "raise", 1000);
            raised.ppid = 4711;
            raised.uids = [1000, 0, 0, 0];
            c.processes().push(raised);
        });
        assert_eq!(status_of(&RULE, &it), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|c| c.declared().user = "mysql".into())), Status::Pass);
    }

    #[test]
    fn nothing_to_compare() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.declared().user = "ghost".into())), Status::Unknown);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
