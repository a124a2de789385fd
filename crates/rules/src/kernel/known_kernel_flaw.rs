use plimsoll_facts::{Facts, Host};

use crate::answer::unknown;
use crate::known_flaws::{self, Renewal};
use crate::{Concern, Judge, Judgement, Rule, Severity};

/// By which the boundary verdicts call the kernel.
const KERNEL: &str = "kernel";

pub(super) const RULE: Rule = Rule {
    id: "known-kernel-flaw",
    title: "The kernel that runs has published flaws that matter to containers",
    concern: Concern::Kernel,
    severity: Severity::High,
    why: "All containers share the host's kernel: a flaw in its namespaces, cgroups, overlayfs, netfilter or in any system \
          call that a container may make is a way to the host. What runs is held against the distribution's own data, what \
          somebody built against kernel.org's branches; a fixed kernel that is installed and not booted counts as open, code \
          that was not built as absent. Whether a flaw can be reached from a given container is not judged yet.",
    fix: "Install the fixed kernel and reboot. That stops every container; those with --restart always or unless-stopped \
          come back with the engine.",
    references: &[
        "https://git.kernel.org/pub/scm/linux/security/vulns.git",
        "https://security-tracker.debian.org/tracker/source-package/linux",
        "https://ubuntu.com/security/cves?package=linux",
    ],
    cis: &[],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let kernel = &facts.host.kernel;
    facts.boundary.require()?;
    kernel.running.require()?;
    let Some(verdicts) = facts.boundary.value().filter(|all| all.iter().any(|v| v.program == KERNEL)) else {
        return unknown(facts.boundary.source(), "no advisory was held against this kernel");
    };
    let owned = verdicts.iter().any(|verdict| verdict.program == KERNEL && verdict.package.is_some());
    let (manager, what) = if owned { packages(&facts.host) } else { ("", "a kernel") };
    let then = "Then reboot, which stops every container: those with --restart always or unless-stopped come back.";
    known_flaws::judge(facts, KERNEL, &Renewal { manager, what, then })
}

/// Who installs the distribution's kernel, and the package that brings the newest one.
fn packages(host: &Host) -> (&'static str, &'static str) {
    let machine = host.kernel.running.value().map_or("", |running| running.machine.as_str());
    match (host.os.value().map_or("", |os| os.id.as_str()), machine) {
        ("debian", "x86_64") => ("dpkg", "linux-image-amd64"),
        ("debian", "aarch64") => ("dpkg", "linux-image-arm64"),
        ("ubuntu", _) => ("dpkg", "linux-image-generic"),
        ("rhel" | "almalinux" | "rocky", _) => ("rpm", "kernel"),
        _ => ("", "the distribution's newest kernel"),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, host, known};
    use crate::testing::{answer, status_of};
    use plimsoll_facts::{BoundaryStatus, BoundaryVerdict, Facts, OsRelease, RunningKernel};

    fn kernel(status: BoundaryStatus, package: Option<&str>) -> Facts {
        let mut facts = host(|h| {
            h.os = known(OsRelease { id: "debian".into(), ..OsRelease::default() });
            h.kernel.running =
                known(RunningKernel { machine: "x86_64".into(), ..RunningKernel::default() });
        });
        facts.boundary = known(vec![BoundaryVerdict {
            id: "CVE-2026-31431".into(),
            program: "kernel".into(),
            status,
            certain: true,
            installed: "6.1.164-1".into(),
            other: (status == BoundaryStatus::FixedAfterRestart).then(|| "6.1.170-1".into()),
            fixed: Some("6.1.170-1".into()),
            package: package.map(str::to_owned),
            exploited: Some("2026-05-01".into()),
            impact: Some("escape".into()),
            ..BoundaryVerdict::default()
        }]);
        facts
    }

    #[test]
    fn each_status() {
        let found = answer(&RULE, &kernel(BoundaryStatus::FixAvailable, Some("linux-image-6.1.0-45-amd64")));
        assert_eq!((found.status, found.severity), (Status::Fail, crate::Severity::Critical));
        assert!(found.remediation.contains("install --only-upgrade linux-image-amd64 (6.1.170-1 or later"));
        let pending = answer(&RULE, &kernel(BoundaryStatus::FixedAfterRestart, Some("linux-image")));
        assert!(pending.remediation.starts_with("A fixed version is installed already. Then reboot"));
        assert!(pending.evidence[0].value.starts_with("6.1.164-1 runs, 6.1.170-1 is installed"));
        assert_eq!(status_of(&RULE, &kernel(BoundaryStatus::Fixed, None)), Status::Pass);
        assert_eq!(status_of(&RULE, &kernel(BoundaryStatus::Unknown, None)), Status::Unknown);
    }

    #[test]
    fn a_kernel_that_somebody_built() {
        let found = answer(&RULE, &kernel(BoundaryStatus::FixAvailable, None));
        assert!(found.remediation.starts_with("install a kernel (6.1.170-1 or later"), "{}", found.remediation);
    }

    #[test]
    fn nothing_known() {
        let mut facts = kernel(BoundaryStatus::Fixed, None);
        facts.boundary = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        facts.boundary = known(Vec::new());
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        facts.host.kernel.running = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
    }
}
