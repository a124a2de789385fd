use plimsoll_facts::Container;

use crate::answer::{fail, not_applicable};
use crate::declared::{SeccompProfile, seccomp_profile, security_option};
use crate::processes::{evidence_of, label, labels, members, status_source};
use crate::sides::by_both;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "seccomp-profile-not-in-force",
    title: "The kernel does not enforce the seccomp profile that is declared",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "Whoever reads the configuration believes that a filter is there. It is lost with --privileged (which \
          silently wins over --security-opt seccomp=…), with a runtime that ignores it, on a kernel without \
          CONFIG_SECCOMP_FILTER, or for a process that was put into the container from outside. A filter that allows \
          other system calls than the profile was made by another runtime or library than is believed, or the profile \
          was changed after the start.",
    fix: "Remove --privileged, or remove the profile that has no effect, and recreate the container (this stops it); \
          where the filter is another one, recreating the container puts the profile in force; \
          then check: grep Seccomp /proc/$(docker inspect -f '{{.State.Pid}}' NAME)/status must show mode 2.",
    references: &["seccomp(2)", "proc_pid_status(5)", "https://docs.docker.com/engine/security/seccomp/"],
    cis: &["5.22"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_both(container, |declared, effective| {
        let explicit = security_option(&declared.host_config, "seccomp").filter(|p| *p != "unconfined");
        let wanted = match (seccomp_profile(cx, declared)?, explicit) {
            (SeccompProfile::Filter(name), _) => name,
            (SeccompProfile::None(_), Some(_)) => "custom profile".to_owned(),
            (SeccompProfile::None(says), None) => {
                return not_applicable(format!("no profile is declared: {says}"));
            }
        };
        let bare: Vec<_> =
            members(effective)?.into_iter().filter(|p| p.seccomp_mode == 0).collect();
        let declared = Evidence::new("declared seccomp profile", wanted, container.declared.source());
        let drift = drift(cx, container);
        if bare.is_empty() && drift.is_empty() {
            return Ok(Outcome::Pass(vec![declared]));
        }
        let mut evidence = vec![declared];
        evidence.extend(drift.iter().map(|difference| {
            Evidence::new("the kernel's filter", difference.as_str(), effective.declared_seccomp.source())
        }));
        if bare.is_empty() {
            return fail(Problem::new("the kernel's seccomp filter is not the declared profile", evidence));
        }
        evidence.extend(evidence_of(&bare, |p| {
            Evidence::new(format!("seccomp mode of {}", label(p)), "0 (none)", status_source(p, "Seccomp"))
                .expected("2 (filter)")
        }));
        let message = format!("a seccomp profile is declared, but {} runs without a filter", labels(&bare));
        fail(Problem::new(message, evidence))
    })
}

/// Where the kernel's filter allows other calls than the declared profile.
fn drift<'f>(cx: &EngineContext<'f>, container: &Container) -> &'f [String] {
    let reach = cx.facts.reach.value().map_or(&[][..], Vec::as_slice);
    reach.iter().find(|it| it.container == container.id).map_or(&[], |it| &it.filter_drift)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{ContainerReach, Fact};

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, status_of, stopped};

    #[test]
    fn privileged_beats_the_profile() {
        let it = container(|c| {
            c.host_config().privileged = true;
            c.host_config().security_opt = vec![r#"seccomp={"defaultAction":"SCMP_ACT_ERRNO"}"#.into()];
            c.processes()[0].seccomp_mode = 0;
        });
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }

    #[test]
    fn the_kernel_has_another_filter() {
        let mut it = container(|_| ());
        let reach = ContainerReach {
            container: it.engines[0].containers.value().unwrap()[0].id.clone(),
            filter_drift: vec!["x86_64: keyctl pass, which the profile denies".into()],
            ..ContainerReach::default()
        };
        it.reach = Fact::known(vec![reach], "test");
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }

    #[test]
    fn the_default_profile_counts_as_declared() {
        assert_eq!(status_of(&RULE, &container(|c| c.processes()[0].seccomp_mode = 0)), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
    }

    #[test]
    fn nothing_to_compare() {
        let open = container(|c| {
            c.host_config().security_opt = vec!["seccomp=unconfined".into()];
            c.processes()[0].seccomp_mode = 0;
        });
        assert_eq!(status_of(&RULE, &open), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
