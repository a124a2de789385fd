use plimsoll_facts::{Capabilities, Container, Effective, Process};

use crate::answer::{fail, pass};
use crate::declared::granted_capabilities;
use crate::processes::{
    evidence_of, held, in_host_user_namespace, label, labels, started_by_container, status_source,
};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// Each of these alone is, or soon becomes, root on the host (capabilities(7)).
const HOST_ROOT: [&str; 6] = ["SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF", "MAC_ADMIN"];

/// These change or stop the host, or open large parts of the kernel to bugs.
const HOST_HARM: [&str; 13] = [
    "SYS_PTRACE",
    "NET_ADMIN",
    "PERFMON",
    "SYS_BOOT",
    "SYS_TIME",
    "SYSLOG",
    "SYS_RESOURCE",
    "MAC_OVERRIDE",
    "LINUX_IMMUTABLE",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "CHECKPOINT_RESTORE",
    "SYS_TTY_CONFIG",
];

/// How many a message names.
const NAMED: usize = 4;

pub(super) const RULE: Rule = Rule {
    id: "capabilities-beyond-default",
    title: "Container has capabilities beyond Docker's default set",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "Every capability beyond the default fourteen opens part of the kernel that containers are otherwise kept \
          from. SYS_ADMIN, SYS_MODULE, SYS_RAWIO, DAC_READ_SEARCH (open_by_handle_at reads any file of the disk) and \
          BPF lead to root on the host; NET_ADMIN alone made CVE-2024-1086 reachable.",
    fix: "Recreate the container without the --cap-add; better with --cap-drop ALL and only those that the program \
          proves to need. This stops the container.",
    references: &[
        "capabilities(7)",
        "https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities",
        "CVE-2024-1086",
    ],
    cis: &["5.4"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| effective_capabilities(cx, container, effective),
        |declared| {
            let extra = beyond_default(granted_capabilities(&declared.host_config));
            if extra.is_empty() {
                return pass(Evidence::new("capabilities beyond the default", "none", container.declared.source()));
            }
            let evidence =
                Evidence::new("capabilities beyond the default", names(extra), container.declared.source());
            let message = format!("is declared with {} beyond Docker's default", worst_names(extra));
            fail(Problem::new(message, vec![evidence.expected("none")]).severity(worst(extra)))
        },
    )
}

fn effective_capabilities(
    cx: &EngineContext<'_>,
    container: &Container,
    effective: &Effective,
) -> Judgement {
    let processes = started_by_container(cx, container, effective)?;
    let holders: Vec<_> = processes.iter().copied().filter(|p| !extra_held(p).is_empty()).collect();
    if !holders.is_empty() {
        let all = Capabilities(holders.iter().fold(0, |set, p| set | extra_held(p).0));
        let evidence = evidence_of(&holders, |p| {
            Evidence::new(format!("held by {}", label(p)), names(extra_held(p)), status_source(p, "CapPrm"))
                .expected("nothing beyond Docker's default")
        });
        let message = format!("{} has {} beyond Docker's default", labels(&holders), worst_names(all));
        return fail(Problem::new(message, evidence).severity(severity(cx, effective, worst(all))));
    }
    let heirs: Vec<_> = processes
        .iter()
        .copied()
        .filter(|p| !p.no_new_privs && !beyond_default(p.cap_bounding).is_empty())
        .collect();
    let Some(heir) = heirs.first() else {
        return pass(Evidence::new(
            "capabilities beyond Docker's default",
            "none, in any process",
            effective.processes.source(),
        ));
    };
    let extra = beyond_default(heir.cap_bounding);
    let message =
        format!("{} can gain {} through a set-user-id program or file capabilities", label(heir), worst_names(extra));
    let evidence = evidence_of(&heirs, |p| {
        Evidence::new(
            format!("bounding set of {}", label(p)),
            names(beyond_default(p.cap_bounding)),
            status_source(p, "CapBnd"),
        )
    });
    fail(Problem::new(message, evidence).severity(severity(cx, effective, worst(extra)).milder()))
}

