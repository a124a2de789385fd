use plimsoll_facts::Container;

use super::namespaces::{Kind, Sharing, declared_sharing, effective_sharing, engine_shares_user_namespace};
use crate::answer::{fail, pass};
use crate::processes::{is_root, labels, members};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-user-namespace",
    title: "User ids in the container are the host's",
    concern: Concern::Isolation,
    severity: Severity::Low,
    why: "Root inside is root outside: whatever lets a process out of the other walls (a leaked descriptor, a mount \
          of the host, a bug of the kernel or of runC) makes it root on the host. With a user namespace it would be \
          a user without rights.",
    fix: "Set \"userns-remap\": \"default\" in daemon.json and restart the engine (all its containers stop, and images \
          and volumes move to a directory of their own), or run the engine rootless. A container that opted out \
          with --userns host is recreated without it.",
    references: &["user_namespaces(7)", "https://docs.docker.com/engine/security/userns-remap/"],
    cis: &["5.31"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| {
            let sharing = effective_sharing(cx, effective, Kind::User)?;
            let roots: Vec<_> = members(effective)?.into_iter().filter(|p| is_root(p)).collect();
            let evidence = Evidence::new("run as the host's root", labels(&roots), effective.processes.source());
            outcome(cx, sharing, !roots.is_empty(), vec![evidence])
        },
        |_| outcome(cx, declared_sharing(cx, container, Kind::User)?, false, Vec::new()),
    )
}

fn outcome(cx: &EngineContext<'_>, sharing: Sharing, root: bool, further: Vec<Evidence>) -> Judgement {
    if !sharing.with_host {
        return pass(sharing.evidence);
    }
    let opted_out = engine_shares_user_namespace(cx) == Ok(false);
    let message = match opted_out {
        true => "opted out of the engine's user namespace: its user ids are the host's",
        false => "its user ids are the host's: root inside is root on the host",
    };
    let mut problem = Problem::new(message, vec![sharing.evidence]);
    problem.evidence.extend(further);
    if root || opted_out {
        problem = problem.severity(Severity::Medium);
    }
    fail(problem)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::isolation::namespaces::{Kind, checks};
    use crate::testing::{Reach, World, answer, container, process, status_of, stopped};
    use crate::{Severity, Status};

    #[test]
    fn judged_by_inode_then_by_declaration() {
        checks::all(&RULE, Kind::User);
    }

    /// Without userns-remap nothing is declared, and every container has the host's user namespace.
    #[test]
    fn case_05_no_remap() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Fail);
    }

    #[test]
    fn a_root_process_makes_it_worse() {
        let it = container(|c| c.processes().push(process(4712, "sh", 0)));
        assert_eq!(answer(&RULE, &it).severity, Severity::Medium);
        assert_eq!(answer(&RULE, &container(|_| ())).severity, Severity::Low);
    }

    #[test]
    fn opting_out_of_a_remapping_engine() {
        let mut it = stopped(|c| c.host_config().userns_mode = "host".into());
        it.engine().info.value_mut().unwrap().security_options.push("name=userns".into());
        assert_eq!(answer(&RULE, &it).severity, Severity::Medium);
    }
}
