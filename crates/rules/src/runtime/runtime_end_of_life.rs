use plimsoll_facts::{Component, ComponentKind, Facts};

use super::life;
use crate::support::{CONTAINERD, RUNC};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "runtime-end-of-life",
    title: "The runtime's project does not mend this series any more",
    concern: Concern::Runtime,
    severity: Severity::High,
    why: "The next way out of a container that is found in runC or containerd stays open here: the fix is made for newer \
          series only. A distribution may carry it back into its own package; that is told apart by who made the package.",
    fix: "Install a series that is mended: from the distribution's next release, its backports, or the project's own packages. \
          Containers go on; what is new takes effect with their next start.",
    references: &[
        "https://containerd.io/releases/",
        "https://github.com/opencontainers/runc/blob/main/RELEASES.md",
    ],
    cis: &[],
    judge: Judge::Component(&[ComponentKind::Runc, ComponentKind::Containerd], judge),
};

fn judge(facts: &Facts, component: &Component) -> Judgement {
    let table = if component.kind == ComponentKind::Runc { RUNC } else { CONTAINERD };
    let version = component.version.require()?;
    life::judge(component.kind.name(), table, version, component.version.source(), Some(component), facts.collected_at)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{component, denied, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Component, ComponentKind, Facts, Package};

    fn runc(version: &str, change: impl FnOnce(&mut Component)) -> Facts {
        component(ComponentKind::Runc, |c| {
            c.version = known(version.into());
            change(c);
        })
    }

    #[test]
    fn left_by_its_project() {
        assert_eq!(answer(&RULE, &runc("1.1.5", |_| ())).severity, Severity::High);
        let debian = runc("1.1.5+ds1-1+deb12u1", |c| {
            c.package = known(Package { vendor: Some("Debian Go Packaging Team".into()), ..Package::default() });
        });
        let found = answer(&RULE, &debian);
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::Low));
        assert_eq!(status_of(&RULE, &runc("1.4.0", |_| ())), Status::Pass);
    }

    #[test]
    fn unreadable_versions() {
        assert_eq!(status_of(&RULE, &runc("devel", |_| ())), Status::Unknown);
        assert_eq!(status_of(&RULE, &component(ComponentKind::Runc, |c| c.version = denied())), Status::Unknown);
        let other = component(ComponentKind::Crun, |_| ());
        assert!(crate::judge(&other, [&RULE]).findings.is_empty());
    }
}
