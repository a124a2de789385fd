use plimsoll_facts::{Component, ComponentKind, Facts};

use super::update;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "runtime-update-available",
    title: "A newer package of a runtime is offered than is installed",
    concern: Concern::Runtime,
    severity: Severity::Medium,
    why: "runC and containerd are the wall's mason: most ways out of containers in recent years were their bugs. A \
          distribution changes them in a release for little else than to mend such bugs.",
    fix: "Install the package. runC takes effect with the next start of a container, containerd with its restart; neither \
          stops a container, but some packages restart the engine's daemon: turn live-restore on first.",
    references: &["https://github.com/opencontainers/runc/security/advisories", "apt-cache(8)"],
    cis: &[],
    judge: Judge::Component(
        &[ComponentKind::Runc, ComponentKind::Crun, ComponentKind::Containerd, ComponentKind::Podman],
        judge,
    ),
};

fn judge(_: &Facts, component: &Component) -> Judgement {
    update::judge(component, match component.kind {
        ComponentKind::Containerd => {
            "The package restarts containerd, which stops no container; shims stay old until their container restarts."
        }
        _ => "Stops nothing; it takes effect with the next start of a container.",
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{component, denied, known};
    use crate::testing::{answer, status_of};
    use plimsoll_facts::{ComponentKind, Fact, Facts, Package};

    fn runc(candidate: Fact<String>) -> Facts {
        component(ComponentKind::Runc, |c| {
            let (manager, name, version) = ("dpkg".into(), "runc".into(), "1.1.5+ds1-1+deb12u1".into());
            c.package = known(Package { manager, name, version, ..Package::default() });
            c.candidate = candidate;
        })
    }

    #[test]
    fn offered_or_not() {
        let found = answer(&RULE, &runc(known("1.1.5+ds1-1+deb12u2".into())));
        assert_eq!(found.status, Status::Fail);
        assert!(found.remediation.starts_with("apt-get install --only-upgrade runc."));
        assert_eq!(status_of(&RULE, &runc(Fact::absent("/var/lib/apt/lists"))), Status::Pass);
        assert_eq!(status_of(&RULE, &runc(denied())), Status::Unknown);
    }

    #[test]
    fn a_file_that_no_package_owns() {
        let own = component(ComponentKind::Runc, |c| c.package = Fact::absent("/var/lib/dpkg"));
        assert_eq!(status_of(&RULE, &own), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &component(ComponentKind::Runc, |c| c.package = denied())), Status::Unknown);
    }
}
