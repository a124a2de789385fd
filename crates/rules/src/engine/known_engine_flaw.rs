use plimsoll_facts::{Component, ComponentKind, Facts};

use crate::known_flaws::{self, Renewal};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "known-engine-flaw",
    title: "Docker has published flaws through which the host was reached",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "The daemon unpacks images, copies files out of containers and builds from what strangers write, all as root of the \
          host; its network code keeps containers apart. The installed package is held against what its distribution says, \
          Docker's own packages against Docker's versions; BuildKit and libnetwork are part of the daemon. Whether a flaw \
          can be reached from a given container is not judged yet.",
    fix: "Install the package that has the fix. It restarts the daemon: with live-restore on, containers go on running; \
          without it, all of them stop.",
    references: &[
        "https://github.com/moby/moby/security/advisories",
        "https://github.com/moby/buildkit/security/advisories",
        "https://docs.docker.com/engine/release-notes/",
    ],
    cis: &[],
    judge: Judge::Component(
        &[ComponentKind::Dockerd, ComponentKind::Buildkitd, ComponentKind::DockerCli],
        judge,
    ),
};

fn judge(facts: &Facts, component: &Component) -> Judgement {
    let package = component.package.value();
    let renewal = Renewal {
        manager: package.map_or("", |package| &package.manager),
        what: package.map_or_else(|| component.kind.name(), |package| &package.name),
        then: match component.kind {
            ComponentKind::DockerCli => "It stops nothing.",
            _ => "The daemon restarts: with live-restore on, containers go on running; without it, all stop.",
        },
    };
    known_flaws::judge(facts, &component.path, &renewal)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{component, known};
    use crate::testing::{answer, status_of};
    use plimsoll_facts::{BoundaryStatus, BoundaryVerdict, ComponentKind, Facts, Package};

    fn dockerd(status: BoundaryStatus) -> Facts {
        let mut facts = component(ComponentKind::Dockerd, |c| {
            let (manager, name) = ("rpm".into(), "docker-ce".into());
            c.package = known(Package { manager, name, ..Package::default() });
        });
        facts.boundary = known(vec![BoundaryVerdict {
            id: "CVE-2024-41110".into(),
            component: "moby".into(),
            program: "/usr/bin/dockerd".into(),
            status,
            certain: true,
            fixed: Some("27.1.1".into()),
            severity: "critical".into(),
            ..BoundaryVerdict::default()
        }]);
        facts
    }

    #[test]
    fn each_status() {
        let found = answer(&RULE, &dockerd(BoundaryStatus::FixAvailable));
        assert_eq!((found.status, found.severity), (Status::Fail, crate::Severity::Critical));
        assert!(found.remediation.starts_with("dnf upgrade docker-ce (27.1.1 or later"));
        assert_eq!(status_of(&RULE, &dockerd(BoundaryStatus::NotAffected)), Status::Pass);
        assert_eq!(status_of(&RULE, &dockerd(BoundaryStatus::Unknown)), Status::Unknown);
    }

    #[test]
    fn a_program_that_no_advisory_is_about() {
        let mut facts = dockerd(BoundaryStatus::Fixed);
        facts.boundary = known(Vec::new());
        assert_eq!(status_of(&RULE, &facts), Status::NotApplicable);
    }
}
