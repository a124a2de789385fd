use plimsoll_facts::Container;

use super::namespaces::{Kind, declared_sharing, effective_sharing};
use crate::answer::{fail, not_applicable};
use crate::engine::is_rootless;
use crate::sides::by_both;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "namespace-not-as-declared",
    title: "A namespace is shared with the host although it was declared private, or the reverse",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "The declaration is what people review. Where the kernel shows something else, a runtime ignored it, or a \
          process with SYS_ADMIN went over to another namespace (setns(2)).",
    fix: "Restart the container (docker restart NAME) and look again: ls -l /proc/PID/ns. Where it stays, the runtime \
          does not do what it is asked: docker inspect -f '{{.HostConfig.Runtime}}' NAME.",
    references: &["namespaces(7)", "setns(2)"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_both(container, |_, effective| {
        if is_rootless(cx.engine) {
            return not_applicable("the engine is rootless: its host namespaces are not those of the host itself");
        }
        let mut agreed = Vec::new();
        let mut differing = Vec::new();
        for kind in Kind::ALL {
            // A joined container that is gone leaves nothing to compare; joined-namespace-orphaned reports it.
            let Ok(declared) = declared_sharing(cx, container, kind) else { continue };
            let effective = effective_sharing(cx, effective, kind)?;
            if declared.with_host == effective.with_host {
                agreed.push(kind.link());
            } else {
                differing.push((kind, declared, effective));
            }
        }
        let Some((kind, declared, kernel)) = differing.first() else {
            let evidence = Evidence::new("as declared", agreed.join(", "), effective.namespaces.source());
            return Ok(Outcome::Pass(vec![evidence]));
        };
        let message = match (declared.with_host, &kernel.member) {
            (true, _) => format!("was given the host's {} namespace, but has another", kind.name()),
            (false, Some(member)) => {
                format!("{member} in its cgroup has the host's {} namespace, which was not given", kind.name())
            }
            (false, None) => format!("has the host's {} namespace, but was not given it", kind.name()),
        };
        let evidence = differing.into_iter().flat_map(|(_, declared, kernel)| [declared.evidence, kernel.evidence]);
        fail(Problem::new(message, evidence.collect()))
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{HOST_NAMESPACES, Reach, World, container, status_of, stopped};

    #[test]
    fn both_directions() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        let went_over = container(|c| c.namespaces().net = HOST_NAMESPACES.net);
        assert_eq!(status_of(&RULE, &went_over), Status::Fail);
        let ignored = container(|c| c.host_config().pid_mode = "host".into());
        assert_eq!(status_of(&RULE, &ignored), Status::Fail);
        let host = container(|c| {
            c.host_config().network_mode = "host".into();
            c.namespaces().net = HOST_NAMESPACES.net;
        });
        assert_eq!(status_of(&RULE, &host), Status::Pass);
    }

    #[test]
    fn not_comparable() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        let mut rootless = container(|_| ());
        rootless.engine().info.value_mut().unwrap().security_options.push("name=rootless".into());
        assert_eq!(status_of(&RULE, &rootless), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.effective().namespaces = Default::default())), Status::Unknown);
    }
}
