use plimsoll_facts::{Component, ComponentKind, Facts};

use crate::known_flaws::{self, Renewal};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "known-runtime-flaw",
    title: "A runtime has published flaws through which containers were left",
    concern: Concern::Runtime,
    severity: Severity::High,
    why: "runC, crun, containerd and its shims stand on the host's side of the wall and take orders from inside: from the \
          image, from a mount, from an exec. Most ways out of containers in recent years were their bugs. The installed \
          package is held against what its distribution says, a program from elsewhere against its project's versions; \
          both with what still runs. Whether a flaw can be reached from a given container is not judged yet.",
    fix: "Install the package that has the fix. runC takes effect with the next start of a container, containerd with its \
          restart, which stops no container, a shim with the restart of its container.",
    references: &[
        "https://github.com/opencontainers/runc/security/advisories",
        "https://github.com/containerd/containerd/security/advisories",
        "https://github.com/containers/crun/security/advisories",
    ],
    cis: &[],
    judge: Judge::Component(
        &[
            ComponentKind::Runc,
            ComponentKind::Crun,
            ComponentKind::Containerd,
            ComponentKind::ContainerdShim,
            ComponentKind::Podman,
        ],
        judge,
    ),
};

fn judge(facts: &Facts, component: &Component) -> Judgement {
    let then = match component.kind {
        ComponentKind::Containerd => "systemctl restart containerd puts it in force and stops no container.",
        ComponentKind::ContainerdShim => "It takes effect for each container with its restart.",
        _ => "It takes effect with the next start of a container and stops none.",
    };
    let package = component.package.value();
    let renewal = Renewal {
        manager: package.map_or("", |package| &package.manager),
        what: package.map_or_else(|| component.kind.name(), |package| &package.name),
        then,
    };
    known_flaws::judge(facts, &component.path, &renewal)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{component, denied, known};
    use crate::testing::{answer, status_of};
    use plimsoll_facts::{BoundaryStatus, BoundaryVerdict, ComponentKind, Facts, Package};

    fn runc(status: BoundaryStatus) -> Facts {
        let mut facts = component(ComponentKind::Runc, |c| {
            c.package = known(Package { manager: "dpkg".into(), name: "runc".into(), ..Package::default() });
        });
        facts.boundary = known(vec![BoundaryVerdict {
            id: "CVE-2024-21626".into(),
            component: "runc".into(),
            program: "/usr/bin/runc".into(),
            status,
            certain: true,
            fixed: Some("1.1.5+ds1-1+deb12u1".into()),
            severity: "high".into(),
            ..BoundaryVerdict::default()
        }]);
        facts
    }

    #[test]
    fn each_status() {
        let found = answer(&RULE, &runc(BoundaryStatus::FixAvailable));
        assert_eq!(found.status, Status::Fail);
        assert!(found.remediation.contains("install --only-upgrade runc (1.1.5+ds1-1+deb12u1 or later"));
        assert_eq!(status_of(&RULE, &runc(BoundaryStatus::Fixed)), Status::Pass);
        assert_eq!(status_of(&RULE, &runc(BoundaryStatus::Unknown)), Status::Unknown);
        let mut unread = runc(BoundaryStatus::Fixed);
        unread.boundary = denied();
        assert_eq!(status_of(&RULE, &unread), Status::Unknown);
    }

    #[test]
    fn a_program_without_a_package() {
        let mut facts = runc(BoundaryStatus::FixAvailable);
        facts.components[0].package = plimsoll_facts::Fact::absent("/var/lib/dpkg");
        assert!(answer(&RULE, &facts).remediation.starts_with("install runc (1.1.5"));
    }
}
