use plimsoll_facts::{Facts, InstalledKernel, RunningKernel};

use crate::answer::{fail, not_applicable, pass, unknown};
use crate::version::natural;
use crate::{Concern, Confidence, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "booted-kernel-outdated",
    title: "A newer kernel is installed than the one that runs",
    concern: Concern::Kernel,
    severity: Severity::Medium,
    why: "The package manager says that the kernel is fixed, the memory holds the old one. The kernel is the wall between \
          all containers and the host, so its open bugs count for each of them. Distributions replace kernels mostly to \
          mend such bugs.",
    fix: "Reboot in a maintenance window (systemctl reboot; kexec spares the firmware's start). That stops every \
          container; those with --restart always or unless-stopped come back with the engine.",
    references: &["uname(2)", "needrestart(1)"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

fn judge(facts: &Facts) -> Judgement {
    let kernel = &facts.host.kernel;
    let running = kernel.running.require()?;
    let Some(installed) = kernel.installed.get()? else {
        return not_applicable("no kernel is installed on this file system (the machine's host boots it)");
    };
    let same_flavour = |k: &&InstalledKernel| flavour(&k.release) == flavour(&running.release);
    let Some(newest) = installed.iter().find(same_flavour) else {
        return unknown(
            kernel.installed.source(),
            format!("no installed kernel is of the running one's kind ({})", running.release),
        );
    };
    let listed = installed.iter().any(|k| k.release == running.release);
    let newer = newest.release != running.release
        && (listed || natural(&newest.release, &running.release).is_gt());
    let same_release_rebuilt = newest.release == running.release && rebuilt(newest, running);
    if !newer && !same_release_rebuilt {
        return pass(Evidence::new("newest installed kernel", newest.release.clone(), kernel.installed.source()));
    }
    let confidence = if listed { Confidence::High } else { Confidence::Medium };
    fail(Problem::new(message(newest, running), evidence(facts, newest, running)).confidence(confidence))
}

/// Whether the image of the same release was built anew: an update that kept the release's name.
fn rebuilt(newest: &InstalledKernel, running: &RunningKernel) -> bool {
    match (&newest.build, &newest.package) {
        (Some(build), _) => *build != running.build,
        // Debian writes the package's version into the build string: "#1 SMP … Debian 6.1.90-1 (2024-05-03)".
        (None, Some(package)) => {
            running.build.contains(" Debian ")
                && !running.build.split_whitespace().any(|word| word == package.version)
        }
        (None, None) => false,
    }
}

fn message(newest: &InstalledKernel, running: &RunningKernel) -> String {
    if newest.release == running.release {
        return format!("{} was installed anew, but the earlier build runs", running.release);
    }
    format!("{} is installed, but {} runs", newest.release, running.release)
}

fn evidence(facts: &Facts, newest: &InstalledKernel, running: &RunningKernel) -> Vec<Evidence> {
    let kernel = &facts.host.kernel;
    let version = |k: &InstalledKernel| k.package.as_ref().map(|p| format!(", {} {}", p.name, p.version));
    let mut evidence = vec![
        Evidence::new("running kernel", format!("{} {}", running.release, running.build), kernel.running.source()),
        Evidence::new(
            "newest installed kernel",
            format!("{}{}", newest.release, version(newest).unwrap_or_default()),
            newest.path.clone(),
        ),
    ];
    for (name, _) in kernel.livepatches.value().into_iter().flatten().filter(|(_, enabled)| **enabled) {
        evidence.push(Evidence::new(
            "live patch in force",
            format!("{name}: mends what it covers until the next boot"),
            kernel.livepatches.source(),
        ));
    }
    evidence
}

/// The kind of a kernel, from the words that end its release: `cloud-amd64` of `6.1.0-22-cloud-amd64`, `generic`, `x86_64`.
/// Words that name a distribution's release (`el9_4`, `fc40`) are left out.
fn flavour(release: &str) -> Vec<&str> {
    let is_word = |word: &&str| word.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_release = |word: &str| {
        ["el", "fc", "rc", "amzn"].iter().any(|p| {
            word.strip_prefix(p).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    };
    let mut words: Vec<_> = release.rsplit(['-', '.', '+']).take_while(is_word).filter(|w| !is_release(w)).collect();
    words.reverse();
    words
}

#[cfg(test)]
mod tests {
    use super::{RULE, flavour};
    use crate::testing::bare::{denied, host, known};
    use crate::testing::{answer, status_of};
    use crate::{Confidence, Status};
    use plimsoll_facts::{Fact, Facts, InstalledKernel, Package, RunningKernel};

    fn with(running: &str, build: &str, installed: &[&str]) -> Facts {
        host(|h| {
            h.kernel.running =
                known(RunningKernel { release: running.into(), build: build.into(), machine: "x86_64".into() });
            let kernel = |release: &&str| InstalledKernel {
                release: (*release).into(),
                path: format!("/boot/vmlinuz-{release}"),
                ..InstalledKernel::default()
            };
            h.kernel.installed = known(installed.iter().map(kernel).collect());
        })
    }

    #[test]
    fn newer_and_older() {
        let old = with("6.1.0-21-amd64", "#1", &["6.1.0-22-amd64", "6.1.0-21-amd64"]);
        let found = answer(&RULE, &old);
        assert_eq!((found.status, found.confidence), (Status::Fail, Confidence::High));
        let current = with("6.1.0-22-amd64", "#1", &["6.1.0-22-amd64", "6.1.0-21-amd64"]);
        assert_eq!(status_of(&RULE, &current), Status::Pass);
        let own = with("6.18.44", "#1", &["6.1.44"]);
        assert_eq!(status_of(&RULE, &own), Status::Pass);
        let removed = with("6.1.9-1-generic", "#1", &["6.1.10-1-generic"]);
        assert_eq!(answer(&RULE, &removed).confidence, Confidence::Medium);
    }

    #[test]
    fn another_kind_of_kernel_does_not_count() {
        let facts = with("5.15.0-1050-aws", "#1", &["5.15.0-1060-generic", "5.15.0-1050-aws"]);
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
        assert_eq!(status_of(&RULE, &with("6.18.44", "#1", &["6.1.0-22-amd64"])), Status::Unknown);
        assert_eq!(flavour("6.1.0-22-cloud-amd64"), ["cloud", "amd64"]);
        assert_eq!(flavour("5.14.0-427.el9_4.x86_64"), flavour("5.14.0-362.8.1.el9_3.x86_64"));
    }

    #[test]
    fn an_update_that_keeps_the_release() {
        let mut facts = with(
            "6.1.0-22-amd64",
            "#1 SMP PREEMPT_DYNAMIC Debian 6.1.90-1 (2024-05-03)",
            &["6.1.0-22-amd64"],
        );
        let installed = facts.host.kernel.installed.value_mut().unwrap();
        installed[0].package = Some(Package { version: "6.1.94-1".into(), ..Package::default() });
        assert_eq!(status_of(&RULE, &facts), Status::Fail);
        facts.host.kernel.installed.value_mut().unwrap()[0].package.as_mut().unwrap().version = "6.1.90-1".into();
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
    }

    #[test]
    fn unread_and_absent() {
        let mut facts = with("6.1.0-22-amd64", "#1", &[]);
        facts.host.kernel.installed = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        facts.host.kernel.installed = Fact::absent("/boot");
        assert_eq!(status_of(&RULE, &facts), Status::NotApplicable);
    }
}
