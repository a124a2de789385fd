use plimsoll_facts::{Container, Process};

use super::lsm;
use crate::answer::{fail, not_applicable};
use crate::declared::security_option;
use crate::processes::{labels, members};
use crate::sides::by_both;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "apparmor-profile-not-in-force",
    title: "The AppArmor profile that is declared is not the one that holds the processes",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "docker inspect shows the profile that the engine asked for. After the profile was unloaded or replaced, or \
          where the runtime did not apply it, the kernel enforces another one or none.",
    fix: "Load the profile (apparmor_parser -r FILE; Docker's own comes back when the engine starts) and restart the \
          container: docker restart NAME. A process cannot be given its profile while it runs.",
    references: &["apparmor_parser(8)", "https://docs.docker.com/engine/security/apparmor/"],
    cis: &["5.2"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_both(container, |declared, effective| {
        let wanted = match declared.apparmor_profile.as_str() {
            "" => security_option(&declared.host_config, "apparmor").unwrap_or(""),
            profile => profile,
        };
        if matches!(wanted, "" | "unconfined") {
            return not_applicable("no AppArmor profile is declared");
        }
        let other: Vec<_> =
            members(effective)?.into_iter().filter(|p| profile_of(p) != Some(wanted)).collect();
        let declared = Evidence::new("declared AppArmor profile", wanted, container.declared.source());
        if other.is_empty() {
            return Ok(Outcome::Pass(vec![declared]));
        }
        let mut evidence = vec![declared];
        evidence.extend(lsm::evidence(&other, wanted));
        let message = format!("AppArmor profile {wanted} is declared, but does not hold {}", labels(&other));
        fail(Problem::new(message, evidence))
    })
}

/// The profile of `docker-default (enforce)`; a stacked or child profile (`docker-default//hat`) counts as its parent.
fn profile_of(process: &Process) -> Option<&str> {
    let label = lsm::label_of(process)?;
    let name = label.rsplit_once(" (").map_or(label, |(name, _)| name);
    Some(name.split_once("//").map_or(name, |(parent, _)| parent))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    fn with(declared: &str, label: Option<&str>) -> Status {
        status_of(
            &RULE,
            &container(|c| {
                c.declared().apparmor_profile = declared.into();
                c.processes()[0].lsm_label = label.map(Into::into);
            }),
        )
    }

    #[test]
    fn the_declared_profile_must_hold_every_process() {
        assert_eq!(with("docker-default", Some("docker-default (enforce)")), Status::Pass);
        assert_eq!(with("docker-default", Some("docker-default//hat (enforce)")), Status::Pass);
        assert_eq!(with("docker-default", Some("unconfined")), Status::Fail);
        assert_eq!(with("docker-default", None), Status::Fail);
    }

    #[test]
    fn nothing_to_compare() {
        assert_eq!(with("", None), Status::NotApplicable);
        assert_eq!(with("unconfined", Some("unconfined")), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
