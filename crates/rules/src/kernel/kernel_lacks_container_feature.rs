use plimsoll_facts::{CgroupMode, Facts};

use crate::answer::{fail, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "kernel-lacks-container-feature",
    title: "The kernel was built without a wall that engines take for granted",
    concern: Concern::Kernel,
    severity: Severity::Medium,
    why: "An engine starts containers all the same where the kernel lacks seccomp filters, a namespace or a controller: \
          it prints a warning at its start, ignores the option, and the wall is simply not there.",
    fix: "Boot a kernel of the distribution, or rebuild with the options named in the evidence. The reboot stops every \
          container. `docker info` prints the engine's own view as warnings.",
    references: &["namespaces(7)", "cgroups(7)", "seccomp(2)"],
    cis: &["1.2.1"],
    judge: Judge::Host(judge),
};

/// What is lost without each option, and how bad that is.
const FEATURES: [(&str, &str, Severity); 11] = [
    ("CONFIG_SECCOMP_FILTER", "no system call of a container is filtered", Severity::High),
    ("CONFIG_PID_NS", "containers see the host's processes", Severity::High),
    ("CONFIG_NET_NS", "containers share the host's network", Severity::High),
    ("CONFIG_IPC_NS", "containers share the host's IPC objects", Severity::High),
    ("CONFIG_UTS_NS", "containers share the host's name", Severity::Medium),
    ("CONFIG_USER_NS", "neither userns-remap nor a rootless engine is possible", Severity::Low),
    ("CONFIG_MEMCG", "memory cannot be limited", Severity::Medium),
    ("CONFIG_CGROUP_PIDS", "the number of processes cannot be limited", Severity::Medium),
    ("CONFIG_CFS_BANDWIDTH", "CPU time cannot be limited", Severity::Low),
    ("CONFIG_CGROUP_DEVICE", "devices are not filtered", Severity::High),
    ("CONFIG_CGROUP_BPF", "devices are not filtered", Severity::High),
];

fn judge(facts: &Facts) -> Judgement {
    let config = &facts.host.kernel.config;
    let built = config.require()?;
    let version_two = facts.host.cgroups.value().map(|layout| layout.mode == CgroupMode::V2);
    let mut missing = Vec::new();
    let mut worst = Severity::Low;
    for (option, loss, severity) in FEATURES {
        // Version 1 filters devices by a controller, version 2 by a BPF program.
        let other_version = match option {
            "CONFIG_CGROUP_DEVICE" => version_two != Some(false),
            "CONFIG_CGROUP_BPF" => version_two != Some(true),
            _ => false,
        };
        let value = built.get(option).map_or("not set", String::as_str);
        if other_version || matches!(value, "y" | "m") {
            continue;
        }
        missing.push((loss, Evidence::new(option, value, config.source()).expected("y")));
        worst = worst.max(severity);
    }
    if missing.is_empty() {
        return pass(Evidence::new("namespaces, controllers and filters", "built in", config.source()));
    }
    let losses: Vec<_> = missing.iter().map(|(loss, _)| *loss).collect();
    let evidence = missing.iter().map(|(_, evidence)| evidence.clone()).collect();
    fail(Problem::new(losses.join("; "), evidence).severity(worst))
}

#[cfg(test)]
mod tests {
    use super::{FEATURES, RULE};
    use crate::testing::bare::{denied, host, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{CgroupLayout, CgroupMode, Facts};

    fn without(option: &str, mode: CgroupMode) -> Facts {
        host(|h| {
            let built = FEATURES.iter().map(|(name, ..)| *name).filter(|name| *name != option);
            h.kernel.config = known(built.map(|name| (name.to_owned(), "y".to_owned())).collect());
            h.cgroups = known(CgroupLayout { mode, ..CgroupLayout::default() });
        })
    }

    #[test]
    fn a_missing_filter_is_high_a_missing_user_namespace_low() {
        let no_seccomp = answer(&RULE, &without("CONFIG_SECCOMP_FILTER", CgroupMode::V2));
        assert_eq!((no_seccomp.status, no_seccomp.severity), (Status::Fail, Severity::High));
        let no_userns = answer(&RULE, &without("CONFIG_USER_NS", CgroupMode::V1));
        assert_eq!((no_userns.status, no_userns.severity), (Status::Fail, Severity::Low));
    }

    #[test]
    fn each_hierarchy_has_its_own_device_filter() {
        assert_eq!(status_of(&RULE, &without("CONFIG_CGROUP_DEVICE", CgroupMode::V2)), Status::Pass);
        assert_eq!(status_of(&RULE, &without("CONFIG_CGROUP_BPF", CgroupMode::V2)), Status::Fail);
        assert_eq!(status_of(&RULE, &without("CONFIG_CGROUP_BPF", CgroupMode::V1)), Status::Pass);
    }

    #[test]
    fn no_configuration_is_unknown() {
        assert_eq!(status_of(&RULE, &host(|h| h.kernel.config = denied())), Status::Unknown);
    }
}
