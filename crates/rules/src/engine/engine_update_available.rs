use plimsoll_facts::{Component, ComponentKind, Facts};

use crate::runtime::update;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-update-available",
    title: "A newer package of the engine is offered than is installed",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "The daemon parses images, requests and archives of others as root. Its updates are mostly fixes of that.",
    fix: "\"live-restore\": true and `systemctl reload docker` first, then install the package. docker-ce restarts the daemon \
          while it is installed; docker.io does not, so restart it then.",
    references: &["https://docs.docker.com/engine/release-notes/", "apt-cache(8)"],
    cis: &["1.2.2"],
    judge: Judge::Component(
        &[ComponentKind::Dockerd, ComponentKind::DockerCli, ComponentKind::Buildkitd],
        judge,
    ),
};

fn judge(_: &Facts, component: &Component) -> Judgement {
    update::judge(component, match component.kind {
        ComponentKind::DockerCli => "Stops nothing.",
        _ => "Installing docker-ce restarts the daemon, docker.io has to be restarted afterwards; either stops every container \
              unless live-restore is on.",
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{component, denied, known};
    use crate::testing::status_of;
    use plimsoll_facts::{ComponentKind, Fact, Facts, Package};

    fn dockerd(candidate: Fact<String>) -> Facts {
        component(ComponentKind::Dockerd, |c| {
            c.package = known(Package { name: "docker.io".into(), ..Package::default() });
            c.candidate = candidate;
        })
    }

    #[test]
    fn case_30_an_offered_package_is_no_pass() {
        assert_eq!(status_of(&RULE, &dockerd(known("20.10.24+dfsg1-1+deb12u1".into()))), Status::Fail);
        assert_eq!(status_of(&RULE, &dockerd(Fact::absent("/var/lib/apt/lists"))), Status::Pass);
        assert_eq!(status_of(&RULE, &dockerd(denied())), Status::Unknown);
        let own = component(ComponentKind::Dockerd, |c| c.package = Fact::absent("/var/lib/dpkg"));
        assert_eq!(status_of(&RULE, &own), Status::NotApplicable);
    }
}
