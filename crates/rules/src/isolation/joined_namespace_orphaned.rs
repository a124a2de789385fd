use plimsoll_facts::{Container, Gap, Namespaces};

use super::namespaces::{Kind, find_container};
use crate::answer::{fail, not_applicable};
use crate::sides::by_both;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "joined-namespace-orphaned",
    title: "Container is in a namespace that the container it joined has left",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "container:X joins the namespace that X has at that moment. When X is restarted it gets a new one, and this \
          container stays alone in the old: its ports are no longer reachable under X's address, its firewall and \
          proxy (often the reason for joining) no longer see it, and nothing reports that.",
    fix: "Restart this container after the one that it joins: docker restart NAME. In compose, depends_on with \
          `restart: true` does it each time.",
    references: &[
        "https://docs.docker.com/engine/network/#container-networks",
        "https://docs.docker.com/reference/compose-file/services/#depends_on",
    ],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_both(container, |declared, effective| {
        let joined = [Kind::Net, Kind::Ipc].into_iter().filter_map(|kind| {
            Some((kind, kind.mode(&declared.host_config).1.strip_prefix("container:")?))
        });
        let mut evidence = Vec::new();
        let mut problem = None;
        for (kind, wanted) in joined {
            let own = effective.namespaces.require()?;
            let theirs = namespaces_of(cx, wanted)?;
            let name = kind.link();
            let other = find_container(cx, wanted).map_or_else(|| short(wanted), |c| c.name.clone());
            let shown = Evidence::new(
                format!("{} namespace", kind.name()),
                format!("{name}:[{}]", kind.inode(own)),
                effective.namespaces.source(),
            );
            let (shown, message) = match theirs.map(|n| kind.inode(n)) {
                Some(inode) => (
                    shown.expected(format!("{name}:[{inode}], that of {other}")),
                    (inode != kind.inode(own)).then(|| format!("{other} has another {} namespace by now", kind.name())),
                ),
                None => (
                    shown.expected(format!("that of {other}, which does not run")),
                    Some(format!("{other}, whose {} namespace it joined, does not run", kind.name())),
                ),
            };
            evidence.push(shown);
            problem = problem.or(message);
        }
        match problem {
            Some(message) => fail(Problem::new(message, evidence)),
            None if evidence.is_empty() => not_applicable("it joins no other container's network or IPC namespace"),
            None => Ok(Outcome::Pass(evidence)),
        }
    })
}

/// The beginning of an id, as the engine's own lists show it.
fn short(wanted: &str) -> String {
    wanted.chars().take(12).collect()
}

/// The namespaces of another container; `None` where it does not run or is gone.
fn namespaces_of<'a>(cx: &EngineContext<'a>, wanted: &str) -> Result<Option<&'a Namespaces>, Gap> {
    cx.engine.containers.require()?;
    let Some(other) = find_container(cx, wanted) else { return Ok(None) };
    match other.effective.get()? {
        Some(effective) => effective.namespaces.require().map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Container, Fact, Facts};

    use super::RULE;
    use crate::Status;
    use crate::testing::{OWN_NAMESPACES, Reach, World, answer_about, container, status_of, stopped};

    fn joined_to(change: impl FnOnce(&mut Container)) -> Facts {
        let mut it = container(|c| c.host_config().network_mode = "container:proxy".into());
        it.another("proxy", change);
        it
    }

    fn status(it: &Facts) -> Status {
        answer_about(&RULE, it, "c0ffee").status
    }

    #[test]
    fn the_other_was_restarted_or_stopped() {
        assert_eq!(status(&joined_to(|_| ())), Status::Pass);
        assert_eq!(status(&joined_to(|c| c.namespaces().net = OWN_NAMESPACES.net + 3)), Status::Fail);
        assert_eq!(status(&joined_to(|c| c.effective = Fact::absent("/proc"))), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|c| c.host_config().ipc_mode = "container:gone".into())), Status::Fail);
    }

    #[test]
    fn nothing_joined_and_nothing_known() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status(&joined_to(|c| c.hide())), Status::Unknown);
    }
}