/// Within a user namespace of its own a capability reaches only what that namespace owns.
fn severity(cx: &EngineContext<'_>, effective: &Effective, severity: Severity) -> Severity {
    match in_host_user_namespace(cx, effective) {
        Ok(false) => severity.milder(),
        _ => severity,
    }
}

fn extra_held(process: &Process) -> Capabilities {
    beyond_default(held(process))
}

fn beyond_default(set: Capabilities) -> Capabilities {
    set.minus(Capabilities::DOCKER_DEFAULT)
}

fn names(set: Capabilities) -> String {
    set.names().join(" ")
}

/// The worst first, and no more than a line has room for.
fn worst_names(set: Capabilities) -> String {
    let mut all = set.names();
    all.sort_by_key(|name| {
        (!HOST_ROOT.contains(&name.as_str()), !HOST_HARM.contains(&name.as_str()))
    });
    match all.len().checked_sub(NAMED) {
        None | Some(0) => all.join(" "),
        Some(rest) => format!("{} and {rest} more capabilities", all[..NAMED].join(" ")),
    }
}

fn worst(set: Capabilities) -> Severity {
    if HOST_ROOT.iter().any(|name| set.has(name)) {
        Severity::High
    } else if HOST_HARM.iter().any(|name| set.has(name)) {
        Severity::Medium
    } else {
        Severity::Low
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::Capabilities;

    use super::RULE;
    use crate::declared::ALL_CAPABILITIES;
    use crate::testing::{Reach, answer, container, process, status_of, stopped};
    use crate::{Severity, Status};

    const NET_ADMIN: Capabilities = Capabilities(1 << 12);
    const SYS_NICE: Capabilities = Capabilities(1 << 23);

    #[test]
    fn docker_defaults_pass_even_as_root() {
        assert_eq!(status_of(&RULE, &container(|c| c.processes()[0] = process(4711, "sh", 0))), Status::Pass);
    }

    /// `--privileged` has an empty CapAdd; the kernel shows every capability.
    #[test]
    fn case_07_privileged() {
        let it = container(|c| {
            c.host_config().privileged = true;
            c.processes()[0].cap_effective = ALL_CAPABILITIES;
        });
        let finding = answer(&RULE, &it);
        assert_eq!((finding.status, finding.severity), (Status::Fail, Severity::High));
    }

    #[test]
    fn severity_is_that_of_the_worst() {
        let of = |set: Capabilities| answer(&RULE, &container(|c| c.processes()[0].cap_permitted = set)).severity;
        assert_eq!(of(NET_ADMIN), Severity::Medium);
        assert_eq!(of(SYS_NICE), Severity::Low);
        assert_eq!(of(Capabilities(SYS_NICE.0 | 1 << 16)), Severity::High);
    }

    #[test]
    fn within_reach_is_milder_and_impossible_without_new_privileges() {
        let mut locked = false;
        let mut it = |lock| {
            locked = lock;
            container(|c| {
                c.processes()[0].cap_bounding.0 |= NET_ADMIN.0;
                c.processes()[0].no_new_privs = locked;
            })
        };
        let finding = answer(&RULE, &it(false));
        assert_eq!((finding.status, finding.severity), (Status::Fail, Severity::Low));
        assert_eq!(status_of(&RULE, &it(true)), Status::Pass);
    }

    #[test]
    fn a_user_namespace_makes_it_milder() {
        let it = container(|c| {
            c.processes()[0].cap_permitted = NET_ADMIN;
            c.namespaces().user += 1;
        });
        assert_eq!(answer(&RULE, &it).severity, Severity::Low);
    }

    #[test]
    fn stopped_and_unreadable() {
        let add = |c: &mut plimsoll_facts::Container| c.host_config().cap_add = vec!["CAP_SYS_ADMIN".into()];
        assert_eq!(answer(&RULE, &stopped(add)).severity, Severity::High);
        assert_eq!(status_of(&RULE, &container(|c| c.hide())), Status::Unknown);
    }
}
