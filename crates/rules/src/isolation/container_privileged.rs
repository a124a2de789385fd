use plimsoll_facts::{Capabilities, Container, Declared, DeviceAccess, Effective, Fact, Process};

use crate::answer::{fail, pass};
use crate::declared::{SeccompProfile, granted_capabilities, seccomp_profile};
use crate::processes::{held, in_host_user_namespace, label, members, status_source};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// What only `--privileged` and its equivalents grant together: any of them alone ends the separation.
const HOST_CAPABILITIES: [&str; 3] = ["SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO"];

pub(super) const RULE: Rule = Rule {
    id: "container-privileged",
    title: "Container holds the host's privileges",
    concern: Concern::Isolation,
    severity: Severity::Critical,
    why: "A process with the full set of capabilities, no seccomp filter and access to every device is root \
          on the host: it mounts the host's disk or loads a kernel module. This is judged from what the kernel \
          enforces, so a container that was given the same powers one by one counts too.",
    fix: "Recreate the container without --privileged; add back single capabilities (--cap-add) or devices \
          (--device) that it proves to need. This stops the container.",
    references: &[
        "capabilities(7)",
        "https://docs.docker.com/reference/cli/docker/container/run/#privileged",
    ],
    cis: &["5.5"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| effective_privileges(cx, effective),
        |declared| declared_privileges(cx, declared, container.declared.source()),
    )
}

fn effective_privileges(cx: &EngineContext<'_>, effective: &Effective) -> Judgement {
    let members = members(effective)?;
    let unfiltered = |p: &&&Process| p.seccomp_mode == 0;
    let holder = members.iter().filter(unfiltered).find(|p| covers(held(p)));
    let heir = members.iter().filter(unfiltered).find(|p| !p.no_new_privs && covers(p.cap_bounding));
    let Some(process) = holder.or(heir) else {
        return pass(Evidence::new(
            "processes with the host's capabilities and no seccomp filter",
            "none",
            effective.processes.source(),
        ));
    };
    if !effective.devices.require()?.all {
        return pass(Evidence::new("devices", "not every device", effective.devices.source()));
    }
    let evidence = evidence(process, &effective.devices, holder.is_some());
    if !in_host_user_namespace(cx, effective)? {
        let message = format!("{} has every privilege of a user namespace of its own", label(process));
        return fail(Problem::new(message, evidence).severity(Severity::Medium));
    }
    fail(match holder {
        Some(_) => Problem::new(format!("{} has the powers of the host's root", label(process)), evidence),
        None => Problem::new(
            format!("{} gets the powers of the host's root from any set-user-id program", label(process)),
            evidence,
        )
        .severity(Severity::High),
    })
}

fn covers(set: Capabilities) -> bool {
    HOST_CAPABILITIES.iter().all(|name| set.has(name))
}

fn evidence(process: &Process, devices: &Fact<DeviceAccess>, holds: bool) -> Vec<Evidence> {
    let (fact, field, set) = match holds {
        true => ("capabilities beyond Docker's default", "CapPrm", held(process)),
        false => ("capabilities within reach beyond Docker's default", "CapBnd", process.cap_bounding),
    };
    vec![
        Evidence::new(
            fact,
            set.minus(Capabilities::DOCKER_DEFAULT).names().join(" "),
            status_source(process, field),
        )
        .expected("none"),
        Evidence::new("seccomp mode", "0 (none)", status_source(process, "Seccomp")).expected("2 (filter)"),
        Evidence::new("devices", "every device", devices.source()),
    ]
}

fn declared_privileges(cx: &EngineContext<'_>, declared: &Declared, source: &str) -> Judgement {
    let config = &declared.host_config;
    let every_device = config.device_cgroup_rules.iter().any(|rule| rule.starts_with("a "));
    let same = every_device
        && covers(granted_capabilities(config))
        && matches!(seccomp_profile(cx, declared)?, SeccompProfile::None(_));
    if !config.privileged && !same {
        return pass(Evidence::new("Privileged", "false", source));
    }
    let shown = match config.privileged {
        true => Evidence::new("Privileged", "true", source).expected("false"),
        false => Evidence::new("CapAdd, SecurityOpt and DeviceCgroupRules", "as with --privileged", source),
    };
    fail(Problem::new("is declared with the powers of the host's root", vec![shown]))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Belongs, Container, Fact};

    use super::RULE;
    use crate::declared::ALL_CAPABILITIES;
    use crate::testing::{Reach, answer, container, status_of, stopped};
    use crate::{Confidence, Severity, Status};

    fn privileged(c: &mut Container) {
        let p = &mut c.processes()[0];
        p.cap_effective = ALL_CAPABILITIES;
        p.cap_permitted = ALL_CAPABILITIES;
        p.cap_bounding = ALL_CAPABILITIES;
        p.uids = [0; 4];
        p.seccomp_mode = 0;
        c.devices().all = true;
    }

    #[test]
    fn docker_defaults_pass() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
    }

    /// `--cap-add ALL --security-opt seccomp=unconfined --device-cgroup-rule 'a *:* rwm'`: Privileged is false.
    #[test]
    fn case_08_powers_added_one_by_one() {
        let finding = answer(&RULE, &container(privileged));
        assert_eq!((finding.status, finding.severity), (Status::Fail, Severity::Critical));
        let it = stopped(|c| {
            let config = c.host_config();
            config.cap_add = vec!["ALL".into()];
            config.security_opt = vec!["seccomp=unconfined".into()];
            config.device_cgroup_rules = vec!["a *:* rwm".into()];
        });
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }

    /// A stopped container that starts again by itself.
    #[test]
    fn case_33_stopped() {
        let it = stopped(|c| {
            c.host_config().privileged = true;
            c.host_config().restart_policy = "always".into();
        });
        let finding = answer(&RULE, &it);
        assert_eq!((finding.status, finding.confidence), (Status::Fail, Confidence::Medium));
    }

    /// `--privileged --user 999`: nothing is held, everything is one set-user-id program away.
    #[test]
    fn an_unprivileged_user_in_a_privileged_container() {
        let it = container(|c| {
            privileged(c);
            let p = &mut c.processes()[0];
            (p.cap_effective, p.cap_permitted, p.uids) = Default::default();
        });
        assert_eq!(answer(&RULE, &it).severity, Severity::High);
    }

    #[test]
    fn in_a_user_namespace_it_is_not_the_host_s_root() {
        let it = container(|c| {
            privileged(c);
            c.namespaces().user += 1;
        });
        assert_eq!(answer(&RULE, &it).severity, Severity::Medium);
    }

    #[test]
    fn unreadable_devices_are_unknown() {
        let it = container(|c| {
            privileged(c);
            c.effective().devices = Fact::unreadable("BPF_PROG_QUERY", "permission denied");
        });
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }

    #[test]
    fn who_enters_from_outside_is_not_the_container() {
        let it = container(|c| {
            let mut visitor = c.processes()[0].clone();
            privileged(c);
            std::mem::swap(&mut visitor, &mut c.processes()[0]);
            visitor.belongs = Belongs::NamespaceOnly;
            c.processes().push(visitor);
        });
        assert_eq!(status_of(&RULE, &it), Status::Pass);
    }
}
