use std::collections::BTreeSet;

use plimsoll_facts::{Container, Effective, Process};

use crate::answer::{fail, pass};
use crate::declared::{SeccompProfile, seccomp_profile};
use crate::processes::{evidence_of, label, labels, members, status_source};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "seccomp-disabled",
    title: "Processes run without a seccomp filter",
    concern: Concern::Isolation,
    severity: Severity::High,
    why: "Docker's filter keeps some 44 system calls from containers, among them those that make user \
          namespaces, mount, load BPF programs or use the kernel keyring. Without it most kernel bugs of \
          the last years are within reach of any process, even one without capabilities (CVE-2022-0185 is \
          one).",
    fix: "Recreate the container without --security-opt seccomp=unconfined and without --privileged. A program that \
          needs one blocked call gets a profile that adds this call: --security-opt seccomp=FILE.json. This stops \
          the container.",
    references: &["seccomp(2)", "https://docs.docker.com/engine/security/seccomp/", "CVE-2022-0185"],
    cis: &["5.22"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(container, effective_filters, |declared| {
        let source = container.declared.source();
        match seccomp_profile(cx, declared)? {
            SeccompProfile::Filter(name) => pass(Evidence::new("seccomp profile", name, source)),
            SeccompProfile::None(says) => fail(Problem::new(
                "is declared without a seccomp filter",
                vec![Evidence::new("seccomp profile", says, source).expected("a filter")],
            )),
        }
    })
}

fn effective_filters(effective: &Effective) -> Judgement {
    let members = members(effective)?;
    let bare: Vec<_> = members.iter().copied().filter(|p| p.seccomp_mode == 0).collect();
    if bare.is_empty() {
        let shown = format!("filtered in all {} processes and deviating threads", members.len());
        let mut evidence = vec![Evidence::new("seccomp", shown, effective.processes.source())];
        evidence.extend(filters_read(&members));
        return Ok(Outcome::Pass(evidence));
    }
    let evidence = evidence_of(&bare, |p| {
        Evidence::new(format!("seccomp mode of {}", label(p)), "0 (none)", status_source(p, "Seccomp"))
            .expected("2 (filter)")
    });
    fail(Problem::new(format!("{} runs without a seccomp filter", labels(&bare)), evidence))
}

/// How many filters there are, and how they were learnt; nothing where one of them was not.
fn filters_read(members: &[&Process]) -> Option<Evidence> {
    let distinct: BTreeSet<u32> = members.iter().map(|p| p.seccomp.value().copied()).collect::<Option<_>>()?;
    let sources: BTreeSet<&str> = members.iter().map(|p| p.seccomp.source()).collect();
    let sources: Vec<&str> = sources.into_iter().collect();
    Some(Evidence::new("distinct seccomp filters", distinct.len().to_string(), sources.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{Reach, World, answer, container, process, status_of, stopped};
    use crate::{Confidence, Status};

    #[test]
    fn docker_defaults_pass() {
        let finding = answer(&RULE, &container(|_| ()));
        assert_eq!(finding.status, Status::Pass);
        assert_eq!(finding.evidence[1].source, "BPF iterator over tasks");
    }

    /// `--privileged` switches the filter off, whatever SecurityOpt says.
    #[test]
    fn case_06_privileged() {
        let it = container(|c| {
            c.host_config().privileged = true;
            c.host_config().security_opt = vec![r#"seccomp={"defaultAction":"SCMP_ACT_ERRNO"}"#.into()];
            c.processes()[0].seccomp_mode = 0;
        });
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }

    #[test]
    fn one_unfiltered_process_of_many() {
        let it = container(|c| {
            let mut stray = process(4799, "stray", 999);
            stray.seccomp_mode = 0;
            c.processes().push(stray);
        });
        let finding = answer(&RULE, &it);
        assert_eq!(finding.evidence.len(), 1);
        assert!(finding.message.contains("stray"));
    }

    #[test]
    fn stopped_by_option_by_flag_and_by_the_engine_s_default() {
        for option in ["seccomp=unconfined", "seccomp:unconfined"] {
            let finding =
                answer(&RULE, &stopped(|c| c.host_config().security_opt = vec![option.into()]));
            assert_eq!((finding.status, finding.confidence), (Status::Fail, Confidence::Medium));
        }
        assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().privileged = true)), Status::Fail);
        let default = |profile: &str| {
            let mut it = stopped(|_| ());
            it.engine().info.value_mut().unwrap().security_options = vec![profile.to_owned()];
            status_of(&RULE, &it)
        };
        assert_eq!(default("name=seccomp,profile=unconfined"), Status::Fail);
        assert_eq!(default("name=apparmor"), Status::Fail);
        assert_eq!(default("name=seccomp,profile=default"), Status::Pass);
        assert_eq!(default("name=seccomp,profile=builtin"), Status::Pass);
    }

    #[test]
    fn unreadable_processes_are_unknown() {
        assert_eq!(status_of(&RULE, &container(|c| c.effective().processes = Default::default())), Status::Unknown);
        assert_eq!(status_of(&RULE, &container(|c| c.processes().clear())), Status::Unknown);
    }
}
